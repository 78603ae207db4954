/* scrypt.h -- keys from passwords with scrypt: one password, or many at once on any executor.
 *
 * Source: RFC 7914 (Percival, Josefsson 2016). The work is cut into its p inputs for each password, which
 * fill the lanes of the CPU's registers and the workers of an executor; a result depends on password,
 * salt, n, r, p and length alone.
 *
 * What is protected
 *   - Passwords are read where they are, in the calling thread, and nowhere kept. What is derived from
 *     them is wiped on every path, errors included, when the call returns: keys and blocks by the caller,
 *     scrypt's big memory by each worker as it leaves the job, at most a moment later.
 *   - Worker processes get no password and no salt, but what the first step made of them, through
 *     anonymous shared memory that goes with its last mapping. Nothing is ever in a named segment,
 *     in a file, in an error's text or in a log.
 *   - Such memory is kept out of core dumps and of forked children (MADV_DONTDUMP, MADV_WIPEONFORK,
 *     MADV_DONTFORK).
 *   - sheaf_scrypt_verify() compares in constant time.
 *
 * What is not
 *   - scrypt's memory accesses depend on the password, by design: who can watch this machine's caches or
 *     memory bus learns something of it.
 *   - The caller's own copies of passwords and results are the caller's to wipe.
 *   - Memory may be swapped out: it is not locked, since it is large. Use encrypted swap, or none.
 *   - Copies that the CPU and the compiler keep in registers, and a worker that is killed in the middle:
 *     its memory goes back to the kernel, which clears it before anybody else gets it.
 *   - Processes of the same user may read each other's memory (ptrace), as always. */
#ifndef SHEAF_SCRYPT_H
#define SHEAF_SCRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sheaf/executor.h>
#include <sheaf/export.h>
#include <sheaf/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of the caller's: a password or a salt. data may be NULL if there are none. */
typedef struct sheaf_bytes {
    const void *data;
    size_t bytes;
} sheaf_bytes;

/* The cost, and the length of a result. Memory is 128 n r bytes for each input in flight: of every worker
 * up to 8 with AVX2 or AVX-512. A thread or process that has worked keeps its memory for the next
 * call, wiped, until it ends; if that is more than 256 MiB, the kernel may take the pages (MADV_FREE). */
typedef struct sheaf_scrypt_params {
    uint64_t n;    /* a power of two, 2 or more, below 2^(16 r) */
    uint32_t r;    /* 1 or more; r p < 2^30 */
    uint32_t p;    /* 1 or more */
    size_t length; /* bytes of a result: 1 to 32 (2^32 - 1) */
} sheaf_scrypt_params;

typedef struct sheaf_scrypt_options {
    sheaf_executor *executor; /* as in sheaf_reduce_options */
    const char *isa;
    uint64_t
        memory_limit; /* bytes, of all workers together; fewer inputs are in flight if that keeps
                              to it. 0: half of the memory that is free now */
} sheaf_scrypt_options;

/* The key of one password, params->length bytes, to out.
 * Errors: ARGUMENT (params, or NULL with bytes), OVERFLOW, NO_MEMORY (the text says what it needs),
 * UNSUPPORTED (isa), and those of the executor. */
SHEAF_EXPORT sheaf_status sheaf_scrypt(uint8_t *out, sheaf_bytes password, sheaf_bytes salt,
                                       const sheaf_scrypt_params *params,
                                       const sheaf_scrypt_options *options);

/* Passwords that are worked on together. */
typedef struct sheaf_scrypt_batch {
    const sheaf_bytes *passwords; /* count */
    size_t count;                 /* 1 or more */
    const sheaf_bytes *salts;
    size_t salt_count; /* 1: the same for all, or count: one each */
} sheaf_scrypt_batch;

/* The keys of all passwords of the batch, one after the other, to out: params->length bytes each.
 * Errors: as sheaf_scrypt(). */
SHEAF_EXPORT sheaf_status sheaf_scrypt_many(uint8_t *out, const sheaf_scrypt_batch *batch,
                                            const sheaf_scrypt_params *params,
                                            const sheaf_scrypt_options *options);

/* Whether the password's key is `expected`, params->length bytes. The comparison takes the same time
 * wherever they differ. Errors: as sheaf_scrypt(). */
SHEAF_EXPORT sheaf_status sheaf_scrypt_verify(bool *out, const uint8_t *expected,
                                              sheaf_bytes password, sheaf_bytes salt,
                                              const sheaf_scrypt_params *params,
                                              const sheaf_scrypt_options *options);

#ifdef __cplusplus
}
#endif
#endif
