/* svd.c -- the public batched SVD. */
#include <sheaf/svd.h>

#include <string.h>

#include "api/call.h"
#include "base/error.h"
#include "ops/svd.h"

static sheaf_status make_request(struct request *request, const sheaf_array *values,
                                 const sheaf_array *a, const sheaf_svd_options *options)
{
    if (values == NULL || a == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "svd: %s is NULL", values == NULL ? "values" : "a");
    const struct svd_params params = {.reproducible = options != NULL && options->reproducible};
    memcpy(request->params, &params, sizeof params);
    request->op = sheaf_op_find("svd_values");
    request->arrays[0] = a;
    request->arrays[1] = values;
    request->array_count = 2;
    if (options != NULL && options->status != NULL)
        request->arrays[request->array_count++] = options->status;
    return call_isa(&request->isa, options != NULL ? options->isa : NULL);
}

sheaf_status sheaf_svd_values(sheaf_array *values, sheaf_svd_report *report, const sheaf_array *a,
                              const sheaf_svd_options *options)
{
    struct request request;
    sheaf_svd_report unwanted;
    request_clear(&request);
    sheaf_status status = make_request(&request, values, a, options);
    if (status != SHEAF_OK)
        return status;
    return call_run(report != NULL ? report : &unwanted, options != NULL ? options->executor : NULL,
                    &request);
}

sheaf_status sheaf_svd_submit(sheaf_future **out, sheaf_array *values, const sheaf_array *a,
                              const sheaf_svd_options *options)
{
    struct request request;
    request_clear(&request);
    sheaf_status status = out != NULL ? make_request(&request, values, a, options)
                                      : SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "svd: out is NULL");
    if (status != SHEAF_OK)
        return status;
    return call_submit(out, options != NULL ? options->executor : NULL, &request);
}
