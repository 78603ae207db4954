/* calls.c -- one request for a run of items. */
#include "api/calls.h"

#include <string.h>

#include "api/future.h"
#include "base/error.h"
#include "job/call.h"

/* Two of the arrays of a job are ours: the results', and that of bytes too many for a slot. */
enum { ARRAYS_MAX = OP_ARRAYS_MAX - 2 };

sheaf_status calls_check(const struct calls *calls)
{
    if (calls->callable == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "callable is NULL");
    if (calls->arguments == NULL && calls->argument_bytes != 0)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "arguments is NULL, of %zu bytes",
                          calls->argument_bytes);
    if (calls->array_count > ARRAYS_MAX)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "%zu arrays for a callable, at most %d",
                          calls->array_count, ARRAYS_MAX);
    for (size_t i = 0; i < calls->array_count; i++)
        if (calls->arrays == NULL || calls->arrays[i] == NULL)
            return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "array %zu of %zu is NULL", i,
                              calls->array_count);
    if (calls->attempts > SHEAF_MAX_ATTEMPTS)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "%u attempts, at most %d", calls->attempts,
                          SHEAF_MAX_ATTEMPTS);
    if (calls->deadline_ns < 0 || calls->deadline_ns > SHEAF_MAX_DEADLINE_NS)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "a deadline of %lld ns",
                          (long long)calls->deadline_ns);
    if (calls->into != NULL && !calls->into->segment->is_writable)
        return SHEAF_FAIL(SHEAF_ERR_ACCESS, "the array of the results is attached read-only");
    return SHEAF_OK;
}

static sheaf_status multiply(size_t *out, size_t a, size_t b)
{
    if (__builtin_mul_overflow(a, b, out) || *out > SIZE_MAX / 4)
        return SHEAF_FAIL(SHEAF_ERR_OVERFLOW, "%zu items of %zu bytes are too many", a, b);
    return SHEAF_OK;
}

sheaf_status calls_move_bytes(sheaf_array **bytes, struct request *request)
{
    struct job_bytes layout;
    request->bytes_array = request->array_count + 1;
    size_t elements = (request_lay_out(&layout, request, 0) + 3) / 4;
    sheaf_status status = sheaf_create_anonymous(bytes, SHEAF_I32, 1, &elements);
    if (status != SHEAF_OK)
        return status;
    char *base = sheaf_array_data(*bytes);
    for (uint32_t i = 0; i < OP_INPUTS_MAX; i++)
        if (request->input_bytes[i] != 0)
            memcpy(base + layout.input[i], request->input[i], request->input_bytes[i]);
    request->arrays[request->array_count++] = *bytes;
    return request_plan(request);
}

static sheaf_status make_request(struct request *request, sheaf_array **bytes,
                                 const struct calls *calls)
{
    struct call_params params = {
        .first = calls->first,
        .count = calls->count,
        .chunk = calls->chunk,
        .argument_bytes = calls->argument_bytes,
        .item_bytes = calls->item_bytes,
        .result_bytes = calls->result_bytes,
        .array_count = (uint8_t)calls->array_count,
    };
    request_clear(request);
    request->isa = 0; /* no kernel of ours runs */
    request->op = sheaf_op_find("call");
    request->symbol = (struct symbol *)calls->callable;
    request->attempts_max = calls->attempts;
    request->attempts_default = 1; /* nobody knows whether the function may run twice */
    request->deadline_ns = calls->deadline_ns;
    request->input[0] = calls->arguments;
    request->input_bytes[0] = calls->argument_bytes;
    request->input[1] = calls->items;
    for (size_t i = 0; i < calls->array_count; i++)
        request->arrays[request->array_count++] = calls->arrays[i];
    if (calls->into != NULL) {
        request->arrays[request->array_count++] = calls->into;
        params.into = (uint8_t)request->array_count;
        params.into_bytes = calls->into_item * calls->result_bytes;
    }
    memcpy(request->params, &params, sizeof params);
    size_t result_bytes;
    sheaf_status status = multiply(&result_bytes, calls->count, calls->result_bytes);
    if (status == SHEAF_OK && calls->items != NULL)
        status = multiply(&request->input_bytes[1], calls->count, calls->item_bytes);
    if (status != SHEAF_OK)
        return status;
    request->output_bytes = calls->into == NULL ? result_bytes : 0;
    status = request_plan(request);
    return status == SHEAF_OK && !request_fits(request) ? calls_move_bytes(bytes, request) : status;
}

sheaf_status calls_submit(sheaf_future **out, const struct calls *calls)
{
    struct request request;
    sheaf_array *bytes = NULL;
    sheaf_status status = make_request(&request, &bytes, calls);
    if (status == SHEAF_OK)
        status = future_begin(out, calls->executor, &request);
    sheaf_detach(bytes); /* the job keeps its memory */
    return status;
}

sheaf_status calls_run(void *results, const struct calls *calls)
{
    struct request request;
    sheaf_array *bytes = NULL;
    sheaf_status status = make_request(&request, &bytes, calls);
    if (status == SHEAF_OK)
        status = executor_run(results, calls->executor, &request);
    sheaf_detach(bytes);
    return status;
}
