/* elastic.c -- threads that come and go one by one: each is replaced after so many tasks, or leaves for want of work and
 * comes back on demand.
 *
 * A team of OpenMP's begins and ends as a whole: to replace one of its threads all would have to wait for the longest task
 * of the others. So where workers are to be replaced or to leave, an executor of threads has a thread of its own in each
 * row of the board, and a keeper thread that starts and joins them, as the supervisor does with worker processes:
 *
 *     NONE --keeper starts it--> LIVE --the thread, as its last step--> LEFT --keeper joins it--> NONE
 *       ^                                                                                          |
 *       +---- the row is wanted; and if its thread left for want of work, some job has work -------+
 *
 * `news`, a futex, moves when any of that may have changed: a thread has left, a job was submitted while threads are absent,
 * another number is wanted, the end. The keeper reads it before it looks, and sleeps only while it is the same. A thread
 * says ABSENT before it looks for work a last time (leave_idle() in work.c), so that whoever submits either is seen by it,
 * or sees it absent and moves `news`. The model is tests/models/rest.pml.
 *
 * What is not as in a team: OMP_PROC_BIND, OMP_STACKSIZE and OMP_THREAD_LIMIT do not hold for these threads. As in one, a
 * function of the user's own that opens an OpenMP region gets one thread, so that workers do not multiply. */
#include "exec/elastic.h"

#ifdef _OPENMP

#include <omp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomics.h"
#include "base/cpus.h"
#include "base/error.h"
#include "base/futex.h"
#include "exec/initializer.h"
#include "job/board_memory.h"

/* A thread that could not be started is tried again after so long. */
enum { RETRY_NS = 50000000 };

enum place_state { PLACE_NONE, PLACE_LIVE, PLACE_LEFT };

/* A row's thread. All is the keeper's (at first, the opener's), but for `state`, and `end`, which the thread writes before
 * it is LEFT. */
struct place {
    struct elastic *elastic;
    uint32_t row;
    _Atomic uint32_t state;
    enum work_end end;
    bool is_resting;
    uint64_t incarnation;
    pthread_t thread;
};

struct elastic {
    struct pool *pool;
    pthread_t keeper;
    _Atomic uint32_t news;   /* futex: see above */
    _Atomic uint32_t came;   /* futex: threads that have run the initializer, since the opening */
    _Atomic bool has_failed; /* the initializer has: nobody is started any more */
    struct place places[BOARD_HELPERS];
};

static void tell(struct elastic *elastic)
{
    /* seq_cst, pairs with the keeper's load: what is told of comes before it. */
    add_seq_cst(&elastic->news, 1);
    futex_wake(&elastic->news, 1);
}

static void notify(struct pool *pool)
{
    tell(pool->context);
}

static void *serve(void *argument)
{
    struct place *place = argument;
    struct elastic *elastic = place->elastic;
    struct board *board = elastic->pool->board;
    struct worker worker = {.board = board,
                            .row = place->row,
                            .incarnation = place->incarnation,
                            .resolve = pool_resolve_local};
    omp_set_num_threads(1); /* of this thread only */
    if (omp_get_proc_bind() != omp_proc_bind_false)
        cpus_use_all(); /* libgomp has bound who opened us to one CPU, and we inherit that */
    bool is_initialized = work_initialize(&worker);
    if (!is_initialized) {
        char text[BOARD_ERROR_BYTES];
        pool_initializer_error(text, sizeof text, elastic->pool);
        pool_break(elastic->pool, text);
        store_release(&elastic->has_failed, true);
    }
    add_seq_cst(&elastic->came, 1);
    futex_wake(&elastic->came, 1);
    place->end = is_initialized ? work_until_stopped(&worker) : WORK_STOPPED;
    store_seq_cst(&board->worker[place->row].state, WORKER_ABSENT);
    store_release(&place->state, PLACE_LEFT); /* pairs with the acquire in join(): `end` is there */
    tell(elastic);
    return NULL;
}

/* All signals are blocked here, and so in the thread: they are the host's own threads' business. */
static bool start(struct place *place)
{
    struct board *board = place->elastic->pool->board;
    store_release(&board->worker[place->row].incarnation, ++place->incarnation);
    store_relaxed(&place->state, PLACE_LIVE);
    if (pthread_create(&place->thread, NULL, serve, place) == 0)
        return true;
    store_relaxed(&place->state, PLACE_NONE);
    return false;
}

/* Once it has left. A wake-up may have gone to it that it made nothing of: all look again. */
static void join(struct place *place)
{
    pthread_join(place->thread, NULL);
    place->is_resting = place->end == WORK_IDLE;
    store_relaxed(&place->state, PLACE_NONE);
    work_wake_all(place->elastic->pool->board);
}

