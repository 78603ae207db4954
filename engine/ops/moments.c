/* moments.c -- var, std, nanvar and nanstd.
 *
 * A leaf is gone through twice, the second time in the cache: its sum, then the squares of what its
 * elements differ by from its mean. Leaves are merged up the tree of <sheaf/reduce.h> as in Chan, Golub,
 * LeVeque, "Algorithms for Computing the Sample Variance", 1983:
 *
 *     d = sum_b / n_b - sum_a / n_a        squares = squares_a + squares_b + d * d * (n_a * (n_b / n))
 *
 * in doubles; of narrower floats only the result is rounded. Integers are converted to doubles. */
#include <string.h>

#include "ops/reduction.h"

struct partial {
    double sum;
    double squares;
    uint64_t count; /* of the elements that count: the nan forms leave out NaNs */
};

static void leaf(const struct elements *e, const struct run *run, void *partial)
{
    struct partial value = {.count = run->n};
    e->kernels->values[e->type](run->x, run->x, 0, run->n, &value.sum);
    e->kernels->deviations[e->type](run->x, run->x, value.sum / (double)run->n, run->n,
                                    &value.squares);
    memcpy(partial, &value, sizeof value);
}

static void nan_leaf(const struct elements *e, const struct run *run, void *partial)
{
    struct partial value = {.count = 0};
    e->kernels->nanvalues[e->type](run->x, run->x, 0, run->n, &value.sum);
    e->kernels->numbers[e->type](run->x, run->n, &value.count);
    if (value.count > 0)
        e->kernels->nandeviations[e->type](run->x, run->x, value.sum / (double)value.count, run->n,
                                           &value.squares);
    memcpy(partial, &value, sizeof value);
}

static void columns(const struct elements *e, const struct column_leaf *leaf, void *partials)
{
    double *sum = columns_numbers(leaf, 0);
    double *mean = columns_numbers(leaf, 1);
    double *squares = columns_numbers(leaf, 2);
    uint64_t n = columns_rows(leaf);
    columns_fold(sum, e, leaf, COLUMNS_VALUES, NULL);
    for (size_t i = 0; i < columns_count(leaf); i++)
        mean[i] = sum[i] / (double)n;
    columns_fold(squares, e, leaf, COLUMNS_DEVIATIONS, mean);
    for (size_t i = 0; i < columns_count(leaf); i++)
        ((struct partial *)partials)[i] = (struct partial){sum[i], squares[i], n};
}

static void nan_columns(const struct elements *e, const struct column_leaf *leaf, void *partials)
{
    double *sum = columns_numbers(leaf, 0);
    double *count = columns_numbers(leaf, 1);
    double *mean = columns_numbers(leaf, 2);
    double *squares = columns_numbers(leaf, 3);
    columns_fold(sum, e, leaf, COLUMNS_NANVALUES, NULL);
    columns_fold(count, e, leaf, COLUMNS_NUMBERS, NULL);
    for (size_t i = 0; i < columns_count(leaf); i++)
        mean[i] = count[i] > 0 ? sum[i] / count[i] : 0;
    columns_fold(squares, e, leaf, COLUMNS_NANDEVIATIONS, mean);
    for (size_t i = 0; i < columns_count(leaf); i++)
        ((struct partial *)partials)[i] =
            (struct partial){sum[i], count[i] > 0 ? squares[i] : 0, (uint64_t)count[i]};
}

static void merge(const struct elements *e, const void *left, const void *right, void *out)
{
    struct partial a;
    struct partial b;
    (void)e;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    uint64_t count = a.count + b.count;
    double squares = a.squares + b.squares;
    if (a.count > 0 && b.count > 0) {
        double d = b.sum / (double)b.count - a.sum / (double)a.count;
        squares += d * d * ((double)a.count * ((double)b.count / (double)count));
    }
    a.squares = canonical_f64(squares);
    a.sum = canonical_f64(a.sum + b.sum);
    a.count = count;
    memcpy(out, &a, sizeof a);
}

/* As NumPy: of nothing NaN; and what is left of the count after ddof is 0 at least. */
static double variance(const struct elements *e, const void *root)
{
    struct partial value;
    memcpy(&value, root, sizeof value);
    if (value.count == 0)
        return __builtin_nan("");
    double divisor = (double)value.count - e->params->ddof;
    return value.squares / (divisor > 0 ? divisor : 0);
}

static void finish_var(const struct elements *e, const void *root, sheaf_scalar *out)
{
    reduction_set_float(out, variance(e, root));
}

static void finish_std(const struct elements *e, const void *root, sheaf_scalar *out)
{
    reduction_set_float(out, __builtin_sqrt(variance(e, root)));
}

static const struct reduction var = {.result = RESULT_FLOAT,
                                     .order = ORDER_FIXED,
                                     .takes_dtype = true,
                                     .leaf = leaf,
                                     .merge = merge,
                                     .finish = finish_var,
                                     .columns = columns};
static const struct reduction std = {.result = RESULT_FLOAT,
                                     .order = ORDER_FIXED,
                                     .takes_dtype = true,
                                     .leaf = leaf,
                                     .merge = merge,
                                     .finish = finish_std,
                                     .columns = columns};
static const struct reduction nanvar = {.result = RESULT_FLOAT,
                                        .order = ORDER_FIXED,
                                        .takes_dtype = true,
                                        .leaf = nan_leaf,
                                        .merge = merge,
                                        .finish = finish_var,
                                        .columns = nan_columns};
static const struct reduction nanstd = {.result = RESULT_FLOAT,
                                        .order = ORDER_FIXED,
                                        .takes_dtype = true,
                                        .leaf = nan_leaf,
                                        .merge = merge,
                                        .finish = finish_std,
                                        .columns = nan_columns};

const struct op sheaf_op_var = {REDUCTION("var", var, struct partial)};
const struct op sheaf_op_std = {REDUCTION("std", std, struct partial)};
const struct op sheaf_op_nanvar = {REDUCTION("nanvar", nanvar, struct partial)};
const struct op sheaf_op_nanstd = {REDUCTION("nanstd", nanstd, struct partial)};
