/* minmax.c -- both extremes in one pass, and what follows from them: ptp, the greatest minus the least,
 * and norm_inf, the greatest magnitude. The partial is two elements, as the kernel writes them. */
#include <string.h>

#include "ops/reduction.h"

enum { PAIR_BYTES = 2 * sizeof(double) };

struct pair {
    unsigned char bytes[PAIR_BYTES];
};

/* The kernel over all four: the rules for NaN and zeros stand in one place. */
static void merge(const struct elements *e, const void *left, const void *right, void *out)
{
    size_t two = 2 * e->bytes;
    _Alignas(8) unsigned char four[2 * PAIR_BYTES];
    _Alignas(8) struct pair pair = {{0}};
    memcpy(four, left, two);
    memcpy(four + two, right, two);
    e->kernels->minmax[e->type](four, 4, pair.bytes);
    memcpy(out, &pair, sizeof pair);
}

/* Of nothing: zeros, which norm_inf wants. */
static void leaf(const struct elements *e, const struct run *run, void *partial)
{
    _Alignas(8) struct pair pair = {{0}};
    if (run->n > 0)
        e->kernels->minmax[e->type](run->x, run->n, pair.bytes);
    memcpy(partial, &pair, sizeof pair);
}

static void columns(const struct elements *e, const struct column_leaf *leaf, void *partials)
{
    const size_t bytes = e->bytes;
    double *low = columns_numbers(leaf, 0);
    double *high = columns_numbers(leaf, 1);
    const struct columns_best best[] = {{.which = COLUMNS_MINIMA, .out = low},
                                        {.which = COLUMNS_MAXIMA, .out = high}};
    columns_extremes(best, 2, e, leaf);
    for (size_t i = 0; i < columns_count(leaf); i++) {
        struct pair pair = {{0}};
        memcpy(pair.bytes, (unsigned char *)low + i * bytes, bytes);
        memcpy(pair.bytes + bytes, (unsigned char *)high + i * bytes, bytes);
        memcpy((unsigned char *)partials + i * sizeof pair, &pair, sizeof pair);
    }
}

static const unsigned char *upper(const struct elements *e, const void *root)
{
    return (const unsigned char *)root + e->bytes;
}

static void finish_minmax(const struct elements *e, const void *root, sheaf_scalar *out)
{
    reduction_set_element(&out->value, e, root);
    reduction_set_element(&out->second, e, upper(e, root));
}

/* In the dtype of the elements; integers wrap, as NumPy's do. */
static void finish_ptp(const struct elements *e, const void *root, sheaf_scalar *out)
{
    uint64_t low = 0;
    uint64_t high = 0;
    if (e->is_float) {
        reduction_set_float(out,
                            reduction_f64(e->type, upper(e, root)) - reduction_f64(e->type, root));
        return;
    }
    memcpy(&low, root, e->bytes);
    memcpy(&high, upper(e, root), e->bytes);
    high -= low;
    memcpy(&out->value, &high, sheaf_dtype_size(e->dtype));
}

static const char *refuse_ptp(sheaf_dtype dtype)
{
    return dtype == SHEAF_BOOL ? "bools have no difference; take minmax" : NULL;
}

/* The larger magnitude; a NaN if both are (the kernel gives two, or none). As doubles, for there is no
 * -INT64_MIN. */
static void finish_norm_inf(const struct elements *e, const void *root, sheaf_scalar *out)
{
    double x = __builtin_fabs(reduction_f64(e->type, root));
    double y = __builtin_fabs(reduction_f64(e->type, upper(e, root)));
    reduction_set_float(out, x > y ? x : y);
}

static const struct reduction minmax = {.result = RESULT_ELEMENT,
                                        .order = ORDER_FREE,
                                        .leaves_at_once = REDUCTION_LEAVES_OF_STREAMS,
                                        .needs_some = true,
                                        .is_pair = true,
                                        .leaf = leaf,
                                        .merge = merge,
                                        .columns = columns,
                                        .finish = finish_minmax};
static const struct reduction ptp = {.result = RESULT_ELEMENT,
                                     .order = ORDER_FREE,
                                     .leaves_at_once = REDUCTION_LEAVES_OF_STREAMS,
                                     .needs_some = true,
                                     .refusal = refuse_ptp,
                                     .leaf = leaf,
                                     .merge = merge,
                                     .columns = columns,
                                     .finish = finish_ptp};
static const struct reduction norm_inf = {.result = RESULT_FLOAT,
                                          .order = ORDER_FREE,
                                          .leaves_at_once = REDUCTION_LEAVES_OF_STREAMS,
                                          .leaf = leaf,
                                          .merge = merge,
                                          .columns = columns,
                                          .finish = finish_norm_inf};

const struct op sheaf_op_minmax = {REDUCTION("minmax", minmax, struct pair)};
const struct op sheaf_op_ptp = {REDUCTION("ptp", ptp, struct pair)};
const struct op sheaf_op_norm_inf = {REDUCTION("norm_inf", norm_inf, struct pair)};
