/* norm2.c -- the Euclidean norm, whose squares neither overflow nor vanish.
 *
 * A leaf's squares are summed as they are. Only if that sum is so large or so small that a square may
 * have overflowed, or lost bits, the leaf is gone through again with elements times 2^-600 or 2^600,
 * while it is in the cache. Both is decided by the leaf's elements alone. Source of the idea: Blue, "A
 * Portable Fortran Program to Find the Euclidean Norm of a Vector", 1978, where each element is sorted
 * into one of three sums. Narrower floats and integers need none of it: the squares of doubles made of them fit. */
#include <string.h>

#include "ops/reduction.h"

enum { SCALE = 600 };

struct partial {
    double squares; /* of elements times 2^-exponent */
    int64_t exponent;
};

/* What a leaf's elements are to be multiplied by, for such a sum of squares. */
static int64_t exponent_for(const struct elements *e, double squares)
{
    if (e->type != KERNEL_F64)
        return 0;
    return squares > 0x1p900 ? SCALE : squares < 0x1p-900 ? -SCALE : 0;
}

static double factor_of(int64_t exponent)
{
    return exponent > 0 ? 0x1p-600 : exponent < 0 ? 0x1p600 : 1;
}

static void leaf(const struct elements *e, const struct run *run, void *partial)
{
    fold_kernel *squares = e->kernels->squares[e->type];
    struct partial value = {.exponent = 0};
    squares(run->x, run->x, 1, run->n, &value.squares);
    value.exponent = exponent_for(e, value.squares);
    if (value.exponent != 0)
        squares(run->x, run->x, factor_of(value.exponent), run->n, &value.squares);
    memcpy(partial, &value, sizeof value);
}

static void columns(const struct elements *e, const struct column_leaf *leaf, void *partials)
{
    struct partial *values = partials;
    double *factor = columns_numbers(leaf, 0);
    double *squares = columns_numbers(leaf, 1);
    bool is_scaled = false;
    for (size_t i = 0; i < columns_count(leaf); i++)
        factor[i] = 1;
    columns_fold(squares, e, leaf, COLUMNS_SQUARES, factor);
    for (size_t i = 0; i < columns_count(leaf); i++) {
        values[i].exponent = exponent_for(e, squares[i]);
        factor[i] = factor_of(values[i].exponent);
        is_scaled |= values[i].exponent != 0;
    }
    if (is_scaled)
        columns_fold(squares, e, leaf, COLUMNS_SQUARES, factor);
    for (size_t i = 0; i < columns_count(leaf); i++)
        values[i].squares = squares[i];
}

/* To a larger exponent. What is lost is below the last bit of what it is added to. */
static void raise_to(struct partial *value, int64_t exponent)
{
    for (; value->exponent < exponent; value->exponent += SCALE)
        value->squares = value->squares * 0x1p-600 * 0x1p-600;
}

static void merge(const struct elements *e, const void *left, const void *right, void *out)
{
    struct partial a;
    struct partial b;
    (void)e;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    raise_to(&a, b.exponent);
    raise_to(&b, a.exponent);
    a.squares = canonical_f64(a.squares + b.squares);
    memcpy(out, &a, sizeof a);
}

static void finish(const struct elements *e, const void *root, sheaf_scalar *out)
{
    struct partial value;
    memcpy(&value, root, sizeof value);
    double norm = e->count > 0 ? __builtin_sqrt(value.squares) : 0;
    if (value.exponent != 0)
        norm *= value.exponent > 0 ? 0x1p600 : 0x1p-600;
    reduction_set_float(out, norm);
}

static const struct reduction norm2 = {.result = RESULT_FLOAT,
                                       .order = ORDER_FIXED,
                                       .leaf = leaf,
                                       .merge = merge,
                                       .finish = finish,
                                       .columns = columns};

const struct op sheaf_op_norm2 = {REDUCTION("norm2", norm2, struct partial)};
