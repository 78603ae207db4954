/* svd.c -- the decomposition of each matrix of a batch: by our kernels, which do many at a time, or, for
 * what is too large for them, by LAPACK, one at a time.
 *
 * A leaf is one matrix: its result does not depend on those that share its registers, so the batch may be
 * cut anywhere. The partial is the number of matrices that failed. */
#include "ops/svd.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <sheaf/dtype.h>
#include <sheaf/svd.h>

#include "base/error.h"
#include "kernels.h"
#include "memory/layout.h"

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

static uint32_t mode_of(const struct op_call *call)
{
    return ((const struct svd_params *)call->params)->mode;
}

uint32_t svd_index(enum svd_array which, uint32_t mode)
{
    if (mode != SHEAF_SVD_VALUES || which < SVD_U)
        return (uint32_t)which;
    return which == SVD_STATUS ? 2 : OP_ARRAYS_MAX;
}

struct svd_shape svd_shape_of(const struct op_call *call)
{
    const struct op_array *a = &call->arrays[SVD_A];
    struct svd_shape shape = {
        .m = (size_t)rows_of(a),
        .n = (size_t)columns_of(a),
        .k = (size_t)values_of(a),
        .has_vectors = mode_of(call) != SHEAF_SVD_VALUES,
        .element = sheaf_dtype_size((sheaf_dtype)a->dtype),
    };
    bool is_full = mode_of(call) == SHEAF_SVD_FULL;
    shape.u_columns = is_full ? shape.m : shape.k;
    shape.vt_rows = is_full ? shape.n : shape.k;
    return shape;
}

void *svd_part(const struct op_call *call, enum svd_array which, uint64_t i)
{
    struct svd_shape shape = svd_shape_of(call);
    uint32_t index = svd_index(which, mode_of(call));
    const size_t bytes[] = {
        [SVD_A] = shape.m * shape.n * shape.element,
        [SVD_S] = shape.k * shape.element,
        [SVD_U] = shape.m * shape.u_columns * shape.element,
        [SVD_VT] = shape.vt_rows * shape.n * shape.element,
        [SVD_STATUS] = sizeof(int32_t),
    };
    if (index == OP_ARRAYS_MAX || call->data[index] == NULL)
        return NULL;
    return (unsigned char *)call->data[index] + i * bytes[which];
}

static void fill_nan(void *x, size_t n, size_t element)
{
    const uint64_t nan_f64 = 0x7ff8000000000000;
    const uint32_t nan_f32 = 0x7fc00000;
    const void *nan = element == sizeof nan_f64 ? (const void *)&nan_f64 : (const void *)&nan_f32;
    for (size_t i = 0; i < n; i++)
        memcpy((unsigned char *)x + i * element, nan, element);
}

int64_t svd_note(const struct op_call *call, uint64_t i, enum svd_outcome outcome)
{
    struct svd_shape shape = svd_shape_of(call);
    int32_t *status = svd_part(call, SVD_STATUS, i);
    if (status != NULL)
        *status = (int32_t)outcome;
    if (outcome == SVD_DONE)
        return 0;
    fill_nan(svd_part(call, SVD_S, i), shape.k, shape.element);
    if (shape.has_vectors) {
        fill_nan(svd_part(call, SVD_U, i), shape.m * shape.u_columns, shape.element);
        fill_nan(svd_part(call, SVD_VT, i), shape.vt_rows * shape.n, shape.element);
    }
    return 1;
}

/* True if our kernels take the matrices. That has to agree with nothing but itself: every task of a job
 * asks the same question of the same shape. */
static bool is_ours(const struct op_call *call)
{
    return values_of(&call->arrays[SVD_A]) <= KERNEL_SVD_COLUMNS_MAX;
}

bool svd_is_for_lapack(size_t m, size_t n)
{
    return m > KERNEL_SVD_COLUMNS_MAX && n > KERNEL_SVD_COLUMNS_MAX;
}

/* Matrices that share registers: two of AVX2 (their chains of operations interleaved), one of AVX-512. */
enum { TOGETHER = 8 };

/* A matrix's time, told as bytes of a read at 10 GB/s. At most 3 times what is measured on one core: our kernels
 * (AVX2) for (3,3), (10,10), (32,32), (1000,10): 0.05, 0.8, 6 and 8 us (20 by reflections); OpenBLAS 0.3.21 for
 * (120,90), (300,200): 400 and 4500 us. */
