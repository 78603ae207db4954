/* fsum.c -- the exact sum, rounded once: as math.fsum of Python, whatever the order of the elements.
 *
 * A block that fits into the L1 cache is summed by a kernel into a few doubles, exactly, and only those
 * go into the accumulator of exact.h. A block whose bits are spread too far for that, or that has
 * infinities or NaNs, goes there element by element. Integers are converted to doubles, as math.fsum
 * does. A sum that only on the way would overflow is what it is. */
#include "ops/elements.h"

#include <string.h>

#include "ops/exact.h"

static double element_of(const unsigned char *x, uint32_t dtype)
{
    sheaf_value value = {.i64 = 0};
    memcpy(&value, x, sheaf_dtype_size((sheaf_dtype)dtype));
    switch (dtype) {
    case SHEAF_I32:
        return (double)value.i32;
    case SHEAF_I64:
        return (double)value.i64;
    case SHEAF_F32:
        return (double)value.f32;
    default:
        return value.f64;
    }
}

/* A power of 2 above the magnitude of x, or 0 if there is none below 2^1000. */
static double bound_of(double x)
{
    uint64_t bits;
    double bound;
    memcpy(&bits, &x, sizeof bits);
    uint64_t exponent = bits >> 52 & 0x7ff;
    if (exponent + 1 > 1023 + 1000)
        return 0;
    bits = (exponent + 1) << 52; /* of a denormal number: the least normal one */
    memcpy(&bound, &bits, sizeof bound);
    return bound;
}

static void add_one_by_one(struct exact *exact, const unsigned char *x, size_t n, uint32_t dtype)
{
    const size_t element = sheaf_dtype_size((sheaf_dtype)dtype);
    for (size_t i = 0; i < n; i++)
        exact_add(exact, element_of(x + i * element, dtype));
}

/* n is a multiple of KERNEL_EXACT_STEP. */
static void add_block(struct exact *exact, const struct op_call *call, const unsigned char *x,
                      size_t n)
{
    const enum kernel_dtype t = elements_kernel(call);
    const uint32_t dtype = call->arrays[0].dtype;
    _Alignas(8) unsigned char pair[16];
    double sums[KERNEL_EXACT_BINS];
    size_t count = 0;
    call->kernels->minmax[t](x, n, pair);
    double low = bound_of(element_of(pair, dtype));
    double high = bound_of(element_of(pair + sheaf_dtype_size((sheaf_dtype)dtype), dtype));
    if (low > 0 && high > 0)
        count = call->kernels->exact[t](x, n, low > high ? low : high, sums);
    for (size_t i = 0; i < count; i++)
        exact_add(exact, sums[i]);
    if (count == 0)
        add_one_by_one(exact, x, n, dtype);
}

static sheaf_status map(const struct op_call *call, uint64_t first, uint64_t count, void *partial)
{
    const uint32_t dtype = call->arrays[0].dtype;
    const size_t element = sheaf_dtype_size((sheaf_dtype)dtype);
    struct exact exact;
    struct exact_words words;
    size_t n;
    const unsigned char *x = elements_run(call, first, count, &n);
    exact_clear(&exact);
    while (n >= KERNEL_EXACT_STEP) {
        size_t here =
            n < KERNEL_EXACT_BLOCK ? n / KERNEL_EXACT_STEP * KERNEL_EXACT_STEP : KERNEL_EXACT_BLOCK;
        add_block(&exact, call, x, here);
        x += here * element;
        n -= here;
    }
    add_one_by_one(&exact, x, n, dtype);
    exact_store(&words, &exact);
    memcpy(partial, &words, sizeof words);
    return SHEAF_OK;
}

static void merge(const struct op_call *call, const void *left, const void *right, void *out)
{
    struct exact_words a;
    struct exact_words b;
    (void)call;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    exact_merge(&a, &a, &b);
    memcpy(out, &a, sizeof a);
}

static void finish(const struct op_call *call, const void *root, void *result)
{
    struct exact_words words;
    memcpy(&words, root, sizeof words);
    elements_write_float(result, call,
                         call->arrays[0].dtype == SHEAF_F32 ? exact_round_f32(&words)
                                                            : exact_round_f64(&words));
}

const struct op sheaf_op_fsum = {
    .name = "fsum",
    .partial_bytes = sizeof(struct exact_words),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = elements_plan,
    .map = map,
    .merge = merge,
    .finish = finish,
};
