/* reduce.c -- the public reductions. */
#include <sheaf/reduce.h>

#include <string.h>

#include "api/call.h"
#include "base/error.h"

static sheaf_status make_request(struct request *request, const void *out, const sheaf_array *array,
                                 sheaf_op op, const sheaf_reduce_options *options)
{
    if (out == NULL || array == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "reduce: %s is NULL", out == NULL ? "out" : "array");
    request->op = sheaf_op_index((int)op);
    if (request->op == UINT32_MAX)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "reduce: no operation %d", (int)op);
    request->array_count = 1;
    request->arrays[0] = array;
    if (options != NULL && options->second != NULL) {
        if (op != SHEAF_DOT)
            return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "reduce: %s has no second array",
                              sheaf_op_name(op));
        request->arrays[request->array_count++] = options->second;
    }
    if (options != NULL && options->ddof != 0)
        memcpy(request->params, &options->ddof, sizeof options->ddof);
    return call_isa(&request->isa, options != NULL ? options->isa : NULL);
}

sheaf_status sheaf_reduce(sheaf_scalar *out, const sheaf_array *array, sheaf_op op,
                          const sheaf_reduce_options *options)
{
    struct request request;
    request_clear(&request);
    sheaf_status status = make_request(&request, out, array, op, options);
    if (status != SHEAF_OK)
        return status;
    return call_run(out, options != NULL ? options->executor : NULL, &request);
}

sheaf_status sheaf_reduce_submit(sheaf_future **out, const sheaf_array *array, sheaf_op op,
                                 const sheaf_reduce_options *options)
{
    struct request request;
    request_clear(&request);
    sheaf_status status = make_request(&request, out, array, op, options);
    if (status != SHEAF_OK)
        return status;
    return call_submit(out, options != NULL ? options->executor : NULL, &request);
}
