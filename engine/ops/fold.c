/* fold.c -- sum, nansum, prod, dot and norm1: one number for each leaf, up the tree of
 * <sheaf/reduce.h>.
 *
 * Integers wrap in 64 bits, in any order. The partial is what the kernel writes, an i64 or an f64, where
 * every NaN is the canonical one. */
#include <string.h>

#include "ops/reduction.h"

/* A row of the kernels' table. */
static void fold_run(fold_kernel *const *row, const struct elements *e, const struct run *run,
                     void *partial)
{
    row[e->type](run->x, run->y, 0, run->n, partial);
}

static void leaf_sum(const struct elements *e, const struct run *run, void *partial)
{
    fold_run(e->in_doubles ? e->kernels->values : e->kernels->sum, e, run, partial);
}

static void leaf_nansum(const struct elements *e, const struct run *run, void *partial)
{
    fold_run(e->in_doubles ? e->kernels->nanvalues : e->kernels->sum, e, run, partial);
}

static void leaf_prod(const struct elements *e, const struct run *run, void *partial)
{
    fold_run(e->in_doubles ? e->kernels->products : e->kernels->prod, e, run, partial);
}

static void leaf_dot(const struct elements *e, const struct run *run, void *partial)
{
    fold_run(e->in_doubles ? e->kernels->products_of_two : e->kernels->dot, e, run, partial);
}

static void leaf_norm1(const struct elements *e, const struct run *run, void *partial)
{
    fold_run(e->kernels->magnitudes, e, run, partial);
}

static void columns_sum(const struct elements *e, const struct column_leaf *leaf, void *partials)
{
    columns_fold(partials, e, leaf, COLUMNS_VALUES, NULL);
}

static void columns_nansum(const struct elements *e, const struct column_leaf *leaf, void *partials)
{
    columns_fold(partials, e, leaf, COLUMNS_NANVALUES, NULL);
}

static void columns_prod(const struct elements *e, const struct column_leaf *leaf, void *partials)
{
    columns_fold(partials, e, leaf, COLUMNS_PRODUCTS, NULL);
}

static void columns_dot(const struct elements *e, const struct column_leaf *leaf, void *partials)
{
    columns_fold(partials, e, leaf, COLUMNS_PRODUCTS_OF_TWO, NULL);
}

static void columns_norm1(const struct elements *e, const struct column_leaf *leaf, void *partials)
{
    columns_fold(partials, e, leaf, COLUMNS_MAGNITUDES, NULL);
}

union number {
    uint64_t u64;
    double f64;
};

static union number number_of(const void *partial)
{
    union number value;
    memcpy(&value, partial, sizeof value);
    return value;
}

static void merge_sum(const struct elements *e, const void *left, const void *right, void *out)
{
    union number a = number_of(left);
    union number b = number_of(right);
    if (e->in_doubles)
        a.f64 = canonical_f64(a.f64 + b.f64);
    else
        a.u64 += b.u64;
    memcpy(out, &a, sizeof a);
}

static void merge_prod(const struct elements *e, const void *left, const void *right, void *out)
{
    union number a = number_of(left);
    union number b = number_of(right);
    if (e->in_doubles)
        a.f64 = canonical_f64(a.f64 * b.f64);
    else
        a.u64 *= b.u64;
    memcpy(out, &a, sizeof a);
}

/* The value; of integers the bits that the result's dtype has. */
static void set_number(const struct elements *e, union number value, sheaf_scalar *out)
{
    if (e->in_doubles)
        reduction_set_float(out, value.f64);
    else
        memcpy(&out->value, &value, sheaf_dtype_size(e->result));
}

static void finish_sum(const struct elements *e, const void *root, sheaf_scalar *out)
{
    union number value = number_of(root);
    if (e->count == 0)
        value.u64 = 0; /* of elements that are all -0.0 a sum stays -0.0 */
    if (e->params->has_initial && e->in_doubles)
        value.f64 = reduction_initial_f64(e) + value.f64;
    else if (e->params->has_initial)
        value.u64 += reduction_initial_u64(e);
    set_number(e, value, out);
}

static void finish_prod(const struct elements *e, const void *root, sheaf_scalar *out)
{
    union number value = number_of(root);
    if (e->params->has_initial && e->in_doubles)
        value.f64 = reduction_initial_f64(e) * value.f64;
    else if (e->params->has_initial)
        value.u64 *= reduction_initial_u64(e);
    set_number(e, value, out);
}

static const struct reduction sum = {.result = RESULT_SUM,
                                     .order = ORDER_INTEGERS,
                                     .takes_dtype = true,
                                     .takes_initial = true,
                                     .leaf = leaf_sum,
                                     .merge = merge_sum,
                                     .finish = finish_sum,
                                     .columns = columns_sum};
static const struct reduction nansum = {.result = RESULT_SUM,
                                        .order = ORDER_INTEGERS,
                                        .takes_dtype = true,
                                        .takes_initial = true,
                                        .leaf = leaf_nansum,
                                        .merge = merge_sum,
                                        .finish = finish_sum,
                                        .columns = columns_nansum};
static const struct reduction prod = {.result = RESULT_SUM,
                                      .order = ORDER_INTEGERS,
                                      .takes_dtype = true,
                                      .takes_initial = true,
                                      .leaf = leaf_prod,
                                      .merge = merge_prod,
                                      .finish = finish_prod,
                                      .columns = columns_prod};
static const struct reduction dot = {.result = RESULT_SUM,
                                     .order = ORDER_INTEGERS,
                                     .takes_second = true,
                                     .leaf = leaf_dot,
                                     .merge = merge_sum,
                                     .finish = finish_sum,
                                     .columns = columns_dot};
/* In doubles always: a result that is a float is. */
static const struct reduction norm1 = {.result = RESULT_FLOAT,
                                       .order = ORDER_FIXED,
                                       .leaf = leaf_norm1,
                                       .merge = merge_sum,
                                       .finish = finish_sum,
                                       .columns = columns_norm1};

const struct op sheaf_op_sum = {REDUCTION("sum", sum, double)};
const struct op sheaf_op_nansum = {REDUCTION("nansum", nansum, double)};
const struct op sheaf_op_prod = {REDUCTION("prod", prod, double)};
const struct op sheaf_op_dot = {REDUCTION("dot", dot, double)};
const struct op sheaf_op_norm1 = {REDUCTION("norm1", norm1, double)};
