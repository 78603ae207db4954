/* norm2.c -- the Euclidean norm, whose squares neither overflow nor vanish.
 *
 * A leaf's squares are summed as they are. Only if that sum is so large or so small that a square may
 * have overflowed, or lost bits, the leaf is gone through again with elements times 2^-600 or 2^600,
 * while it is in the cache. Both is decided by the leaf's elements alone. Source of the idea: Blue, "A
 * Portable Fortran Program to Find the Euclidean Norm of a Vector", 1978, where each element is sorted
 * into one of three sums. f32 and integers need none of it: the squares of doubles made of them fit. */
#include "ops/elements.h"

#include <string.h>

enum { SCALE = 600 };

struct partial {
    double squares; /* of elements times 2^-exponent */
    int64_t exponent;
};

static void leaf(const struct op_call *call, uint64_t begin, size_t n, void *partial)
{
    fold_kernel *squares = call->kernels->squares[elements_kernel(call)];
    const unsigned char *x = elements_at(call, begin);
    struct partial value = {.exponent = 0};
    squares(x, x, 1, n, &value.squares);
    if (call->arrays[0].dtype == SHEAF_F64 && value.squares > 0x1p900) {
        value.exponent = SCALE;
        squares(x, x, 0x1p-600, n, &value.squares);
    } else if (call->arrays[0].dtype == SHEAF_F64 && value.squares < 0x1p-900) {
        value.exponent = -SCALE;
        squares(x, x, 0x1p600, n, &value.squares);
    }
    memcpy(partial, &value, sizeof value);
}

/* To a larger exponent. What is lost is below the last bit of what it is added to. */
static void raise_to(struct partial *value, int64_t exponent)
{
    for (; value->exponent < exponent; value->exponent += SCALE)
        value->squares = value->squares * 0x1p-600 * 0x1p-600;
}

static void merge(const struct op_call *call, const void *left, const void *right, void *out)
{
    struct partial a;
    struct partial b;
    (void)call;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    raise_to(&a, b.exponent);
    raise_to(&b, a.exponent);
    a.squares = canonical_f64(a.squares + b.squares);
    memcpy(out, &a, sizeof a);
}

static sheaf_status map(const struct op_call *call, uint64_t first, uint64_t count, void *partial)
{
    elements_tree(call, first, count, partial, sizeof(struct partial), leaf, merge);
    return SHEAF_OK;
}

static void finish(const struct op_call *call, const void *root, void *result)
{
    struct partial value;
    memcpy(&value, root, sizeof value);
    double norm = call->arrays[0].size > 0 ? __builtin_sqrt(value.squares) : 0;
    if (value.exponent != 0)
        norm *= value.exponent > 0 ? 0x1p600 : 0x1p-600;
    elements_write_float(result, call, norm);
}

const struct op sheaf_op_norm2 = {
    .name = "norm2",
    .partial_bytes = sizeof(struct partial),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = elements_plan,
    .map = map,
    .merge = merge,
    .finish = finish,
};