/* Joins who has left, and starts who is wanted. False: one could not be started. */
static bool look_after_threads(struct elastic *elastic)
{
    struct board *board = elastic->pool->board;
    uint32_t rows = load_acquire(&board->workers);
    bool is_any_resting = false;
    bool is_complete = true;
    for (uint32_t i = 0; i < rows; i++) {
        struct place *place = &elastic->places[i];
        if (load_acquire(&place->state) == PLACE_LEFT)
            join(place);
        is_any_resting |= load_relaxed(&place->state) == PLACE_NONE && place->is_resting;
    }
    if (load_acquire(&elastic->has_failed))
        return true;
    bool has_work = is_any_resting && pool_has_work(elastic->pool);
    for (uint32_t i = 0; i < rows && i < load_acquire(&board->wanted); i++) {
        struct place *place = &elastic->places[i];
        if (load_relaxed(&place->state) == PLACE_NONE && (!place->is_resting || has_work))
            is_complete &= start(place);
    }
    return is_complete;
}

static void *keep(void *argument)
{
    struct elastic *elastic = argument;
    struct board *board = elastic->pool->board;
    for (;;) {
        uint32_t seen = load_seq_cst(&elastic->news);
        if (load_acquire(&board->stop))
            return NULL;
        bool is_complete = look_after_threads(elastic);
        futex_wait(&elastic->news, seen, is_complete ? -1 : RETRY_NS);
    }
}

/* Ends all threads, once nobody starts any. */
static void end_threads(struct elastic *elastic)
{
    struct board *board = elastic->pool->board;
    store_seq_cst(&board->stop, 1);
    work_wake_all(board);
    for (uint32_t i = 0; i < BOARD_HELPERS; i++)
        if (load_acquire(&elastic->places[i].state) != PLACE_NONE)
            pthread_join(elastic->places[i].thread, NULL);
}

static void close_elastic(struct sheaf_executor *executor)
{
    struct elastic *elastic = executor->context;
    store_seq_cst(&elastic->pool->board->stop, 1);
    tell(elastic);
    pthread_join(elastic->keeper, NULL);
    end_threads(elastic);
    free(elastic);
}

static void close_elastic_in_child(struct sheaf_executor *executor)
{
    pool_release(executor->pool);
    free(executor->context);
}

static void resize(struct sheaf_executor *executor, uint32_t workers)
{
    struct board *board = executor->pool->board;
    if (workers > load_relaxed(&board->workers))
        store_release(&board->workers, workers);
    store_seq_cst(&board->wanted, workers);
    work_wake_all(board); /* who is not wanted leaves */
    tell(executor->context);
}

/* The first threads, as many as can be had, and the keeper; with all signals blocked. */
static sheaf_status start_all(struct elastic *elastic, uint32_t *workers)
{
    uint32_t started = 0;
    int error = 0;
    while (started < *workers && start(&elastic->places[started]))
        started++;
    if (started == 0)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "open an executor: no thread can be started");
    if (started < *workers)
        store_seq_cst(&elastic->pool->board->wanted, started);
    *workers = started;
    uint32_t came;
    while ((came = load_acquire(&elastic->came)) < started)
        futex_wait(&elastic->came, came, -1);
    sheaf_status status = SHEAF_OK;
    if (load_acquire(&elastic->has_failed))
        status = SHEAF_FAIL(SHEAF_ERR_WORKER, "open a team of threads: its initializer failed: %s",
                            elastic->pool->broken);
    else if ((error = pthread_create(&elastic->keeper, NULL, keep, elastic)) != 0)
        status = SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "open an executor: %s", strerror(error));
    if (status != SHEAF_OK)
        end_threads(elastic);
    return status;
}

static sheaf_status open_elastic(struct sheaf_executor *executor,
                                 const sheaf_executor_options *options)
{
    struct elastic *elastic = calloc(1, sizeof *elastic);
    uint32_t workers = (uint32_t)executor->workers;
    if (elastic == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "open an executor: out of memory");
    sheaf_status status = pool_create(&elastic->pool, workers, false);
    if (status != SHEAF_OK) {
        free(elastic);
        return status;
    }
    for (uint32_t i = 0; i < BOARD_HELPERS; i++) {
        elastic->places[i].elastic = elastic;
        elastic->places[i].row = i;
    }
    board_set_spin(elastic->pool->board, options->spin);
    elastic->pool->board->tasks_per_worker = options->tasks_per_worker;
    elastic->pool->board->idle_ns = options->idle_ns;
    elastic->pool->context = elastic;
    elastic->pool->place = pool_place_local;
    elastic->pool->notify = notify;
    status = initializer_set(elastic->pool, options);
    if (status == SHEAF_OK) {
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        status = start_all(elastic, &workers);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    if (status != SHEAF_OK) {
        pool_release(elastic->pool);
        free(elastic);
        return status;
    }
    executor->workers = workers;
    executor->pool = elastic->pool;
    executor->context = elastic;
    return SHEAF_OK;
}

const struct executor_ops elastic_ops = {
    .backend = SHEAF_THREADS,
    .name = "threads",
    .open = open_elastic,
    .close = close_elastic,
    .resize = resize,
    .close_in_child = close_elastic_in_child,
    .runs_inline = threads_run_inline,
    .caller_helps = true,
};

#endif
