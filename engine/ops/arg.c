/* arg.c -- where the greatest or the least element is: the lowest index of those that are equal; the
 * first NaN if there is one, as NumPy's argmax and argmin. In the nan forms NaNs do not count; where
 * there is nothing else, the index is -1.
 *
 * Run by run the plain kernel finds the extreme, and only that a run beats those before it is
 * remembered; the place is looked for once, in the one run that won. So the elements are read once
 * at the speed of max, whatever their order.
 * Of columns that are read together the runs have COLUMNS_RUN rows, and each column remembers its own. Source: Slotin, "Algorithms for Modern Hardware",
 * argmin. Zeros of both signs are equal here: their index decides. */
#include <string.h>

#include "ops/reduction.h"

struct partial {
    int64_t index;     /* where the run begins, until settle(); < 0: there is nothing */
    sheaf_value value; /* the element there, as it is computed; a NaN is the canonical one */
};

enum side { GREATEST, LEAST };

static bool is_nan(const struct elements *e, const sheaf_value *value)
{
    const double x = e->is_float ? reduction_f64(e->type, value) : 0;
    return x != x;
}

/* Whether b, which comes later, is to be kept instead of a. */
static bool beats(const struct elements *e, const struct partial *b, const struct partial *a,
                  enum side side)
{
    const sheaf_value *high = side == GREATEST ? &b->value : &a->value;
    const sheaf_value *low = side == GREATEST ? &a->value : &b->value;
    if (a->index < 0 || b->index < 0)
        return a->index < 0;
    if (is_nan(e, &a->value) || is_nan(e, &b->value))
        return !is_nan(e, &a->value);
    switch (e->type) {
    case KERNEL_I32:
        return high->i32 > low->i32;
    case KERNEL_I64:
        return high->i64 > low->i64;
    case KERNEL_U64:
        return high->u64 > low->u64;
    default: /* floats */
        return reduction_f64(e->type, high) > reduction_f64(e->type, low);
    }
}

static void leaf(reduce_kernel *const *row, const struct elements *e, const struct run *run,
                 bool skips_nans, void *partial)
{
    struct partial best = {.index = (int64_t)run->begin};
    row[e->type](run->x, run->n, &best.value);
    if (skips_nans && is_nan(e, &best.value))
        best = (struct partial){.index = -1};
    memcpy(partial, &best, sizeof best);
}

static void leaf_argmax(const struct elements *e, const struct run *run, void *partial)
{
    leaf(e->kernels->max, e, run, false, partial);
}

static void leaf_argmin(const struct elements *e, const struct run *run, void *partial)
{
    leaf(e->kernels->min, e, run, false, partial);
}

static void leaf_nanargmax(const struct elements *e, const struct run *run, void *partial)
{
    leaf(e->kernels->nanmax, e, run, true, partial);
}

static void leaf_nanargmin(const struct elements *e, const struct run *run, void *partial)
{
    leaf(e->kernels->nanmin, e, run, true, partial);
}

static void columns(enum columns_extreme which, const struct elements *e,
                    const struct column_leaf *leaf, void *partials)
{
    const bool skips_nans = which == COLUMNS_NANMAXIMA || which == COLUMNS_NANMINIMA;
    const size_t bytes = e->bytes;
    double *values = columns_numbers(leaf, 0);
    double *places = columns_numbers(leaf, 1);
    columns_extremes(&(struct columns_best){.which = which, .out = values, .places = places}, 1, e,
                     leaf);
    for (size_t i = 0; i < columns_count(leaf); i++) {
        struct partial best = {.index = (int64_t)columns_place(leaf, e, places, i)};
        memcpy(&best.value, (const unsigned char *)values + i * bytes, bytes);
        if (skips_nans && is_nan(e, &best.value))
            best = (struct partial){.index = -1};
        memcpy((unsigned char *)partials + i * sizeof best, &best, sizeof best);
    }
}

static void columns_argmax(const struct elements *e, const struct column_leaf *leaf, void *partials)
{
    columns(COLUMNS_MAXIMA, e, leaf, partials);
}

