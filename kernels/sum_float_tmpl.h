/* sum_float_tmpl.h -- the sum of one leaf of a float type, T, in the order of <sheaf/reduce.h>.
 *
 *     row        32 elements, one for each lane; a lane is a double
 *     sub-block  512 elements: 16 rows are added to lanes that start from -0.0, the neutral element
 *     leaf       16 sub-blocks: their lanes are merged by a binary counter, and then folded
 *
 * A lane's own order is all that counts, so how many lanes lie in a register, which are summed at the
 * same time, and how many sub-blocks are walked at once, change no bit. */
#include "tmpl_begin.h"

#define LANES ((size_t)PASTE(sums, T))
#define REGS  (ROW / LANES) /* that hold a row's lanes */

static inline void FN(add_lanes)(vacc *left, const vacc *right)
{
    for (size_t k = 0; k < REGS; k++)
        left[k] += right[k];
}

/* The lanes of `walk` neighbouring sub-blocks (at most WALK) of this many whole rows each. */
static inline void FN(sum_rows)(vacc *sum, const elem *x, size_t rows, size_t walk)
{
    const vacc zero = {0};
    for (size_t g = 0; g < REGS; g += GROUP) {
        vacc s[WALK * GROUP];
        for (size_t k = 0; k < walk * GROUP; k++)
            s[k] = -zero;
        for (size_t r = 0; r < rows; r++)
            for (size_t w = 0; w < walk; w++)
                for (size_t k = 0; k < GROUP; k++)
                    s[w * GROUP + k] +=
                        FN(load_wide)(x + w * SUB_BLOCK + r * ROW + (g + k) * LANES);
        for (size_t w = 0; w < walk; w++)
            for (size_t k = 0; k < GROUP; k++)
                sum[w * REGS + g + k] = s[w * GROUP + k];
    }
}

/* Takes in the lanes of the next 2^k sub-blocks: one step of the binary counter. level[l] holds the
 * lanes of 2^l sub-blocks where bit l of count is set. */
static inline void FN(count_in)(vacc level[][REGS], size_t *count, vacc *sum, size_t k)
{
    size_t l = k;
    for (; *count >> l & 1; l++) {
        for (size_t j = 0; j < REGS; j++)
            sum[j] = level[l][j] + sum[j];
    }
    memcpy(level[l], sum, REGS * sizeof *sum);
    *count += (size_t)1 << k;
}

/* The sub-block at the end of a leaf: n elements, SUB_BLOCK at most. */
static inline void FN(sum_last)(vacc *sum, const elem *x, size_t n)
{
    FN(sum_rows)(sum, x, n / ROW, 1);
    acc lane[ROW];
    memcpy(lane, sum, sizeof lane);
    for (size_t i = n / ROW * ROW; i < n; i++)
        lane[i % ROW] += (acc)x[i];
    memcpy(sum, lane, sizeof lane);
}

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
    vacc sum[WALK * REGS];
    size_t count = 0; /* sub-blocks taken in */
    size_t i = 0;
    for (; i + (size_t)WALK * SUB_BLOCK <= n; i += (size_t)WALK * SUB_BLOCK) {
        FN(sum_rows)(sum, x + i, SUB_BLOCK / ROW, WALK);
        if (WALK == 2)
            FN(add_lanes)(sum, sum + (WALK - 1) * REGS);
        FN(count_in)(level, &count, sum, WALK == 2);
    }
    for (; i < n; i += SUB_BLOCK) {
        FN(sum_last)(sum, x + i, n - i < SUB_BLOCK ? n - i : SUB_BLOCK);
        FN(count_in)(level, &count, sum, 0);
    }

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
