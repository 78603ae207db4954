/* future.c -- a future is a ticket for a slot of a pool, or a result that is already there. */
#include "api/future.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomics.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fork.h"

/* aligned_alloc() wants a multiple of the alignment. */
static size_t future_bytes(size_t result_bytes)
{
    return (sizeof(sheaf_future) + result_bytes + 63) / 64 * 64;
}

sheaf_status future_begin(sheaf_future **out, sheaf_executor *executor,
                          const struct request *request)
{
    bool is_inline = false;
    size_t bytes = request_result_bytes(request);
    sheaf_future *future = aligned_alloc(_Alignof(sheaf_future), future_bytes(bytes));
    if (future == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "submit: out of memory");
    memset(future, 0, sizeof *future);
    future->result_bytes = bytes;
    future->is_output = sheaf_ops[request->op]->result_bytes == 0;
    future->out_bytes = future->result_bytes;
    future->fork_count = fork_count();
    future->references = 1;
    future->times = (struct job_times){.queued_ns = clock_now_ns(), .worker = -1};
    future->times.started_ns = future->times.queued_ns;
    sheaf_status status = executor_submit(&is_inline, future->result, &future->pool,
                                          &future->ticket, executor, request);
    if (status != SHEAF_OK && is_inline) {
        future->error =
            (struct job_error){.status = (int32_t)status, .code = error_code(), .worker = -1};
        snprintf(future->error.text, sizeof future->error.text, "%s", sheaf_last_error());
    } else if (status != SHEAF_OK) {
        free(future);
        return status;
    }
    if (is_inline)
        future->times.finished_ns = clock_now_ns();
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
    else if (out != NULL)
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
    if (future == NULL || out_bytes != future->out_bytes || (out == NULL && out_bytes != 0))
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "result: out of %zu bytes for a result of %zu",
                          out_bytes, future != NULL ? future->out_bytes : 0);
    sheaf_status status = sheaf_future_wait(future, timeout_ns);
    if (status != SHEAF_OK)
        return status;
    if (future->pool == NULL) {
        if (future->error.status != SHEAF_OK)
            return SHEAF_FAIL((sheaf_status)future->error.status, "%s", future->error.text);
        write_result(out, future, future->result);
        return SHEAF_OK;
    }
    if (future->is_output) /* any size */
        return pool_result(out, future->pool, &future->ticket);
    status = pool_result(result, future->pool, &future->ticket);
    if (status == SHEAF_OK)
        write_result(out, future, result);
    explicit_bzero(result, future->result_bytes); /* a keyed hash's has the key */
    return status;
}

sheaf_status sheaf_future_error(sheaf_failure *out, sheaf_future *future, int64_t timeout_ns)
{
    struct job_error error;
    if (out == NULL || future == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "error: NULL given");
    sheaf_status status = sheaf_future_wait(future, timeout_ns);
    if (status != SHEAF_OK)
        return status;
    if (future->pool != NULL)
        pool_failure(&error, future->pool, &future->ticket);
    else
        error = future->error;
    memset(out, 0, sizeof *out);
    out->status = (sheaf_status)error.status;
    out->code = error.code;
    out->worker = error.status == SHEAF_OK ? -1 : error.worker;
    out->signal = error.signal;
    memcpy(out->text, error.text, sizeof out->text - 1);
    return SHEAF_OK;
}

sheaf_status sheaf_future_failure(sheaf_failure *out, const sheaf_future *future)
{
    return sheaf_future_error(out, (sheaf_future *)future, 0);
}

sheaf_status sheaf_future_timing(sheaf_timing *out, const sheaf_future *future)
{
    if (out == NULL || future == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "timing: NULL given");
    if (future->pool != NULL && future->fork_count != fork_count())
        return SHEAF_FAIL(SHEAF_ERR_CLOSED, "timing: this future belongs to the parent process");
    struct job_times times =
        future->pool != NULL ? pool_times(future->pool, &future->ticket) : future->times;
    *out = (sheaf_timing){times.queued_ns, times.started_ns, times.finished_ns, times.worker};
    return SHEAF_OK;
}

void sheaf_future_release(sheaf_future *future)
{
    if (future == NULL || sub_acq_rel(&future->references, 1) != 1)
        return;
    if (future->pool != NULL && future->fork_count == fork_count())
        pool_forget(future->pool, &future->ticket);
    if (future->pool != NULL)
        pool_release(future->pool);
    if (future->pool == NULL)
        explicit_bzero(future->result, future->result_bytes);
    free(future);
}
