/* arg.c -- where the greatest or the least element is: the lowest index of those that are equal; the
 * first NaN if there is one, as NumPy's argmax and argmin. In the nan forms NaNs do not count; where
 * there is nothing else, the index is -1.
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

enum side { GREATEST, LEAST, NAN_GREATEST, NAN_LEAST };

static bool is_nan(const struct partial *a, uint32_t dtype)
{
    return dtype == SHEAF_F32 ? a->value.f32 != a->value.f32
                              : dtype == SHEAF_F64 && a->value.f64 != a->value.f64;
}

/* Whether b, which comes later, is to be kept instead of a. */
static bool beats(const struct partial *b, const struct partial *a, uint32_t dtype, enum side side)
{
    const bool is_greatest = side == GREATEST || side == NAN_GREATEST;
    const struct partial *high = is_greatest ? b : a;
    const struct partial *low = is_greatest ? a : b;
    if (a->index < 0 || b->index < 0)
        return a->index < 0;
    if (is_nan(a, dtype) || is_nan(b, dtype))
        return !is_nan(a, dtype);
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

static reduce_kernel *extreme_of(const struct op_call *call, enum side side)
{
    const struct kernels *kernels = call->kernels;
    reduce_kernel *const *rows[] = {kernels->max, kernels->min, kernels->nanmax, kernels->nanmin};
    return rows[side][elements_kernel(call)];
}

/* The extreme of the block that wins, and where that block begins. */
static struct partial best_block(const struct op_call *call, const unsigned char *x, size_t n,
                                 enum side side)
{
    const uint32_t dtype = call->arrays[0].dtype;
    const size_t element = sheaf_dtype_size((sheaf_dtype)dtype);
    const bool nans_win = side == GREATEST || side == LEAST;
    reduce_kernel *extreme = extreme_of(call, side);
    struct partial best = {.index = -1};
    for (size_t begin = 0; begin < n; begin += BLOCK) {
        struct partial here = {.index = (int64_t)begin};
        extreme(x + begin * element, n - begin < BLOCK ? n - begin : BLOCK, &here.value);
        if (is_nan(&here, dtype) && nans_win)
            return here;
        if (!is_nan(&here, dtype) && beats(&here, &best, dtype, side))
            best = here;
    }
    return best;
}

static sheaf_status map(const struct op_call *call, uint64_t first, uint64_t count, void *partial,
                        enum side side)
{
    const uint32_t dtype = call->arrays[0].dtype;
    const size_t element = sheaf_dtype_size((sheaf_dtype)dtype);
    size_t n;
    const unsigned char *x = elements_run(call, first, count, &n);
    struct partial best = best_block(call, x, n, side);
    if (best.index >= 0) {
        size_t begin = (size_t)best.index;
        size_t length = n - begin < BLOCK ? n - begin : BLOCK;
        find_kernel *find = call->kernels->find[elements_kernel(call)];
        best.index += (int64_t)find(x + begin * element, length, &best.value);
        if (!is_nan(&best, dtype)) /* the zero that is there, which may be the other one */
            memcpy(&best.value, x + (size_t)best.index * element, element);
        best.index += (int64_t)(first * KERNEL_SUM_LEAF);
    }
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
    if (best.index < 0 && scalar.dtype == SHEAF_F32)
        scalar.value.f32 = canonical_f32(__builtin_nanf(""));
    else if (best.index < 0)
        scalar.value.f64 = canonical_f64(__builtin_nan(""));
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

static sheaf_status map_nanargmax(const struct op_call *call, uint64_t first, uint64_t count,
                                  void *partial)
{
    return map(call, first, count, partial, NAN_GREATEST);
}

static void merge_nanargmax(const struct op_call *call, const void *left, const void *right,
                            void *out)
{
    merge(call, left, right, out, NAN_GREATEST);
}

static sheaf_status map_nanargmin(const struct op_call *call, uint64_t first, uint64_t count,
                                  void *partial)
{
    return map(call, first, count, partial, NAN_LEAST);
}

static void merge_nanargmin(const struct op_call *call, const void *left, const void *right,
                            void *out)
{
    merge(call, left, right, out, NAN_LEAST);
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

const struct op sheaf_op_nanargmax = {
    .name = "nanargmax",
    .partial_bytes = sizeof(struct partial),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = plan_argmax,
    .map = map_nanargmax,
    .merge = merge_nanargmax,
    .finish = finish,
};

const struct op sheaf_op_nanargmin = {
    .name = "nanargmin",
    .partial_bytes = sizeof(struct partial),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = plan_argmin,
    .map = map_nanargmin,
    .merge = merge_nanargmin,
    .finish = finish,
};
