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
 * root. key: 8 words that each of them begins with; mode: the flags that all blocks have. cvs may be x. */
typedef void blake3_kernel(const uint8_t *x, size_t n, size_t blocks, uint64_t counter,
                           const uint32_t *key, uint32_t mode, uint32_t *cvs);

/* BLAKE3's compression function. state: 8 words of chaining value; then all 16 words of the output, of
 * which the first 8 are the next chaining value. block: 64 bytes. */
typedef void blake3_compress(uint32_t *state, const uint8_t *block, uint32_t block_bytes,
                             uint64_t counter, uint32_t flags);

struct kernels {
    const char *isa; /* a name in isas.def: "scalar", "avx2", "avx512", "neon" */
    reduce_kernel *max[KERNEL_DTYPES];
    reduce_kernel *min[KERNEL_DTYPES];
    reduce_kernel *sum[KERNEL_DTYPES];
    blake3_kernel *blake3;
    blake3_compress *blake3_one;
};

/* BLAKE3; see blake3.c for the source. */
enum {
    BLAKE3_BLOCK = 64, /* bytes */
    BLAKE3_CHUNK = 1024,
    BLAKE3_CHUNK_START = 1, /* flags */
    BLAKE3_CHUNK_END = 2,
    BLAKE3_PARENT = 4,
    BLAKE3_ROOT = 8,
    BLAKE3_KEYED_HASH = 16,
    BLAKE3_DERIVE_KEY_CONTEXT = 32,
    BLAKE3_DERIVE_KEY_MATERIAL = 64,
};

/* The chaining value that a chunk and a parent node begin with, if there is no key. */
extern const uint32_t sheaf_blake3_iv[8];

/* In portable C. */
blake3_compress sheaf_blake3_compress;

/* Table i of those that this build has and this CPU (and its system) runs, slowest first: 0 is
 * scalar. NULL past the last. Thread-safe. */
const struct kernels *sheaf_kernels_at(size_t i);

#endif
