/* qr.h -- the QR factorisation of tall matrices. */
#ifndef SHEAF_QR_H
#define SHEAF_QR_H

#include <sheaf/array.h>
#include <sheaf/executor.h>
#include <sheaf/export.h>
#include <sheaf/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sheaf_qr_options {
    sheaf_executor *executor; /* as in sheaf_reduce_options */
    const char *isa;
} sheaf_qr_options;

/* Where the result goes: an array of the dtype of a, or NULL for a new anonymous one, which the caller then owns. */
typedef struct sheaf_qr_arrays {
    sheaf_array *q; /* (..., m, n): orthonormal columns, whatever the rank of a */
    sheaf_array
        *r; /* (..., n, n): upper triangular, zeros below; no element of its diagonal is negative */
} sheaf_qr_arrays;

/* The reduced factorisation A = Q R of each matrix of a, shape (..., m, n), f32 or f64, m >= 8 n and n <= 64.
 * *out: on success the arrays that were NULL are set. A matrix that is not finite gives NaN. No array may
 * overlap another.
 *
 * Rows are cut into leaves, whose R's merge up a tree; Q comes back down it (Demmel, Grigori, Hoemmen, Langou,
 * "Communication-optimal parallel and sequential QR and LU factorizations", 2012), in double precision for both dtypes.
 * The R of a leaf is the Cholesky factor of A'A if that is certified to cost next to no accuracy (svd.h says when), and
 * its rows of Q are A R^-1 then; of other leaves, and in all merges, Q is made of Householder reflections. The bits
 * depend on the matrix alone: not on the executor, its workers or the instruction set; Q and R of 2^k A are Q and 2^k R
 * to the bit.
 * Errors: ARGUMENT, DTYPE, SHAPE, UNSUPPORTED (another shape; the text says which are taken), ACCESS, NOT_SHARED,
 * NO_MEMORY, NO_SPACE, and those of the executor. Thread-safe. */
SHEAF_EXPORT sheaf_status sheaf_qr(sheaf_qr_arrays *out, const sheaf_array *a,
                                   const sheaf_qr_options *options);

#ifdef __cplusplus
}
#endif
#endif
