/* reduce.c -- max, min and sum of all elements of arrays[0].
 *
 * One leaf is KERNEL_SUM_LEAF elements. The order is free for max, min and integer sums (any order
 * gives the same bits), so a run of leaves is one kernel call. A float sum goes leaf by leaf, up the
 * left-complete tree of <sheaf/reduce.h>.
 *
 * The partial is what the kernel writes: an element, an i64, or the f64 of a float sum, where every
 * NaN is the canonical one, so that partials too are equal bit for bit. */
#include "ops/elements.h"

#include <string.h>

union partial {
    int32_t i32;
    int64_t i64;
    float f32;
    double f64;
};

enum { LEVELS = 64 }; /* of the tree over less than 2^64 leaves */

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static sheaf_status plan_max(struct op_plan *out, const struct op_call *call)
{
    return elements_plan_some(out, call, "max");
}

static sheaf_status plan_min(struct op_plan *out, const struct op_call *call)
{
    return elements_plan_some(out, call, "min");
}

static sheaf_status map_whole(reduce_kernel *const *row, const struct op_call *call, uint64_t first,
                              uint64_t count, void *partial)
{
    union partial value = {.i64 = 0};
    size_t n;
    const unsigned char *x = elements_run(call, first, count, &n);
    row[elements_kernel(call)](x, n, &value);
    memcpy(partial, &value, sizeof value);
    return SHEAF_OK;
}

static sheaf_status map_max(const struct op_call *call, uint64_t first, uint64_t count,
                            void *partial)
{
    return map_whole(call->kernels->max, call, first, count, partial);
}

static sheaf_status map_min(const struct op_call *call, uint64_t first, uint64_t count,
                            void *partial)
{
    return map_whole(call->kernels->min, call, first, count, partial);
}

/* The left-complete tree over a run, from the left: after leaf i, as many pairs are complete as i has
 * trailing ones. What then waits is a full subtree for each bit of the count, the larger ones to the
 * left, and the right one is the last to have been made. */
static sheaf_status map_sum(const struct op_call *call, uint64_t first, uint64_t count,
                            void *partial)
{
    enum kernel_dtype dtype = elements_kernel(call);
    if (!elements_are_floats(call))
        return map_whole(call->kernels->sum, call, first, count, partial);

    size_t element = sheaf_dtype_size((sheaf_dtype)call->arrays[0].dtype);
    double waiting[LEVELS];
    size_t depth = 0;
    double sum = -0.0;
    size_t n;
    const unsigned char *x = elements_run(call, first, count, &n);
    for (uint64_t leaf = 0; leaf < count; leaf++) {
        size_t here = (size_t)smaller(n, KERNEL_SUM_LEAF);
        if (leaf > 0) {
            waiting[depth++] = sum;
            x += KERNEL_SUM_LEAF * element;
        }
        call->kernels->sum[dtype](x, here, &sum);
        n -= here;
        for (uint64_t pairs = leaf; pairs & 1; pairs >>= 1)
            sum = waiting[--depth] + sum;
    }
    while (depth > 0)
        sum = waiting[--depth] + sum;
    sum = canonical_f64(sum);
    memcpy(partial, &sum, sizeof sum);
    return SHEAF_OK;
}

/* The kernel over both: the rules for NaN and zeros stand in one place. */
static void merge_pair(reduce_kernel *const *row, const struct op_call *call, const void *left,
                       const void *right, void *out)
{
    uint32_t dtype = call->arrays[0].dtype;
    size_t element = sheaf_dtype_size((sheaf_dtype)dtype);
    union partial pair[2];
    union partial value = {.i64 = 0};
    memcpy(pair, left, element);
    memcpy((unsigned char *)pair + element, right, element);
    row[elements_kernel(call)](pair, 2, &value);
    memcpy(out, &value, sizeof value);
}

static void merge_max(const struct op_call *call, const void *left, const void *right, void *out)
{
    merge_pair(call->kernels->max, call, left, right, out);
}

static void merge_min(const struct op_call *call, const void *left, const void *right, void *out)
{
    merge_pair(call->kernels->min, call, left, right, out);
}

static void merge_sum(const struct op_call *call, const void *left, const void *right, void *out)
{
    union partial a;
    union partial b;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    if (elements_are_floats(call))
        a.f64 = canonical_f64(a.f64 + b.f64);
    else
        a.i64 = (int64_t)((uint64_t)a.i64 + (uint64_t)b.i64);
    memcpy(out, &a, sizeof a);
}

static void finish_element(const struct op_call *call, const void *root, void *result)
{
    sheaf_scalar scalar = {.dtype = (sheaf_dtype)call->arrays[0].dtype};
    memcpy(&scalar.value, root, sizeof scalar.value);
    elements_write(result, &scalar);
}

static void finish_sum(const struct op_call *call, const void *root, void *result)
{
    union partial sum;
    sheaf_scalar scalar = {0};
    memcpy(&sum, root, sizeof sum);
    if (call->arrays[0].size == 0)
        sum.i64 = 0; /* +0.0 too; of elements that are all -0.0 it stays -0.0 */
    switch (call->arrays[0].dtype) {
    case SHEAF_F64:
        scalar.dtype = SHEAF_F64;
        scalar.value.f64 = canonical_f64(sum.f64);
        break;
    case SHEAF_F32:
        scalar.dtype = SHEAF_F32;
        scalar.value.f32 = canonical_f32((float)sum.f64);
        break;
    default:
        scalar.dtype = SHEAF_I64;
        scalar.value.i64 = sum.i64;
        break;
    }
    elements_write(result, &scalar);
}

const struct op sheaf_op_max = {
    .name = "max",
    .partial_bytes = sizeof(union partial),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = plan_max,
    .map = map_max,
    .merge = merge_max,
    .finish = finish_element,
};

const struct op sheaf_op_min = {
    .name = "min",
    .partial_bytes = sizeof(union partial),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = plan_min,
    .map = map_min,
    .merge = merge_min,
    .finish = finish_element,
};

const struct op sheaf_op_sum = {
    .name = "sum",
    .partial_bytes = sizeof(union partial),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = elements_plan,
    .map = map_sum,
    .merge = merge_sum,
    .finish = finish_sum,
};
