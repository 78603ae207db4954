/* stats.c -- what an executor and its workers are doing. */
#include <string.h>

#include "base/atomics.h"
#include "base/cpus.h"
#include "base/error.h"
#include "exec/executor.h"

size_t sheaf_executor_workers(const sheaf_executor *executor)
{
    if (executor == NULL)
        return cpus_usable();
    return load_acquire(&executor->state) == EXECUTOR_OPEN ? executor->workers : 0;
}

sheaf_status sheaf_executor_worker(sheaf_worker_info *out, const sheaf_executor *executor,
                                   size_t index)
{
    struct sheaf_executor *open = (struct sheaf_executor *)executor;
    sheaf_status status = out == NULL || executor == NULL
                              ? SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "a worker's info: NULL given")
                              : executor_enter(open);
    if (status != SHEAF_OK)
        return status;
    if (index >= open->workers) {
        status = SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "worker %zu of %zu", index, open->workers);
    } else if (open->pool == NULL) {
        *out = (sheaf_worker_info){.pid = 0, .incarnation = 1};
    } else {
        struct worker_row *row = &open->pool->board->worker[index];
        do { /* until both are of one process */
            out->incarnation = load_acquire(&row->incarnation);
            out->pid = load_acquire(&row->pid);
        } while (out->incarnation != load_acquire(&row->incarnation));
    }
    executor_leave(open);
    return status;
}

static void count_workers(sheaf_executor_counters *out, const struct board *board)
{
    for (uint32_t i = 0; i < load_relaxed(&board->workers); i++) {
        const struct worker_row *row = &board->worker[i];
        uint64_t incarnation = load_acquire(&row->incarnation);
        switch ((enum worker_state)load_acquire(&row->state)) {
        case WORKER_ABSENT:
            out->workers_absent++;
            break;
        case WORKER_BUSY:
            out->workers_busy++;
            break;
        case WORKER_SPINNING: /* it may be on its way out of a job */
            if (load_acquire(&row->entered) != 0)
                out->workers_busy++;
            else
                out->workers_idle++;
            break;
        case WORKER_SLEEPING:
            out->workers_idle++;
            break;
        }
        out->restarts += incarnation > 1 ? incarnation - 1 : 0;
        out->bytes_attached += load_relaxed(&row->attached_bytes);
    }
}

sheaf_status sheaf_executor_stats(sheaf_executor_counters *out, sheaf_executor *executor)
{
    sheaf_executor_counters counters = {0};
    sheaf_status status =
        out == NULL ? SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "stats: out is NULL") : SHEAF_OK;
    if (status == SHEAF_OK && executor == NULL)
        status = executor_open_default(&executor);
    if (status == SHEAF_OK)
        status = executor_enter(executor);
    if (status != SHEAF_OK)
        return status;
    counters.workers = executor->workers;
    if (executor->pool != NULL) {
        struct pool_counts counts = pool_count(executor->pool);
        count_workers(&counters, executor->pool->board);
        counters.queued = counts.queued;
        counters.running = counts.running;
        counters.done = counts.done;
        counters.failed = counts.failed;
        counters.cancelled = counts.cancelled;
        counters.retried = counts.interrupted;
    }
    executor_leave(executor);
    *out = counters;
    return SHEAF_OK;
}
