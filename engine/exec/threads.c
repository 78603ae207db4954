/* threads.c -- an OpenMP team that waits for work as long as the executor is open.
 *
 * One driver thread of ours is the master of the team: libgomp keeps a team per master thread, so the
 * team is nobody else's, submitting returns at once, and OMP_* variables (binding, stack size, thread limit)
 * hold. Where threads are to be replaced or to leave one by one it is not a team: elastic.c. The region lasts until the executor is closed; its threads run the worker loop of job/work.c. All
 * signals are blocked in them: they are the host's own threads' business. */
#include "exec/executor.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomics.h"
#include "base/error.h"
#include "base/futex.h"
#include "exec/elastic.h"
#include "exec/initializer.h"
#include "job/board_memory.h"

#ifdef _OPENMP

#include <omp.h>

/* Below this reading alone is done before a second worker would be awake; see bench_executors. */
enum { INLINE_BYTES = 256 * 1024 };

struct team {
    pthread_t driver;
    struct pool *pool;
    uint64_t serial; /* of this process, never used again */
    uint32_t asked;
    _Atomic uint32_t started; /* futex: moves when a thread has come */
    _Atomic uint32_t size;    /* of the last region */
    _Atomic uint32_t left;    /* counts the threads that have left a region */
};

/* A futex that threads wait on until it is 1. */
static void *wait_for_all(void *gate)
{
    while (load_acquire((_Atomic uint32_t *)gate) == 0)
        futex_wait(gate, 0, -1);
    return NULL;
}

/* How many of `wanted` threads can be started now, at least 1. libgomp ends the process when it cannot start
 * one; so the team asks for no more than have just been there. */
