/* executor.c -- the table of backends, the table of handles, and the default executor. */
#include "exec/executor.h"

#include <string.h>
#include <unistd.h>

#include "base/atomics.h"
#include "base/cpus.h"
#include "base/error.h"
#include "base/fork.h"

enum { EXECUTORS_MAX = 64 };

static const struct executor_ops *const backends[] = {&sequential_ops, &threads_ops,
                                                      &processes_ops};
enum { BACKENDS = sizeof backends / sizeof backends[0] };

static struct sheaf_executor executors[EXECUTORS_MAX];
static _Atomic uint32_t next_handle;
static _Atomic uint64_t next_serial = 1;

static _Atomic(struct sheaf_executor *) default_executor;

const char *sheaf_backend_name(sheaf_backend backend)
{
    for (size_t i = 0; i < BACKENDS; i++)
        if (backends[i]->backend == backend)
            return backends[i]->name;
    return "?";
}

sheaf_backend sheaf_backend_by_name(const char *name)
{
    for (size_t i = 0; name != NULL && i < BACKENDS; i++)
        if (strcmp(backends[i]->name, name) == 0)
            return backends[i]->backend;
    return (sheaf_backend)0;
}

/* A free handle, the one that was free longest first. */
static struct sheaf_executor *take_handle(void)
{
    uint32_t first = add_relaxed(&next_handle, 1);
    for (uint32_t i = 0; i < EXECUTORS_MAX; i++) {
        struct sheaf_executor *executor = &executors[(first + i) % EXECUTORS_MAX];
        uint32_t state = EXECUTOR_FREE;
        if (cas_seq_cst(&executor->state, &state, EXECUTOR_OPENING))
            return executor;
    }
    return NULL;
}

static sheaf_status no_deadline(void)
{
    return SHEAF_FAIL(SHEAF_ERR_UNSUPPORTED,
                      "a deadline ends a worker that is overdue, and a thread cannot be ended: "
                      "use an executor of SHEAF_PROCESSES");
}

static sheaf_status check_limits(sheaf_backend backend, const sheaf_executor_options *options)
{
    if (options->deadline_ns < 0 || options->deadline_ns > SHEAF_MAX_DEADLINE_NS)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "open an executor: a deadline of %lld ns",
                          (long long)options->deadline_ns);
    if (options->deadline_ns != 0 && backend != SHEAF_PROCESSES)
        return no_deadline();
    if (options->idle_ns < 0)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "open an executor: idle for %lld ns",
                          (long long)options->idle_ns);
    if (options->when_full > SHEAF_FULL_BLOCKS)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "open an executor: no such option for a full queue");
    if (options->attempts_max > SHEAF_MAX_ATTEMPTS)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "open an executor: %u attempts, at most %d",
                          options->attempts_max, SHEAF_MAX_ATTEMPTS);
    return SHEAF_OK;
}

sheaf_status sheaf_executor_open(sheaf_executor **out, sheaf_backend backend,
                                 const sheaf_executor_options *options)
{
    static const sheaf_executor_options defaults = {0};
    const struct executor_ops *ops = NULL;
    if (options == NULL)
        options = &defaults;
    for (size_t i = 0; i < BACKENDS; i++)
        if (backends[i]->backend == backend)
            ops = backends[i];
    if (out == NULL || ops == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "open an executor: %s",
                          ops == NULL ? "no such backend" : "out is NULL");
    if (options->workers > SHEAF_MAX_WORKERS)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "open an executor: %zu workers, at most %d",
                          options->workers, SHEAF_MAX_WORKERS);
    if (options->spin > SHEAF_SPIN_ALL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "open an executor: no such spin option");
    sheaf_status status = check_limits(backend, options);
    if (status != SHEAF_OK)
        return status;
    struct sheaf_executor *executor = take_handle();
    if (executor == NULL)
        return SHEAF_FAIL(SHEAF_ERR_BUSY, "open an executor: %d are open, close one",
                          EXECUTORS_MAX);
    executor->ops = ops;
    store_relaxed(&executor->serial, add_relaxed(&next_serial, 1));
    executor->pool = NULL;
    executor->context = NULL;
    store_relaxed(&executor->descriptor, -1);
    executor->fork_count = fork_count();
    executor->workers = options->workers != 0 ? options->workers : cpus_usable();
    if (executor->workers > SHEAF_MAX_WORKERS)
        executor->workers = SHEAF_MAX_WORKERS;
    status = ops->open(executor, options);
    if (status != SHEAF_OK) {
        store_seq_cst(&executor->state, EXECUTOR_FREE);
        return status;
    }
    if (executor->pool != NULL) {
        executor->pool->deadline_ns = options->deadline_ns;
        executor->pool->attempts_max = options->attempts_max;
        executor->pool->blocks_when_full = options->when_full == SHEAF_FULL_BLOCKS;
    }
    store_seq_cst(&executor->state, EXECUTOR_OPEN);
    *out = executor;
    return SHEAF_OK;
}

/* Goes in: close waits until we leave. Without a fork in between, seq_cst on both sides makes that either
 * we see CLOSING, or close sees us. */
