/* svd.h -- singular values and vectors of every matrix of a batch. */
#ifndef SHEAF_SVD_H
#define SHEAF_SVD_H

#include <stdbool.h>
#include <stdint.h>

#include <sheaf/array.h>
#include <sheaf/executor.h>
#include <sheaf/export.h>
#include <sheaf/future.h>
#include <sheaf/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is computed of a matrix of m x n, k = min(m, n). */
typedef enum sheaf_svd_mode {
    SHEAF_SVD_VALUES = 0,  /* s (k) */
    SHEAF_SVD_REDUCED = 1, /* u (m, k), s (k), vt (k, n) */
    SHEAF_SVD_FULL = 2,    /* u (m, m), s (k), vt (n, n): square and orthogonal */
} sheaf_svd_mode;

/* The arrays of the result, each with the batch dimensions of a before those above, and of its dtype. One
 * that is NULL and belongs to the mode is created without a key (workers can still be given it); it is then
 * the caller's to detach. u and vt must be NULL where there are no vectors. */
typedef struct sheaf_svd_arrays {
    sheaf_array *u, *s, *vt;
} sheaf_svd_arrays;

typedef struct sheaf_svd_options {
    sheaf_executor *executor; /* as in sheaf_reduce_options */
    const char *isa;
    sheaf_svd_mode mode; /* of sheaf_svd() and sheaf_svd_submit() */
    sheaf_array *status; /* i32, one for each matrix: 0 done, 1 not finite (its results are NaN),
                            2 did not converge (its results are NaN). NULL: not wanted */
    bool reproducible;   /* refuse what cannot promise the same bits everywhere (UNSUPPORTED) */
} sheaf_svd_options;

typedef struct sheaf_svd_report {
    int64_t failures; /* matrices whose status is not 0 */
    bool
        reproducible; /* true: the bits depend on the matrix alone, not on its batch, the executor, the
                          workers, the instruction set or the compiler. false: LAPACK computed it, and
                          its bits depend on its build and the CPU */
} sheaf_svd_report;

/* The singular value decomposition A = U diag(s) V' of each of the matrices of a, shape (..., m, n), f32 or
 * f64. s falls; the columns of u and the rows of vt are orthonormal, whatever the rank. Of each row of vt
 * the element of the largest magnitude (the first of them) is positive. s is the same bits whatever the
 * mode (of what LAPACK computes, on as many threads). Without rows or columns s is empty, and full u and vt
 * are identities. *out: on success the arrays that were NULL are set. report may be NULL. No output may
 * overlap a or another. a may be any view, and then has the results of a copy of it; outputs are dense.
 *
 * Matrices with min(m, n) <= 64 are Sheaf's own: many at a time, one in each lane of the registers, in
 * double precision for both dtypes. Their largest element is brought to [1, 2) by a power of two, so the
 * values of 2^k A are 2^k times those of A to the bit, and the vectors the same bits; the errors are of the order
 * of 2^-52 of the largest value (the tests allow 30 min(m, n) of that). Where one side is more than 8 times the other, R is
 * the Cholesky factor of A'A, if that is certified to cost next to no accuracy: with the columns scaled to norm 1, the
 * trace of the inverse of A'A is at most 8 n (independent columns have n, uniform ones in [0, 1) 3.6 n). U is A R^-1
 * times the vectors of R then, orthonormal to that trace times 2^-50 (2^-48 if the elements have few different values, as
 * roundings can all go one way then). So are leaves of rows (below), each for itself, whose R's merge by reflections. All
 * others, and other tall ones, are first reduced to R by reflections
 * (Demmel, Grigori, Hoemmen, Langou, "Communication-optimal parallel and sequential QR and LU factorizations",
 * 2012), which are applied again on the way back. Then comes the bidiagonal form; the values are those of dqds (Fernando,
 * Parlett 1994), the vectors those of QR steps (Golub, Reinsch 1970): u is never A V S^-1. Larger ones are LAPACK's, by
 * the steps of ?gesdd, of which that to the bidiagonal form is Sheaf's for f64, one matrix on one thread; one
 * alone, of 1200 x 1200 elements or more (with vectors 300 x 300), on as many as a threads executor has, and a fork()
 * meanwhile waits for its end. OpenBLAS is loaded at the first such call.
 *
 * A matrix of many rows (m >= n; from 8192 of 20 columns on, 16384 of 10) is cut into leaves of rows that all
 * workers share, for values and reduced vectors; for values its rows are read once, from the first to the last, and less
 * than 16 MiB are taken beside it, so that a file:// may be larger than memory (for reduced vectors it is read three
 * times, and u is as large).
 *
 * Errors: ARGUMENT, DTYPE, SHAPE, ACCESS (an output is attached read-only), NOT_SHARED, NO_MEMORY, NO_SPACE,
 * UNSUPPORTED (no LAPACK, be it not installed or not built in, or `reproducible` and it would be needed; an
 * output that is a view), and those of the executor. */
SHEAF_EXPORT sheaf_status sheaf_svd(sheaf_svd_arrays *out, sheaf_svd_report *report,
                                    const sheaf_array *a, const sheaf_svd_options *options);

/* The same, returning at once; the result of *out is a sheaf_svd_report. The caller owns *out, and the
 * arrays that were NULL, which are created now and are complete when it is done. */
SHEAF_EXPORT sheaf_status sheaf_svd_submit(sheaf_future **out, sheaf_svd_arrays *arrays,
                                           const sheaf_array *a, const sheaf_svd_options *options);

/* The values alone, into values, shape (..., min(m, n)): sheaf_svd() with SHEAF_SVD_VALUES. Errors: as
 * sheaf_svd(). */
SHEAF_EXPORT sheaf_status sheaf_svd_values(sheaf_array *values, sheaf_svd_report *report,
                                           const sheaf_array *a, const sheaf_svd_options *options);

#ifdef __cplusplus
}
#endif
#endif
