/* ticket.c -- a submitted job as its owner sees it: looked at, waited for, cancelled, read. */
#include <string.h>

#include "base/atomics.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/futex.h"
#include "job/pool.h"
#include "job/tree.h"

bool pool_is_done(struct pool *pool, const struct ticket *ticket)
{
    return job_has_ended(board_job(pool->board, ticket->slot));
}

static enum job_phase phase_of(struct pool *pool, const struct ticket *ticket)
{
    return job_phase(load_acquire(&board_job(pool->board, ticket->slot)->state));
}

bool pool_is_running(struct pool *pool, const struct ticket *ticket)
{
    enum job_phase phase = phase_of(pool, ticket);
    return phase == JOB_RUNNING || phase == JOB_FAILING;
}

bool pool_is_cancelled(struct pool *pool, const struct ticket *ticket)
{
    return phase_of(pool, ticket) == JOB_CANCELLED;
}

bool pool_is_failed(struct pool *pool, const struct ticket *ticket)
{
    return phase_of(pool, ticket) == JOB_FAILED;
}

bool pool_cancel(struct pool *pool, const struct ticket *ticket)
{
    return job_cancel(board_job(pool->board, ticket->slot), pool->board, ticket->slot,
                      ticket->generation);
}

struct job_times pool_times(struct pool *pool, const struct ticket *ticket)
{
    struct job *job = board_job(pool->board, ticket->slot);
    int32_t row = load_relaxed(&job->first_worker);
    return (struct job_times){
        .queued_ns = load_relaxed(&job->queued_ns),
        .started_ns = load_relaxed(&job->started_ns),
        .finished_ns = load_relaxed(&job->finished_ns),
        .worker = row < BOARD_HELPERS ? row : -1,
    };
}

void pool_wait_change(struct pool *const *pools, const uint32_t *seen, size_t count,
                      int64_t timeout_ns)
{
    _Atomic uint32_t *words[POOLS_MAX] = {NULL};
    bool is_changed = false;
    for (size_t i = 0; i < count; i++) {
        words[i] = &pools[i]->board->ended_seq;
        add_seq_cst(&pools[i]->board->ended_waiters, 1); /* seq_cst, pairs with announce_end() */
    }
    for (size_t i = 0; i < count; i++)
        is_changed |= load_seq_cst(words[i]) != seen[i];
    if (!is_changed)
        futex_wait_any(words, seen, count, timeout_ns);
    for (size_t i = 0; i < count; i++)
        sub_acq_rel(&pools[i]->board->ended_waiters, 1);
}

/* Looks for the end of a job for as long as a worker looks for one; or up to four times that, while nobody has begun it: a
 * worker that sleeps takes 90 us to come to an idle CPU. Who fell asleep meanwhile would take as long to wake,
 * and find the worker asleep again: so for as long as jobs come. */
static bool spin_for_end(struct job *job, int64_t now, int64_t spin_ns, int64_t end_ns)
{
    enum { TIMES_MOST = 4 };
    int64_t first = now + spin_ns < end_ns ? now + spin_ns : end_ns;
    int64_t last = now + TIMES_MOST * spin_ns < end_ns ? now + TIMES_MOST * spin_ns : end_ns;
    if (spin_until_changed(&job->ended, 0, first))
        return true;
    int64_t started_ns = load_relaxed(&job->started_ns);
    if (started_ns != 0 && started_ns + spin_ns < last)
        last = started_ns + spin_ns;
    return last > first && spin_until_changed(&job->ended, 0, last);
}

bool pool_wait(struct pool *pool, const struct ticket *ticket, int64_t timeout_ns)
{
    struct job *job = board_job(pool->board, ticket->slot);
    if (job_has_ended(board_job(pool->board, ticket->slot)))
        return true;
    if (timeout_ns == 0)
        return false;
    int64_t now = clock_now_ns();
    int64_t end = timeout_ns < 0 || timeout_ns > INT64_MAX - now ? INT64_MAX : now + timeout_ns;
    if (spin_for_end(job, now, pool->board->spin_ns, end))
        return true;
    store_relaxed(&pool->board->submit_cpu,
                  0); /* from now on a worker may as well be on this CPU */
    while (!job_has_ended(board_job(pool->board, ticket->slot))) {
        now = clock_now_ns();
        if (now >= end)
            return false;
        /* seq_cst, pairs with announce_end(): one of us sees the other. */
        add_seq_cst(&job->waiters, 1);
        if (load_seq_cst(&job->ended) == 0)
            futex_wait(&job->ended, 0, end == INT64_MAX ? -1 : end - now);
        sub_acq_rel(&job->waiters, 1);
    }
    return true;
}

static void finish_job(void *result, struct job *job)
{
    const struct op *op = sheaf_ops[job->op];
    struct op_call call = job_call(job);
    uint32_t array = job->bytes.array;
    if (array != 0)
        call.data[array - 1] = (void *)(uintptr_t)job->places[array - 1].local_address;
    job_bind_bytes(&call, &job->bytes, job);
    call.symbol = (const void *)(uintptr_t)job->symbol.local_address;
    struct fp_mode mode = fp_mode_enter();
    if (op->result_bytes == 0 && job->bytes.output_bytes != 0)
        memcpy(result, call.output, job->bytes.output_bytes);
    op->finish(&call, job_partial(job, tree_root(job->tasks)), result);
    fp_mode_leave(mode);
}

sheaf_status pool_failure(struct job_error *out, struct pool *pool, const struct ticket *ticket)
{
    struct job *job = board_job(pool->board, ticket->slot);
    enum job_phase phase = phase_of(pool, ticket);
    if (phase == JOB_DONE) {
        *out = (struct job_error){.status = SHEAF_OK, .worker = -1};
    } else if (phase == JOB_CANCELLED) {
        *out = (struct job_error){SHEAF_ERR_CANCELLED, 0, -1, 0,
                                  "the work was cancelled before it began"};
    } else if ((load_acquire(&job->error_holder) & 3) == 2) {
        *out = job->error;
        out->text[sizeof out->text - 1] = '\0';
    } else { /* who failed died before it had written why */
        *out = (struct job_error){SHEAF_ERR_WORKER, 0, -1, 0,
                                  "a worker failed and died before it said why"};
    }
    return (sheaf_status)out->status;
}

sheaf_status pool_result(void *result, struct pool *pool, const struct ticket *ticket)
{
    struct job_error error;
    if (pool_failure(&error, pool, ticket) != SHEAF_OK)
        return SHEAF_FAIL((sheaf_status)error.status, "%s", error.text);
    finish_job(result, board_job(pool->board, ticket->slot));
    return SHEAF_OK;
}
