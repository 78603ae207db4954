/* svd.c -- the singular values of each matrix of a batch: by our kernels, which do many at a time, or,
 * for what is too large for them, by one LAPACK call each.
 *
 *     arrays[0]   a        (..., m, n)         f32 or f64
 *     arrays[1]   values   (..., min(m, n))    of the same dtype, written
 *     arrays[2]   status   (...)               i32, written; dtype 0: not wanted
 *
 * A leaf is one matrix: its result does not depend on those that share its registers, so the batch may be
 * cut anywhere. The partial is the number of matrices that failed. */
#include "job/op.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sheaf/dtype.h>
#include <sheaf/svd.h>

#include "base/error.h"
#include "kernels.h"
#include "ops/lapack.h"
#include "ops/svd.h"

enum { A, VALUES, STATUS };
enum { DONE = 0, NOT_FINITE = 1, NOT_CONVERGED = 2 };

/* What a run of matrices of one shape needs. LAPACK is given the matrix or its transpose, which have
 * the same singular values: the one that is tall, rows >= columns. A C-order matrix is its transpose
 * in LAPACK's column-major eyes, so a tall one is transposed as it is copied (LAPACK destroys its
 * input, so it is copied in any case). Microseconds a matrix, OpenBLAS 0.3.21, f64, one core:
 *
 *              wide    tall
 *  (1000,10)    123      80
 *  (32,32)     47.3    47.7
 *  (10,10)      7.2     7.3
 */
struct run {
    lapack_gesdd *gesdd;
    size_t element; /* bytes */
    size_t m, n;    /* of the C-order matrix */
    int rows, columns;
    int work_length;
    void *matrix; /* m * n elements */
    void *values; /* min(m, n): LAPACK writes here more than once, and into the array we must not */
    void *work;
    int *integers;
};

static uint64_t rows_of(const struct op_array *a)
{
    return a->shape[a->ndim - 2];
}

static uint64_t columns_of(const struct op_array *a)
{
    return a->shape[a->ndim - 1];
}

static uint64_t values_of(const struct op_array *a)
{
    return rows_of(a) < columns_of(a) ? rows_of(a) : columns_of(a);
}

/* The product of the leading dimensions. */
static uint64_t matrices_of(const struct op_array *a)
{
    uint64_t matrices = 1;
    for (uint32_t i = 0; i + 2 < a->ndim; i++)
        matrices *= a->shape[i];
    return matrices;
}

/* True if array has the batch dimensions of a, and then `more` others. */
static bool has_batch_of(const struct op_array *array, const struct op_array *a, uint32_t more)
{
    if (array->ndim != a->ndim - 2 + more)
        return false;
    return memcmp(array->shape, a->shape, (a->ndim - 2) * sizeof a->shape[0]) == 0;
}

/* True if our kernels take the matrices. That has to agree with nothing but itself: every task of a job
 * asks the same question of the same shape. */
static bool is_ours(const struct op_array *a)
{
    return values_of(a) <= KERNEL_SVD_COLUMNS_MAX;
}

/* A matrix's time, told as bytes of a read at 10 GB/s. Within a factor of 2 of what is measured on one
 * core: our kernels (AVX-512) for (3,3), (10,10), (32,32), (1000,10): 0.2, 1.1, 8 and 12 us; OpenBLAS 0.3.21
 * for (120,90), (300,200): 400 and 4500 us. */
static uint64_t work_of(const struct op_array *a)
{
    double k = (double)values_of(a);
    double longer = (double)(rows_of(a) > columns_of(a) ? rows_of(a) : columns_of(a));
    double bytes = is_ours(a) ? 1000 + 50 * k * k + 4 * longer * k + longer * k * k
                              : 5000 + 300 * k * k + 50 * longer * k + 3 * longer * k * k;
    return bytes < 0x1p62 ? (uint64_t)bytes : (uint64_t)1 << 62;
}

