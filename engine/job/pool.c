/* pool.c -- slots: taken, filled, waited for, read, given back. */
#include "job/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomics.h"
#include "base/clock.h"
#include "base/cpus.h"
#include "base/error.h"
#include "base/futex.h"
#include "job/board_memory.h"
#include "job/settle.h"
#include "job/tree.h"

/* Gives back what an ended job holds; the slot is free. Under the mutex. */
static void free_slot(struct pool *pool, uint32_t index)
{
    struct slot *slot = &pool->slots[index];
    struct job *job = board_job(pool->board, index);
    struct segment *segments[OP_ARRAYS_MAX];
    memcpy(segments, slot->segments, sizeof segments);
    memset(slot->segments, 0, sizeof slot->segments);
    struct symbol *symbol = slot->symbol;
    slot->symbol = NULL;
    pool->abandoned -= slot->is_abandoned;
    pool->taken--;
    pool->given_back[job_phase(load_seq_cst(&job->state))]++;
    slot->is_taken = false;
    slot->is_abandoned = false;
    explicit_bzero(job->params, sizeof job->params); /* may be a key */
    if (job->bytes.array == 0 && job->bytes.end > job->bytes.input[0])
        explicit_bzero((char *)job + job->bytes.input[0], job->bytes.end - job->bytes.input[0]);
    and_seq_cst(&pool->board->active[index / 64], ~(UINT64_C(1) << index % 64));
    store_seq_cst(&job->state, job_state(slot->generation, JOB_FREE));
    /* The last release of a segment calls its hook, which wants the mutex of every pool. */
    pthread_mutex_unlock(&pool->mutex);
    for (uint32_t i = 0; i < OP_ARRAYS_MAX; i++)
        segment_release(segments[i]);
    symbol_release(symbol);
    add_seq_cst(&pool->board->ended_seq, 1); /* for those who wait for a slot */
    if (load_seq_cst(&pool->board->ended_waiters) != 0)
        futex_wake(&pool->board->ended_seq, INT32_MAX);
    pthread_mutex_lock(&pool->mutex);
}

/* Gives back the slots of jobs that nobody waits for. Under the mutex. */
static void free_abandoned(struct pool *pool)
{
    for (uint32_t i = 0; i < BOARD_SLOTS && pool->abandoned > 0; i++)
        if (pool->slots[i].is_taken && pool->slots[i].is_abandoned &&
            job_has_ended(board_job(pool->board, i)))
            free_slot(pool, i);
}

/* Rule (1) of board.h: whether some worker is still inside the slot's last job. */
static bool is_entered(const struct pool *pool, uint32_t index)
{
    uint64_t name = entered_name(index, pool->slots[index].generation);
    if (name == 0)
        return false; /* slot 0, never used: 0 is the record of a worker that is nowhere */
    uint32_t workers = load_relaxed(&pool->board->workers);
    for (uint32_t i = 0; i < workers; i++)
        if (load_seq_cst(&pool->board->worker[i].entered) == name)
            return true;
    for (uint32_t i = 0; i < pool->helper_rows; i++)
        if (load_seq_cst(&pool->board->worker[BOARD_HELPERS + i].entered) == name)
            return true;
    return false;
}

/* The first free slot, so that the same few stay in the cache. Under the mutex. */
static uint32_t find_slot(struct pool *pool)
{
    for (uint32_t i = 0; i < BOARD_SLOTS; i++)
        if (!pool->slots[i].is_taken && !is_entered(pool, i))
            return i;
    return BOARD_SLOTS;
}

/* Writes where the job's arrays and its symbol are found. Under the mutex. */
static sheaf_status place_all(struct pool *pool, struct job *job, const struct request *request)
{
    sheaf_status status = SHEAF_OK;
    for (uint32_t i = request->array_count; i < OP_ARRAYS_MAX; i++)
        job->arrays[i].dtype = 0; /* the slot's last job may have had more of them */
    for (uint32_t i = 0; i < request->array_count && status == SHEAF_OK; i++) {
        job->arrays[i] = request->shapes[i];
        job->places[i].local_address = (uint64_t)(uintptr_t)sheaf_array_data(request->arrays[i]);
        status = pool->place(pool, &job->places[i], request->arrays[i]);
    }
    job->symbol = (struct job_symbol){.row = BOARD_SYMBOLS};
    if (request->symbol == NULL || status != SHEAF_OK)
        return status;
    job->symbol.local_address = (uint64_t)(uintptr_t)request->symbol->address;
    return pool->place_symbol == NULL ? SHEAF_OK
                                      : pool->place_symbol(pool, &job->symbol, request->symbol);
}