static uint64_t work_of(const struct op_call *call)
{
    const struct op_array *a = &call->arrays[SVD_A];
    double k = (double)values_of(a);
    double longer = (double)(rows_of(a) > columns_of(a) ? rows_of(a) : columns_of(a));
    double bytes = is_ours(call) ? 1000 + 50 * k * k + 4 * longer * k + longer * k * k
                                 : 5000 + 300 * k * k + 50 * longer * k + 3 * longer * k * k;
    if (mode_of(call) != SHEAF_SVD_VALUES)
        bytes *= 3;
    if (mode_of(call) == SHEAF_SVD_FULL)
        bytes += 4 * longer * longer * k;
    return bytes < 0x1p62 ? (uint64_t)bytes : (uint64_t)1 << 62;
}

/* True if array has the batch dimensions of a, and then `more` others. */
static bool has_batch_of(const struct op_array *array, const struct op_array *a, uint32_t more)
{
    if (array->ndim != a->ndim - 2 + more)
        return false;
    return memcmp(array->shape, a->shape, (a->ndim - 2) * sizeof a->shape[0]) == 0;
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

/* u or vt: matrices of rows x columns. */
static sheaf_status plan_vectors(const struct op_array *x, const struct op_array *a,
                                 const char *name, size_t rows, size_t columns)
{
    if (x->dtype != a->dtype)
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "svd: %s is %s; it must be %s, as a is", name,
                          sheaf_dtype_name((sheaf_dtype)x->dtype),
                          sheaf_dtype_name((sheaf_dtype)a->dtype));
    if (!has_batch_of(x, a, 2) || rows_of(x) != rows || columns_of(x) != columns)
        return SHEAF_FAIL(
            SHEAF_ERR_SHAPE,
            "svd: %s must have the shape of a with %zu x %zu in place of its last two "
            "dimensions, %" PRIu64 " x %" PRIu64,
            name, rows, columns, rows_of(a), columns_of(a));
    return SHEAF_OK;
}

static sheaf_status plan_input(const struct op_call *call)
{
    const struct op_array *a = &call->arrays[SVD_A];
    if (a->dtype != SHEAF_F32 && a->dtype != SHEAF_F64)
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "svd: a is %s; it must be f32 or f64",
                          sheaf_dtype_name((sheaf_dtype)a->dtype));
    if (a->ndim < 2)
        return SHEAF_FAIL(SHEAF_ERR_SHAPE, "svd: a has %u dimensions; it must have 2 or more",
                          (unsigned)a->ndim);
    if (is_ours(call) || values_of(a) == 0)
        return SHEAF_OK;
    if (rows_of(a) > INT_MAX || columns_of(a) > INT_MAX)
        return SHEAF_FAIL(SHEAF_ERR_SHAPE,
                          "svd: matrices of %" PRIu64 " x %" PRIu64 "; LAPACK takes at most %d",
                          rows_of(a), columns_of(a), INT_MAX);
    if (((const struct svd_params *)call->params)->reproducible)
        return SHEAF_FAIL(SHEAF_ERR_UNSUPPORTED,
                          "svd: %" PRIu64 " x %" PRIu64 " is for LAPACK, whose bits differ between "
                          "builds and CPUs: leave the option `reproducible` out",
                          rows_of(a), columns_of(a));
    return SHEAF_OK;
}

sheaf_status svd_plan(struct op_plan *out, const struct op_call *call)
{
    const struct op_array *a = &call->arrays[SVD_A];
    const struct op_array *s = &call->arrays[SVD_S];
    sheaf_status status = plan_input(call);
    if (status != SHEAF_OK)
        return status;
    struct svd_shape shape = svd_shape_of(call);
    if (s->dtype != a->dtype)
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "svd: the values are %s; they must be %s, as a is",
                          sheaf_dtype_name((sheaf_dtype)s->dtype),
                          sheaf_dtype_name((sheaf_dtype)a->dtype));
    if (!has_batch_of(s, a, 1) || s->shape[s->ndim - 1] != shape.k)
        return SHEAF_FAIL(SHEAF_ERR_SHAPE,
                          "svd: the values must have the shape of a with %zu in place of its last "
                          "two dimensions, %" PRIu64 " x %" PRIu64,
                          shape.k, rows_of(a), columns_of(a));
    if (shape.has_vectors) {
        status = plan_vectors(&call->arrays[SVD_U], a, "u", shape.m, shape.u_columns);
        if (status == SHEAF_OK)
            status = plan_vectors(&call->arrays[SVD_VT], a, "vt", shape.vt_rows, shape.n);
    }
    if (status == SHEAF_OK)
        status = plan_status(&call->arrays[svd_index(SVD_STATUS, mode_of(call))], a);
    if (status != SHEAF_OK)
        return status;
    out->leaves = matrices_of(a) > 0 ? matrices_of(a) : 1;
    out->leaf_bytes = shape.k > 0 || shape.has_vectors ? work_of(call) : sizeof(int32_t);
    out->together = is_ours(call) ? TOGETHER : 0;
    return SHEAF_OK;
}

