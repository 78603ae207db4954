/* submit.c -- one call of a callable. */
#include <sheaf/callable.h>

#include "api/calls.h"
#include "base/error.h"

sheaf_status sheaf_submit(sheaf_future **out, const sheaf_callable *callable, const void *arguments,
                          size_t argument_bytes, const sheaf_submit_options *options)
{
    static const sheaf_submit_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    if (out == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "submit: out is NULL");
    struct calls calls = {
        .callable = callable,
        .executor = options->executor,
        .arguments = arguments,
        .argument_bytes = argument_bytes,
        .result_bytes = options->result_bytes,
        .arrays = options->arrays,
        .array_count = options->array_count,
        .count = 1,
        .chunk = 1,
        .attempts = options->attempts,
        .deadline_ns = options->deadline_ns,
    };
    sheaf_status status = calls_check(&calls);
    return status == SHEAF_OK ? calls_submit(out, &calls) : status;
}
