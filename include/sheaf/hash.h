/* hash.h -- BLAKE3 of arrays, memory and files.
 *
 * Source: O'Connor, Aumasson, Neves, Wilcox-O'Hearn, "BLAKE3: one function, fast everywhere". */
#ifndef SHEAF_HASH_H
#define SHEAF_HASH_H

#include <stdbool.h>
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

enum {
    SHEAF_HASH_BYTES = 32,     /* of output, unless more or less are asked for */
    SHEAF_HASH_KEY_BYTES = 32, /* of a key */
};

typedef enum sheaf_hash_mode {
    SHEAF_HASH_PLAIN = 0,
    SHEAF_HASH_KEYED = 1,      /* a message authentication code, or a pseudorandom function */
    SHEAF_HASH_DERIVE_KEY = 2, /* a key, from key material (the input) and a context */
} sheaf_hash_mode;

/* A shorter output is the beginning of a longer one. Of a plain hash of x bytes nobody should expect more
 * than min(x / 2, 16) bytes' worth of resistance to collisions. */
typedef struct sheaf_hash_options {
    sheaf_executor *executor; /* as in sheaf_reduce_options */
    const char *isa;
    sheaf_hash_mode mode;
    const uint8_t *key; /* KEYED: SHEAF_HASH_KEY_BYTES bytes. Else NULL */
    const char *
        context; /* DERIVE_KEY: names the application and the purpose, and is no secret. Else NULL */
    size_t out_bytes;    /* of output; 0: SHEAF_HASH_BYTES */
    uint64_t out_offset; /* the first of them, in an output that ends before byte 2^64 - 1 */
    bool content;        /* arrays: the content hash, below */
} sheaf_hash_options;

/* BLAKE3 of the array's bytes, as b3sum gives it for a file of the same bytes (dtype and shape are not
 * hashed); of a view, those of its elements in C order, which are its copy's. out: out_bytes bytes. Chunks are merged up the tree of jobs, in place, on any executor.
 *
 * With content, instead: a hash that two arrays share if and only if they have the same dtype, shape and
 * elements (as bytes: +0 is not -0, and NaNs differ by their payload). It sees elements in C order, so it
 * is the same for any layout of them in memory. It is BLAKE3, in the mode asked for, of
 *
 *     16 bytes      "sheaf content 1" and a NUL
 *      4 bytes      dtype, the number of its SHEAF_ name in dtype.h
 *      4 bytes      ndim
 *      8 * ndim     shape
 *     32 bytes      BLAKE3, in the same mode, of the elements: what is given without content
 *
 * where numbers and elements are little-endian.
 *
 * Secrets. A key is copied to the params of the job, which lie in anonymous memory that the owner and the
 * workers of a pool share. There, and wherever else the library keeps it, it is wiped when the job is done
 * with: for sheaf_hash() before it returns, for a future when that is released. The pool's slot of an
 * unfinished future that was released keeps it until the slot is used again or the executor closes.
 * Registers and spilled temporaries of the computation are not wiped, and core dumps are the host's
 * business. The time taken depends on lengths only.
 *
 * Errors: ARGUMENT (a key or a context without its mode, or a mode without), those of the executor. */
SHEAF_EXPORT sheaf_status sheaf_hash(uint8_t *out, const sheaf_array *array,
                                     const sheaf_hash_options *options);

/* The same, returning at once; the result of *out is out_bytes bytes. key and context are not used after the
 * return. The caller owns *out. */
SHEAF_EXPORT sheaf_status sheaf_hash_submit(sheaf_future **out, const sheaf_array *array,
                                            const sheaf_hash_options *options);

/* BLAKE3 of count bytes, in the caller: for small inputs, and what is in no array. The executor is not
 * used. bytes may be NULL if count is 0. Errors: ARGUMENT, UNSUPPORTED (isa). */
SHEAF_EXPORT sheaf_status sheaf_hash_bytes(uint8_t *out, const void *bytes, size_t count,
                                           const sheaf_hash_options *options);

/* BLAKE3 of what can be read from a descriptor until its end, in the caller; the memory it takes does
 * not grow with the input. The executor is not used. A descriptor that does not block is waited for.
 * Errors: ARGUMENT, SYSTEM, NO_MEMORY, UNSUPPORTED (isa). */
SHEAF_EXPORT sheaf_status sheaf_hash_descriptor(uint8_t *out, int descriptor,
                                                const sheaf_hash_options *options);

/* BLAKE3 of an input that comes piece by piece. A hasher is used by one thread at a time. */
typedef struct sheaf_hasher sheaf_hasher;

/* Of the options, isa, mode, key and context count, and are copied. The caller owns *out and closes it.
 * Errors: ARGUMENT, NO_MEMORY, UNSUPPORTED (isa). */
SHEAF_EXPORT sheaf_status sheaf_hasher_open(sheaf_hasher **out, const sheaf_hash_options *options);

/* The next count bytes of the input, however it is cut. Errors: ARGUMENT (NULL). */
SHEAF_EXPORT sheaf_status sheaf_hasher_update(sheaf_hasher *hasher, const void *bytes,
                                              size_t count);

/* Bytes out_offset, out_offset + 1, .. of the output over the input so far. May be called again, for other
 * bytes or after more updates. Errors: ARGUMENT (NULL, or the output ends before). */
SHEAF_EXPORT sheaf_status sheaf_hasher_finish(uint8_t *out, size_t out_bytes, uint64_t out_offset,
                                              const sheaf_hasher *hasher);

/* Forgets the input, keeps mode and key. */
SHEAF_EXPORT void sheaf_hasher_reset(sheaf_hasher *hasher);

/* Wipes and frees it. NULL is allowed. */
SHEAF_EXPORT void sheaf_hasher_close(sheaf_hasher *hasher);

#ifdef __cplusplus
}
#endif
#endif