sheaf_status executor_enter(struct sheaf_executor *executor)
{
    if (load_acquire(&executor->state) == EXECUTOR_OPEN && executor->fork_count != fork_count())
        return SHEAF_FAIL(SHEAF_ERR_CLOSED,
                          "this executor belongs to the parent process: open one after fork()");
    add_seq_cst(&executor->users, 1);
    if (load_seq_cst(&executor->state) == EXECUTOR_OPEN)
        return SHEAF_OK;
    sub_acq_rel(&executor->users, 1);
    return SHEAF_FAIL(SHEAF_ERR_CLOSED, "the executor has been closed: open another one");
}

void executor_leave(struct sheaf_executor *executor)
{
    sub_acq_rel(&executor->users, 1);
}

/* The default executor: opened at its first use, and anew in a forked child. Without a lock, which a fork
 * could leave locked: of two that open one, the second closes its own again. A child keeps its parent's
 * handle as it is: another thread may be about to look at it. */
sheaf_status executor_open_default(struct sheaf_executor **out)
{
    struct sheaf_executor *opened;
    struct sheaf_executor *executor = load_seq_cst(&default_executor);
    if (executor == NULL || executor->fork_count != fork_count()) {
        sheaf_status status = sheaf_executor_open(&opened, SHEAF_THREADS, NULL);
        if (status == SHEAF_ERR_UNSUPPORTED)
            status = sheaf_executor_open(&opened, SHEAF_SEQUENTIAL, NULL);
        if (status != SHEAF_OK)
            return status;
        if (cas_seq_cst(&default_executor, &executor, opened))
            executor = opened;
        else
            sheaf_executor_close(opened);
    }
    *out = executor;
    return SHEAF_OK;
}

uint32_t executor_threads(struct sheaf_executor *executor)
{
    const double much = 1e300; /* so that what is too small is no reason */
    if (run_is_inside() || (executor == NULL && executor_open_default(&executor) != SHEAF_OK))
        return 1;
    if (executor_enter(executor) != SHEAF_OK) /* which is told when it is to run */
        return 1;
    bool is_team = executor->ops->backend == SHEAF_THREADS && !executor->ops->runs_inline(much);
    size_t workers = load_relaxed(&executor->workers);
    executor_leave(executor);
    workers = workers < cpus_usable() ? workers : cpus_usable();
    return is_team && workers > 1 ? (uint32_t)workers : 1;
}

/* Goes into the executor, and says whether this is done at once in the calling thread; only then may
 * *executor stay NULL. A caller that waits is as good as a single thread. */
static sheaf_status choose(bool *is_inline, struct sheaf_executor **executor,
                           const struct request *request, bool waits)
{
    double bytes = request_bytes(request);
    bool is_inside = run_is_inside();
    *is_inline = *executor == NULL && (is_inside || threads_ops.runs_inline(bytes));
    if (*is_inline)
        return request->deadline_ns == 0 || is_inside ? SHEAF_OK : no_deadline();
    sheaf_status status = *executor == NULL ? executor_open_default(executor) : SHEAF_OK;
    if (status == SHEAF_OK)
        status = executor_enter(*executor);
    if (status != SHEAF_OK)
        return status;
    const struct executor_ops *ops = (*executor)->ops;
    if (request->deadline_ns != 0 && ops->backend != SHEAF_PROCESSES && !is_inside) {
        executor_leave(*executor);
        return no_deadline();
    }
    *is_inline = is_inside || ops->runs_inline(bytes) ||
                 (waits && ops->caller_helps && (*executor)->workers == 1);
    return SHEAF_OK;
}

sheaf_status executor_run(void *result, struct sheaf_executor *executor,
                          const struct request *request)
{
    bool is_inline;
    struct ticket ticket;
    sheaf_status status = choose(&is_inline, &executor, request, true);
    if (status != SHEAF_OK)
        return status;
    if (is_inline) {
        status = request_run(request, result);
    } else {
        struct pool *pool = executor->pool;
        bool helps = executor->ops->caller_helps;
        status = pool_submit(&ticket, pool, request, helps ? 1 : 0);
        if (status == SHEAF_OK) {
            if (helps)
                pool_help(pool, &ticket);
            pool_wait(pool, &ticket, -1);
            status = pool_result(result, pool, &ticket);
            pool_forget(pool, &ticket);
        }
    }
    if (executor != NULL)
        executor_leave(executor);
    return status;
}

/* What was done at once is done. */
static void tell_descriptor(struct sheaf_executor *executor)
{
    int descriptor = load_acquire(&executor->descriptor);
    uint64_t one = 1;
    ssize_t written = descriptor >= 0 ? write(descriptor, &one, sizeof one) : 0;
    (void)written; /* it is nonblocking: full is readable, too */
}

sheaf_status executor_submit(bool *is_inline, void *result, struct pool **pool,
                             struct ticket *ticket, struct sheaf_executor *executor,
                             const struct request *request)
{
    sheaf_status status = choose(is_inline, &executor, request, false);
    if (status != SHEAF_OK)
        return status;
    if (*is_inline) {
        status = request_run(request, result);
        if (executor != NULL)
            tell_descriptor(executor);
    } else {
        status = pool_submit(ticket, executor->pool, request, 0);
        if (status == SHEAF_OK) {
            *pool = executor->pool;
            add_relaxed(&(*pool)->references, 1);
        }
    }
    if (executor != NULL)
        executor_leave(executor);
    return status;
}
