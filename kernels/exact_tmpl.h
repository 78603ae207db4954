/* exact_tmpl.h -- the exact sum of a run of elements, T, added to the digits of an accumulator.
 *
 * Where the magnitudes of a block lie between 2^-31 and 1 of its greatest, or nearly so, each element is cut into
 * two parts: with u the last bit of m, q = (x + m) - m is x rounded to a multiple of u, and x - q is the rest, both
 * exactly. There are at most 2^11 elements in a block, q is at most 2^41 u, and the rest at most u / 2 and, as is
 * looked at, a multiple of 2^-43 u: so the sums of both are exact, in any order. Source: Rump, Ogita, Oishi,
 * "Accurate Floating-Point Summation", 2008 (ExtractVector); Demmel, Nguyen, "Parallel Reproducible
 * Summation", 2015.
 *
 * From the first block on that is not so, the run goes by way of a table: exact_table.h. Of f16 and bf16, whose
 * numbers are short, the plain sum of a run mostly is exact. */
#include "tmpl_begin.h"

#define LANES ((size_t)PASTE(sums, T))
#define REGS  ((size_t)4)
#define STEP  (REGS * LANES)

/* What a pass over a block has found. */
struct FN(exact_sums) {
    vwide upper[REGS];
    vwide lower[REGS];
    vwide most;  /* the greatest magnitudes, but for NaNs */
    vbits wrong; /* not 0 where a rest was no multiple of the least bit */
};

static inline __attribute__((always_inline)) void
FN(exact_take)(struct FN(exact_sums) * sums, const elem *x, vwide m, vwide least)
{
    for (size_t k = 0; k < REGS; k++) {
        vwide v = FN(load_double)(x + k * LANES);
        vwide q = (v + m) - m;
        vwide rest = v - q;
        sums->upper[k] += q;
        sums->lower[k] += rest;
        sums->wrong |= (rest + least) - least != rest;
        sums->most = vmax_f64(wide_magnitude(v), sums->most);
    }
}

/* bound: a power of 2. The greatest magnitude. *ok: whether the sums are exact, if that is below the bound. */
static inline double FN(exact_pass)(const elem *x, size_t n, double bound, double out[2], bool *ok)
{
    const vwide zero = {0};
    const vwide m = bound * (0x1p-41 * 0x1.8p52) - zero;
    const vwide least = bound * (0x1p-84 * 0x1.8p52) - zero;
    elem rest[STEP] = {0};
    struct FN(exact_sums) sums;
    memset(&sums, 0, sizeof sums);
    size_t i = 0;
    for (; i + STEP <= n; i += STEP)
        FN(exact_take)(&sums, x + i, m, least);
    memcpy(rest, x + i, (n - i) * sizeof(elem));
    FN(exact_take)(&sums, rest, m, least);
    out[0] = exact_lanes(sums.upper, sizeof sums.upper);
    out[1] = exact_lanes(sums.lower, sizeof sums.lower);
    int64_t wrong[LANES];
    double most[LANES];
    memcpy(wrong, &sums.wrong, sizeof wrong);
    memcpy(most, &sums.most, sizeof most);
    *ok = wrong[0] == 0;
    for (size_t k = 1; k < LANES; k++) {
        *ok = *ok && wrong[k] == 0;
        most[0] = most[k] > most[0] ? most[k] : most[0];
    }
    return most[0];
}

/* A block. *bound: what the last one had, or 0. False, and nothing is added, if it has too many bits. */
static bool FN(exact_block)(const elem *x, size_t n, double *bound, int64_t *digit)
{
    enum { PROBE = 64 };
    double sums[2];
    bool ok;
    if (*bound == 0) {
        const size_t few = n < PROBE ? n : PROBE;
        *bound = exact_bound(FN(exact_pass)(x, few, 1, sums, &ok));
        if (*bound == 0 || (FN(exact_pass)(x, few, *bound, sums, &ok), !ok))
            return false;
    }
    double most = FN(exact_pass)(x, n, *bound, sums, &ok);
    if (most >= *bound) {
        *bound = exact_bound(most);
        if (*bound == 0 || FN(exact_pass)(x, n, *bound, sums, &ok) >= *bound)
            return false;
    }
    if (ok) {
        exact_put(digit, sums[0]);
        exact_put(digit, sums[1]);
    }
    return ok;
}

static void FN(exact_tabulate)(struct exact_table *table, const elem *x, size_t n)
{
    double some[EXACT_SOME];
    for (size_t i = 0; i < n; i += EXACT_SOME) {
        size_t here = n - i < EXACT_SOME ? n - i : EXACT_SOME;
        for (size_t k = 0; k < here; k++)
            some[k] = FN(as_double)(x[i + k]);
        exact_fill(table, some, here);
    }
}

#if IS_HALF
/* Where the greatest exponent is near enough to the least, the sum of 2^13 such numbers has at most 53 bits, so that of
 * <sheaf/reduce.h> is exact, as any. Of f16 it always is. False if not so, or if not all are finite. */
static inline bool FN(exact_sum)(const elem *x, size_t n, double *sum)
{
    enum { FRACTION = 4 + PASTE(HALF_SHIFT, T), SPARE = 53 - 13 - 1 - FRACTION };
    _Static_assert(KERNEL_EXACT_RUN <= 1 << 13, "so many numbers");
    elem most = 0;
    elem least = 0xffff; /* less 1, so that zeros do not count */
    for (size_t i = 0; i < n; i++) {
        const elem magnitude = x[i] & 0x7fff;
        const elem less = (elem)(magnitude - 1);
        most = magnitude > most ? magnitude : most;
        least = less < least ? less : least;
    }
    const int lowest = (elem)(least + 1) >> FRACTION;
    if (most >= PASTE(HALF_INFINITE, T) || (most >> FRACTION) - (lowest > 0 ? lowest : 1) > SPARE)
        return false;
    PASTE(PASTE(values, T), kernel)(x, x, 0, n, sum);
    return true;
}
#endif

static size_t FN(exact_kernel)(const void *data, size_t n, int64_t *digit)
{
    const elem *x = data;
    double bound = 0;
#if IS_HALF
    double sum;
    if (FN(exact_sum)(x, n, &sum)) {
        exact_put(digit, sum);
        return n;
    }
#endif
    size_t i = 0;
    while (i < n) {
        size_t here = n - i < EXACT_BLOCK ? n - i : EXACT_BLOCK;
        if (!FN(exact_block)(x + i, here, &bound, digit))
            break;
        i += here;
    }
    if (i < n) {
        struct exact_table table;
        memset(&table, 0, sizeof table);
        table.is_finite = true;
        if (sizeof(elem) == sizeof(double) && IS_FLOAT)
            exact_fill(&table, (const double *)(const void *)(x + i), n - i);
        else
            FN(exact_tabulate)(&table, x + i, n - i);
        if (!table.is_finite)
            return i;
        exact_drain(digit, &table);
    }
    return n;
}

#undef LANES
#undef REGS
#undef STEP
#include "tmpl_end.h"
