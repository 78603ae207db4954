/* svd_small_tmpl.h -- the values of 3 x 3 matrices of type T: as svd_values_tmpl.h makes them, without a matrix ever
 * lying anywhere but in registers. */
#include "tmpl_begin.h"

/* The nine elements of the matrix of every lane. */
static inline __attribute__((always_inline)) void FN(svd_nine)(vd a[9],
                                                               const elem *const from[LANES])
{
    vd z[TILE];
    size_t t = 0;
#if VBYTES == 32 && defined(__AVX2__)
    for (; t + 2 <= 9; t += 2) {
        __m256d low = (__m256d)FN(svd_halves)(from[0] + t, from[2] + t);
        __m256d high = (__m256d)FN(svd_halves)(from[1] + t, from[3] + t);
        a[t] = (vd)_mm256_unpacklo_pd(low, high);
        a[t + 1] = (vd)_mm256_unpackhi_pd(low, high);
    }
#else
    for (; t + TILE <= 9; t += TILE) {
        FN(svd_gather)(z, from, t, TILE);
        memcpy(a + t, z, sizeof z);
    }
#endif
    for (; t < 9; t++) {
        FN(svd_gather)(z, from, t, 1);
        a[t] = z[0];
    }
}

/* Matrices first to first + LANES - 1, of the `count` that there are, to bidiagonal form. back: by what their values
 * are multiplied. Returns a bit for each that is not finite. */
static inline unsigned FN(svd_form_of_three)(const elem *x, size_t first, size_t count, vd *d,
                                             vd *e, vd *back)
{
    const elem *from[LANES];
    vd a[9];
    for (size_t lane = 0; lane < LANES; lane++) /* what is too much is done again */
        from[lane] = x + (first + lane < count ? first + lane : 0) * 9;
    FN(svd_nine)(a, from);
    lane_mask is_finite = svd_scale_nine(a, back);
    vd by_columns[9] = {a[0], a[3], a[6], a[1], a[4], a[7], a[2], a[5], a[8]};
    svd_bidiagonal_three(by_columns, d, e, GROUPS, NULL);
    *back = choose(is_finite, *back, all_lanes(QUIET_NAN));
    return ~mask_bits(is_finite) & LANE_BITS;
}

/* Up to GROUPS * LANES matrices. */
static inline void FN(svd_some_of_three)(const elem *x, size_t count, elem *values, int32_t *status,
                                         size_t sweeps_for_one, struct svd_memory *memory)
{
    vd back[GROUPS];
    unsigned bad[GROUPS];
    for (size_t g = 0; g < GROUPS; g++)
        bad[g] = FN(svd_form_of_three)(x, g * LANES, count, memory->all_d + g, memory->all_e + g,
                                       &back[g]);
    svd_bidiagonal_values(memory, 3, GROUPS, sweeps_for_one);
    for (size_t i = 0; i < 3 * GROUPS; i++)
        memory->values[i] = memory->values[i] * back[i % GROUPS];
    const double *found = (const double *)memory->values;
    for (size_t i = 0; i < count; i++) {
        bool is_bad = bad[i / LANES] >> i % LANES & 1;
        status[i] = is_bad;
        for (size_t k = 0; k < 3; k++)
            values[i * 3 + k] = is_bad ? (elem)QUIET_NAN : (elem)found[k * GROUPS * LANES + i];
    }
}

static void FN(svd_values_of_three)(const struct kernel_svd *call, struct svd_memory *memory)
{
    for (size_t first = 0; first < call->count; first += GROUPS * LANES) {
        size_t left = call->count - first;
        FN(svd_some_of_three)
        ((const elem *)call->x + first * 9, left < GROUPS * LANES ? left : GROUPS * LANES,
         (elem *)call->s + first * 3, call->status + first, call->sweeps_for_one, memory);
    }
}

#include "tmpl_end.h"
