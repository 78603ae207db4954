/* resize.c -- more or fewer workers, and the executor that a whole process shares. */
#include <pthread.h>
#include <stdbool.h>

#include "base/atomics.h"
#include "base/error.h"
#include "exec/executor.h"

sheaf_status sheaf_executor_resize(sheaf_executor *executor, size_t workers)
{
    if (executor == NULL || workers == 0 || workers > SHEAF_MAX_WORKERS)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "resize: %zu workers: 1 to %d can be had", workers,
                          SHEAF_MAX_WORKERS);
    sheaf_status status = executor_enter(executor);
    if (status != SHEAF_OK)
        return status;
    if (executor->ops->resize != NULL) {
        pthread_mutex_lock(&executor->pool->mutex); /* of two at once one is the last, everywhere */
        executor->ops->resize(executor, (uint32_t)workers);
        store_seq_cst(&executor->workers, workers);
        pthread_mutex_unlock(&executor->pool->mutex);
    } else if (workers != 1) {
        status = SHEAF_FAIL(SHEAF_ERR_UNSUPPORTED, "resize: the sequential executor is the caller");
    }
    executor_leave(executor);
    return status;
}

/* Under the mutex; a forked child finds the executor closed, and opens its own. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Atomic bool is_changing; /* the next four are of several executors */
static sheaf_executor *reusable;
static uint64_t reusable_serial;
static sheaf_backend reusable_backend;
static sheaf_executor_options reusable_options;

/* The mutex may have been locked by a thread that is not in the child. */
static void forget_in_child(void)
{
    pthread_mutex_init(&mutex, NULL);
    if (exchange_seq_cst(&is_changing, false))
        reusable = NULL;
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, forget_in_child);
}

/* But for the number of workers. Field by field: what lies between the fields is anything. */
static bool are_same(const sheaf_executor_options *a, const sheaf_executor_options *b)
{
    return a->spin == b->spin && a->worker_path == b->worker_path &&
           a->deadline_ns == b->deadline_ns && a->attempts_max == b->attempts_max &&
           a->when_full == b->when_full && a->initializer == b->initializer &&
           a->initializer_arguments == b->initializer_arguments &&
           a->initializer_argument_bytes == b->initializer_argument_bytes &&
           a->tasks_per_worker == b->tasks_per_worker && a->idle_ns == b->idle_ns;
}

/* Whoever closed it gave its handle back: it may be an executor of somebody else's by now. */
static bool is_ours(void)
{
    return reusable != NULL && load_acquire(&reusable->serial) == reusable_serial;
}

static bool is_usable(void)
{
    if (!is_ours() || executor_enter(reusable) != SHEAF_OK)
        return false;
    bool is_of_use = is_ours() && (reusable->pool == NULL || !pool_is_broken(reusable->pool));
    executor_leave(reusable);
    return is_of_use;
}

sheaf_status sheaf_executor_reusable(sheaf_executor **out, sheaf_backend backend,
                                     const sheaf_executor_options *options)
{
    sheaf_executor_options wanted = {0};
    if (out == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "reusable executor: out is NULL");
    if (options != NULL)
        wanted = *options;
    if (wanted.idle_ns == 0 && backend == SHEAF_PROCESSES)
        wanted.idle_ns = INT64_C(10000000000);
    size_t workers = wanted.workers != 0 ? wanted.workers : sheaf_executor_workers(NULL);
    sheaf_status status = SHEAF_OK;
    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&mutex);
    bool is_same =
        backend == reusable_backend && is_usable() && are_same(&wanted, &reusable_options);
    if (is_same && backend != SHEAF_SEQUENTIAL && sheaf_executor_workers(reusable) != workers)
        status = sheaf_executor_resize(reusable, workers);
    if (!is_same) {
        sheaf_executor *opened;
        sheaf_executor_options now = wanted;
        now.workers = workers;
        status = sheaf_executor_open(&opened, backend, &now);
        if (status == SHEAF_OK) {
            if (is_ours())
                sheaf_executor_shutdown(reusable, SHEAF_SHUTDOWN_NO_WAIT);
            exchange_seq_cst(&is_changing, true); /* acquire, too: the four come after it */
            reusable = opened;
            reusable_serial = load_relaxed(&opened->serial);
            reusable_backend = backend;
            reusable_options = wanted;
            store_release(&is_changing, false);
        }
    }
    if (status == SHEAF_OK)
        *out = reusable;
    pthread_mutex_unlock(&mutex);
    return status;
}
