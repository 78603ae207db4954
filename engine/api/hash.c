/* hash.c -- the public BLAKE3 of arrays. */
#include <sheaf/hash.h>

#include "api/call.h"
#include "base/error.h"

static sheaf_status make_request(struct request *request, const void *out, const sheaf_array *array,
                                 const sheaf_hash_options *options)
{
    if (out == NULL || array == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "hash: %s is NULL", out == NULL ? "out" : "array");
    request->op = sheaf_op_find("blake3");
    request->array_count = 1;
    request->arrays[0] = array;
    return call_isa(&request->isa, options != NULL ? options->isa : NULL);
}

sheaf_status sheaf_hash(uint8_t *out, const sheaf_array *array, const sheaf_hash_options *options)
{
    struct request request;
    request_clear(&request);
    sheaf_status status = make_request(&request, out, array, options);
    if (status != SHEAF_OK)
        return status;
    return call_run(out, options != NULL ? options->executor : NULL, &request);
}

sheaf_status sheaf_hash_submit(sheaf_future **out, const sheaf_array *array,
                               const sheaf_hash_options *options)
{
    struct request request;
    request_clear(&request);
    sheaf_status status = make_request(&request, out, array, options);
    if (status != SHEAF_OK)
        return status;
    return call_submit(out, options != NULL ? options->executor : NULL, &request);
}
