/* resize.c -- more or fewer workers, and the executor that a whole process shares. */
#include <pthread.h>
#include <string.h>

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
        executor->ops->resize(executor, (uint32_t)workers);
        store_seq_cst(&executor->workers, workers);
    } else if (workers != 1) {
        status = SHEAF_FAIL(SHEAF_ERR_UNSUPPORTED, "resize: the sequential executor is the caller");
    }
    executor_leave(executor);
    return status;
}

/* Under the mutex; a forked child finds the executor closed, and opens its own. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sheaf_executor *reusable;
static sheaf_backend reusable_backend;
static sheaf_executor_options reusable_options;

static bool is_usable(sheaf_executor *executor)
{
    if (executor == NULL || executor_enter(executor) != SHEAF_OK)
        return false;
    bool is_broken = executor->pool != NULL && pool_is_broken(executor->pool);
    executor_leave(executor);
    return !is_broken;
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
    wanted.workers = 0; /* a number is no reason for another executor */
    sheaf_status status = SHEAF_OK;
    pthread_mutex_lock(&mutex);
    bool is_same = backend == reusable_backend && is_usable(reusable) &&
                   memcmp(&wanted, &reusable_options, sizeof wanted) == 0;
    if (is_same && sheaf_executor_workers(reusable) != workers)
        status = sheaf_executor_resize(reusable, workers);
    if (!is_same) {
        sheaf_executor *opened;
        sheaf_executor_options now = wanted;
        now.workers = workers;
        status = sheaf_executor_open(&opened, backend, &now);
        if (status == SHEAF_OK) {
            sheaf_executor_shutdown(reusable, SHEAF_SHUTDOWN_NO_WAIT);
            reusable = opened;
            reusable_backend = backend;
            memcpy(&reusable_options, &wanted, sizeof wanted);
        }
    }
    if (status == SHEAF_OK)
        *out = reusable;
    pthread_mutex_unlock(&mutex);
    return status;
}
