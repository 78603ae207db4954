/* fold.c -- sum, nansum, prod, dot and norm1: one number for each leaf, up the tree of
 * <sheaf/reduce.h>.
 *
 * Integers wrap in 64 bits, in any order, so that a run of leaves is one kernel call. Doubles go leaf
 * by leaf. The partial is what the kernel writes, an i64 or an f64, where every NaN is the canonical
 * one. */
#include "ops/elements.h"

#include <string.h>

#include "base/error.h"

/* A row of the kernels' table, and whether it gives doubles for the dtype at hand. */
static bool in_doubles(const struct op_call *call)
{
    return elements_are_floats(call);
}

static void fold_leaf(fold_kernel *const *row, const struct op_call *call, uint64_t begin, size_t n,
                      void *partial)
{
    row[elements_kernel(call)](elements_at(call, begin), elements_beside(call, begin), 0, n,
                               partial);
}

/* A run of integers. */
static sheaf_status map_run(fold_kernel *const *row, const struct op_call *call, uint64_t first,
                            uint64_t count, void *partial)
{
    size_t n;
    elements_run(call, first, count, &n);
    fold_leaf(row, call, first * KERNEL_SUM_LEAF, n, partial);
    return SHEAF_OK;
}

static void sum_leaf(const struct op_call *call, uint64_t begin, size_t n, void *partial)
{
    fold_leaf(call->kernels->sum, call, begin, n, partial);
}

static void nansum_leaf(const struct op_call *call, uint64_t begin, size_t n, void *partial)
{
    fold_leaf(call->kernels->nansum, call, begin, n, partial);
}

static void prod_leaf(const struct op_call *call, uint64_t begin, size_t n, void *partial)
{
    fold_leaf(call->kernels->prod, call, begin, n, partial);
}

static void dot_leaf(const struct op_call *call, uint64_t begin, size_t n, void *partial)
{
    fold_leaf(call->kernels->dot, call, begin, n, partial);
}

static void norm1_leaf(const struct op_call *call, uint64_t begin, size_t n, void *partial)
{
    fold_leaf(call->kernels->magnitudes, call, begin, n, partial);
}

static void merge_doubles(const struct op_call *call, const void *left, const void *right,
                          void *out)
{
    double a;
    double b;
    (void)call;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    a = canonical_f64(a + b);
    memcpy(out, &a, sizeof a);
}

static void merge_sum(const struct op_call *call, const void *left, const void *right, void *out)
{
    uint64_t a;
    uint64_t b;
    if (in_doubles(call)) {
        merge_doubles(call, left, right, out);
        return;
    }
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    a += b;
    memcpy(out, &a, sizeof a);
}

static void merge_prod(const struct op_call *call, const void *left, const void *right, void *out)
{
    union {
        uint64_t u64;
        double f64;
    } a, b;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    if (in_doubles(call))
        a.f64 = canonical_f64(a.f64 * b.f64);
    else
        a.u64 *= b.u64;
    memcpy(out, &a, sizeof a);
}

static sheaf_status map_sum(const struct op_call *call, uint64_t first, uint64_t count,
                            void *partial)
{
    if (!in_doubles(call))
        return map_run(call->kernels->sum, call, first, count, partial);
    elements_tree(call, first, count, partial, sizeof(double), sum_leaf, merge_sum);
    return SHEAF_OK;
}

static sheaf_status map_nansum(const struct op_call *call, uint64_t first, uint64_t count,
                               void *partial)
{
    if (!in_doubles(call))
        return map_run(call->kernels->nansum, call, first, count, partial);
    elements_tree(call, first, count, partial, sizeof(double), nansum_leaf, merge_sum);
    return SHEAF_OK;
}

static sheaf_status map_prod(const struct op_call *call, uint64_t first, uint64_t count,
                             void *partial)
{
    if (!in_doubles(call))
        return map_run(call->kernels->prod, call, first, count, partial);
    elements_tree(call, first, count, partial, sizeof(double), prod_leaf, merge_prod);
    return SHEAF_OK;
}

static sheaf_status map_dot(const struct op_call *call, uint64_t first, uint64_t count,
                            void *partial)
{
    if (!in_doubles(call))
        return map_run(call->kernels->dot, call, first, count, partial);
    elements_tree(call, first, count, partial, sizeof(double), dot_leaf, merge_sum);
    return SHEAF_OK;
}

static sheaf_status map_norm1(const struct op_call *call, uint64_t first, uint64_t count,
                              void *partial)
{
    elements_tree(call, first, count, partial, sizeof(double), norm1_leaf, merge_doubles);
    return SHEAF_OK;
}

static sheaf_status plan_dot(struct op_plan *out, const struct op_call *call)
{
    const struct op_array *a = &call->arrays[0];
    const struct op_array *b = &call->arrays[1];
    if (b->dtype == 0)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "dot: the option `second` is the other array");
    if (a->dtype != b->dtype)
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "dot: %s and %s; both must be of one dtype",
                          sheaf_dtype_name((sheaf_dtype)a->dtype),
                          sheaf_dtype_name((sheaf_dtype)b->dtype));
    if (a->ndim != b->ndim || memcmp(a->shape, b->shape, a->ndim * sizeof a->shape[0]) != 0)
        return SHEAF_FAIL(SHEAF_ERR_SHAPE, "dot: the shapes of the two arrays differ");
    sheaf_status status = elements_plan(out, call);
    out->leaf_bytes *= 2;
    return status;
}

static void finish_doubles(const struct op_call *call, const void *root, void *result)
{
    double value;
    memcpy(&value, root, sizeof value);
    if (call->arrays[0].size == 0)
        value = 0; /* of elements that are all -0.0 a sum stays -0.0 */
    elements_write_float(result, call, value);
}

static void finish_integers(const void *root, void *result)
{
    sheaf_scalar scalar = {.dtype = SHEAF_I64};
    memcpy(&scalar.value.i64, root, sizeof scalar.value.i64);
    elements_write(result, &scalar);
}

static void finish_sum(const struct op_call *call, const void *root, void *result)
{
    if (in_doubles(call))
        finish_doubles(call, root, result);
    else
        finish_integers(root, result);
}

static void finish_prod(const struct op_call *call, const void *root, void *result)
{
    double value;
    if (!in_doubles(call)) {
        finish_integers(root, result);
        return;
    }
    memcpy(&value, root, sizeof value);
    elements_write_float(result, call, value);
}

const struct op sheaf_op_sum = {
    .name = "sum",
    .partial_bytes = sizeof(double),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = elements_plan,
    .map = map_sum,
    .merge = merge_sum,
    .finish = finish_sum,
};

const struct op sheaf_op_nansum = {
    .name = "nansum",
    .partial_bytes = sizeof(double),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = elements_plan,
    .map = map_nansum,
    .merge = merge_sum,
    .finish = finish_sum,
};

const struct op sheaf_op_prod = {
    .name = "prod",
    .partial_bytes = sizeof(double),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = elements_plan,
    .map = map_prod,
    .merge = merge_prod,
    .finish = finish_prod,
};

const struct op sheaf_op_dot = {
    .name = "dot",
    .partial_bytes = sizeof(double),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = plan_dot,
    .map = map_dot,
    .merge = merge_sum,
    .finish = finish_sum,
};

const struct op sheaf_op_norm1 = {
    .name = "norm1",
    .partial_bytes = sizeof(double),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = elements_plan,
    .map = map_norm1,
    .merge = merge_doubles,
    .finish = finish_doubles,
};