static void columns_argmin(const struct elements *e, const struct column_leaf *leaf, void *partials)
{
    columns(COLUMNS_MINIMA, e, leaf, partials);
}

static void columns_nanargmax(const struct elements *e, const struct column_leaf *leaf,
                              void *partials)
{
    columns(COLUMNS_NANMAXIMA, e, leaf, partials);
}

static void columns_nanargmin(const struct elements *e, const struct column_leaf *leaf,
                              void *partials)
{
    columns(COLUMNS_NANMINIMA, e, leaf, partials);
}

static int64_t waits(const void *partial)
{
    int64_t index;
    memcpy(&index, partial, sizeof index);
    return index;
}

static void settle(const struct elements *e, const struct run *run, void *partial)
{
    const size_t bytes = e->bytes;
    struct partial best;
    memcpy(&best, partial, sizeof best);
    size_t at = e->kernels->find[e->type](run->x, run->n, &best.value);
    best.index += (int64_t)at;
    if (!is_nan(e, &best.value)) /* the zero that is there, which may be the other one */
        memcpy(&best.value, (const unsigned char *)run->x + at * bytes, bytes);
    memcpy(partial, &best, sizeof best);
}

static void merge(const struct elements *e, const void *left, const void *right, void *out,
                  enum side side)
{
    struct partial a;
    struct partial b;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    memcpy(out, beats(e, &b, &a, side) ? &b : &a, sizeof a);
}

static void merge_greatest(const struct elements *e, const void *left, const void *right, void *out)
{
    merge(e, left, right, out, GREATEST);
}

static void merge_least(const struct elements *e, const void *left, const void *right, void *out)
{
    merge(e, left, right, out, LEAST);
}

static void finish(const struct elements *e, const void *root, sheaf_scalar *out)
{
    struct partial best;
    memcpy(&best, root, sizeof best);
    out->index = best.index;
    if (best.index < 0)
        reduction_set_float(out, __builtin_nan(""));
    else
        reduction_set_element(&out->value, e, &best.value);
}

static const struct reduction argmax = {.result = RESULT_ELEMENT,
                                        .order = ORDER_FREE,
                                        .needs_some = true,
                                        .has_index = true,
                                        .leaf = leaf_argmax,
                                        .merge = merge_greatest,
                                        .finish = finish,
                                        .waits = waits,
                                        .settle = settle,
                                        .columns = columns_argmax};
static const struct reduction argmin = {.result = RESULT_ELEMENT,
                                        .order = ORDER_FREE,
                                        .needs_some = true,
                                        .has_index = true,
                                        .leaf = leaf_argmin,
                                        .merge = merge_least,
                                        .finish = finish,
                                        .waits = waits,
                                        .settle = settle,
                                        .columns = columns_argmin};
static const struct reduction nanargmax = {.result = RESULT_ELEMENT,
                                           .order = ORDER_FREE,
                                           .needs_some = true,
                                           .has_index = true,
                                           .leaf = leaf_nanargmax,
                                           .merge = merge_greatest,
                                           .finish = finish,
                                           .waits = waits,
                                           .settle = settle,
                                           .columns = columns_nanargmax};
static const struct reduction nanargmin = {.result = RESULT_ELEMENT,
                                           .order = ORDER_FREE,
                                           .needs_some = true,
                                           .has_index = true,
                                           .leaf = leaf_nanargmin,
                                           .merge = merge_least,
                                           .finish = finish,
                                           .waits = waits,
                                           .settle = settle,
                                           .columns = columns_nanargmin};

const struct op sheaf_op_argmax = {REDUCTION("argmax", argmax, struct partial)};
const struct op sheaf_op_argmin = {REDUCTION("argmin", argmin, struct partial)};
const struct op sheaf_op_nanargmax = {REDUCTION("nanargmax", nanargmax, struct partial)};
const struct op sheaf_op_nanargmin = {REDUCTION("nanargmin", nanargmin, struct partial)};
