/* kernels.h -- the only door between engine/ and kernels/.
 *
 * A kernel reads one contiguous run of elements and writes one partial result. Kernels are pure: no
 * allocation, no locks, no errno, no globals. One struct kernels exists per instruction set; all give
 * the same bits, and the scalar one is the reference. */
#ifndef SHEAF_KERNELS_H
#define SHEAF_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* Rows of kernels/dtypes.def, in that order. */
enum kernel_dtype { KERNEL_I32, KERNEL_I64, KERNEL_F32, KERNEL_F64, KERNEL_DTYPES };

enum { KERNEL_SUM_LEAF = 8192 }; /* elements: the leaf of a float sum */

/* x: n elements, aligned to their size only. out: 8 bytes, holding
 *     max, min   one element (n at least 1); any NaN gives the canonical quiet NaN; +0 above -0
 *     sum        i64, wrapping, of integers (any n); f64 of floats (n at most KERNEL_SUM_LEAF, the
 *                order of <sheaf/reduce.h>; of nothing: -0.0; a NaN is the canonical one) */
typedef void reduce_kernel(const void *x, size_t n, void *out);

/* The chaining values, 8 words each, of n inputs that lie one after the other: chunks number counter,
 * counter + 1, .. (blocks: 16), or parent nodes of two chaining values each (blocks: 1). None is the
 * root. cvs may be x. */
typedef void blake3_kernel(const uint8_t *x, size_t n, size_t blocks, uint64_t counter,
                           uint32_t *cvs);

/* SHA-256's compression of `blocks` blocks of x into one state. */
typedef void sha256_kernel(uint32_t state[8], const uint8_t *x, size_t blocks);

/* The same for n states, one after the other, of one block of x each. */
typedef void sha256_many_kernel(uint32_t *states, const uint8_t *x, size_t n);

/* scrypt's ROMix (RFC 7914, 5) of `count` inputs at once: at least 1, at most the table's scrypt_lanes. */
struct scrypt_lanes {
    uint8_t *x; /* the inputs of 128 r bytes, one after the other; replaced by the results */
    size_t count;
    size_t n;        /* a power of two, 2 or more */
    size_t r;        /* 1 or more */
    uint8_t *v;      /* input i remembers its rows, n * 128 r bytes, at v + i * v_stride */
    size_t v_stride; /* a multiple of 64, as v is */
    uint8_t *row;    /* to work in: scrypt_lanes * 128 r bytes, aligned to 64 */
};
typedef void scrypt_kernel(const struct scrypt_lanes *lanes);

struct kernels {
    const char *isa; /* a name in isas.def: "scalar", "avx2", "avx512", "neon" */
    reduce_kernel *max[KERNEL_DTYPES];
    reduce_kernel *min[KERNEL_DTYPES];
    reduce_kernel *sum[KERNEL_DTYPES];
    blake3_kernel *blake3;
    sha256_kernel *sha256;
    sha256_many_kernel *sha256_many;
    scrypt_kernel *scrypt;
    size_t scrypt_lanes;
};

/* BLAKE3; see blake3.c for the source. */
enum {
    BLAKE3_BLOCK = 64, /* bytes */
    BLAKE3_CHUNK = 1024,
    BLAKE3_CHUNK_START = 1, /* flags */
    BLAKE3_CHUNK_END = 2,
    BLAKE3_PARENT = 4,
    BLAKE3_ROOT = 8,
};

/* The chaining value that a chunk and a parent node begin with. */
extern const uint32_t sheaf_blake3_iv[8];

/* The compression function. cv: 8 words, replaced by the first half of the output. block: 64 bytes. */
void sheaf_blake3_compress(uint32_t cv[8], const uint8_t block[64], uint32_t block_bytes,
                           uint64_t counter, uint32_t flags);

enum { SHA256_BLOCK = 64 }; /* bytes */
extern const uint32_t sheaf_sha256_iv[8];

/* Table i of those that this build has and this CPU (and its system) runs, slowest first: 0 is
 * scalar. NULL past the last. Thread-safe. */
const struct kernels *sheaf_kernels_at(size_t i);

#endif