static sheaf_status plan_status(const struct op_array *status, const struct op_array *a)
{
    if (status->dtype == 0)
        return SHEAF_OK;
    if (status->dtype != SHEAF_I32)
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "svd: the status is %s; it must be i32",
                          sheaf_dtype_name((sheaf_dtype)status->dtype));
    if (!has_batch_of(status, a, 0))
        return SHEAF_FAIL(SHEAF_ERR_SHAPE,
                          "svd: the status must have one element for each matrix: the shape of a "
                          "without its last two dimensions");
    return SHEAF_OK;
}

static sheaf_status plan(struct op_plan *out, const struct op_call *call)
{
    const struct op_array *a = &call->arrays[A];
    const struct op_array *values = &call->arrays[VALUES];
    const struct svd_params *params = call->params;

    if (a->dtype != SHEAF_F32 && a->dtype != SHEAF_F64)
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "svd: a is %s; it must be f32 or f64",
                          sheaf_dtype_name((sheaf_dtype)a->dtype));
    if (values->dtype != a->dtype)
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "svd: the values are %s; they must be %s, as a is",
                          sheaf_dtype_name((sheaf_dtype)values->dtype),
                          sheaf_dtype_name((sheaf_dtype)a->dtype));
    if (a->ndim < 2)
        return SHEAF_FAIL(SHEAF_ERR_SHAPE, "svd: a has %u dimensions; it must have 2 or more",
                          (unsigned)a->ndim);
    if (!is_ours(a) && (rows_of(a) > INT_MAX || columns_of(a) > INT_MAX))
        return SHEAF_FAIL(SHEAF_ERR_SHAPE,
                          "svd: matrices of %" PRIu64 " x %" PRIu64 "; LAPACK takes at most %d",
                          rows_of(a), columns_of(a), INT_MAX);
    if (!has_batch_of(values, a, 1) || values->shape[values->ndim - 1] != values_of(a))
        return SHEAF_FAIL(SHEAF_ERR_SHAPE,
                          "svd: the values must have the shape of a with %" PRIu64
                          " in place of its last two dimensions, %" PRIu64 " x %" PRIu64,
                          values_of(a), rows_of(a), columns_of(a));
    sheaf_status status = plan_status(&call->arrays[STATUS], a);
    if (status != SHEAF_OK)
        return status;
    if (params->reproducible && !is_ours(a))
        return SHEAF_FAIL(SHEAF_ERR_UNSUPPORTED,
                          "svd: %" PRIu64 " x %" PRIu64 " is for LAPACK, whose bits differ between "
                          "builds and CPUs: leave the option `reproducible` out",
                          rows_of(a), columns_of(a));

    out->leaves = matrices_of(a) > 0 ? matrices_of(a) : 1;
    out->leaf_bytes = values_of(a) > 0 ? work_of(a) : sizeof(int32_t);
    return SHEAF_OK;
}

/* Asks LAPACK how much workspace the shape takes. */
static sheaf_status ask_work_length(struct run *run)
{
    const int query = -1;
    const int one = 1;
    double unused[1];
    union {
        double f64;
        float f32;
    } answer = {.f64 = 0};
    int info = 0;
    run->gesdd("N", &run->rows, &run->columns, run->matrix, &run->rows, run->values, unused, &one,
               unused, &one, &answer, &query, run->integers, &info, 1);
    /* One more, and one part in 2^23: a float rounds lengths above 2^24, perhaps down. */
    double length = run->element == sizeof(float) ? (double)answer.f32 * (1 + 0x1p-23) : answer.f64;
    if (info != 0 || !(length >= 1 && length + 1 <= INT_MAX))
        return SHEAF_FAIL(SHEAF_ERR_SHAPE, "svd: LAPACK cannot take matrices of %zu x %zu", run->m,
                          run->n);
    run->work_length = (int)length + 1;
    return SHEAF_OK;
}

static void free_run(struct run *run)
{
    free(run->matrix);
    free(run->values);
    free(run->work);
    free(run->integers);
}