/* Copies the bytes that come with the request to behind the job's nodes. */
static void copy_bytes(struct job *job, const struct request *request)
{
    for (uint32_t i = 0; i < OP_INPUTS_MAX; i++)
        if (request->input_bytes[i] != 0)
            memcpy((char *)job + job->bytes.input[i], request->input[i], request->input_bytes[i]);
    memset((char *)job + job->bytes.output, 0, request->output_bytes);
}

/* Writes the job's plain data. Under the mutex; the slot is free. */
static sheaf_status fill(struct pool *pool, uint32_t index, const struct request *request)
{
    struct slot *slot = &pool->slots[index];
    struct job *job = board_job(pool->board, index);
    uint32_t stride = request_stride(request);
    uint32_t shift = task_shift(&request->plan, stride, load_relaxed(&pool->board->wanted));
    uint32_t tasks = (uint32_t)((request->plan.leaves + (UINT64_C(1) << shift) - 1) >> shift);
    struct job_bytes layout;
    size_t bytes = job_nodes_end(tasks, request->plan.sweeps, stride);
    if (request->bytes_array == 0)
        bytes = request_lay_out(&layout, request, bytes);
    else
        request_lay_out(&layout, request, 0);
    sheaf_status status = board_reserve(pool->descriptor, index, bytes, &slot->reserved);
    if (status != SHEAF_OK)
        return status;
    job->op = request->op;
    job->isa = request->isa;
    job->tasks = tasks;
    job->sweeps = request->plan.sweeps;
    job->task_shift = shift;
    job->leaves = request->plan.leaves;
    job->partial_stride = stride;
    job->array_count = request->array_count;
    job->deadline_ns = request->deadline_ns != 0 ? request->deadline_ns : pool->deadline_ns;
    job->attempts_max = request->attempts_max != 0 ? request->attempts_max : pool->attempts_max;
    if (job->attempts_max == 0)
        job->attempts_max = request->attempts_default;
    memcpy(job->params, request->params, sizeof job->params);
    status = place_all(pool, job, request);
    if (status != SHEAF_OK)
        return status;
    job->bytes = layout;
    if (request->bytes_array == 0)
        copy_bytes(job, request);
    memset((void *)job_words(job), 0, (size_t)job_nodes(job) * 8); /* all OPEN */
    job->lost = 0;
    job->lost_done = 0;
    store_relaxed(&job->queued_ns, clock_now_ns());
    store_relaxed(&job->started_ns, 0);
    store_relaxed(&job->finished_ns, 0);
    store_relaxed(&job->first_worker, -1);
    store_relaxed(&job->cursor[0], 0);
    store_relaxed(&job->cursor[1], 0);
    store_relaxed(&job->absorbed, 0);
    store_relaxed(&job->ended, 0);
    store_relaxed(&job->error_holder, 0);
    return SHEAF_OK;
}

static sheaf_status check_usable(const struct pool *pool)
{
    if (pool->is_closing)
        return SHEAF_FAIL(SHEAF_ERR_CLOSED, "the executor has been closed: open another one");
    if (pool->broken[0] != '\0')
        return SHEAF_FAIL(SHEAF_ERR_WORKER, "%s", pool->broken);
    return SHEAF_OK;
}

/* Tells the supervisor to look after deadlines sooner than it would. Under the mutex. */
static void expect(struct pool *pool, int64_t deadline_ns)
{
    if (clock_now_ns() + deadline_ns >= load_relaxed(&pool->next_look_ns))
        return;
    store_relaxed(&pool->next_look_ns, 0);
    pool->notify(pool);
}

/* Under the mutex. */
static sheaf_status publish(struct ticket *out, struct pool *pool, const struct request *request,
                            uint32_t helpers)
{
    free_abandoned(pool); /* first: it lets go of the mutex, and what was checked before is stale */
    sheaf_status status = check_usable(pool);
    if (status != SHEAF_OK)
        return status;
    uint32_t index = find_slot(pool);
    if (index == BOARD_SLOTS)
        return SHEAF_ERR_BUSY;
    status = fill(pool, index, request);
    if (status != SHEAF_OK)
        return status;
    struct slot *slot = &pool->slots[index];
    struct job *job = board_job(pool->board, index);
    slot->is_taken = true;
    slot->generation = ++pool->next_generation;
    for (uint32_t i = 0; i < request->array_count; i++)
        slot->segments[i] = segment_retain(request->arrays[i]->segment);
    slot->symbol = symbol_retain(request->symbol);
    pool->taken++;
    *out = (struct ticket){.slot = index, .generation = slot->generation};
    store_seq_cst(&job->state, job_state(slot->generation, JOB_QUEUED));
    or_seq_cst(&pool->board->active[index / 64], UINT64_C(1) << index % 64);
    if (job->deadline_ns != 0)
        expect(pool, job->deadline_ns);
    uint32_t tasks = job->tasks + (pool->taken - 1);
    store_relaxed(&pool->board->submit_cpu, cpus_current());
    if (work_announce(pool->board, tasks > helpers ? tasks - helpers : 0) && pool->notify != NULL)
        pool->notify(pool); /* workers that have left are wanted again */
    return SHEAF_OK;
}

