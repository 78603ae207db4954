/* future.c -- a future is a ticket for a slot of a pool, or a result that is already there. */
#include "api/future.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fork.h"

sheaf_status future_begin(sheaf_future **out, sheaf_executor *executor,
                          const struct request *request)
{
    bool is_inline;
    sheaf_future *future = calloc(1, sizeof *future);
    if (future == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "submit: out of memory");
    future->result_bytes = sheaf_ops[request->op]->result_bytes;
    future->out_bytes = future->result_bytes;
    future->fork_count = fork_count();
    sheaf_status status = executor_submit(&is_inline, future->result, &future->pool,
                                          &future->ticket, executor, request);
    if (status != SHEAF_OK) {
        free(future);
        return status;
    }
    *out = future;
    return SHEAF_OK;
}

void future_set_output(sheaf_future *future, size_t bytes, future_output *output)
{
    future->out_bytes = bytes;
    future->output = output;
}

static void write_result(void *out, const sheaf_future *future, const void *result)
{
    if (future->output != NULL)
        future->output(out, future->out_bytes, result);
    else
        memcpy(out, result, future->out_bytes);
}

bool sheaf_future_done(const sheaf_future *future)
{
    return future != NULL &&
           (future->pool == NULL ||
            (future->fork_count == fork_count() && pool_is_done(future->pool, &future->ticket)));
}

bool sheaf_future_running(const sheaf_future *future)
{
    return future != NULL && future->pool != NULL && pool_is_running(future->pool, &future->ticket);
}

bool sheaf_future_cancel(sheaf_future *future)
{
    return future != NULL && future->pool != NULL && future->fork_count == fork_count() &&
           pool_cancel(future->pool, &future->ticket);
}

bool sheaf_future_cancelled(const sheaf_future *future)
{
    return future != NULL && future->pool != NULL &&
           pool_is_cancelled(future->pool, &future->ticket);
}

sheaf_status sheaf_future_wait(sheaf_future *future, int64_t timeout_ns)
{
    if (future == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "wait: future is NULL");
    if (future->pool == NULL)
        return SHEAF_OK;
    if (future->fork_count != fork_count())
        return SHEAF_FAIL(SHEAF_ERR_CLOSED, "wait: this future belongs to the parent process");
    if (!pool_wait(future->pool, &future->ticket, timeout_ns))
        return SHEAF_FAIL(SHEAF_ERR_TIMEOUT, "wait: not done after %lld ns; it goes on",
                          (long long)timeout_ns);
    return SHEAF_OK;
}

sheaf_status sheaf_future_result(void *out, size_t out_bytes, sheaf_future *future,
                                 int64_t timeout_ns)
{
    unsigned char result[OP_RESULT_BYTES_MAX];
    if (out == NULL || future == NULL || out_bytes != future->out_bytes)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "result: out of %zu bytes for a result of %zu",
                          out_bytes, future != NULL ? future->out_bytes : 0);
    sheaf_status status = sheaf_future_wait(future, timeout_ns);
    if (status != SHEAF_OK)
        return status;
    if (future->pool == NULL) {
        write_result(out, future, future->result);
        return SHEAF_OK;
    }
    status = pool_result(result, NULL, future->pool, &future->ticket);
    if (status == SHEAF_OK)
        write_result(out, future, result);
    explicit_bzero(result, future->result_bytes); /* a keyed hash's has the key */
    return status;
}

sheaf_status sheaf_future_failure(sheaf_failure *out, const sheaf_future *future)
{
    unsigned char result[OP_RESULT_BYTES_MAX];
    struct job_error error = {.worker = -1};
    if (out == NULL || future == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "failure: NULL given");
    if (future->pool != NULL && future->fork_count != fork_count())
        return SHEAF_FAIL(SHEAF_ERR_CLOSED, "failure: this future belongs to the parent process");
    if (!sheaf_future_done(future))
        return SHEAF_FAIL(SHEAF_ERR_TIMEOUT, "failure: the work is not done yet");
    if (future->pool != NULL)
        pool_result(result, &error, future->pool, &future->ticket);
    explicit_bzero(result, sizeof result);
    memset(out, 0, sizeof *out);
    out->status = (sheaf_status)error.status;
    out->worker = error.worker;
    out->signal = error.signal;
    memcpy(out->text, error.text, sizeof out->text - 1);
    return SHEAF_OK;
}

void sheaf_future_release(sheaf_future *future)
{
    if (future == NULL)
        return;
    if (future->pool != NULL && future->fork_count == fork_count())
        pool_forget(future->pool, &future->ticket);
    if (future->pool != NULL)
        pool_release(future->pool);
    explicit_bzero(future->result, sizeof future->result);
    free(future);
}
