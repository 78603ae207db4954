/* arg.c -- where the greatest or the least element is: the lowest index of those that are equal; the
 * first NaN if there is one, as NumPy's argmax and argmin.
 *
 * Block by block the plain kernel finds the extreme, and only that a block beats those before it is
 * remembered; the place is looked for once, in the one block that won. So the elements are read once
 * at the speed of max, whatever their order. Source: Slotin, "Algorithms for Modern Hardware",
 * argmin. Zeros of both signs are equal here: their index decides. */
#include "ops/elements.h"

#include <string.h>

struct partial {
    int64_t index;
    union {
        int32_t i32;
        int64_t i64;
        float f32;
        double f64;
        unsigned char bytes[8];
    } value; /* the element there; a NaN is the canonical one */
};

enum { BLOCK = KERNEL_SUM_LEAF };

enum side { GREATEST, LEAST };

static bool is_nan(const struct partial *a, uint32_t dtype)
{
    return dtype == SHEAF_F32 ? a->value.f32 != a->value.f32
                              : dtype == SHEAF_F64 && a->value.f64 != a->value.f64;
}

/* Whether b, which comes later, is to be kept instead of a. */
static bool beats(const struct partial *b, const struct partial *a, uint32_t dtype, enum side side)
{
    if (is_nan(a, dtype) || is_nan(b, dtype))
        return !is_nan(a, dtype);
    const struct partial *high = side == GREATEST ? b : a;
    const struct partial *low = side == GREATEST ? a : b;
    switch (dtype) {
    case SHEAF_I32:
        return high->value.i32 > low->value.i32;
    case SHEAF_I64:
        return high->value.i64 > low->value.i64;
    case SHEAF_F32:
        return high->value.f32 > low->value.f32;
    default:
        return high->value.f64 > low->value.f64;
    }
}

static sheaf_status map(const struct op_call *call, uint64_t first, uint64_t count, void *partial,
                        enum side side)
{
    const uint32_t dtype = call->arrays[0].dtype;
    const size_t element = sheaf_dtype_size((sheaf_dtype)dtype);
    const enum kernel_dtype t = elements_kernel(call);
    reduce_kernel *extreme = side == GREATEST ? call->kernels->max[t] : call->kernels->min[t];
    struct partial best = {.index = -1};
    size_t n;
    const unsigned char *x = elements_run(call, first, count, &n);
    for (size_t begin = 0; begin < n && !(best.index >= 0 && is_nan(&best, dtype));
         begin += BLOCK) {
        struct partial here = {.index = (int64_t)begin};
        extreme(x + begin * element, n - begin < BLOCK ? n - begin : BLOCK, &here.value);
        if (best.index < 0 || beats(&here, &best, dtype, side))
            best = here;
    }
    size_t begin = (size_t)best.index;
    size_t length = n - begin < BLOCK ? n - begin : BLOCK;
    best.index += (int64_t)call->kernels->find[t](x + begin * element, length, &best.value);
    if (!is_nan(&best, dtype)) /* the zero that is there, which may be the other one */
        memcpy(&best.value, x + (size_t)best.index * element, element);
    best.index += (int64_t)(first * KERNEL_SUM_LEAF);
    memcpy(partial, &best, sizeof best);
    return SHEAF_OK;
}

static void merge(const struct op_call *call, const void *left, const void *right, void *out,
                  enum side side)
{
    struct partial a;
    struct partial b;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    memcpy(out, beats(&b, &a, call->arrays[0].dtype, side) ? &b : &a, sizeof a);
}

static void finish(const struct op_call *call, const void *root, void *result)
{
    sheaf_scalar scalar = {.dtype = (sheaf_dtype)call->arrays[0].dtype};
    struct partial best;
    memcpy(&best, root, sizeof best);
    memcpy(&scalar.value, &best.value, sizeof scalar.value);
    scalar.index = best.index;
    elements_write(result, &scalar);
}

static sheaf_status plan_argmax(struct op_plan *out, const struct op_call *call)
{
    return elements_plan_some(out, call, "argmax");
}

static sheaf_status plan_argmin(struct op_plan *out, const struct op_call *call)
{
    return elements_plan_some(out, call, "argmin");
}

static sheaf_status map_argmax(const struct op_call *call, uint64_t first, uint64_t count,
                               void *partial)
{
    return map(call, first, count, partial, GREATEST);
}

static sheaf_status map_argmin(const struct op_call *call, uint64_t first, uint64_t count,
                               void *partial)
{
    return map(call, first, count, partial, LEAST);
}

static void merge_argmax(const struct op_call *call, const void *left, const void *right, void *out)
{
    merge(call, left, right, out, GREATEST);
}

static void merge_argmin(const struct op_call *call, const void *left, const void *right, void *out)
{
    merge(call, left, right, out, LEAST);
}

const struct op sheaf_op_argmax = {
    .name = "argmax",
    .partial_bytes = sizeof(struct partial),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = plan_argmax,
    .map = map_argmax,
    .merge = merge_argmax,
    .finish = finish,
};

const struct op sheaf_op_argmin = {
    .name = "argmin",
    .partial_bytes = sizeof(struct partial),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = plan_argmin,
    .map = map_argmin,
    .merge = merge_argmin,
    .finish = finish,
};
