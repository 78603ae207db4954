/* hash.h -- BLAKE3 of arrays, memory and files.
 *
 * Source: O'Connor, Aumasson, Neves, Wilcox-O'Hearn, "BLAKE3: one function, fast everywhere". */
#ifndef SHEAF_HASH_H
#define SHEAF_HASH_H

#include <stddef.h>
#include <stdint.h>

#include <sheaf/array.h>
#include <sheaf/executor.h>
#include <sheaf/export.h>
#include <sheaf/future.h>
#include <sheaf/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SHEAF_HASH_BYTES = 32 };

typedef struct sheaf_hash_options {
    sheaf_executor *executor; /* as in sheaf_reduce_options */
    const char *isa;
} sheaf_hash_options;

/* BLAKE3 of the array's bytes, as b3sum gives it for a file of the same bytes (dtype and shape are not
 * hashed). out: SHEAF_HASH_BYTES. Errors: those of the executor. */
SHEAF_EXPORT sheaf_status sheaf_hash(uint8_t *out, const sheaf_array *array,
                                     const sheaf_hash_options *options);

/* The same, returning at once; the result of *out is SHEAF_HASH_BYTES bytes. The caller owns *out. */
SHEAF_EXPORT sheaf_status sheaf_hash_submit(sheaf_future **out, const sheaf_array *array,
                                            const sheaf_hash_options *options);

/* BLAKE3 of what can be read from a descriptor until its end, in the caller; the memory it takes does
 * not grow with the input. The executor is not used. A descriptor that does not block is waited for.
 * Errors: ARGUMENT, SYSTEM, NO_MEMORY, UNSUPPORTED (isa). */
SHEAF_EXPORT sheaf_status sheaf_hash_descriptor(uint8_t *out, int descriptor,
                                                const sheaf_hash_options *options);

#ifdef __cplusplus
}
#endif
#endif
