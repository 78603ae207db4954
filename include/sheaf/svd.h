/* svd.h -- singular values of every matrix of a batch. */
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

typedef struct sheaf_svd_options {
    sheaf_executor *executor; /* as in sheaf_reduce_options */
    const char *isa;
    sheaf_array *status; /* i32, one for each matrix: 0 done, 1 not finite (values are NaN),
                            2 did not converge (LAPACK only; values are NaN). NULL: not wanted */
    bool reproducible;   /* refuse what cannot promise the same bits everywhere (UNSUPPORTED) */
} sheaf_svd_options;

typedef struct sheaf_svd_report {
    int64_t failures; /* matrices whose status is not 0 */
    bool
        reproducible; /* true: the bits depend on the matrix alone, not on its batch, the executor, the
                          workers, the instruction set or the compiler. false: LAPACK computed it, and
                          its bits depend on its build and the CPU */
} sheaf_svd_report;

/* The singular values of each of the matrices of a, shape (..., m, n), f32 or f64, in falling order
 * into values, shape (..., min(m, n)) of the same dtype. report may be NULL.
 *
 * Matrices with min(m, n) <= 64 are Sheaf's own: many at a time, one in each lane of the registers, in
 * double precision for both dtypes. Their largest element is brought to [1, 2) by a power of two, so the
 * values of 2^k A are 2^k times those of A to the bit; the errors are a few 2^-52 of the largest value.
 * Tall ones are first reduced to R (Demmel, Grigori, Hoemmen, Langou, "Communication-optimal parallel and
 * sequential QR and LU factorizations", 2012), then to bidiagonal form; the values are those of dqds
 * (Fernando, Parlett 1994). Larger ones are one LAPACK ?gesdd call each, one thread each; LAPACK (OpenBLAS)
 * is loaded at the first such call.
 * Errors: ARGUMENT, DTYPE, SHAPE, ACCESS (values or status is attached read-only), NOT_SHARED, NO_MEMORY,
 * UNSUPPORTED (no LAPACK, or `reproducible` and it would be needed), and those of the executor. */
SHEAF_EXPORT sheaf_status sheaf_svd_values(sheaf_array *values, sheaf_svd_report *report,
                                           const sheaf_array *a, const sheaf_svd_options *options);

/* The same, returning at once; the result of *out is a sheaf_svd_report. The caller owns *out. */
SHEAF_EXPORT sheaf_status sheaf_svd_submit(sheaf_future **out, sheaf_array *values,
                                           const sheaf_array *a, const sheaf_svd_options *options);

#ifdef __cplusplus
}
#endif
#endif