/* Whether a slot may become free by itself: some job in one has not ended. Under the mutex. */
static bool is_any_unfinished(const struct pool *pool)
{
    for (uint32_t i = 0; i < BOARD_SLOTS; i++)
        if (pool->slots[i].is_taken && !job_has_ended(board_job(pool->board, i)))
            return true;
    return false;
}

sheaf_status pool_submit(struct ticket *out, struct pool *pool, const struct request *request,
                         uint32_t helpers)
{
    for (;;) {
        uint32_t seen = load_seq_cst(&pool->board->ended_seq); /* free_slot() moves it, too */
        pthread_mutex_lock(&pool->mutex);
        sheaf_status status = publish(out, pool, request, helpers);
        bool waits = status == SHEAF_ERR_BUSY && pool->blocks_when_full && is_any_unfinished(pool);
        bool is_full = status == SHEAF_ERR_BUSY && pool->taken == BOARD_SLOTS;
        pthread_mutex_unlock(&pool->mutex);
        if (!waits && is_full)
            return SHEAF_FAIL(SHEAF_ERR_BUSY,
                              "%d jobs are in flight on this executor: wait for some of "
                              "their futures, or release them",
                              BOARD_SLOTS);
        if (!waits)
            return status;
        pool_wait_change(&pool, &seen, 1, -1);
    }
}

sheaf_status pool_set_initializer(struct pool *pool, const struct request *request)
{
    pthread_mutex_lock(&pool->mutex);
    sheaf_status status = fill(pool, BOARD_SLOTS, request);
    if (status == SHEAF_OK) {
        pool->slots[BOARD_SLOTS].is_taken = true;
        pool->slots[BOARD_SLOTS].symbol = symbol_retain(request->symbol);
        pool->board->has_initializer = 1;
    }
    pthread_mutex_unlock(&pool->mutex);
    return status;
}

void pool_initializer_error(char *text, size_t bytes, struct pool *pool)
{
    struct job *job = board_job(pool->board, BOARD_SLOTS);
    text[0] = '\0';
    if ((load_acquire(&job->error_holder) & 3) == 2)
        snprintf(text, bytes, "%s", job->error.text);
}

sheaf_status pool_place_local(struct pool *pool, struct job_place *place,
                              const struct sheaf_array *array)
{
    (void)pool;
    (void)place; /* its local_address is all that a thread needs */
    (void)array;
    return SHEAF_OK;
}

sheaf_status pool_resolve_local(struct worker *worker, const struct job *job, struct op_call *call)
{
    (void)worker;
    for (uint32_t i = 0; i < job->array_count; i++)
        call->data[i] = (void *)(uintptr_t)job->places[i].local_address;
    call->symbol = (const void *)(uintptr_t)job->symbol.local_address;
    return SHEAF_OK;
}

/* A row of the board for a caller that helps; BOARD_WORKERS if all are given out. */
static uint32_t take_row(struct pool *pool)
{
    uint32_t i = 0;
    pthread_mutex_lock(&pool->mutex);
    while (i < BOARD_WORKERS - BOARD_HELPERS && (pool->helpers >> i & 1) != 0)
        i++;
    if (i < BOARD_WORKERS - BOARD_HELPERS) {
        pool->helpers |= UINT64_C(1) << i;
        if (i >= pool->helper_rows)
            pool->helper_rows = i + 1;
    }
    pthread_mutex_unlock(&pool->mutex);
    return BOARD_HELPERS + i;
}

void pool_help(struct pool *pool, const struct ticket *ticket)
{
    struct worker helper = {.board = pool->board,
                            .row = take_row(pool),
                            .incarnation = 1,
                            .resolve = pool_resolve_local};
    if (helper.row == BOARD_WORKERS)
        return;
    while (!work_help(&helper, ticket->slot, ticket->generation))
        continue;
    pthread_mutex_lock(&pool->mutex);
    pool->helpers &= ~(UINT64_C(1) << (helper.row - BOARD_HELPERS));
    pthread_mutex_unlock(&pool->mutex);
}

void pool_forget(struct pool *pool, const struct ticket *ticket)
{
    pthread_mutex_lock(&pool->mutex);
    pool->slots[ticket->slot].is_abandoned = true;
    pool->abandoned++;
    if (job_has_ended(board_job(pool->board, ticket->slot)))
        free_slot(pool, ticket->slot);
    pthread_mutex_unlock(&pool->mutex);
}

