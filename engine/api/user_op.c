/* user_op.c -- operations of the user's own: named, found, run. */
#include <sheaf/user_op.h>

#include <stdlib.h>
#include <string.h>

#include "api/calls.h"
#include "api/future.h"
#include "base/error.h"
#include "job/symbol.h"
#include "ops/user.h"

static_assert((int)SHEAF_USER_PARTIAL_BYTES_MAX <= BOARD_PARTIAL_BYTES_MAX, "a slot holds them");
static_assert((int)SHEAF_USER_ARRAYS_MAX <= OP_ARRAYS_MAX - 1,
              "one array is for bytes too many for a slot");

/* A sheaf_user_op is a struct symbol: it has no more to it. */
struct sheaf_user_op {
    struct symbol symbol;
};

static const sheaf_operation *operation_of(const sheaf_user_op *op)
{
    return op->symbol.address;
}

static sheaf_status check_operation(const char *name, const sheaf_operation *operation)
{
    enum { RESULT_BYTES_MAX = 64 * 1024 };
    if (operation == NULL || operation->size != sizeof *operation)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT,
                          "operation \"%s\": its size is not sizeof(sheaf_operation)", name);
    if (operation->map == NULL || operation->merge == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "operation \"%s\": %s is NULL", name,
                          operation->map == NULL ? "map" : "merge");
    if (operation->partial_bytes == 0 || operation->partial_bytes > SHEAF_USER_PARTIAL_BYTES_MAX)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT,
                          "operation \"%s\": a partial of %zu bytes; 1 to %d can be", name,
                          operation->partial_bytes, SHEAF_USER_PARTIAL_BYTES_MAX);
    if (operation->result_bytes == 0 || operation->result_bytes > RESULT_BYTES_MAX ||
        (operation->finish == NULL && operation->result_bytes != operation->partial_bytes))
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT,
                          "operation \"%s\": a result of %zu bytes; 1 to %d can be, without "
                          "finish() as a partial",
                          name, operation->result_bytes, RESULT_BYTES_MAX);
    return SHEAF_OK;
}

sheaf_status sheaf_user_op_register(const char *name, const sheaf_operation *operation)
{
    if (name == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "register an operation: name is NULL");
    sheaf_status status = check_operation(name, operation);
    return status == SHEAF_OK ? symbol_register(name, operation) : status;
}

sheaf_status sheaf_user_op_open(sheaf_user_op **out, const char *path, const char *name)
{
    struct symbol *symbol;
    if (out == NULL || name == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "open an operation: %s is NULL",
                          out == NULL ? "out" : "name");
    sheaf_status status = symbol_open(&symbol, path, name);
    if (status != SHEAF_OK)
        return status;
    status = check_operation(name, symbol->address);
    if (status != SHEAF_OK) {
        symbol_release(symbol);
        return status;
    }
    *out = (sheaf_user_op *)symbol;
    return SHEAF_OK;
}

void sheaf_user_op_release(sheaf_user_op *op)
{
    symbol_release((struct symbol *)op);
}

static sheaf_status check_options(const sheaf_user_op *op, const sheaf_user_reduce_options *options)
{
    if (op == NULL || options == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "user reduction: %s is NULL",
                          op == NULL ? "op" : "options");
    if (options->array_count == 0 || options->array_count > SHEAF_USER_ARRAYS_MAX ||
        options->arrays == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "user reduction: %zu arrays; 1 to %d can be",
                          options->array_count, SHEAF_USER_ARRAYS_MAX);
    for (size_t i = 0; i < options->array_count; i++)
        if (options->arrays[i] == NULL)
            return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "user reduction: array %zu is NULL", i);
    if (options->arguments == NULL && options->argument_bytes != 0)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "user reduction: arguments is NULL, of %zu bytes",
                          options->argument_bytes);
    if (options->attempts > SHEAF_MAX_ATTEMPTS || options->deadline_ns < 0 ||
        options->deadline_ns > SHEAF_MAX_DEADLINE_NS)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "user reduction: %u attempts, a deadline of %lld ns",
                          options->attempts, (long long)options->deadline_ns);
    return SHEAF_OK;
}

/* *bytes: NULL, or an array to be detached when the request has been given away. */
static sheaf_status make_request(struct request *request, sheaf_array **bytes,
                                 const sheaf_user_op *op, const sheaf_user_reduce_options *options)
{
    sheaf_status status = check_options(op, options);
    if (status != SHEAF_OK)
        return status;
    const struct user_params params = {
        .argument_bytes = options->argument_bytes,
        .array_count = (uint32_t)options->array_count,
    };
    request_clear(request);
    request->isa = 0; /* no kernel of ours runs */
    request->op = sheaf_op_find("user");
    request->symbol = (struct symbol *)op;
    request->attempts_max = options->attempts;
    request->deadline_ns = options->deadline_ns;
    request->input[0] = options->arguments;
    request->input_bytes[0] = options->argument_bytes;
    request->output_bytes = operation_of(op)->result_bytes;
    for (size_t i = 0; i < options->array_count; i++)
        request->arrays[request->array_count++] = options->arrays[i];
    memcpy(request->params, &params, sizeof params);
    status = request_plan(request);
    return status == SHEAF_OK && !request_fits(request) ? calls_move_bytes(bytes, request) : status;
}

sheaf_status sheaf_user_reduce(void *result, size_t result_bytes, const sheaf_user_op *op,
                               const sheaf_user_reduce_options *options)
{
    struct request request;
    sheaf_array *bytes = NULL;
    if (result == NULL || op == NULL || result_bytes != operation_of(op)->result_bytes)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT,
                          "user reduction: result or op is NULL, or the result is not of %zu bytes",
                          result_bytes);
    void *unchecked =
        aligned_alloc(64, (result_bytes + 63) / 64 * 64); /* result is written on success only */
    if (unchecked == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "user reduction: out of memory");
    sheaf_status status = make_request(&request, &bytes, op, options);
    if (status == SHEAF_OK)
        status = executor_run(unchecked, options->executor, &request);
    if (status == SHEAF_OK)
        memcpy(result, unchecked, result_bytes);
    free(unchecked);
    sheaf_detach(bytes);
    return status;
}

sheaf_status sheaf_user_reduce_submit(sheaf_future **out, const sheaf_user_op *op,
                                      const sheaf_user_reduce_options *options)
{
    struct request request;
    sheaf_array *bytes = NULL;
    if (out == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "user reduction: out is NULL");
    sheaf_status status = make_request(&request, &bytes, op, options);
    if (status == SHEAF_OK)
        status = future_begin(out, options->executor, &request);
    sheaf_detach(bytes); /* the job keeps its memory */
    return status;
}
