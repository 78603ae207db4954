/* hash.c -- the public BLAKE3 of arrays and of bytes. */
#include <sheaf/hash.h>

#include <string.h>

#include "api/call.h"
#include "api/future.h"
#include "api/hash_mode.h"
#include "base/error.h"

/* The request, which the caller wipes: the key is in it. */
static sheaf_status make_request(struct request *request, size_t *out_bytes, const void *out,
                                 const sheaf_array *array, const sheaf_hash_options *options)
{
    struct blake3_params params = {0};
    if (out == NULL || array == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "hash: %s is NULL", out == NULL ? "out" : "array");
    sheaf_status status = hash_range(out_bytes, &params.offset, options);
    if (status == SHEAF_OK)
        status = hash_mode(&params.mode, &request->isa, options);
    if (status != SHEAF_OK)
        return status;
    params.is_content = options != NULL && options->content;
    request->op = sheaf_op_find("blake3");
    request->array_count = 1;
    request->arrays[0] = array;
    memcpy(request->params, &params, sizeof params);
    explicit_bzero(&params, sizeof params);
    return SHEAF_OK;
}

sheaf_status sheaf_hash(uint8_t *out, const sheaf_array *array, const sheaf_hash_options *options)
{
    struct request request;
    struct blake3_result result;
    size_t out_bytes;
    request_clear(&request);
    sheaf_status status = make_request(&request, &out_bytes, out, array, options);
    if (status == SHEAF_OK)
        status = call_run(&result, options != NULL ? options->executor : NULL, &request);
    if (status == SHEAF_OK)
        sheaf_blake3_write(out, out_bytes, &result);
    explicit_bzero(&result, sizeof result);
    explicit_bzero(request.params, sizeof request.params);
    return status;
}

sheaf_status sheaf_hash_submit(sheaf_future **out, const sheaf_array *array,
                               const sheaf_hash_options *options)
{
    struct request request;
    size_t out_bytes;
    request_clear(&request);
    sheaf_status status = make_request(&request, &out_bytes, out, array, options);
    if (status == SHEAF_OK)
        status = call_submit(out, options != NULL ? options->executor : NULL, &request);
    if (status == SHEAF_OK)
        future_set_output(*out, out_bytes, sheaf_blake3_write);
    explicit_bzero(request.params, sizeof request.params);
    return status;
}

sheaf_status sheaf_hash_bytes(uint8_t *out, const void *bytes, size_t count,
                              const sheaf_hash_options *options)
{
    struct blake3_mode mode;
    size_t out_bytes;
    uint64_t offset;
    uint32_t isa;
    if (out == NULL || (bytes == NULL && count > 0))
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "hash: %s is NULL", out == NULL ? "out" : "bytes");
    if (options != NULL && options->content)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "hash: the content hash is of arrays only");
    sheaf_status status = hash_range(&out_bytes, &offset, options);
    if (status == SHEAF_OK)
        status = hash_mode(&mode, &isa, options);
    if (status != SHEAF_OK)
        return status;
    const struct blake3 how = {sheaf_kernels_at(isa), &mode};
    if (count <= BLAKE3_BLOCK && out_bytes <= BLAKE3_BLOCK && offset == 0) {
        sheaf_blake3_block(out, out_bytes, &how, bytes, count);
    } else {
        struct blake3_node root;
        sheaf_blake3_subtree(&root, &how, bytes, count, 0);
        sheaf_blake3_complete(&root, &mode);
        sheaf_blake3_output(out, out_bytes, offset, how.kernels, &root);
        if (mode.flags != 0) /* there is a key */
            explicit_bzero(&root, sizeof root);
    }
    if (mode.flags != 0)
        explicit_bzero(&mode, sizeof mode);
    return SHEAF_OK;
}