struct pool_counts pool_count(struct pool *pool)
{
    uint64_t count[JOB_CANCELLED + 1];
    pthread_mutex_lock(&pool->mutex);
    memcpy(count, pool->given_back, sizeof count);
    for (uint32_t i = 0; i < BOARD_SLOTS; i++)
        if (pool->slots[i].is_taken)
            count[job_phase(load_acquire(&board_job(pool->board, i)->state))]++;
    struct pool_counts counts = {
        .queued = count[JOB_QUEUED],
        .running = count[JOB_RUNNING] + count[JOB_FAILING],
        .done = count[JOB_DONE],
        .failed = count[JOB_FAILED],
        .cancelled = count[JOB_CANCELLED],
        .interrupted = pool->interrupted,
    };
    pthread_mutex_unlock(&pool->mutex);
    return counts;
}

bool pool_has_work(struct pool *pool)
{
    bool has_work = false;
    pthread_mutex_lock(&pool->mutex);
    for (uint32_t i = 0; i < BOARD_SLOTS && !has_work; i++)
        has_work = pool->slots[i].is_taken && job_has_work(board_job(pool->board, i));
    pthread_mutex_unlock(&pool->mutex);
    return has_work;
}

bool pool_is_broken(struct pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    bool is_broken = pool->broken[0] != '\0';
    pthread_mutex_unlock(&pool->mutex);
    return is_broken;
}

void pool_refuse(struct pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->is_closing = true;
    pthread_mutex_unlock(&pool->mutex);
}

void pool_cancel_all(struct pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    for (uint32_t i = 0; i < BOARD_SLOTS; i++)
        if (pool->slots[i].is_taken)
            job_cancel(board_job(pool->board, i), pool->board, i, pool->slots[i].generation);
    pthread_mutex_unlock(&pool->mutex);
}

void pool_drain(struct pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->is_closing = true;
    for (uint32_t i = 0; i < BOARD_SLOTS; i++) {
        struct ticket ticket = {.slot = i, .generation = pool->slots[i].generation};
        if (!pool->slots[i].is_taken)
            continue;
        pthread_mutex_unlock(&pool->mutex);
        pool_wait(pool, &ticket,
                  -1); /* a slot that is freed meanwhile has ended, and is not taken again */
        pthread_mutex_lock(&pool->mutex);
    }
    free_abandoned(pool);
    pthread_mutex_unlock(&pool->mutex);
}

bool pool_bury(struct pool *pool, const struct death *death)
{
    struct worker_row *row = &pool->board->worker[death->row];
    pthread_mutex_lock(&pool->mutex);
    bool was_inside = load_seq_cst(&row->entered) != 0;
    for (uint32_t i = 0; i < BOARD_SLOTS; i++)
        if (pool->slots[i].is_taken)
            job_bury(board_job(pool->board, i), pool->board, i, death);
    pool->interrupted += was_inside;
    store_relaxed(&row->attached_bytes, 0);
    store_seq_cst(&row->state, WORKER_ABSENT);
    store_seq_cst(&row->entered, 0);
    store_seq_cst(&row->due, 0);
    pthread_mutex_unlock(&pool->mutex);
    work_wake_all(pool->board);
    return was_inside;
}

void pool_break(struct pool *pool, const char *text)
{
    pthread_mutex_lock(&pool->mutex);
    if (pool->broken[0] == '\0')
        strncpy(pool->broken, text, sizeof pool->broken - 1);
    for (uint32_t i = 0; i < BOARD_SLOTS; i++)
        if (pool->slots[i].is_taken)
            job_abandon(board_job(pool->board, i), pool->board, i, SHEAF_ERR_WORKER, text);
    pthread_mutex_unlock(&pool->mutex);
}

sheaf_status pool_create(struct pool **out, uint32_t workers, bool is_shared)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "open an executor: out of memory");
    sheaf_status status = board_create(&pool->board, &pool->descriptor, workers, is_shared);
    if (status != SHEAF_OK) {
        free(pool);
        return status;
    }
    pool->references = 1;
    store_relaxed(&pool->next_look_ns, INT64_MAX);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_mutex_init(&pool->notifier.mutex, NULL);
    pool->notifier.end = &pool->notifier.watches;
    *out = pool;
    return SHEAF_OK;
}

void pool_release(struct pool *pool)
{
    if (sub_acq_rel(&pool->references, 1) != 1)
        return;
    for (uint32_t i = 0; i <= BOARD_SLOTS;
         i++) { /* the initializer; in a forked child: jobs of the parent's */
        for (uint32_t k = 0; k < OP_ARRAYS_MAX; k++)
            segment_release(pool->slots[i].segments[k]);
        symbol_release(pool->slots[i].symbol);
    }
    board_destroy(pool->board, pool->descriptor);
    pthread_mutex_destroy(&pool->mutex);
    pthread_mutex_destroy(&pool->notifier.mutex);
    free(pool);
}