static uint32_t threads_to_be_had(uint32_t wanted)
{
    pthread_t threads[SHEAF_MAX_WORKERS];
    _Atomic uint32_t gate = 0;
    uint32_t started = 0;
    while (started < wanted && pthread_create(&threads[started], NULL, wait_for_all, &gate) == 0)
        started++;
    store_release(&gate, 1);
    futex_wake(&gate, INT32_MAX);
    for (uint32_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    return started > 0 ? started : 1;
}

/* One thread's part of a region. Its number is its row. Each runs the initializer once. */
__attribute__((noinline)) static void serve(struct team *team, uint32_t row, uint32_t region)
{
    static _Thread_local uint64_t initialized_for;
    struct board *board = team->pool->board;
    struct worker worker = {.board = board,
                            .row = row,
                            .incarnation = 1,
                            .resolve = pool_resolve_local,
                            .is_in_team = true,
                            .region = region};
    store_release(&board->worker[row].incarnation, 1);
    if (initialized_for != team->serial && !work_initialize(&worker)) {
        char text[BOARD_ERROR_BYTES];
        pool_initializer_error(text, sizeof text, team->pool);
        pool_break(team->pool, text);
    }
    initialized_for = team->serial;
    if (row == 0)
        store_release(&team->size, (uint32_t)omp_get_num_threads());
    add_seq_cst(&team->started, 1);
    futex_wake(&team->started, 1);
    work_until_stopped(&worker);
    store_seq_cst(&board->worker[row].state, WORKER_ABSENT);
    add_seq_cst(&team->left, 1);
}

/* The thread sanitizer does not see into libgomp: neither that it hands the arguments of a region over, which is why
 * it does not look here, nor the barrier at the end, which is why those who leave count themselves. */
__attribute__((no_sanitize("thread"))) static void serve_together(struct team *team, uint32_t size,
                                                                  uint32_t region)
{
#pragma omp parallel num_threads((int)size)
    serve(team, (uint32_t)omp_get_thread_num(), region);
}

/* A region for each number of threads that is wanted; libgomp keeps the threads in between. */
static void *drive(void *argument)
{
    struct team *team = argument;
    struct board *board = team->pool->board;
    uint32_t had = team->asked; /* it was tried whether they can be had */
    while (!load_acquire(&board->stop)) {
        uint32_t region = load_acquire(&board->regions); /* before its size: see resize() */
        uint32_t wanted = load_acquire(&board->wanted);
        if (wanted > had)
            had = threads_to_be_had(wanted);
        uint32_t size = wanted < had ? wanted : had;
        if (size != wanted) /* but for a number that is asked for meanwhile */
            cas_seq_cst(&board->wanted, &wanted, size);
        serve_together(team, size, region);
        load_acquire(&team->left); /* pairs with the end of serve(): all of them are behind us */
    }
    return NULL;
}

static void close_threads(struct sheaf_executor *executor)
{
    struct team *team = executor->context;
    store_seq_cst(&team->pool->board->stop, 1);
    work_wake_all(team->pool->board);
    pthread_join(team->driver, NULL);
    free(team);
}

static void resize(struct sheaf_executor *executor, uint32_t workers)
{
    struct board *board = executor->pool->board;
    if (workers > load_relaxed(&board->workers))
        store_relaxed(&board->workers, workers);
    store_seq_cst(&board->wanted, workers);
    add_seq_cst(&board->regions, 1); /* whoever sees it sees the number, too */
    work_wake_all(board);
}

static sheaf_status open_threads(struct sheaf_executor *executor,
                                 const sheaf_executor_options *options)
{
    if (options->tasks_per_worker != 0 || options->idle_ns != 0) {
        executor->ops = &elastic_ops;
        return elastic_ops.open(executor, options);
    }
    struct team *team = calloc(1, sizeof *team);
    if (team == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "open a team of threads: out of memory");
    sheaf_status status = pool_create(&team->pool, (uint32_t)executor->workers, false);
    if (status != SHEAF_OK) {
        free(team);
        return status;
    }
    static _Atomic uint64_t next_serial = 1;
    team->serial = add_relaxed(&next_serial, 1);
    team->pool->place = pool_place_local;
    status = initializer_set(team->pool, options);
    if (status != SHEAF_OK) {
        pool_release(team->pool);
        free(team);
        return status;
    }
    board_set_spin(team->pool->board, options->spin);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    team->asked = threads_to_be_had((uint32_t)executor->workers);
    int error = pthread_create(&team->driver, NULL, drive, team);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        pool_release(team->pool);
        free(team);
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "open a team of threads: %s", strerror(error));
    }
    uint32_t started;
    while ((started = load_acquire(&team->started)) < team->asked &&
           (load_acquire(&team->size) == 0 || started < load_acquire(&team->size)))
        futex_wait(&team->started, started, -1);
    executor->workers = load_acquire(&team->size);
    executor->pool = team->pool;
    executor->context = team;
    if (!pool_is_broken(team->pool))
        return SHEAF_OK;
    status = SHEAF_FAIL(SHEAF_ERR_WORKER, "open a team of threads: its initializer failed: %s",
                        team->pool->broken);
    struct pool *pool = team->pool;
    close_threads(executor);
    pool_release(pool);
    executor->pool = NULL;
    return status;
}

static void close_threads_in_child(struct sheaf_executor *executor)
{
    pool_release(executor->pool);
    free(executor->context);
}

bool threads_run_inline(double bytes)
{
    return bytes < INLINE_BYTES || omp_in_parallel();
}

#else

static sheaf_status open_threads(struct sheaf_executor *executor,
                                 const sheaf_executor_options *options)
{
    (void)executor;
    (void)options;
    return SHEAF_FAIL(SHEAF_ERR_UNSUPPORTED,
                      "this build has no threads executor: configure with -DSHEAF_WITH_OPENMP=ON");
}

static void close_threads(struct sheaf_executor *executor)
{
    (void)executor;
}

#define close_threads_in_child close_threads
#define resize                 NULL

bool threads_run_inline(double bytes)
{
    (void)bytes;
    return false;
}

#endif

const struct executor_ops threads_ops = {
    .backend = SHEAF_THREADS,
    .name = "threads",
    .open = open_threads,
    .close = close_threads,
    .resize = resize,
    .close_in_child = close_threads_in_child,
    .runs_inline = threads_run_inline,
    .caller_helps = true,
};
