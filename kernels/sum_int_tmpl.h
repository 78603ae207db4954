/* sum_int_tmpl.h -- the sum of a run of integers, T, in 64 bits that wrap: the order is free. */
#include "tmpl_begin.h"

#define LANES ((size_t)PASTE(sums, T))

static void FN(sum_kernel)(const void *data, size_t n, void *out)
{
    const elem *x = data;
    vacc sum[CHAINS] = {0};
    size_t i = 0;
    for (; i + CHAINS * LANES <= n; i += CHAINS * LANES)
        for (size_t k = 0; k < CHAINS; k++)
            sum[k] += FN(load_wide)(x + i + k * LANES);

    acc lane[CHAINS * LANES];
    memcpy(lane, sum, sizeof lane);
    acc total = 0;
    for (; i < n; i++)
        total += (acc)x[i];
    for (size_t k = 0; k < CHAINS * LANES; k++)
        total += lane[k];
    memcpy(out, &total, sizeof total);
}

#undef LANES
#include "tmpl_end.h"
