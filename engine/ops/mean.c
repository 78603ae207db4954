/* mean.c -- mean, and nanmean, for which NaNs do not count.
 *
 * Floats: the sum of <sheaf/reduce.h> as a double, divided by the count; of f32 the quotient is rounded
 * to f32 (or another float). Integers: the exact sum divided by the count, rounded once, to f64. Of nothing: NaN, as
 * NumPy's. */
#include <string.h>

#include "ops/reduction.h"
#include "ops/wide.h"

struct partial {
    uint64_t low; /* the exact sum of integers, or low has the bits of an f64 and high is 0 */
    uint64_t high;
    uint64_t count;
};

static struct partial partial_of(wide sum, uint64_t count)
{
    return (struct partial){(uint64_t)sum, (uint64_t)(sum >> 64), count};
}

static wide sum_of(const struct partial *partial)
{
    __extension__ typedef unsigned __int128 uwide;
    return (wide)((uwide)partial->high << 64 | partial->low);
}

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double f64_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void leaf(const struct elements *e, const struct run *run, void *partial)
{
    struct partial value = {.count = run->n};
    if (e->is_float)
        e->kernels->values[e->type](run->x, run->x, 0, run->n, &value.low);
    else
        value = partial_of(wide_sum(e, run), run->n);
    memcpy(partial, &value, sizeof value);
}

static void nan_leaf(const struct elements *e, const struct run *run, void *partial)
{
    struct partial value = {.count = run->n};
    if (!e->is_float) {
        leaf(e, run, partial);
        return;
    }
    e->kernels->nanvalues[e->type](run->x, run->x, 0, run->n, &value.low);
    e->kernels->numbers[e->type](run->x, run->n, &value.count);
    memcpy(partial, &value, sizeof value);
}

/* Of floats alone: integers are free of any order. */
static void columns(const struct elements *e, const struct column_leaf *leaf, void *partials)
{
    double *sum = columns_numbers(leaf, 0);
    columns_fold(sum, e, leaf, COLUMNS_VALUES, NULL);
    for (size_t i = 0; i < columns_count(leaf); i++)
        ((struct partial *)partials)[i] = (struct partial){bits_of(sum[i]), 0, columns_rows(leaf)};
}

static void nan_columns(const struct elements *e, const struct column_leaf *leaf, void *partials)
{
    double *sum = columns_numbers(leaf, 0);
    double *count = columns_numbers(leaf, 1);
    columns_fold(sum, e, leaf, COLUMNS_NANVALUES, NULL);
    columns_fold(count, e, leaf, COLUMNS_NUMBERS, NULL);
    for (size_t i = 0; i < columns_count(leaf); i++)
        ((struct partial *)partials)[i] = (struct partial){bits_of(sum[i]), 0, (uint64_t)count[i]};
}

static void merge(const struct elements *e, const void *left, const void *right, void *out)
{
    struct partial a;
    struct partial b;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    if (e->is_float) {
        a.low = bits_of(canonical_f64(f64_of(a.low) + f64_of(b.low)));
        a.count += b.count;
    } else {
        a = partial_of(sum_of(&a) + sum_of(&b), a.count + b.count);
    }
    memcpy(out, &a, sizeof a);
}

static void finish(const struct elements *e, const void *root, sheaf_scalar *out)
{
    struct partial value;
    double mean = __builtin_nan("");
    memcpy(&value, root, sizeof value);
    if (value.count > 0 && e->is_float)
        mean = f64_of(value.low) / (double)value.count;
    else if (value.count > 0)
        mean = wide_divide(sum_of(&value), value.count, e->result);
    reduction_set_float(out, mean);
}

static const struct reduction mean = {.result = RESULT_FLOAT,
                                      .order = ORDER_EXACT,
                                      .takes_dtype = true,
                                      .leaf = leaf,
                                      .merge = merge,
                                      .finish = finish,
                                      .columns = columns};
static const struct reduction nanmean = {.result = RESULT_FLOAT,
                                         .order = ORDER_EXACT,
                                         .takes_dtype = true,
                                         .leaf = nan_leaf,
                                         .merge = merge,
                                         .finish = finish,
                                         .columns = nan_columns};

const struct op sheaf_op_mean = {REDUCTION("mean", mean, struct partial)};
const struct op sheaf_op_nanmean = {REDUCTION("nanmean", nanmean, struct partial)};
