/* executor.h -- backends behind one small table, and the handles that users hold. */
#ifndef SHEAF_EXEC_EXECUTOR_H
#define SHEAF_EXEC_EXECUTOR_H

#include <stdbool.h>
#include <stdint.h>

#include <sheaf/executor.h>

#include "job/pool.h"
#include "job/run.h"

enum executor_state {
    EXECUTOR_FREE,
    EXECUTOR_OPENING,
    EXECUTOR_OPEN,
    EXECUTOR_CLOSING, /* what was submitted is waited for */
    EXECUTOR_ENDING,  /* and then the workers are ended */
};

/* A handle. Handles lie in a table for good, so that the use of a closed one is an error and not a
 * crash. */
struct sheaf_executor {
    _Atomic uint32_t state;
    _Atomic uint32_t users; /* calls that are inside: close waits for them */
    _Atomic int descriptor; /* an eventfd for pollers, or -1 */
    uint32_t fork_count;
    _Atomic uint64_t serial; /* of this opening: the handle may be another executor's later */
    const struct executor_ops *ops;
    _Atomic size_t workers;
    struct pool *pool; /* NULL: everything runs in the caller */
    void *context;     /* the backend's own */
};

/* A backend: one file, and one line in executor.c's table. */
struct executor_ops {
    sheaf_backend backend;
    const char *name;
    /* Sets pool and context, and workers if there are fewer than executor->workers says. */
    sheaf_status (*open)(struct sheaf_executor *executor, const sheaf_executor_options *options);
    /* Ends the workers. The pool is drained; it is released by the caller. NULL: nothing to do. */
    void (*close)(struct sheaf_executor *executor);
    /* Ends the workers by this signal, which the jobs that they run do not survive: the pool is broken. NULL: they
     * cannot be ended, and leave their jobs when they see that. */
    void (*end_workers)(struct sheaf_executor *executor, int signal);
    /* From now on so many workers are wanted; one call at a time. NULL: their number is fixed. */
    void (*resize)(struct sheaf_executor *executor, uint32_t workers);
    /* Gives back what a forked child has of its parent's. NULL: nothing. */
    void (*close_in_child)(struct sheaf_executor *executor);
    /* Whether work of so many bytes is better done in the calling thread. */
    bool (*runs_inline)(double bytes);
    /* Whether a synchronous caller works on its job. */
    bool caller_helps;
};

extern const struct executor_ops sequential_ops, threads_ops, processes_ops;

/* Goes in: shutdown waits until we leave. Errors: CLOSED. */
sheaf_status executor_enter(struct sheaf_executor *executor);
void executor_leave(struct sheaf_executor *executor);

/* The process-wide default. */
sheaf_status executor_open_default(struct sheaf_executor **out);

/* How many threads of this process may work for a synchronous call on this executor (NULL: the default), if one task
 * spreads itself over threads: as many as a team of threads has, but not more than CPUs; else 1, also within a task and
 * within the caller's own parallel region. */
uint32_t executor_threads(struct sheaf_executor *executor);

/* Runs a planned request on an executor (NULL: the default) and waits for it. */
sheaf_status executor_run(void *result, struct sheaf_executor *executor,
                          const struct request *request);

/* The same, returning at once: either *is_inline is true and result is written, or *pool (retained for
 * the caller) and *ticket tell where it runs. */
sheaf_status executor_submit(bool *is_inline, void *result, struct pool **pool,
                             struct ticket *ticket, struct sheaf_executor *executor,
                             const struct request *request);

#endif