/* Whatever it returns, free_run() is due. */
static sheaf_status make_run(struct run *run, const struct lapack *lapack, const struct op_array *a)
{
    bool is_f64 = a->dtype == SHEAF_F64;
    size_t k = (size_t)values_of(a);
    *run = (struct run){
        .gesdd = is_f64 ? lapack->dgesdd : lapack->sgesdd,
        .element = is_f64 ? sizeof(double) : sizeof(float),
        .m = (size_t)rows_of(a),
        .n = (size_t)columns_of(a),
    };
    run->rows = (int)(run->m > run->n ? run->m : run->n);
    run->columns = (int)k;
    run->matrix = malloc(run->m * run->n * run->element);
    run->values = malloc(k * run->element);
    run->integers = malloc(8 * k * sizeof *run->integers);
    if (run->matrix != NULL && run->values != NULL && run->integers != NULL) {
        sheaf_status status = ask_work_length(run);
        if (status != SHEAF_OK)
            return status;
        run->work = malloc((size_t)run->work_length * run->element);
    }
    if (run->work == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "svd: no memory for a copy of one %zu x %zu matrix",
                          run->m, run->n);
    return SHEAF_OK;
}

/* Finite: no exponent is all ones. Integers are compared, so this is right in any floating-point mode. */
static bool is_finite(const void *x, size_t n, size_t element)
{
    const unsigned char *bytes = x;
    unsigned found = 0;
    if (element == sizeof(double)) {
        for (size_t i = 0; i < n; i++) {
            uint64_t bits;
            memcpy(&bits, bytes + sizeof bits * i, sizeof bits);
            found |= (bits & 0x7ff0000000000000) == 0x7ff0000000000000;
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            uint32_t bits;
            memcpy(&bits, bytes + sizeof bits * i, sizeof bits);
            found |= (bits & 0x7f800000) == 0x7f800000;
        }
    }
    return found == 0;
}

/* The matrix in LAPACK's order, as run->rows x run->columns. */
static void copy_tall(const struct run *run, const void *x)
{
    if (run->m <= run->n) {
        memcpy(run->matrix, x, run->m * run->n * run->element);
    } else if (run->element == sizeof(double)) {
        const double *from = x;
        double *to = run->matrix;
        for (size_t row = 0; row < run->m; row++)
            for (size_t column = 0; column < run->n; column++)
                to[column * run->m + row] = from[row * run->n + column];
    } else {
        const float *from = x;
        float *to = run->matrix;
        for (size_t row = 0; row < run->m; row++)
            for (size_t column = 0; column < run->n; column++)
                to[column * run->m + row] = from[row * run->n + column];
    }
}

static void fill_nan(void *x, size_t n, size_t element)
{
    const uint64_t nan_f64 = 0x7ff8000000000000;
    const uint32_t nan_f32 = 0x7fc00000;
    const void *nan = element == sizeof nan_f64 ? (const void *)&nan_f64 : (const void *)&nan_f32;
    for (size_t i = 0; i < n; i++)
        memcpy((unsigned char *)x + i * element, nan, element);
}

/* One matrix, into run->values; returns its status. LAPACK never sees what is not finite: ?gesdd loops
 * for ever over some infinities. */
static int32_t solve(const struct run *run, const void *x)
{
    const int one = 1;
    double unused[1];
    int info = 0;
    if (!is_finite(x, run->m * run->n, run->element))
        return NOT_FINITE;
    copy_tall(run, x);
    run->gesdd("N", &run->rows, &run->columns, run->matrix, &run->rows, run->values, unused, &one,
               unused, &one, run->work, &run->work_length, run->integers, &info, 1);
    return info == 0 ? DONE : NOT_CONVERGED;
}

static void write_status(const struct op_call *call, uint64_t i, int32_t outcome)
{
    if (call->data[STATUS] != NULL)
        ((int32_t *)call->data[STATUS])[i] = outcome;
}

/* Matrices first to end - 1; returns how many failed. */
static int64_t solve_run(const struct run *run, const struct op_call *call, uint64_t first,
                         uint64_t end)
{
    const unsigned char *a = call->data[A];
    unsigned char *values = call->data[VALUES];
    size_t k = (size_t)run->columns;
    int64_t failures = 0;
    for (uint64_t i = first; i < end; i++) {
        int32_t outcome = solve(run, a + i * run->m * run->n * run->element);
        if (outcome != DONE)
            fill_nan(run->values, k, run->element);
        memcpy(values + i * k * run->element, run->values, k * run->element);
        write_status(call, i, outcome);
        failures += outcome != DONE;
    }
    return failures;
}

