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

/* The singular values of count matrices of m x n, in C order, one after the other, at most
 * KERNEL_SVD_COLUMNS_MAX on their shorter side: min(m, n) each, falling, to values. status: 0, or 1 for a
 * matrix that is not finite, whose values are NaN. scratch: sheaf_svd_scratch() bytes at a multiple of 64.
 * sweeps_for_one: how many dqds may take, for each value of a matrix, before that matrix is bisected:
 * KERNEL_SVD_SWEEPS, or less to test that. */
typedef void svd_values_kernel(const void *x, size_t count, size_t m, size_t n, void *values,
                               int32_t *status, size_t sweeps_for_one, void *scratch);

enum { KERNEL_SVD_COLUMNS_MAX = 64, KERNEL_SVD_SWEEPS = 40 };

/* The bytes that svd_values() needs for matrices of m x n; 0 if it does not take them. */
size_t sheaf_svd_scratch(size_t m, size_t n);

struct kernels {
    const char *isa; /* a name in isas.def: "scalar", "avx2", "avx512", "neon" */
    reduce_kernel *max[KERNEL_DTYPES];
    reduce_kernel *min[KERNEL_DTYPES];
    reduce_kernel *sum[KERNEL_DTYPES];
    blake3_kernel *blake3;
    svd_values_kernel *svd_values[KERNEL_DTYPES]; /* NULL but for floats */
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

/* Table i of those that this build has and this CPU (and its system) runs, slowest first: 0 is
 * scalar. NULL past the last. Thread-safe. */
const struct kernels *sheaf_kernels_at(size_t i);

#endif
