/* work.c -- claiming and running the nodes of a job. See board.h for the rules it keeps. */
#include "job/work.h"

#include <stdio.h>
#include <string.h>

#include <sheaf/status.h>

#include "base/atomics.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/futex.h"
#include "job/due.h"
#include "job/run.h"
#include "job/settle.h"
#include "job/tree.h"
#include "job/word.h"
#include "kernels.h"

/* Who helps with the way up looks again so often, in case that the job has failed. */
enum { HELP_BOUND_NS = 1000000 };

/* One worker inside one job. */
struct visit {
    struct worker *worker;
    struct job *job;
    struct worker_row *row;
    int64_t deadline_ns; /* of the job, once we are in it */
    uint32_t slot;
    uint64_t generation;
    uint64_t holder; /* our part of a claimed word */
    const struct op *op;
    struct op_call call;
    bool did_something;
};

struct op_call job_call(const struct job *job)
{
    return (struct op_call){.op = sheaf_ops[job->op],
                            .kernels = sheaf_kernels_at(job->isa),
                            .params = job->params,
                            .arrays = job->arrays,
                            .worker = -1};
}

static bool is_running(const struct visit *visit)
{
    return load_seq_cst(&visit->job->state) == job_state(visit->generation, JOB_RUNNING);
}

static void say_between_nodes(const struct visit *visit)
{
    if (!due_say(visit->row, visit->deadline_ns, false))
        due_wait_for_death();
}

/* Claims an open node. Rule (2) of board.h: the claim holds only if the job still runs after it. */
static bool claim(struct visit *visit, uint32_t node)
{
    _Atomic uint64_t *word = &job_words(visit->job)[node];
    uint64_t seen = load_seq_cst(word);
    if (word_state(seen) != WORD_OPEN)
        return false;
    uint64_t mine = word_claimed(seen, visit->holder);
    FAILPOINT("before_claim");
    if (!cas_seq_cst(word, &seen, mine))
        return false;
    FAILPOINT("claimed");
    bool is_in_time = due_say(visit->row, visit->deadline_ns, true);
    if (is_in_time && is_running(visit))
        return true;
    cas_seq_cst(word, &mine, word_with_state(mine, WORD_OPEN));
    say_between_nodes(visit);
    return false;
}

/* RUNNING -> DONE or FAILED. It cannot miss: a word is taken from its holder only after its death. */
static void mark(struct visit *visit, uint32_t node, enum word_state state)
{
    _Atomic uint64_t *word = &job_words(visit->job)[node];
    uint64_t mine = load_relaxed(word);
    FAILPOINT("before_done");
    bool is_mine = cas_seq_cst(word, &mine, word_with_state(mine, state));
    assert(is_mine);
    (void)is_mine;
    FAILPOINT("after_done");
    say_between_nodes(visit);
    visit->did_something = true;
}

static bool is_done(const struct visit *visit, uint32_t node)
{
    return word_state(load_seq_cst(&job_words(visit->job)[node])) == WORD_DONE;
}

/* A task's partial. The flag is a hint that is never wrong: a partial that absorbs all others is the
 * job's result, whichever node has it. So a task that comes later need not look at its elements. */
static sheaf_status map_task(struct visit *visit, uint64_t first, uint64_t count, void *partial)
{
    const struct op *op = visit->op;
    if (op->absorbing != NULL && load_relaxed(&visit->job->absorbed)) {
        memcpy(partial, op->absorbing, op->partial_bytes);
        return SHEAF_OK;
    }
    sheaf_status status = op->map(&visit->call, first, count, partial);
    if (status == SHEAF_OK && op->absorbing != NULL &&
        memcmp(partial, op->absorbing, op->partial_bytes) == 0)
        store_relaxed(&visit->job->absorbed, 1);
    return status;
}

/* Runs task number `task` of a sweep. */
static sheaf_status run_task(struct visit *visit, uint32_t task, bool is_down, void *partial)
{
    struct job *job = visit->job;
    uint64_t first = (uint64_t)task << job->task_shift;
    uint64_t count = UINT64_C(1) << job->task_shift;
    if (count > job->leaves - first)
        count = job->leaves - first;
    if (!is_down)
        return map_task(visit, first, count, partial);
    return visit->op->down(&visit->call, first, count,
                           &(struct op_up){
                               .partials = job_partial(job, 0),
                               .stride = job->partial_stride,
                               .tasks = job->tasks,
                               .task_shift = job->task_shift,
                           });
}