/* By LAPACK: matrices first to end - 1. */
static sheaf_status map_lapack(const struct op_call *call, uint64_t first, uint64_t end,
                               int64_t *failures)
{
    const struct lapack *lapack;
    struct run run;
    sheaf_status status = sheaf_lapack_enter(&lapack);
    if (status != SHEAF_OK)
        return status;
    status = make_run(&run, lapack, &call->arrays[A]);
    if (status == SHEAF_OK)
        *failures = solve_run(&run, call, first, end);
    free_run(&run);
    sheaf_lapack_leave();
    return status;
}

enum { AT_ONCE = 256 }; /* matrices that go to the kernel in one call */

/* By our kernels: matrices first to end - 1. */
static sheaf_status map_kernels(const struct op_call *call, uint64_t first, uint64_t end,
                                int64_t *failures)
{
    const struct op_array *a = &call->arrays[A];
    enum kernel_dtype dtype = a->dtype == SHEAF_F64 ? KERNEL_F64 : KERNEL_F32;
    size_t element = a->dtype == SHEAF_F64 ? sizeof(double) : sizeof(float);
    size_t m = (size_t)rows_of(a);
    size_t n = (size_t)columns_of(a);
    size_t k = (size_t)values_of(a);
    size_t bytes = (sheaf_svd_scratch(m, n) + 63) / 64 * 64;
    void *scratch = aligned_alloc(64, bytes);
    if (scratch == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "svd: no memory: %zu bytes of work space", bytes);
    for (uint64_t i = first; i < end; i += AT_ONCE) {
        size_t count = end - i < AT_ONCE ? (size_t)(end - i) : AT_ONCE;
        int32_t outcome[AT_ONCE];
        call->kernels->svd_values[dtype]((const unsigned char *)call->data[A] + i * m * n * element,
                                         count, m, n,
                                         (unsigned char *)call->data[VALUES] + i * k * element,
                                         outcome, KERNEL_SVD_SWEEPS, scratch);
        for (size_t j = 0; j < count; j++) {
            write_status(call, i + j, outcome[j]);
            *failures += outcome[j] != DONE;
        }
    }
    free(scratch);
    return SHEAF_OK;
}

static sheaf_status map(const struct op_call *call, uint64_t first, uint64_t count, void *partial)
{
    const struct op_array *a = &call->arrays[A];
    uint64_t end = first + count < matrices_of(a) ? first + count : matrices_of(a);
    int64_t failures = 0;
    sheaf_status status = SHEAF_OK;

    if (values_of(a) == 0) /* matrices without values */
        for (uint64_t i = first; i < end; i++)
            write_status(call, i, DONE);
    else if (first < end)
        status = is_ours(a) ? map_kernels(call, first, end, &failures)
                            : map_lapack(call, first, end, &failures);
    memcpy(partial, &failures, sizeof failures);
    return status;
}

static void merge(const struct op_call *call, const void *left, const void *right, void *out)
{
    int64_t failures[2];
    (void)call;
    memcpy(&failures[0], left, sizeof failures[0]);
    memcpy(&failures[1], right, sizeof failures[1]);
    failures[0] += failures[1];
    memcpy(out, &failures[0], sizeof failures[0]);
}

static void finish(const struct op_call *call, const void *root, void *result)
{
    sheaf_svd_report report;
    memset(&report, 0, sizeof report);
    memcpy(&report.failures, root, sizeof report.failures);
    report.reproducible = is_ours(&call->arrays[A]);
    memcpy(result, &report, sizeof report);
}

const struct op sheaf_op_svd_values = {
    .name = "svd_values",
    .partial_bytes = sizeof(int64_t),
    .result_bytes = sizeof(sheaf_svd_report),
    .writes = 1U << VALUES | 1U << STATUS,
    .plan = plan,
    .map = map,
    .merge = merge,
    .finish = finish,
};
