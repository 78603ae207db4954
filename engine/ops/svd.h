/* svd.h -- what the api tells the SVD beside the arrays, and what its files share.
 *
 *     a        (..., m, n)                        f32 or f64
 *     s        (..., min(m, n))                   of the same dtype, written, as all that follow
 *     u        (..., m, min(m, n)) or (..., m, m)
 *     vt       (..., min(m, n), n) or (..., n, n)
 *     status   (...)                              i32; may be missing
 *
 * These are arrays 0 to 4 of a call; without vectors the status is array 2. */
#ifndef SHEAF_OPS_SVD_H
#define SHEAF_OPS_SVD_H

#include <stdbool.h>
#include <stdint.h>

#include <sheaf/status.h>

#include "job/op.h"

enum svd_array { SVD_A, SVD_S, SVD_U, SVD_VT, SVD_STATUS };
enum svd_outcome { SVD_DONE = 0, SVD_NOT_FINITE = 1, SVD_NOT_CONVERGED = 2 };

/* The params of "svd". */
struct svd_params {
    uint32_t reproducible; /* not 0: refuse what LAPACK would have to compute */
    uint32_t mode;         /* a sheaf_svd_mode */
    uint32_t threads;      /* that LAPACK may use for one matrix; 0 is 1 */
};

/* One matrix of a batch. */
struct svd_shape {
    size_t m, n, k;
    bool has_vectors;
    size_t u_columns, vt_rows; /* u: m x u_columns, vt: vt_rows x n */
    size_t element;            /* bytes */
};

/* Elements of one large matrix from which on several threads are used: all of them for its bidiagonal form, and so for values;
 * LAPACK's for vectors. */
enum { SVD_SPREAD_SIZE = 1200 * 1200, SVD_SPREAD_VECTORS_SIZE = 300 * 300 };

/* True if a matrix of m x n is larger than our kernels take. */
bool svd_is_for_lapack(size_t m, size_t n);

struct svd_shape svd_shape_of(const struct op_call *call);

/* The index of an array in the call; OP_ARRAYS_MAX if this mode has none. */
uint32_t svd_index(enum svd_array which, uint32_t mode);

/* Matrix i's part of array `which`, which is dense; NULL if the call has no such array. */
void *svd_part(const struct op_call *call, enum svd_array which, uint64_t i);

/* Copies count matrices from i on, of a as a view, to out, one after the other. */
void svd_gather(const struct op_call *call, void *out, uint64_t i, size_t count);

/* Notes the outcome of matrix i, if that is wanted; of a failure its results become NaN. Returns 1 for a
 * failure, else 0. */
int64_t svd_note(const struct op_call *call, uint64_t i, enum svd_outcome outcome);

/* Makes the first of the largest elements of each row of vt positive, with the columns of u. */
void svd_fix_signs(const struct svd_shape *shape, void *u, void *vt);

/* Checks a call's arrays, and plans a leaf for each matrix. Errors: DTYPE, SHAPE, UNSUPPORTED. */
sheaf_status svd_plan(struct op_plan *out, const struct op_call *call);

/* True if one matrix of m x n is cut into leaves of its own, by the operation "svd_tall": for values and reduced
 * vectors. */
bool svd_is_tall(size_t m, size_t n);

/* The values of such matrices, first to end - 1, as "svd_tall" has them. Errors: NO_MEMORY. */
sheaf_status svd_tall_values(const struct op_call *call, uint64_t first, uint64_t end);

/* By LAPACK: matrices first to end - 1. Adds the failures. Errors: UNSUPPORTED, NO_MEMORY, SHAPE. */
sheaf_status svd_by_lapack(const struct op_call *call, uint64_t first, uint64_t end,
                           int64_t *failures);

#endif
