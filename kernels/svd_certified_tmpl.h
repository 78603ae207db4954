/* svd_certified_tmpl.h -- tall matrices of type T by way of their Gram matrices: their R's. */
#include "tmpl_begin.h"

/* G of 2^shift A; false if a column is too small for it, or anything is not finite. work: gram_doubles(). */
static bool FN(svd_gram_of)(const struct tall_rows *a, double *work, double *g,
                            struct svd_gram_scale *scale)
{
    size_t n = a->columns;
    unsigned flags = svd_gram_watch();
    FN(gram)(a, 1, work, g);
    bool is_exact = !svd_gram_underflowed(flags);
    bool is_good = svd_gram_exponents(scale, g, n);
    scale->shift = 0;
    if (is_exact && is_good && scale->top <= CANONICAL)
        return true;
    if (is_exact && svd_gram_has_zero(g, n))
        return false;
    double most = FN(tall_most)(a, a->x, a->rows);
    if (!(most > 0 && most - most == 0))
        return false;
    scale->shift = svd_gram_shift(most);
    FN(gram)(a, svd_power(scale->shift), work, g);
    return svd_gram_exponents(scale, g, n);
}

/* The R's of up to `count` matrices, `size` apart, into memory->h, where they are certified. */
static void FN(svd_certify)(struct svd_scales *scales, const struct tall_rows *first, size_t size,
                            size_t count, const struct svd_memory *memory, vd *inverse)
{
    size_t n = first->columns;
    struct tall_rows a = *first;
    unsigned is_there = 0;
    for (size_t lane = 0; lane < LANES; lane++, a.x = (const elem *)a.x + size) {
        struct svd_gram_scale *scale = &scales->gram[lane];
        bool is_good = lane < count && FN(svd_gram_of)(&a, memory->gram_work, memory->gram, scale);
        is_there |= is_good ? 1U << lane : 0;
        svd_gram_to_lane(memory->h, is_good ? memory->gram : NULL, scale, n, lane);
    }
    scales->certified = is_there;
    if (is_there == 0)
        return;
    scales->certified &= mask_bits(svd_certified(memory->h, inverse, n));
    svd_gram_up(memory->h, scales, n);
}

#include "tmpl_end.h"
