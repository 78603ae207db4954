/* sum_float_tmpl.h -- the sum of one leaf of a float type, T, in the order of <sheaf/reduce.h>.
 *
 *     row        32 elements, one for each lane; a lane is a double
 *     sub-block  512 elements: 16 rows are added to lanes that start from -0.0, the neutral element
 *     leaf       16 sub-blocks: their lanes are merged by a binary counter, and then folded
 *
 * A lane's own order is all that counts, so how many lanes lie in a register, and which are summed at
 * the same time, change no bit. */
#include "tmpl_begin.h"

#define LANES ((size_t)PASTE(sums, T))
#define REGS  (ROW / LANES) /* that hold a row's lanes */

/* The lanes of a sub-block of this many whole rows. */
static inline void FN(sum_rows)(vacc *sum, const elem *x, size_t rows)
{
    const vacc zero = {0};
    for (size_t g = 0; g < REGS; g += GROUP) {
        vacc s[GROUP];
        for (size_t k = 0; k < GROUP; k++)
            s[k] = -zero;
        for (size_t r = 0; r < rows; r++) {
            const elem *from = x + r * ROW + g * LANES;
            for (size_t k = 0; k < GROUP; k++)
                s[k] += FN(load_wide)(from + k * LANES);
            prefetch(from, GROUP * LANES * sizeof(elem));
        }
        for (size_t k = 0; k < GROUP; k++)
            sum[g + k] = s[k];
    }
}

/* The same for the sub-block at the end of a leaf: n elements. */
static inline void FN(sum_last)(vacc *sum, const elem *x, size_t n)
{
    FN(sum_rows)(sum, x, n / ROW);
    acc lane[ROW];
    memcpy(lane, sum, sizeof lane);
    for (size_t i = n / ROW * ROW; i < n; i++)
        lane[i % ROW] += (acc)x[i];
    memcpy(sum, lane, sizeof lane);
}

/* One step of the binary counter: takes in the lanes of the next sub-block. Where bit l of count is
 * set, level[l] holds the lanes of 2^l sub-blocks. */
static inline void FN(count_in)(vacc level[][REGS], size_t count, vacc *sum)
{
    size_t l = 0;
    for (; count >> l & 1; l++)
        for (size_t k = 0; k < REGS; k++)
            sum[k] = level[l][k] + sum[k];
    memcpy(level[l], sum, REGS * sizeof *sum);
}

/* 32 lanes are added to 16, those to 8, and so on: registers first, then what lies in one. */
static inline acc FN(fold)(vacc *sum)
{
    for (size_t half = REGS / 2; half > 0; half /= 2)
        for (size_t k = 0; k < half; k++)
            sum[k] += sum[k + half];
    acc lane[LANES];
    memcpy(lane, sum, sizeof lane);
    for (size_t half = LANES / 2; half > 0; half /= 2)
        for (size_t k = 0; k < half; k++)
            lane[k] += lane[k + half];
    return lane[0];
}

static void FN(sum_kernel)(const void *data, size_t n, void *out)
{
    const elem *x = data;
    vacc level[LEVELS][REGS];
    vacc sum[REGS];
    size_t count = 0; /* sub-blocks taken in */
    for (; (count + 1) * SUB_BLOCK <= n; count++) {
        FN(sum_rows)(sum, x + count * SUB_BLOCK, SUB_BLOCK / ROW);
        FN(count_in)(level, count, sum);
    }
    if (n % SUB_BLOCK != 0) {
        FN(sum_last)(sum, x + count * SUB_BLOCK, n % SUB_BLOCK);
        FN(count_in)(level, count, sum);
        count++;
    }

    /* What is left in the counter, from the right; the first is added to the neutral element. */
    const vacc zero = {0};
    for (size_t k = 0; k < REGS; k++)
        sum[k] = -zero;
    for (size_t l = 0; count >> l != 0; l++)
        for (size_t k = 0; k < REGS && (count >> l & 1); k++)
            sum[k] = level[l][k] + sum[k];
    acc total = FN(fold)(sum);
    if (total != total)
        total = QUIET_NAN;
    memcpy(out, &total, sizeof total);
}

#undef LANES
#undef REGS
#include "tmpl_end.h"
