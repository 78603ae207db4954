/* hasher.c -- the public incremental hasher. */
#include <sheaf/hash.h>

#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/hash_mode.h"
#include "base/error.h"

struct sheaf_hasher {
    struct blake3_mode mode;
    const struct kernels *kernels;
    size_t most_buffered; /* how much of the buffer was ever used: what is to be wiped */
    struct blake3_stream stream;
};

sheaf_status sheaf_hasher_open(sheaf_hasher **out, const sheaf_hash_options *options)
{
    uint32_t isa;
    if (out == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "hasher: out is NULL");
    if (options != NULL && options->content)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "hasher: the content hash is of arrays only");
    sheaf_hasher *hasher = malloc(sizeof *hasher);
    if (hasher == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "hasher: no memory for %zu bytes", sizeof *hasher);
    sheaf_status status = hash_mode(&hasher->mode, &isa, options);
    if (status != SHEAF_OK) {
        free(hasher);
        return status;
    }
    hasher->kernels = sheaf_kernels_at(isa);
    hasher->most_buffered = 0;
    sheaf_blake3_begin(&hasher->stream);
    *out = hasher;
    return SHEAF_OK;
}

sheaf_status sheaf_hasher_update(sheaf_hasher *hasher, const void *bytes, size_t count)
{
    if (hasher == NULL || (bytes == NULL && count > 0))
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "hasher: %s is NULL",
                          hasher == NULL ? "hasher" : "bytes");
    size_t buffered = hasher->stream.buffered;
    size_t most = count < sizeof hasher->stream.buffer - buffered ? buffered + count
                                                                  : sizeof hasher->stream.buffer;
    if (most > hasher->most_buffered)
        hasher->most_buffered = most;
    sheaf_blake3_update(&hasher->stream, &(struct blake3){hasher->kernels, &hasher->mode}, bytes,
                        count);
    return SHEAF_OK;
}

sheaf_status sheaf_hasher_finish(uint8_t *out, size_t out_bytes, uint64_t out_offset,
                                 const sheaf_hasher *hasher)
{
    struct blake3_node root;
    if (hasher == NULL || (out == NULL && out_bytes > 0))
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "hasher: %s is NULL",
                          hasher == NULL ? "hasher" : "out");
    if (out_offset > UINT64_MAX - out_bytes)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "hasher: the output ends before byte %llu",
                          (unsigned long long)UINT64_MAX);
    sheaf_blake3_end(&root, &hasher->stream, &(struct blake3){hasher->kernels, &hasher->mode});
    sheaf_blake3_complete(&root, &hasher->mode);
    sheaf_blake3_output(out, out_bytes, out_offset, hasher->kernels, &root);
    explicit_bzero(&root, sizeof root);
    return SHEAF_OK;
}

void sheaf_hasher_reset(sheaf_hasher *hasher)
{
    if (hasher != NULL)
        sheaf_blake3_begin(&hasher->stream);
}

void sheaf_hasher_close(sheaf_hasher *hasher)
{
    if (hasher == NULL)
        return;
    explicit_bzero(&hasher->mode, sizeof hasher->mode);
    explicit_bzero(&hasher->stream.stack, sizeof hasher->stream.stack);
    explicit_bzero(hasher->stream.buffer, hasher->most_buffered);
    free(hasher);
}
