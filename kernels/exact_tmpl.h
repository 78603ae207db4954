/* exact_tmpl.h -- the exact sum of a block of elements, T, as a few doubles.
 *
 * Bins of EXACT_WIDTH bits are cut off all elements, from the top: with q = (x + m) - m, where m's last
 * bit is u, q is x rounded to a multiple of u, and x - q is the rest, both exactly. There are at most
 * 2^11 elements, each q is at most 2^41 u, so all their sums are below 2^53 u: exact, in any order.
 * Source: Rump, Ogita, Oishi, "Accurate Floating-Point Summation", 2008 (ExtractVector); Demmel, Nguyen,
 * "Parallel Reproducible Summation", 2015. */
#include "tmpl_begin.h"

#define LANES     ((size_t)PASTE(sums, T))
#define EACH_STEP (KERNEL_EXACT_STEP / LANES)

/* An exact sum: KERNEL_EXACT_STEP lanes. */
static inline double FN(exact_lanes)(const vwide *sum)
{
    double lane[KERNEL_EXACT_STEP];
    double total = 0;
    memcpy(lane, sum, sizeof lane);
    for (size_t k = 0; k < KERNEL_EXACT_STEP; k++)
        total += lane[k];
    return total;
}

/* True if nothing is left below the last bin. bins is a constant where this is called. */
static inline bool FN(exact_bins)(const elem *x, size_t n, double bound, double *sums,
                                  const size_t bins)
{
    const vwide zero = {0};
    vwide sum[KERNEL_EXACT_BINS][EACH_STEP];
    vwide left[EACH_STEP];
    vwide m[KERNEL_EXACT_BINS];
    for (size_t b = 0; b < bins; b++) {
        bound *= 0x1p-41; /* u */
        m[b] = bound * 0x1.8p52 - zero;
        for (size_t k = 0; k < EACH_STEP; k++)
            sum[b][k] = zero;
    }
    for (size_t k = 0; k < EACH_STEP; k++)
        left[k] = zero;
    for (size_t i = 0; i < n; i += KERNEL_EXACT_STEP)
        for (size_t k = 0; k < EACH_STEP; k++) {
            vwide rest = FN(load_double)(x + i + k * LANES);
            for (size_t b = 0; b < bins; b++) {
                vwide q = (rest + m[b]) - m[b];
                rest -= q;
                sum[b][k] += q;
            }
            left[k] += FN(magnitude)(rest);
        }
    for (size_t b = 0; b < bins; b++)
        sums[b] = FN(exact_lanes)(sum[b]);
    return FN(exact_lanes)(left) == 0;
}

static size_t FN(exact_kernel)(const void *data, size_t n, double bound, double *sums)
{
    if (FN(exact_bins)(data, n, bound, sums, 2))
        return 2;
    if (FN(exact_bins)(data, n, bound, sums, KERNEL_EXACT_BINS))
        return KERNEL_EXACT_BINS;
    return 0;
}

#undef LANES
#undef EACH_STEP
#include "tmpl_end.h"