/* The sign of the largest element of n, the first of them: true if it is negative. */
static bool is_turned(const void *x, size_t n, size_t element)
{
    double most = 0;
    bool is_negative = false;
    for (size_t i = 0; i < n && element == sizeof(double); i++) {
        double value = ((const double *)x)[i];
        double size = value < 0 ? -value : value;
        is_negative = size > most ? value < 0 : is_negative;
        most = size > most ? size : most;
    }
    for (size_t i = 0; i < n && element == sizeof(float); i++) {
        float value = ((const float *)x)[i];
        double size = (double)(value < 0 ? -value : value);
        is_negative = size > most ? value < 0 : is_negative;
        most = size > most ? size : most;
    }
    return is_negative;
}

/* 0 - x where the mask is set (NULL: everywhere): a zero stays a positive one. */
static void negate(void *x, const bool *mask, size_t n, size_t element)
{
    for (size_t i = 0; i < n && element == sizeof(double); i++) {
        double value = ((double *)x)[i];
        ((double *)x)[i] = mask == NULL || mask[i] ? 0 - value : value;
    }
    for (size_t i = 0; i < n && element == sizeof(float); i++) {
        float value = ((float *)x)[i];
        ((float *)x)[i] = mask == NULL || mask[i] ? 0 - value : value;
    }
}

/* Some rows of vt at a time, so that the columns of u are turned along its rows. */
void svd_fix_signs(const struct svd_shape *shape, void *u, void *vt)
{
    enum { ROWS = 64 };
    for (size_t first = 0; first < shape->vt_rows; first += ROWS) {
        bool mask[ROWS] = {false};
        bool is_any = false;
        for (size_t row = first; row < first + ROWS && row < shape->vt_rows; row++) {
            unsigned char *x = (unsigned char *)vt + row * shape->n * shape->element;
            if (!is_turned(x, shape->n, shape->element))
                continue;
            negate(x, NULL, shape->n, shape->element);
            mask[row - first] = is_any = true;
        }
        size_t end = first + ROWS < shape->k ? first + ROWS : shape->k;
        for (size_t i = 0; is_any && first < end && i < shape->m; i++)
            negate((unsigned char *)u + (i * shape->u_columns + first) * shape->element, mask,
                   end - first, shape->element);
    }
}

void svd_gather(const struct op_call *call, void *out, uint64_t i, size_t count)
{
    const struct op_array *a = &call->arrays[SVD_A];
    struct layout layout;
    struct svd_shape shape = svd_shape_of(call);
    uint64_t each = (uint64_t)shape.m * shape.n;
    layout_simplify(&layout, a->ndim, a->shape, a->strides);
    layout_gather(out, &layout, call->data[SVD_A], shape.element, i * each, count * each);
}

enum {
    AT_ONCE = 256,          /* matrices that go to the kernel in one call */
    COPIED_BYTES = 1 << 20, /* as much of a view is copied for one, or a matrix */
};

/* Matrices that go to the kernel in one call, and the memory that those of a view are copied to: NULL if
 * they lie one after the other. */
static sheaf_status make_copies(size_t *at_once, void **copies, const struct op_call *call)
{
    struct svd_shape shape = svd_shape_of(call);
    size_t each = shape.m * shape.n * shape.element;
    *at_once = AT_ONCE;
    *copies = NULL;
    if (call->arrays[SVD_A].is_dense != 0)
        return SHEAF_OK;
    *at_once = COPIED_BYTES / each < 1         ? 1
               : COPIED_BYTES / each < AT_ONCE ? COPIED_BYTES / each
                                               : AT_ONCE;
    *copies = malloc(*at_once * each);
    return *copies != NULL ? SHEAF_OK
                           : SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "svd: no memory: %zu bytes for copies",
                                        *at_once * each);
}

