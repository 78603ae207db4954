/* svd_load_tmpl.h -- elements of type T to lanes of doubles: what is contiguous in memory is transposed, so
 * that it lies one after the other in each lane. */
#include "tmpl_begin.h"

/* The largest magnitude, as a double; not finite if any element is not. Integers are compared: as such,
 * magnitudes are in order, and NaN is above infinity. */
static double FN(svd_most)(const elem *x, size_t n)
{
    enum { AT_ONCE = PASTE(lanes, T) };
    vec_bits most[4];
    elem_bits of_lane[4 * AT_ONCE];
    elem_bits found = 0;
    memset(most, 0, sizeof most);
    size_t i = 0;
    for (; i + 4 * AT_ONCE <= n; i += 4 * AT_ONCE)
        for (size_t k = 0; k < 4; k++) {
            vec_bits bits;
            memcpy(&bits, x + i + k * AT_ONCE, sizeof bits);
            most[k] = max_bits(most[k], bits & MAGNITUDE_BITS);
        }
    memcpy(of_lane, most, sizeof of_lane);
    for (size_t k = 0; k < 4 * AT_ONCE; k++)
        found = of_lane[k] > found ? of_lane[k] : found;
    for (; i < n; i++) {
        elem_bits bits;
        memcpy(&bits, x + i, sizeof bits);
        bits &= MAGNITUDE_BITS;
        found = bits > found ? bits : found;
    }
    elem value;
    memcpy(&value, &found, sizeof value);
    return (double)value;
}

/* z[t] = element t (of count, at most TILE) of every lane. */
static inline __attribute__((always_inline)) void
FN(svd_gather)(vd z[TILE], const elem *const from[LANES], size_t offset, size_t count)
{
#if VBYTES == 64 && defined(__AVX512F__)
    const __mmask8 mask = (__mmask8)((1U << count) - 1);
    for (size_t k = 0; k < 4; k++) {
        const elem *low = from[k] + offset;
        const elem *high = from[k + 4] + offset;
#if ELEMENT_BYTES == 8
        z[k] = (vd)_mm512_insertf64x4(_mm512_castpd256_pd512(_mm256_maskz_loadu_pd(mask, low)),
                                      _mm256_maskz_loadu_pd(mask, high), 1);
#else
        z[k] = (vd)_mm512_cvtps_pd(
            _mm256_set_m128(_mm_maskz_loadu_ps(mask, high), _mm_maskz_loadu_ps(mask, low)));
#endif
    }
    svd_turn(z);
#elif VBYTES == 32 && defined(__AVX2__)
    const __m256i mask =
        _mm256_cmpgt_epi64(_mm256_set1_epi64x((long long)count), _mm256_setr_epi64x(0, 1, 2, 3));
    for (size_t k = 0; k < 4; k++) {
        const elem *row = from[k] + offset;
#if ELEMENT_BYTES == 8
        z[k] = (vd)_mm256_maskload_pd(row, mask);
#else
        const __m128i narrow = _mm256_castsi256_si128(
            _mm256_permutevar8x32_epi32(mask, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6)));
        z[k] = (vd)_mm256_cvtps_pd(_mm_maskload_ps(row, narrow));
#endif
    }
    svd_turn(z);
#else
    for (size_t t = 0; t < count; t++) {
        double of_lane[LANES];
        for (size_t lane = 0; lane < LANES; lane++)
            of_lane[lane] = (double)from[lane][offset + t];
        memcpy(&z[t], of_lane, sizeof z[t]);
    }
#endif
}

/* out[t * step] = element t (of count, at most TILE) of every lane, scaled; 0 where the scale is. */
static inline __attribute__((always_inline)) void FN(svd_tile)(vd *out, size_t step,
                                                               const elem *const from[LANES],
                                                               size_t offset, size_t count,
                                                               vd scale)
{
    const lane_mask counts = is_less(all_lanes(0), scale);
    vd z[TILE];
    FN(svd_gather)(z, from, offset, count);
    for (size_t t = 0; t < count; t++)
        out[t * step] = choose(counts, z[t] * scale, all_lanes(0));
}

#if VBYTES == 32 && defined(__AVX2__)
/* Two elements of one row, then two of another. */
static inline vd FN(svd_halves)(const elem *low, const elem *high)
{
#if ELEMENT_BYTES == 8
    return (vd)_mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(low)), _mm_loadu_pd(high),
                                    1);
