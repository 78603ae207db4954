/* hash_mode.c -- the options of a hash, checked. */
#include "api/hash_mode.h"

#include "api/call.h"
#include "base/error.h"

static sheaf_status check_mode(const sheaf_hash_options *options)
{
    bool is_keyed = options->mode == SHEAF_HASH_KEYED;
    bool is_derived = options->mode == SHEAF_HASH_DERIVE_KEY;
    if (!is_keyed && !is_derived && options->mode != SHEAF_HASH_PLAIN)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "hash: no such mode");
    if (is_keyed != (options->key != NULL))
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "hash: %s",
                          is_keyed ? "the keyed mode needs a key"
                                   : "a key, but not the keyed mode");
    if (is_derived != (options->context != NULL))
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "hash: %s",
                          is_derived ? "deriving a key needs a context"
                                     : "a context, but not the mode that derives a key");
    return SHEAF_OK;
}

sheaf_status hash_mode(struct blake3_mode *mode, uint32_t *isa, const sheaf_hash_options *options)
{
    static const sheaf_hash_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    sheaf_status status = check_mode(options);
    if (status == SHEAF_OK)
        status = call_isa(isa, options->isa);
    if (status != SHEAF_OK)
        return status;
    if (options->mode == SHEAF_HASH_KEYED)
        sheaf_blake3_mode_keyed(mode, options->key);
    else if (options->mode == SHEAF_HASH_DERIVE_KEY)
        sheaf_blake3_mode_derive(mode, sheaf_kernels_at(*isa), options->context);
    else
        sheaf_blake3_mode_plain(mode);
    return SHEAF_OK;
}

sheaf_status hash_range(size_t *bytes, uint64_t *offset, const sheaf_hash_options *options)
{
    *bytes = options != NULL && options->out_bytes != 0 ? options->out_bytes : SHEAF_HASH_BYTES;
    *offset = options != NULL ? options->out_offset : 0;
    if (*offset > UINT64_MAX - *bytes)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "hash: the output ends before byte %llu",
                          (unsigned long long)UINT64_MAX);
    return SHEAF_OK;
}
