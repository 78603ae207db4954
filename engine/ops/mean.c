/* mean.c -- mean, and nanmean, for which NaNs do not count.
 *
 * Floats: the sum of <sheaf/reduce.h> as a double, divided by the count; of f32 the quotient is rounded
 * to f32. Integers: the exact sum divided by the count, rounded once, to f64. Of nothing: NaN, as
 * NumPy's. */
#include "ops/elements.h"

#include <string.h>

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

static void leaf(const struct op_call *call, uint64_t begin, size_t n, void *partial)
{
    const unsigned char *x = elements_at(call, begin);
    struct partial value = {.count = n};
    call->kernels->values[elements_kernel(call)](x, x, 0, n, &value.low);
    memcpy(partial, &value, sizeof value);
}

static void nan_leaf(const struct op_call *call, uint64_t begin, size_t n, void *partial)
{
    const unsigned char *x = elements_at(call, begin);
    struct partial value = {.count = 0};
    call->kernels->nanvalues[elements_kernel(call)](x, x, 0, n, &value.low);
    call->kernels->numbers[elements_kernel(call)](x, n, &value.count);
    memcpy(partial, &value, sizeof value);
}

static void merge(const struct op_call *call, const void *left, const void *right, void *out)
{
    struct partial a;
    struct partial b;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    if (elements_are_floats(call)) {
        double sum[2];
        memcpy(&sum[0], &a.low, sizeof sum[0]);
        memcpy(&sum[1], &b.low, sizeof sum[1]);
        sum[0] = canonical_f64(sum[0] + sum[1]);
        memcpy(&a.low, &sum[0], sizeof a.low);
        a.count += b.count;
    } else {
        a = partial_of(sum_of(&a) + sum_of(&b), a.count + b.count);
    }
    memcpy(out, &a, sizeof a);
}

static sheaf_status map(const struct op_call *call, uint64_t first, uint64_t count, void *partial,
                        elements_leaf *of_floats)
{
    if (elements_are_floats(call)) {
        elements_tree(call, first, count, partial, sizeof(struct partial), of_floats, merge);
    } else {
        size_t n;
        elements_run(call, first, count, &n);
        struct partial value = partial_of(wide_sum(call, first, count), n);
        memcpy(partial, &value, sizeof value);
    }
    return SHEAF_OK;
}

static sheaf_status map_mean(const struct op_call *call, uint64_t first, uint64_t count,
                             void *partial)
{
    return map(call, first, count, partial, leaf);
}

static sheaf_status map_nanmean(const struct op_call *call, uint64_t first, uint64_t count,
                                void *partial)
{
    return map(call, first, count, partial, nan_leaf);
}

static void finish(const struct op_call *call, const void *root, void *result)
{
    struct partial value;
    double mean = __builtin_nan("");
    memcpy(&value, root, sizeof value);
    if (value.count > 0 && elements_are_floats(call)) {
        memcpy(&mean, &value.low, sizeof mean);
        mean /= (double)value.count;
    } else if (value.count > 0) {
        mean = wide_divide(sum_of(&value), value.count);
    }
    elements_write_float(result, call, mean);
}

const struct op sheaf_op_mean = {
    .name = "mean",
    .partial_bytes = sizeof(struct partial),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = elements_plan,
    .map = map_mean,
    .merge = merge,
    .finish = finish,
};

const struct op sheaf_op_nanmean = {
    .name = "nanmean",
    .partial_bytes = sizeof(struct partial),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = elements_plan,
    .map = map_nanmean,
    .merge = merge,
    .finish = finish,
};
