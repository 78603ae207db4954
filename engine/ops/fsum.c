/* fsum.c -- the exact sum, rounded once: as math.fsum of Python, whatever the order of the elements.
 *
 * A block that fits into the L1 cache is summed by a kernel into a few doubles, exactly, and only those
 * go into the accumulator of exact.h. A block whose bits are spread too far for that, or that has
 * infinities or NaNs, goes there element by element. Integers are converted to doubles, as math.fsum
 * does. A sum that only on the way would overflow is what it is. */
#include <string.h>

#include "ops/exact.h"
#include "ops/reduction.h"

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

static size_t computed_bytes(const struct elements *e)
{
    return e->type == KERNEL_I32 || e->type == KERNEL_F32 ? 4 : 8;
}

static void add_one_by_one(struct exact *exact, const struct elements *e, const unsigned char *x,
                           size_t n)
{
    for (size_t i = 0; i < n; i++)
        exact_add(exact, reduction_f64(e->type, x + i * computed_bytes(e)));
}

/* n is a multiple of KERNEL_EXACT_STEP. */
static void add_block(struct exact *exact, const struct elements *e, const unsigned char *x,
                      size_t n)
{
    _Alignas(8) unsigned char pair[16];
    double sums[KERNEL_EXACT_BINS];
    size_t count = 0;
    e->kernels->minmax[e->type](x, n, pair);
    double low = bound_of(reduction_f64(e->type, pair));
    double high = bound_of(reduction_f64(e->type, pair + computed_bytes(e)));
    if (low > 0 && high > 0)
        count = e->kernels->exact[e->type](x, n, low > high ? low : high, sums);
    for (size_t i = 0; i < count; i++)
        exact_add(exact, sums[i]);
    if (count == 0)
        add_one_by_one(exact, e, x, n);
}

static void leaf(const struct elements *e, const struct run *run, void *partial)
{
    const unsigned char *x = run->x;
    size_t n = run->n;
    struct exact exact;
    struct exact_words words;
    exact_clear(&exact);
    while (n >= KERNEL_EXACT_STEP) {
        size_t here =
            n < KERNEL_EXACT_BLOCK ? n / KERNEL_EXACT_STEP * KERNEL_EXACT_STEP : KERNEL_EXACT_BLOCK;
        add_block(&exact, e, x, here);
        x += here * computed_bytes(e);
        n -= here;
    }
    add_one_by_one(&exact, e, x, n);
    exact_store(&words, &exact);
    memcpy(partial, &words, sizeof words);
}

static void merge(const struct elements *e, const void *left, const void *right, void *out)
{
    struct exact_words a;
    struct exact_words b;
    (void)e;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    exact_merge(&a, &a, &b);
    memcpy(out, &a, sizeof a);
}

static void finish(const struct elements *e, const void *root, sheaf_scalar *out)
{
    struct exact_words words;
    (void)e;
    memcpy(&words, root, sizeof words);
    reduction_set_float(out, exact_round(&words, out->dtype != SHEAF_F64));
}

static const struct reduction fsum = {.result = RESULT_FLOAT,
                                      .order = ORDER_FREE,
                                      .leaves_at_once = 16,
                                      .leaf = leaf,
                                      .merge = merge,
                                      .finish = finish};

const struct op sheaf_op_fsum = {REDUCTION("fsum", fsum, struct exact_words)};
