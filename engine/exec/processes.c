/* processes.c -- opening and closing a pool of worker processes. */
#include "exec/processes.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/atomics.h"
#include "base/error.h"
#include "base/futex.h"
#include "exec/executor.h"
#include "exec/initializer.h"
#include "exec/spawn.h"
#include "exec/worker_path.h"
#include "job/board_memory.h"

/* Every open pool of this process, for the close hook. */
static pthread_mutex_t pools_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct processes *pools;
static pthread_once_t pools_once = PTHREAD_ONCE_INIT;

/* A forked child forgets its parent's pools: their boards are shared, and the mutex may be locked by a
 * thread that is not here. */
static void forget_pools(void)
{
    pthread_mutex_init(&pools_mutex, NULL);
    pools = NULL;
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, forget_pools);
}

/* A segment is about to be unmapped here: workers need not keep it mapped either. Anonymous memory would
 * live as long as their maps. */
static void forget_segment(uint64_t serial)
{
    pthread_mutex_lock(&pools_mutex);
    for (struct processes *each = pools; each != NULL; each = each->next) {
        pthread_mutex_lock(&each->pool->mutex);
        bool was_known = segments_forget(each->pool, &each->segments, serial);
        pthread_mutex_unlock(&each->pool->mutex);
        if (was_known)
            work_wake_all(each->pool->board);
    }
    pthread_mutex_unlock(&pools_mutex);
}

static void enlist(struct processes *processes)
{
    pthread_once(&pools_once, watch_forks);
    pthread_mutex_lock(&pools_mutex);
    processes->next = pools;
    pools = processes;
    pthread_mutex_unlock(&pools_mutex);
    segment_set_close_hook(forget_segment);
}

static void delist(struct processes *processes)
{
    pthread_mutex_lock(&pools_mutex);
    for (struct processes **link = &pools; *link != NULL; link = &(*link)->next)
        if (*link == processes) {
            *link = processes->next;
            break;
        }
    pthread_mutex_unlock(&pools_mutex);
}

static sheaf_status place_segment(struct pool *pool, struct job_place *place,
                                  const struct sheaf_array *array)
{
    struct processes *processes = pool->context;
    return segments_place(pool, &processes->segments, place, array);
}

static sheaf_status place_symbol(struct pool *pool, struct job_symbol *place,
                                 const struct symbol *symbol)
{
    struct processes *processes = pool->context;
    return symbols_place(pool, &processes->symbols, place, symbol);
}

static void notify(struct pool *pool)
{
    const struct processes *processes = pool->context;
    uint64_t one = 1;
    ssize_t written = write(processes->wake, &one, sizeof one);
    (void)written; /* it cannot fail: the counter is far from full */
}

static sheaf_status start_supervisor(struct processes *processes)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&processes->supervisor, NULL, supervise, processes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "open a pool: its thread: %s", strerror(error));
    return SHEAF_OK;
}

static void stop_supervisor(struct processes *processes)
{
    store_seq_cst(&processes->is_stopping, 1);
    notify(processes->pool);
    pthread_join(processes->supervisor, NULL);
}

static void free_processes(struct processes *processes)
{
    free(processes->environment);
    free(processes);
}

static sheaf_status open_processes(struct sheaf_executor *executor,
                                   const sheaf_executor_options *options)
{
    struct processes *processes = calloc(1, sizeof *processes);
    if (processes == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "open a pool: out of memory");
    processes->environment = spawn_environment();
    if (processes->environment == NULL) {
        free(processes);
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "open a pool: out of memory");
    }
    sheaf_status status =
        worker_path_find(processes->path, sizeof processes->path, options->worker_path,
                         &processes->registry, &processes->is_own_program);
    if (status != SHEAF_OK)
        goto free_processes;
    status = pool_create(&processes->pool, (uint32_t)executor->workers, true);
    if (status != SHEAF_OK)
        goto free_processes;
    board_set_spin(processes->pool->board, options->spin);
    processes->pool->context = processes;
    processes->pool->place = place_segment;
    processes->pool->place_symbol = place_symbol;
    processes->pool->notify = notify;
    processes->pool->board->tasks_per_worker = options->tasks_per_worker;
    processes->pool->board->idle_ns = options->idle_ns;
    status = initializer_set(processes->pool, options);
    if (status != SHEAF_OK)
        goto release_pool;
    processes->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (processes->wake < 0) {
        status = SHEAF_FAIL(SHEAF_ERR_SYSTEM, "open a pool: eventfd: too many open files?");
        goto release_pool;
    }
    status = start_supervisor(processes);
    if (status != SHEAF_OK)
        goto close_wake;
    while (load_acquire(&processes->opened) == 0)
        futex_wait(&processes->opened, 0, -1); /* the supervisor bounds every start */
    if (load_acquire(&processes->opened) == 2) {
        status = SHEAF_FAIL(SHEAF_ERR_WORKER, "%s", processes->pool->broken);
        stop_supervisor(processes);
        goto close_wake;
    }
    enlist(processes);
    executor->pool = processes->pool;
    executor->context = processes;
    return SHEAF_OK;
close_wake:
    close(processes->wake);
release_pool:
    pool_release(processes->pool);
free_processes:
    free_processes(processes);
    return status;
}

static void resize(struct sheaf_executor *executor, uint32_t workers)
{
    struct board *board = executor->pool->board;
    if (workers > load_relaxed(&board->workers))
        store_relaxed(&board->workers, workers);
    store_seq_cst(&board->wanted, workers);
    work_wake_all(board); /* who is not wanted leaves */
    notify(executor->pool);
}

static void end_workers(struct sheaf_executor *executor, int signal)
{
    struct processes *processes = executor->context;
    store_seq_cst(&processes->end_signal, signal);
    notify(processes->pool);
}

static void close_processes(struct sheaf_executor *executor)
{
    struct processes *processes = executor->context;
    stop_supervisor(
        processes); /* it may answer a worker to the last, so it must hear of closed segments */
    delist(processes);
    close(processes->wake);
    free_processes(processes);
}

/* The child of a fork has copies of our descriptors, and maps: no thread, and no children of its own. */
static void close_in_child(struct sheaf_executor *executor)
{
    struct processes *processes = executor->context;
    for (uint32_t i = 0; i < BOARD_HELPERS; i++)
        if (processes->children[i].state != CHILD_NONE) {
            close(processes->children[i].socket);
            close(processes->children[i].pidfd);
        }
    close(processes->wake);
    pool_release(processes->pool);
    free_processes(processes);
}

static bool never(double bytes)
{
    (void)bytes;
    return false;
}

const struct executor_ops processes_ops = {
    .backend = SHEAF_PROCESSES,
    .name = "processes",
    .open = open_processes,
    .close = close_processes,
    .end_workers = end_workers,
    .resize = resize,
    .close_in_child = close_in_child,
    .runs_inline = never,
};
