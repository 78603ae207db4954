/* extreme.c -- max and min of all elements, and nanmax and nanmin, for which NaNs do not count.
 *
 * The order is free: any order gives the same bits. The partial is what the kernel writes, an element,
 * where every NaN is the canonical one, so that partials too are equal bit for bit. nanmax of NaNs alone
 * is NaN, as NumPy's. */
#include <string.h>

#include "ops/reduction.h"

/* The kernel over both: the rules for NaN and zeros stand in one place. */
static void merge(reduce_kernel *const *row, const struct elements *e, const void *left,
                  const void *right, void *out)
{
    sheaf_value pair[2];
    sheaf_value value = {.i64 = 0};
    memcpy(pair, left, e->bytes);
    memcpy((unsigned char *)pair + e->bytes, right, e->bytes);
    row[e->type](pair, 2, &value);
    memcpy(out, &value, sizeof value);
}

/* Of nothing there is no partial: plan() has seen to it, unless initial is all there is. */
static void leaf(reduce_kernel *const *row, const struct elements *e, const struct run *run,
                 void *partial)
{
    sheaf_value value = {.i64 = 0};
    if (run->n > 0)
        row[e->type](run->x, run->n, &value);
    memcpy(partial, &value, sizeof value);
}

static void finish(reduce_kernel *const *row, const struct elements *e, const void *root,
                   sheaf_scalar *out)
{
    sheaf_value value;
    sheaf_value initial = {.i64 = 0};
    memcpy(&value, root, sizeof value);
    if (e->params->has_initial) {
        reduction_get_element(&initial, e, &e->params->initial);
        if (e->count == 0)
            value = initial;
        else
            merge(row, e, &initial, &value, &value);
    }
    reduction_set_element(&out->value, e, &value);
}

static void leaf_max(const struct elements *e, const struct run *run, void *partial)
{
    leaf(e->kernels->max, e, run, partial);
}

static void merge_max(const struct elements *e, const void *left, const void *right, void *out)
{
    merge(e->kernels->max, e, left, right, out);
}

static void finish_max(const struct elements *e, const void *root, sheaf_scalar *out)
{
    finish(e->kernels->max, e, root, out);
}

static void leaf_min(const struct elements *e, const struct run *run, void *partial)
{
    leaf(e->kernels->min, e, run, partial);
}

static void merge_min(const struct elements *e, const void *left, const void *right, void *out)
{
    merge(e->kernels->min, e, left, right, out);
}

static void finish_min(const struct elements *e, const void *root, sheaf_scalar *out)
{
    finish(e->kernels->min, e, root, out);
}

static void leaf_nanmax(const struct elements *e, const struct run *run, void *partial)
{
    leaf(e->kernels->nanmax, e, run, partial);
}

static void merge_nanmax(const struct elements *e, const void *left, const void *right, void *out)
{
    merge(e->kernels->nanmax, e, left, right, out);
}

static void finish_nanmax(const struct elements *e, const void *root, sheaf_scalar *out)
{
    finish(e->kernels->nanmax, e, root, out);
}

static void leaf_nanmin(const struct elements *e, const struct run *run, void *partial)
{
    leaf(e->kernels->nanmin, e, run, partial);
}

static void merge_nanmin(const struct elements *e, const void *left, const void *right, void *out)
{
    merge(e->kernels->nanmin, e, left, right, out);
}

static void finish_nanmin(const struct elements *e, const void *root, sheaf_scalar *out)
{
    finish(e->kernels->nanmin, e, root, out);
}

static void columns(enum columns_extreme which, const struct elements *e,
                    const struct column_leaf *leaf, void *partials)
{
    double *best = columns_numbers(leaf, 0);
    columns_extremes(&(struct columns_best){.which = which, .out = best}, 1, e, leaf);
    for (size_t i = 0; i < columns_count(leaf); i++) {
        sheaf_value value = {.i64 = 0};
        memcpy(&value, (unsigned char *)best + i * e->bytes, e->bytes);
        memcpy((unsigned char *)partials + i * sizeof value, &value, sizeof value);
    }
}

static void columns_max(const struct elements *e, const struct column_leaf *leaf, void *partials)
{
    columns(COLUMNS_MAXIMA, e, leaf, partials);
}

static void columns_min(const struct elements *e, const struct column_leaf *leaf, void *partials)
{
    columns(COLUMNS_MINIMA, e, leaf, partials);
}

static void columns_nanmax(const struct elements *e, const struct column_leaf *leaf, void *partials)
{
    columns(COLUMNS_NANMAXIMA, e, leaf, partials);
}

static void columns_nanmin(const struct elements *e, const struct column_leaf *leaf, void *partials)
{
    columns(COLUMNS_NANMINIMA, e, leaf, partials);
}

static const struct reduction max = {.result = RESULT_ELEMENT,
                                     .order = ORDER_FREE,
                                     .leaves_at_once = REDUCTION_LEAVES_OF_STREAMS,
                                     .needs_some = true,
                                     .takes_initial = true,
                                     .leaf = leaf_max,
                                     .merge = merge_max,
                                     .finish = finish_max,
                                     .columns = columns_max};
static const struct reduction min = {.result = RESULT_ELEMENT,
                                     .order = ORDER_FREE,
                                     .leaves_at_once = REDUCTION_LEAVES_OF_STREAMS,
                                     .needs_some = true,
                                     .takes_initial = true,
                                     .leaf = leaf_min,
                                     .merge = merge_min,
                                     .finish = finish_min,
                                     .columns = columns_min};
static const struct reduction nanmax = {.result = RESULT_ELEMENT,
                                        .order = ORDER_FREE,
                                        .leaves_at_once = REDUCTION_LEAVES_OF_STREAMS,
                                        .needs_some = true,
                                        .takes_initial = true,
                                        .leaf = leaf_nanmax,
                                        .merge = merge_nanmax,
                                        .finish = finish_nanmax,
                                        .columns = columns_nanmax};
static const struct reduction nanmin = {.result = RESULT_ELEMENT,
                                        .order = ORDER_FREE,
                                        .leaves_at_once = REDUCTION_LEAVES_OF_STREAMS,
                                        .needs_some = true,
                                        .takes_initial = true,
                                        .leaf = leaf_nanmin,
                                        .merge = merge_nanmin,
                                        .finish = finish_nanmin,
                                        .columns = columns_nanmin};

const struct op sheaf_op_max = {REDUCTION("max", max, sheaf_value)};
const struct op sheaf_op_min = {REDUCTION("min", min, sheaf_value)};
const struct op sheaf_op_nanmax = {REDUCTION("nanmax", nanmax, sheaf_value)};
const struct op sheaf_op_nanmin = {REDUCTION("nanmin", nanmin, sheaf_value)};