/* We began the job, or have its first task, whose runner is the worker to be told: who began a job may be overtaken. */
static void note_start(const struct visit *visit, bool runs_first_task)
{
    struct job *job = visit->job;
    int64_t never = 0;
    int32_t nobody = -1;
    if (load_relaxed(&job->started_ns) == 0)
        cas_seq_cst(&job->started_ns, &never, clock_now_ns());
    if (runs_first_task)
        store_relaxed(&job->first_worker, (int32_t)visit->worker->row);
    else
        cas_seq_cst(&job->first_worker, &nobody, (int32_t)visit->worker->row);
}

/* Runs a claimed node. False if that failed: the node and the job are marked. */
static bool run(struct visit *visit, uint32_t node)
{
    struct job *job = visit->job;
    bool is_down = node >= job_sweep_nodes(job);
    uint32_t in_tree = node % job_sweep_nodes(job);
    void *partial = job_partial(job, in_tree);
    struct fp_mode mode = fp_mode_enter();
    sheaf_status status = SHEAF_OK;
    run_enter();
    if (tree_is_task(in_tree)) {
        FAILPOINT("running");
        visit->worker->tasks_run++;
        if (node == 0)
            note_start(visit, true);
        status = run_task(visit, in_tree / 2, is_down, partial);
        FAILPOINT("written");
    } else if (!is_down) { /* on the way down nothing merges */
        FAILPOINT("merging");
        visit->op->merge(&visit->call, job_partial(job, tree_left(node)),
                         job_partial(job, tree_right(node, job->tasks)), partial);
        if (visit->op->merged != NULL)
            status = visit->op->merged(&visit->call, partial);
        FAILPOINT("merged");
    }
    run_leave();
    fp_mode_leave(mode);
    if (status == SHEAF_OK) {
        mark(visit, node, WORD_DONE);
        return true;
    }
    job_set_error(job, visit->holder, status, (int32_t)visit->worker->row, 0, sheaf_last_error());
    mark(visit, node, WORD_FAILED);
    job_start_failing(job, visit->generation);
    return false;
}

/* A caller that helps is nobody's to replace. */
static bool has_tasks_left(const struct worker *worker)
{
    uint32_t most = worker->board->tasks_per_worker;
    return most == 0 || worker->tasks_run < most || worker->row >= BOARD_HELPERS;
}

static bool is_surplus(const struct worker *worker)
{
    const struct board *board = worker->board;
    if (worker->row >= BOARD_HELPERS)
        return false; /* a caller that helps */
    return worker->is_in_team ? load_acquire(&board->regions) != worker->region
                              : worker->row >= load_acquire(&board->wanted);
}

/* Else it leaves before its next task. What it would not run it does not begin, either: who waits for a place in a steady
 * stream of jobs would wait for ever, and what nobody runs could not be cancelled. */
static bool stays(const struct worker *worker)
{
    return has_tasks_left(worker) && !is_surplus(worker);
}

/* Runs a claimed node, and then every ancestor whose other child is done by now. Of two siblings that
 * end at the same time at least one sees the other's DONE, as the stores and the loads are seq_cst;
 * with release and acquire both could miss (store buffers), and the merge would be nobody's. */
static void run_and_climb(struct visit *visit, uint32_t node)
{
    struct job *job = visit->job;
    uint32_t root = tree_root(job->tasks);
    uint32_t base = node - node % job_sweep_nodes(job);
    while (run(visit, node)) {
        if (node == job_last_node(job)) {
            FAILPOINT("ending");
            /* Before anybody is told: a submit that follows at once need wake nobody else. */
            if (stays(visit->worker))
                store_relaxed(&visit->row->state, WORKER_SPINNING);
            job_end(job, visit->worker->board, visit->slot, visit->generation, JOB_DONE);
            return;
        }
        if (node ==
            root) { /* the way down is open; if we die before we say so, the supervisor does */
            work_announce(visit->worker->board, job->tasks);
            return;
        }
        uint32_t parent = base + tree_parent(node - base, job->tasks);
        if (!is_done(visit, base + tree_sibling(node - base, job->tasks)))
            return;
        FAILPOINT("before_parent");
        if (!claim(visit, parent))
            return;
        node = parent;
    }
}

