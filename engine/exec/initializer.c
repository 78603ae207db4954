/* initializer.c -- the initializer as a request: a call without a result. */
#include "exec/initializer.h"

#include <string.h>

#include "base/error.h"
#include "job/call.h"

static sheaf_status make_request(struct request *request, const sheaf_executor_options *options)
{
    const struct call_params params = {
        .count = 1, .chunk = 1, .argument_bytes = options->initializer_argument_bytes};
    request_clear(request);
    request->isa = 0;
    request->op = sheaf_op_find("call");
    request->symbol = (struct symbol *)options->initializer;
    request->input[0] = options->initializer_arguments;
    request->input_bytes[0] = options->initializer_argument_bytes;
    memcpy(request->params, &params, sizeof params);
    sheaf_status status = request_plan(request);
    if (status == SHEAF_OK &&
        (!request_fits(request) || (request->input[0] == NULL && request->input_bytes[0] != 0)))
        status = SHEAF_FAIL(SHEAF_ERR_ARGUMENT,
                            "open an executor: %zu bytes of arguments for the initializer%s",
                            request->input_bytes[0],
                            request->input[0] == NULL ? ", and they are NULL" : " are too many");
    return status;
}

sheaf_status initializer_set(struct pool *pool, const sheaf_executor_options *options)
{
    struct request request;
    if (options->initializer == NULL)
        return SHEAF_OK;
    sheaf_status status = make_request(&request, options);
    return status == SHEAF_OK ? pool_set_initializer(pool, &request) : status;
}

sheaf_status initializer_run(const sheaf_executor_options *options)
{
    struct request request;
    if (options->initializer == NULL)
        return SHEAF_OK;
    sheaf_status status = make_request(&request, options);
    return status == SHEAF_OK ? request_run(&request, NULL) : status;
}
