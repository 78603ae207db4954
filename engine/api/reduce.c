/* reduce.c -- the public reductions. */
#include "api/reduce.h"

#include <stddef.h>
#include <string.h>

#include "api/call.h"
#include "base/error.h"
#include "memory/array.h"
#include "ops/reduction.h"

static sheaf_status find_operation(uint32_t *out, sheaf_op op)
{
    *out = sheaf_op_index((int)op);
    if (*out == UINT32_MAX || reduction_of(sheaf_ops[*out]) == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "reduce: no operation %d", (int)op);
    return SHEAF_OK;
}

sheaf_dtype sheaf_reduce_dtype(sheaf_op op, sheaf_dtype dtype, sheaf_dtype wanted)
{
    uint32_t index;
    sheaf_dtype result;
    if (find_operation(&index, op) != SHEAF_OK || sheaf_dtype_size(dtype) == 0 ||
        reduction_result(&result, sheaf_ops[index], dtype, wanted) != SHEAF_OK)
        return (sheaf_dtype)0;
    return result;
}

/* What the options say but for axes. */
static sheaf_status make_params(struct request *request, const struct op *op,
                                const sheaf_array *array, const sheaf_reduce_options *options)
{
    sheaf_dtype result;
    if (options->dtype == 0 && options->initial == NULL) { /* the rest has been cleared */
        memcpy(request->params + offsetof(struct reduce_params, ddof), &options->ddof,
               sizeof options->ddof);
        return SHEAF_OK;
    }
    struct reduce_params params = {.ddof = options->ddof};
    sheaf_status status = reduction_result(&result, op, array->dtype, options->dtype);
    if (status != SHEAF_OK)
        return status;
    params.result = (uint32_t)result;
    if (options->initial != NULL) {
        if (!reduction_of(op)->takes_initial)
            return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "%s takes no initial value", op->name);
        if (options->initial->dtype != result)
            return SHEAF_FAIL(SHEAF_ERR_DTYPE, "%s: the initial value is %s; the result is %s",
                              op->name, sheaf_dtype_name(options->initial->dtype),
                              sheaf_dtype_name(result));
        params.has_initial = 1;
        params.initial = options->initial->value;
    }
    memcpy(request->params, &params, sizeof params);
    return SHEAF_OK;
}

sheaf_status reduce_request(struct request *request, const void *out, const sheaf_array *array,
                            sheaf_op op, const sheaf_reduce_options *options)
{
    if (out == NULL || array == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "reduce: %s is NULL", out == NULL ? "out" : "array");
    sheaf_status status = find_operation(&request->op, op);
    if (status != SHEAF_OK)
        return status;
    request->array_count = 1;
    request->arrays[0] = array;
    if (options != NULL && options->second != NULL) {
        if (!reduction_of(sheaf_ops[request->op])->takes_second)
            return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "reduce: %s has no second array",
                              sheaf_op_name(op));
        request->arrays[request->array_count++] = options->second;
    }
    if (options != NULL)
        status = make_params(request, sheaf_ops[request->op], array, options);
    if (status != SHEAF_OK)
        return status;
    return call_isa(&request->isa, options != NULL ? options->isa : NULL);
}

/* The same for one value. */
static sheaf_status make_scalar_request(struct request *request, const void *out,
                                        const sheaf_array *array, sheaf_op op,
                                        const sheaf_reduce_options *options)
{
    if (options != NULL && (options->axis_count > 0 || options->keepdims))
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT,
                          "reduce: along axes the result is an array: sheaf_reduce_axes()");
    return reduce_request(request, out, array, op, options);
}

sheaf_status sheaf_reduce(sheaf_scalar *out, const sheaf_array *array, sheaf_op op,
                          const sheaf_reduce_options *options)
{
    struct request request;
    request_clear(&request);
    sheaf_status status = make_scalar_request(&request, out, array, op, options);
    if (status != SHEAF_OK)
        return status;
    return call_run(out, options != NULL ? options->executor : NULL, &request);
}

sheaf_status sheaf_reduce_submit(sheaf_future **out, const sheaf_array *array, sheaf_op op,
                                 const sheaf_reduce_options *options)
{
    struct request request;
    request_clear(&request);
    sheaf_status status = make_scalar_request(&request, out, array, op, options);
    if (status != SHEAF_OK)
        return status;
    return call_submit(out, options != NULL ? options->executor : NULL, &request);
}