/* Whether a node of a sweep that is open can be run now: a task always, a merge when its children are done. */
static bool is_ready(const struct visit *visit, uint32_t base, uint32_t node)
{
    uint32_t tasks = visit->job->tasks;
    if (word_state(load_relaxed(&job_words(visit->job)[base + node])) != WORD_OPEN)
        return false;
    return tree_is_task(node) || (is_done(visit, base + tree_left(node)) &&
                                  is_done(visit, base + tree_right(node, tasks)));
}

/* While the job runs and the worker may run more of it: what it leaves is for whoever replaces it. */
static bool goes_on(const struct visit *visit)
{
    return is_running(visit) && stays(visit->worker);
}

static void run_sweep(struct visit *visit, uint32_t sweep)
{
    struct job *job = visit->job;
    uint32_t base = sweep * job_sweep_nodes(job);
    uint32_t task;
    while (goes_on(visit) && (task = add_relaxed(&job->cursor[sweep], 1)) < job->tasks)
        if (claim(visit, base + 2 * task))
            run_and_climb(visit, base + 2 * task);
    if (!stays(visit->worker))
        return;
    store_relaxed(&job->cursor[sweep],
                  job->tasks); /* it must not wrap, however often it is looked at */
    /* The cursor is a hint: who died between taking a number and claiming left an open task. */
    for (uint32_t node = 0; node < job_sweep_nodes(job) && goes_on(visit); node++)
        if (is_ready(visit, base, node) && claim(visit, base + node))
            run_and_climb(visit, base + node);
}

static void run_what_is_there(struct visit *visit)
{
    struct job *job = visit->job;
    run_sweep(visit, 0);
    if (job->sweeps == 2 && goes_on(visit) && is_done(visit, tree_root(job->tasks)))
        run_sweep(visit, 1);
}

static bool prepare(struct visit *visit)
{
    struct job *job = visit->job;
    visit->op = sheaf_ops[job->op];
    visit->call = job_call(job);
    FAILPOINT("resolving");
    sheaf_status status = visit->worker->resolve(visit->worker, job, &visit->call);
    if (status == SHEAF_OK) {
        job_bind_bytes(&visit->call, &job->bytes, job);
        visit->call.worker = visit->worker->row < BOARD_HELPERS ? (int32_t)visit->worker->row
                                                                : -1; /* a caller that helps */
        return true;
    }
    job_set_error(job, visit->holder, status, (int32_t)visit->worker->row, 0, sheaf_last_error());
    job_start_failing(job, visit->generation);
    return false;
}

bool work_on(struct worker *worker, uint32_t slot, uint64_t generation)
{
    struct job *job = board_job(worker->board, slot);
    struct worker_row *row = &worker->board->worker[worker->row];
    struct visit visit = {
        .worker = worker,
        .job = job,
        .row = row,
        .slot = slot,
        .generation = generation,
        .holder = word_holder(worker->row, worker->incarnation),
    };
    store_relaxed(&row->state, WORKER_BUSY);
    store_seq_cst(&row->entered, entered_name(slot, generation)); /* rule (1) of board.h */
    FAILPOINT("entering");
    due_wait_for_pardon(row);
    uint64_t state = load_seq_cst(&job->state);
    if (state == job_state(generation, JOB_QUEUED) &&
        cas_seq_cst(&job->state, &state, job_state(generation, JOB_RUNNING))) {
        state = job_state(generation, JOB_RUNNING);
        note_start(&visit, false);
    }
    if (state == job_state(generation, JOB_RUNNING)) {
        visit.deadline_ns = job->deadline_ns;
        say_between_nodes(&visit);
        if (prepare(&visit)) {
            run_what_is_there(&visit);
            if (visit.op->leave != NULL)
                visit.op->leave();
        }
    }
    if (job_generation(state) == generation)
        job_end_if_failed(job, worker->board, slot, generation);
    if (!due_say_left(row, visit.deadline_ns))
        due_wait_for_death();
    FAILPOINT("leaving");
    /* release, pairs with the seq_cst load of whoever wants the slot: our last touch is before it. */
    store_release(&row->entered, 0);
    return visit.did_something;
}