/* svd_note() of `count` matrices: most have nothing to be noted but their status. Returns how many failed. */
static int64_t note_all(const struct op_call *call, uint64_t first, const int32_t *outcome,
                        size_t count)
{
    int32_t *status = svd_part(call, SVD_STATUS, first);
    int64_t failures = 0;
    if (status != NULL)
        memcpy(status, outcome, count * sizeof *status);
    for (size_t i = 0; i < count; i++)
        if (outcome[i] != SVD_DONE)
            failures += svd_note(call, first + i, (enum svd_outcome)outcome[i]);
    return failures;
}

/* By our kernels: matrices first to end - 1. */
static sheaf_status by_kernels(const struct op_call *call, uint64_t first, uint64_t end,
                               int64_t *failures)
{
    struct svd_shape shape = svd_shape_of(call);
    enum kernel_dtype dtype = shape.element == sizeof(double) ? KERNEL_F64 : KERNEL_F32;
    bool is_full = mode_of(call) == SHEAF_SVD_FULL;
    size_t bytes = sheaf_svd_scratch(shape.m, shape.n, shape.has_vectors, is_full);
    struct kernel_svd run = {
        .m = shape.m, .n = shape.n, .is_full = is_full, .sweeps_for_one = KERNEL_SVD_SWEEPS};
    size_t at_once;
    void *copies;
    sheaf_status status = make_copies(&at_once, &copies, call);
    if (status != SHEAF_OK)
        return status;
    run.scratch = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (run.scratch == NULL) {
        free(copies);
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "svd: no memory: %zu bytes of work space", bytes);
    }
    svd_kernel *kernel =
        shape.has_vectors ? call->kernels->svd_vectors[dtype] : call->kernels->svd_values[dtype];
    for (uint64_t i = first; i < end; i += at_once) {
        int32_t outcome[AT_ONCE];
        run.count = end - i < at_once ? (size_t)(end - i) : at_once;
        if (copies != NULL)
            svd_gather(call, copies, i, run.count);
        run.x = copies != NULL ? copies : svd_part(call, SVD_A, i);
        run.s = svd_part(call, SVD_S, i);
        run.u = svd_part(call, SVD_U, i);
        run.vt = svd_part(call, SVD_VT, i);
        run.status = outcome;
        kernel(&run);
        *failures += note_all(call, i, outcome, run.count);
    }
    free(run.scratch);
    free(copies);
    if (is_full && svd_is_tall(shape.m, shape.n)) /* the values are those of the other modes */
        return svd_tall_values(call, first, end);
    return SHEAF_OK;
}

/* Matrices without rows or without columns: full vectors are identities. */
static void of_nothing(const struct op_call *call, uint64_t first, uint64_t end)
{
    struct svd_shape shape = svd_shape_of(call);
    const double one_f64 = 1;
    const float one_f32 = 1;
    const void *one =
        shape.element == sizeof(double) ? (const void *)&one_f64 : (const void *)&one_f32;
    for (uint64_t i = first; i < end; i++) {
        unsigned char *u = svd_part(call, SVD_U, i);
        unsigned char *vt = svd_part(call, SVD_VT, i);
        size_t side = shape.m > shape.n ? shape.u_columns : shape.vt_rows;
        unsigned char *x = shape.m > shape.n ? u : vt;
        (void)svd_note(call, i, SVD_DONE);
        for (size_t j = 0; x != NULL && j < side * side; j++)
            memset(x + j * shape.element, 0, shape.element);
        for (size_t j = 0; x != NULL && j < side; j++)
            memcpy(x + j * (side + 1) * shape.element, one, shape.element);
    }
}

static sheaf_status map(const struct op_call *call, uint64_t first, uint64_t count, void *partial)
{
    const struct op_array *a = &call->arrays[SVD_A];
    uint64_t end = first + count < matrices_of(a) ? first + count : matrices_of(a);
    int64_t failures = 0;
    sheaf_status status = SHEAF_OK;

    if (values_of(a) == 0)
        of_nothing(call, first, end);
    else if (first < end)
        status = is_ours(call) ? by_kernels(call, first, end, &failures)
                               : svd_by_lapack(call, first, end, &failures);
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
    report.reproducible = is_ours(call) || call->arrays[SVD_S].size == 0;
    memcpy(result, &report, sizeof report);
}

const struct op sheaf_op_svd = {
    .name = "svd",
    .partial_bytes = sizeof(int64_t),
    .result_bytes = sizeof(sheaf_svd_report),
    .writes = 1U << SVD_S | 1U << SVD_U | 1U << SVD_VT | 1U << SVD_STATUS,
    .views = 1U << SVD_A,
    .plan = svd_plan,
    .map = map,
    .merge = merge,
    .finish = finish,
};
