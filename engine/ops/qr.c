/* qr.c -- the reduced QR factorisation of tall matrices: R's of leaves of rows go up, Q comes back down.
 *
 *     arrays[0]   a   (..., m, n)   f32 or f64
 *     arrays[1]   q   (..., m, n)   of the same dtype, written
 *     arrays[2]   r   (..., n, n)   written */
#include <inttypes.h>
#include <string.h>

#include <sheaf/dtype.h>

#include "base/error.h"
#include "ops/tall.h"

enum { A, Q, R };

static sheaf_status plan_output(const struct op_array *x, const struct op_array *a,
                                const char *name, uint64_t rows)
{
    if (x->dtype != a->dtype)
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "qr: %s is %s; it must be %s, as a is", name,
                          sheaf_dtype_name((sheaf_dtype)x->dtype),
                          sheaf_dtype_name((sheaf_dtype)a->dtype));
    if (x->ndim != a->ndim || memcmp(x->shape, a->shape, (a->ndim - 2) * sizeof a->shape[0]) != 0 ||
        x->shape[x->ndim - 2] != rows || x->shape[x->ndim - 1] != a->shape[a->ndim - 1])
        return SHEAF_FAIL(SHEAF_ERR_SHAPE,
                          "qr: %s must have the shape of a with %" PRIu64 " x %" PRIu64
                          " in place of its last two dimensions",
                          name, rows, a->shape[a->ndim - 1]);
    return SHEAF_OK;
}

static sheaf_status plan(struct op_plan *out, const struct op_call *call)
{
    const struct op_array *a = &call->arrays[A];
    if (a->dtype != SHEAF_F32 && a->dtype != SHEAF_F64)
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "qr: a is %s; it must be f32 or f64",
                          sheaf_dtype_name((sheaf_dtype)a->dtype));
    if (a->ndim < 2)
        return SHEAF_FAIL(SHEAF_ERR_SHAPE, "qr: a has %u dimensions; it must have 2 or more",
                          (unsigned)a->ndim);
    uint64_t rows = a->shape[a->ndim - 2];
    uint64_t columns = a->shape[a->ndim - 1];
    if (columns == 0 || columns > KERNEL_SVD_COLUMNS_MAX || rows / 8 < columns)
        return SHEAF_FAIL(SHEAF_ERR_UNSUPPORTED,
                          "qr: matrices of %" PRIu64 " x %" PRIu64
                          "; taken are those of 1 to %d columns and at least 8 times as many rows",
                          rows, columns, KERNEL_SVD_COLUMNS_MAX);
    sheaf_status status = plan_output(&call->arrays[Q], a, "q", rows);
    if (status == SHEAF_OK)
        status = plan_output(&call->arrays[R], a, "r", columns);
    if (status != SHEAF_OK)
        return status;
    struct tall_cut cut = tall_cut(a, true);
    out->leaves = tall_leaves(&cut);
    out->leaf_bytes = tall_leaf_bytes(&cut);
    out->partial_bytes = (uint32_t)cut.partial_bytes;
    out->sweeps = 2;
    return SHEAF_OK;
}

static void store(const struct tall_cut *cut, void *to, size_t i, double value)
{
    float narrow = (float)value;
    memcpy((unsigned char *)to + i * cut->element,
           cut->dtype == KERNEL_F32 ? (const void *)&narrow : (const void *)&value, cut->element);
}

/* R with its signs made good, and Z = the diagonal of those signs. */
static sheaf_status solve(const struct op_call *call, const struct tall_cut *cut, uint64_t matrix,
                          struct tall_partial *partial)
{
    const double nan = __builtin_nan("");
    size_t n = cut->n;
    double r[TALL_SQUARE];
    double *z = tall_z(partial, n);
    size_t square = n * n * cut->element;
    unsigned char *to = (unsigned char *)call->data[R] + matrix * square;
    if (!partial->is_finite) {
        size_t size = cut->rows * n;
        unsigned char *q = (unsigned char *)call->data[Q] + matrix * size * cut->element;
        for (size_t i = 0; i < n * n; i++)
            store(cut, to, i, nan);
        for (size_t i = 0; i < size; i++)
            store(cut, q, i, nan);
        return SHEAF_OK;
    }
    int exponent = partial->exponent == KERNEL_TALL_ZERO ? 0 : partial->exponent;
    tall_unpack(r, partial, n);
    memset(z, 0, n * n * sizeof *z);
    for (size_t i = 0; i < n; i++) {
        z[i * n + i] = r[i * n + i] < 0 ? -1 : 1;
        for (size_t j = 0; j < n; j++)
            store(cut, to, i * n + j,
                  j < i ? 0 : __builtin_ldexp(z[i * n + i] * r[i * n + j], exponent) + 0.0);
    }
    return SHEAF_OK;
}

static sheaf_status map(const struct op_call *call, uint64_t first, uint64_t count, void *partial)
{
    struct tall_cut cut = tall_cut(&call->arrays[A], true);
    return tall_map(call, &cut, first, count, partial, solve);
}

static void merge(const struct op_call *call, const void *left, const void *right, void *out)
{
    struct tall_cut cut = tall_cut(&call->arrays[A], true);
    tall_merge(call, &cut, left, right, out);
}

static sheaf_status merged(const struct op_call *call, void *partial)
{
    struct tall_cut cut = tall_cut(&call->arrays[A], true);
    return tall_merged(call, &cut, partial, solve);
}

static sheaf_status down(const struct op_call *call, uint64_t first, uint64_t count,
                         const struct op_up *up)
{
    struct tall_cut cut = tall_cut(&call->arrays[A], true);
    return tall_down(call, &cut, first, count, up, Q, solve);
}

static void finish(const struct op_call *call, const void *root, void *result)
{
    (void)call;
    memcpy(result, root, 1); /* it is all in the arrays */
}

const struct op sheaf_op_qr = {
    .name = "qr",
    .partial_bytes = sizeof(struct tall_partial),
    .result_bytes = 1,
    .writes = 1U << Q | 1U << R,
    .plan = plan,
    .map = map,
    .merge = merge,
    .merged = merged,
    .down = down,
    .finish = finish,
};