#else
    __m128 a = _mm_castsi128_ps(_mm_loadu_si64(low));
    __m128 b = _mm_castsi128_ps(_mm_loadu_si64(high));
    return (vd)_mm256_cvtps_pd(_mm_movelh_ps(a, b));
#endif
}

/* Elements 0 and 1 of every lane to out and out + step, scaled; 0 where the scale is. Half of the shuffles of a tile of
 * four. */
static inline void FN(svd_two)(vd *out, size_t step, const elem *const from[LANES], size_t offset,
                               vd scale)
{
    const lane_mask counts = is_less(all_lanes(0), scale);
    vd a = FN(svd_halves)(from[0] + offset, from[2] + offset);
    vd b = FN(svd_halves)(from[1] + offset, from[3] + offset);
    vd x = (vd)_mm256_unpacklo_pd((__m256d)a, (__m256d)b) * scale;
    vd y = (vd)_mm256_unpackhi_pd((__m256d)a, (__m256d)b) * scale;
    out[0] = choose(counts, x, all_lanes(0));
    out[step] = choose(counts, y, all_lanes(0));
}
#endif

/* The same for `count` elements. */
static inline __attribute__((always_inline)) void FN(svd_run)(vd *out, size_t step,
                                                              const elem *const from[LANES],
                                                              size_t offset, size_t count, vd scale)
{
    size_t t = 0;
#if VBYTES == 32 && defined(__AVX2__)
    for (; t + 2 <= count; t += 2)
        FN(svd_two)(out + t * step, step, from, offset + t, scale);
#else
    for (; t + TILE <= count; t += TILE)
        FN(svd_tile)(out + t * step, step, from, offset + t, TILE, scale);
    if (TILE > 2 && t + 2 <= count) {
        FN(svd_tile)(out + t * step, step, from, offset + t, 2, scale);
        t += 2;
    }
#endif
    for (; t < count; t++)
        FN(svd_tile)(out + t * step, step, from, offset + t, 1, scale);
}

#if VBYTES == 32 && defined(__AVX2__)
/* Rows offset and offset + row_step to out and out + 1, and on from there by `step`: lines of out are filled at once, as
 * those of 32 columns of 32 are all that a few sets of the L1 hold (3 % of the time of such a matrix). */
static inline void FN(svd_two_rows)(vd *out, size_t step, const elem *const from[LANES],
                                    size_t offset, size_t row_step, size_t columns, vd scale)
{
    size_t t = 0;
    for (; t + 2 <= columns; t += 2)
        for (size_t i = 0; i < 2; i++)
            FN(svd_two)(out + i + t * step, step, from, offset + i * row_step + t, scale);
    for (size_t i = 0; i < 2 && t < columns; i++)
        FN(svd_tile)(out + i + t * step, step, from, offset + i * row_step + t, 1, scale);
}
#endif

/* A panel, by columns `stride` apart: element (i, j) of a lane is from[lane][i * row_step + j], or, if the
 * long side is contiguous (row_step 1), from[lane][j * column_step + i]. */
static void FN(svd_load)(vd *b, size_t stride, const elem *const from[LANES], size_t row_step,
                         size_t column_step, size_t rows, size_t columns, vd scale)
{
    size_t i = 0;
#if VBYTES == 32 && defined(__AVX2__)
    for (; column_step == 1 && i + 2 <= rows; i += 2)
        FN(svd_two_rows)(b + i, stride, from, i * row_step, row_step, columns, scale);
#endif
    if (column_step == 1)
        for (; i < rows; i++)
            FN(svd_run)(b + i, stride, from, i * row_step, columns, scale);
    else
        for (size_t j = 0; j < columns; j++)
            FN(svd_run)(b + j * stride, 1, from, j * column_step, rows, scale);
}

/* The same for lanes that lie side by side, the long side being contiguous: VIRTUAL elements are a row. */
static void FN(svd_load_rows)(vd *b, size_t stride, const elem *from, size_t column_step,
                              size_t rows, size_t columns, vd scale)
{
    for (size_t j = 0; j < columns; j++)
        for (size_t i = 0; i < rows; i++)
            b[j * stride + i] = FN(load_wide)(from + j * column_step + i * VIRTUAL) * scale;
}

#include "tmpl_end.h"
