/* future.h -- the result of work that was submitted, when it is there.
 *
 *     concurrent.futures               here
 *     executor.submit                  sheaf_submit; sheaf_reduce_submit, sheaf_svd_submit, sheaf_hash_submit, ...
 *     future.result(timeout)           sheaf_future_result; SHEAF_FOREVER for None
 *     future.exception(timeout)        sheaf_future_error; sheaf_future_failure, without waiting
 *     future.add_done_callback         sheaf_future_add_callback
 *     future.done, running             sheaf_future_done, sheaf_future_running
 *     future.cancel, cancelled         sheaf_future_cancel, sheaf_future_cancelled
 *     future.set_result,               not there: only the library ends a future, so that it ends whoever
 *       set_exception,                 dies. A result of one's own making is a callable's (callable.h)
 *       set_running_or_notify_cancel
 *     InvalidStateError                cannot be: nobody sets a result twice
 *     TimeoutError                     SHEAF_ERR_TIMEOUT: the work goes on
 *     CancelledError                   SHEAF_ERR_CANCELLED
 *     BrokenProcessPool                SHEAF_ERR_WORKER, of the futures that it is about (executor.h)
 *     the exception that f raised      SHEAF_ERR_CALLABLE; its code and text in sheaf_failure
 *     wait(fs, timeout, return_when)   sheaf_wait
 *     ALL_COMPLETED, FIRST_COMPLETED,  SHEAF_ALL_COMPLETED, SHEAF_FIRST_COMPLETED,
 *       FIRST_EXCEPTION                SHEAF_FIRST_ERROR
 *     as_completed(fs, timeout)        sheaf_as_completed
 *     asyncio.wrap_future              sheaf_executor_descriptor, in any event loop
 *     del future                       sheaf_future_release
 *     Dask: future.status, who ran it  sheaf_future_timing: queued, started, finished, worker
 *
 * Any thread may wait for a future; one releases it, when no other uses it any more. */
#ifndef SHEAF_FUTURE_H
#define SHEAF_FUTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sheaf/export.h>
#include <sheaf/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sheaf_future sheaf_future;

/* A timeout that never comes. 0 only looks. */
#define SHEAF_FOREVER ((int64_t)-1)

/* True if the result, or the error, is there. */
SHEAF_EXPORT bool sheaf_future_done(const sheaf_future *future);

/* True if workers have begun and not ended it. */
SHEAF_EXPORT bool sheaf_future_running(const sheaf_future *future);

/* Cancels work that nobody has begun: true, and its result is SHEAF_ERR_CANCELLED. False if it runs or is
 * done, as what was done at once always is. */
SHEAF_EXPORT bool sheaf_future_cancel(sheaf_future *future);

/* True if it was cancelled. */
SHEAF_EXPORT bool sheaf_future_cancelled(const sheaf_future *future);

/* Waits until it is done: awake for 50 us, up to 200 us if nobody has begun it, unless the executor never spins; then
 * asleep. Errors: TIMEOUT (the work goes on), CLOSED (in a forked child). */
SHEAF_EXPORT sheaf_status sheaf_future_wait(sheaf_future *future, int64_t timeout_ns);

/* Waits, and writes the result: the bytes that a callable has written, a sheaf_scalar for sheaf_reduce_submit(), a sheaf_svd_report for
 * sheaf_svd_submit(), the bytes of output asked for of sheaf_hash_submit(). out_bytes is the size of that
 * type, for a check. May be called again. Errors: ARGUMENT (size), TIMEOUT, CLOSED, or that of the
 * work itself: WORKER names the signal that ended the workers. */
SHEAF_EXPORT sheaf_status sheaf_future_result(void *out, size_t out_bytes, sheaf_future *future,
                                              int64_t timeout_ns);

typedef enum sheaf_wait_mode {
    SHEAF_ALL_COMPLETED = 0,
    SHEAF_FIRST_COMPLETED = 1, /* at least one is done */
    SHEAF_FIRST_ERROR = 2,     /* one has failed, or all are done; cancelled is not failed */
} sheaf_wait_mode;

/* Waits for several futures, of any executors. Without futures it returns at once.
 * Errors: ARGUMENT (NULL, mode), TIMEOUT, CLOSED (in a forked child). */
SHEAF_EXPORT sheaf_status sheaf_wait(sheaf_future *const *futures, size_t count,
                                     sheaf_wait_mode mode, int64_t timeout_ns);

/* One after another as they are done: writes the index of a future that is done and was not yielded before,
 * and sets yielded[index]. The caller clears yielded[0 .. count-1] at first.
 *
 *     while (sheaf_as_completed(&i, futures, yielded, count, SHEAF_FOREVER) == SHEAF_OK)
 *         use(futures[i]);
 *
 * Errors: EMPTY (all were yielded), ARGUMENT, TIMEOUT, CLOSED. */
SHEAF_EXPORT sheaf_status sheaf_as_completed(size_t *index, sheaf_future *const *futures,
                                             bool *yielded, size_t count, int64_t timeout_ns);

/* How the work failed. */
typedef struct sheaf_failure {
    sheaf_status status; /* SHEAF_OK if it did not */
    int32_t worker;      /* index of the worker, or -1 */
    int32_t signal;      /* that ended it, or 0 */
    int32_t code;        /* what a callable returned (SHEAF_ERR_CALLABLE), else 0 */
    char text[200];      /* one line, as sheaf_last_error() would have it */
} sheaf_failure;

/* Waits, and tells how it failed. Errors (of the call itself): ARGUMENT, TIMEOUT, CLOSED. */
SHEAF_EXPORT sheaf_status sheaf_future_error(sheaf_failure *out, sheaf_future *future,
                                             int64_t timeout_ns);

/* The same without waiting. Errors: TIMEOUT if it is not done yet. */
SHEAF_EXPORT sheaf_status sheaf_future_failure(sheaf_failure *out, const sheaf_future *future);

/* When things happened, in nanoseconds of CLOCK_MONOTONIC; 0: not yet, or never. */
typedef struct sheaf_timing {
    int64_t queued_ns;
    int64_t started_ns;
    int64_t finished_ns;
    int32_t worker; /* index of the worker that ran its first task; -1: the caller, or nobody */
} sheaf_timing;

/* Errors: ARGUMENT, CLOSED (in a forked child). */
SHEAF_EXPORT sheaf_status sheaf_future_timing(sheaf_timing *out, const sheaf_future *future);

/* What is called when a future is done: with its result, its error, or cancelled. */
typedef void sheaf_future_callback(sheaf_future *future, void *context);

/* Has function called once when the future is done. If it is done already, that is now, in the calling thread;
 * else it is in a thread of the executor's own, one callback after another in the order in which they were added
 * among those that are due, so that a slow one delays the others. Signals are blocked in that thread. The future
 * may be released at once: it lives until the callback has returned. A callback may use the future, submit, add
 * callbacks, and close the executor. In a forked child none is called.
 * Errors: ARGUMENT, NO_MEMORY, CLOSED (in a forked child). */
SHEAF_EXPORT sheaf_status sheaf_future_add_callback(sheaf_future *future,
                                                    sheaf_future_callback *function, void *context);

/* Gives the future back. Work that is not done goes on unseen. NULL is allowed. */
SHEAF_EXPORT void sheaf_future_release(sheaf_future *future);

#ifdef __cplusplus
}
#endif
#endif
