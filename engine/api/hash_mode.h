/* hash_mode.h -- from sheaf_hash_options to what the hashing below wants. */
#ifndef SHEAF_API_HASH_MODE_H
#define SHEAF_API_HASH_MODE_H

#include <sheaf/hash.h>

#include "ops/blake3.h"

/* The instruction set (an index of sheaf_kernels_at()) and the mode: the key, or what was derived from
 * the context. The caller wipes *mode. options may be NULL. Errors: ARGUMENT, UNSUPPORTED (isa). */
sheaf_status hash_mode(struct blake3_mode *mode, uint32_t *isa, const sheaf_hash_options *options);

/* How many bytes of output are wanted, and from which on. Errors: ARGUMENT. */
sheaf_status hash_range(size_t *bytes, uint64_t *offset, const sheaf_hash_options *options);

#endif
