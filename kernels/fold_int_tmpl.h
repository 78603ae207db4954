/* fold_int_tmpl.h -- a run of integers, T, folded in 64 bits that wrap: the order is free. FOLD,
 * COMBINE, NEUTRAL and TERM are as in fold_tmpl.h, but TERM has registers of 64-bit integers. */
#include "tmpl_begin.h"

#define LANES      ((size_t)PASTE(sums, T))
#define THIS(name) PASTE(PASTE(FOLD, T), name)

static void THIS(kernel)(const void *data, const void *other, double c, size_t n, void *out)
{
    const elem *x = data;
    const elem *y = other;
    const vacc zero = {0};
    vacc sum[CHAINS];
    (void)y;
    (void)c;
    for (size_t k = 0; k < CHAINS; k++)
        sum[k] = zero + NEUTRAL;
    size_t i = 0;
    for (; i + CHAINS * LANES <= n; i += CHAINS * LANES)
        for (size_t k = 0; k < CHAINS; k++)
            sum[k] = sum[k] COMBINE(
                TERM(FN(load_wide)(x + i + k * LANES), FN(load_wide)(y + i + k * LANES), c));

    acc lane[CHAINS * LANES];
    memcpy(lane, sum, sizeof lane);
    acc total = NEUTRAL;
    for (; i < n; i++)
        total = total COMBINE(TERM((acc)x[i], (acc)y[i], c));
    for (size_t k = 0; k < CHAINS * LANES; k++)
        total = total COMBINE lane[k];
    memcpy(out, &total, sizeof total);
}

#undef LANES
#undef THIS
#include "tmpl_end.h"