bool work_help(struct worker *worker, uint32_t slot, uint64_t generation)
{
    struct board *board = worker->board;
    struct job *job = board_job(board, slot);
    uint32_t seen = load_seq_cst(&board->work_seq);
    bool is_up = job->sweeps == 1 ||
                 word_state(load_seq_cst(&job_words(job)[tree_root(job->tasks)])) == WORD_DONE;
    work_on(worker, slot, generation);
    uint64_t state = load_seq_cst(&job->state);
    if (is_up || state != job_state(generation, JOB_RUNNING))
        return true;
    if (word_state(load_seq_cst(&job_words(job)[tree_root(job->tasks)])) != WORD_DONE) {
        futex_wait(&board->work_seq, seen, HELP_BOUND_NS);
        /* Of a job that was submitted meanwhile we may have taken the only wake-up, and we run none but our own. */
        if (load_seq_cst(&board->work_seq) != seen)
            work_pass_on(board);
    }
    return false;
}

/* The slot with the oldest work whose generation is above `after`; its generation, or 0. */
static uint64_t oldest_job(struct board *board, uint64_t after, uint32_t *slot)
{
    uint64_t best = 0;
    for (uint32_t word = 0; word < BOARD_SLOTS / 64; word++)
        for (uint64_t bits = load_acquire(&board->active[word]); bits != 0; bits &= bits - 1) {
            uint32_t here = word * 64 + (uint32_t)__builtin_ctzll(bits);
            uint64_t state = load_acquire(&board_job(board, here)->state);
            uint64_t generation = job_generation(state);
            bool has_work = job_phase(state) == JOB_QUEUED || job_phase(state) == JOB_RUNNING;
            if (has_work && generation > after && (best == 0 || generation < best)) {
                best = generation;
                *slot = here;
            }
        }
    return best;
}

/* One look at every job, oldest first, as long as it stays. True if there was something to do. */
static bool work_on_all(struct worker *worker)
{
    uint32_t slot = 0;
    bool did_something = false;
    uint64_t generation = 0;
    while (stays(worker) && (generation = oldest_job(worker->board, generation, &slot)) != 0)
        did_something |= work_on(worker, slot, generation);
    return did_something;
}

bool work_initialize(struct worker *worker)
{
    if (!worker->board->has_initializer)
        return true;
    struct job *job = board_job(worker->board, BOARD_SLOTS);
    struct visit visit = {
        .worker = worker, .job = job, .holder = word_holder(worker->row, worker->incarnation)};
    if (!prepare(&visit))
        return false;
    run_enter();
    sheaf_status status = visit.op->map(&visit.call, 0, job->leaves, job_partial(job, 0));
    run_leave();
    if (status != SHEAF_OK)
        job_set_error(job, visit.holder, status, (int32_t)worker->row, 0, sheaf_last_error());
    return status == SHEAF_OK;
}

/* Leaves for want of work. False: there is some after all, as whoever has it may have counted on us. All seq_cst: either
 * work_announce() sees that we are absent, or we see that it has moved work_seq. */
static bool leave_idle(struct worker *worker, uint32_t seen)
{
    _Atomic uint32_t *state = &worker->board->worker[worker->row].state;
    store_seq_cst(state, WORKER_ABSENT);
    if (load_seq_cst(&worker->board->work_seq) == seen)
        return true;
    store_seq_cst(state, WORKER_BUSY);
    return false;
}

enum work_end work_until_stopped(struct worker *worker)
{
    struct board *board = worker->board;
    int64_t idle_since = clock_now_ns();
    store_seq_cst(&board->worker[worker->row].state, WORKER_BUSY); /* it is there now */
    bool spins = false; /* after work, as more may follow; not after a sleep that brought none */
    for (;;) {
        uint32_t seen = load_seq_cst(&board->work_seq);
        if (load_acquire(&board->stop))
            return WORK_STOPPED;
        if (is_surplus(worker)) {
            work_pass_on(board);
            return WORK_SURPLUS;
        }
        bool did_something = work_on_all(worker);
        if (!has_tasks_left(worker))
            return WORK_RETIRED;
        if (did_something && board->idle_ns != 0)
            idle_since = clock_now_ns();
        if (!did_something && board->idle_ns != 0 &&
            clock_now_ns() - idle_since >= board->idle_ns && leave_idle(worker, seen))
            return WORK_IDLE;
        if (!did_something)
            work_sleep(worker, seen, spins);
        spins = did_something;
    }
}
