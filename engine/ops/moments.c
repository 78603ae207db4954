/* moments.c -- var, std, nanvar and nanstd.
 *
 * A leaf is gone through twice, the second time in the cache: its sum, then the squares of what its
 * elements differ by from its mean. Leaves are merged up the tree of <sheaf/reduce.h> as in Chan, Golub,
 * LeVeque, "Algorithms for Computing the Sample Variance", 1983:
 *
 *     d = sum_b / n_b - sum_a / n_a        squares = squares_a + squares_b + d * d * (n_a * (n_b / n))
 *
 * in doubles; of an f32 array only the result is rounded to f32. Integers are converted to doubles. */
#include "ops/elements.h"

#include <string.h>

struct partial {
    double sum;
    double squares;
    uint64_t count; /* of the elements that count: the nan forms leave out NaNs */
};

static void leaf(const struct op_call *call, uint64_t begin, size_t n, void *partial)
{
    const enum kernel_dtype t = elements_kernel(call);
    const unsigned char *x = elements_at(call, begin);
    struct partial value = {.count = n};
    call->kernels->values[t](x, x, 0, n, &value.sum);
    call->kernels->deviations[t](x, x, value.sum / (double)n, n, &value.squares);
    memcpy(partial, &value, sizeof value);
}

static void nan_leaf(const struct op_call *call, uint64_t begin, size_t n, void *partial)
{
    const enum kernel_dtype t = elements_kernel(call);
    const unsigned char *x = elements_at(call, begin);
    struct partial value = {.count = 0};
    call->kernels->nanvalues[t](x, x, 0, n, &value.sum);
    call->kernels->numbers[t](x, n, &value.count);
    if (value.count > 0)
        call->kernels->nandeviations[t](x, x, value.sum / (double)value.count, n, &value.squares);
    memcpy(partial, &value, sizeof value);
}

static void merge(const struct op_call *call, const void *left, const void *right, void *out)
{
    struct partial a;
    struct partial b;
    (void)call;
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

static sheaf_status map_var(const struct op_call *call, uint64_t first, uint64_t count,
                            void *partial)
{
    elements_tree(call, first, count, partial, sizeof(struct partial), leaf, merge);
    return SHEAF_OK;
}

static sheaf_status map_nanvar(const struct op_call *call, uint64_t first, uint64_t count,
                               void *partial)
{
    elements_tree(call, first, count, partial, sizeof(struct partial), nan_leaf, merge);
    return SHEAF_OK;
}

static double quiet_nan(void)
{
    return canonical_f64(__builtin_nan(""));
}

/* As NumPy: of nothing NaN; and what is left of the count after ddof is 0 at least. */
static double variance(const struct op_call *call, const void *root)
{
    struct partial value;
    struct reduce_params params;
    memcpy(&value, root, sizeof value);
    memcpy(&params, call->params, sizeof params);
    if (value.count == 0)
        return quiet_nan();
    double divisor = (double)value.count - params.ddof;
    return canonical_f64(value.squares / (divisor > 0 ? divisor : 0));
}

static void finish_var(const struct op_call *call, const void *root, void *result)
{
    elements_write_float(result, call, variance(call, root));
}

static void finish_std(const struct op_call *call, const void *root, void *result)
{
    elements_write_float(result, call, __builtin_sqrt(variance(call, root)));
}

const struct op sheaf_op_var = {
    .name = "var",
    .partial_bytes = sizeof(struct partial),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = elements_plan,
    .map = map_var,
    .merge = merge,
    .finish = finish_var,
};

const struct op sheaf_op_std = {
    .name = "std",
    .partial_bytes = sizeof(struct partial),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = elements_plan,
    .map = map_var,
    .merge = merge,
    .finish = finish_std,
};

const struct op sheaf_op_nanvar = {
    .name = "nanvar",
    .partial_bytes = sizeof(struct partial),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = elements_plan,
    .map = map_nanvar,
    .merge = merge,
    .finish = finish_var,
};

const struct op sheaf_op_nanstd = {
    .name = "nanstd",
    .partial_bytes = sizeof(struct partial),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = elements_plan,
    .map = map_nanvar,
    .merge = merge,
    .finish = finish_std,
};
