/* future.h -- the result of work that was submitted, when it is there. */
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

/* Waits until it is done. Errors: TIMEOUT (the work goes on), CLOSED (in a forked child). */
SHEAF_EXPORT sheaf_status sheaf_future_wait(sheaf_future *future, int64_t timeout_ns);

/* Waits, and writes the result: a sheaf_scalar for sheaf_reduce_submit(), a sheaf_svd_report for
 * sheaf_svd_submit(), the bytes of output asked for of sheaf_hash_submit(). out_bytes is the size of that
 * type, for a check. May be called again. Errors: ARGUMENT (size), TIMEOUT, CLOSED, or that of the
 * work itself: WORKER names the signal that ended the workers. */
SHEAF_EXPORT sheaf_status sheaf_future_result(void *out, size_t out_bytes, sheaf_future *future,
                                              int64_t timeout_ns);

/* How the work failed. */
typedef struct sheaf_failure {
    sheaf_status status; /* SHEAF_OK if it did not */
    int32_t worker;      /* index of the worker, or -1 */
    int32_t signal;      /* that ended it, or 0 */
    char text[200];      /* one line, as sheaf_last_error() would have it */
} sheaf_failure;

/* Errors: TIMEOUT if it is not done yet. */
SHEAF_EXPORT sheaf_status sheaf_future_failure(sheaf_failure *out, const sheaf_future *future);

/* Gives the future back. Work that is not done goes on unseen. NULL is allowed. */
SHEAF_EXPORT void sheaf_future_release(sheaf_future *future);

#ifdef __cplusplus
}
#endif
#endif
