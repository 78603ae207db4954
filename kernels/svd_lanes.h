/* svd_lanes.h -- what the SVD asks of a register of doubles beyond + - * /.
 *
 * Every lane computes by itself: which lanes share a register, and how many there are, shows in no bit.
 * fma() is written out wherever it is meant; the scalar table calls the C library's, which is exact (and
 * slow on a CPU without the instruction). */
#ifndef SHEAF_KERNELS_SVD_LANES_H
#define SHEAF_KERNELS_SVD_LANES_H

#include "svd_layout.h"
#include "vec.h"

enum { LANES = lanes_f64, VIRTUAL = SVD_VIRTUAL, REGISTERS = VIRTUAL / LANES };
typedef vec_f64 vd;

#if VBYTES == 64 && defined(__AVX512F__)

typedef __mmask8 lane_mask;

static inline vd svd_fma(vd a, vd b, vd c)
{
    return (vd)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}

/* c - a b */
static inline vd svd_fnma(vd a, vd b, vd c)
{
    return (vd)_mm512_fnmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}

static inline vd svd_sqrt(vd a)
{
    return (vd)_mm512_sqrt_pd((__m512d)a);
}

static inline vd all_lanes(double x)
{
    return (vd)_mm512_set1_pd(x);
}

static inline lane_mask is_less(vd a, vd b)
{
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_LT_OQ);
}

static inline lane_mask is_at_most(vd a, vd b)
{
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_LE_OQ);
}

static inline vd choose(lane_mask which, vd yes, vd no)
{
    return (vd)_mm512_mask_blend_pd(which, (__m512d)no, (__m512d)yes);
}

static inline lane_mask both(lane_mask a, lane_mask b)
{
    return a & b;
}

static inline lane_mask either(lane_mask a, lane_mask b)
{
    return a | b;
}

static inline lane_mask but_not(lane_mask a, lane_mask b)
{
    return (lane_mask)(a & ~b);
}

static inline unsigned mask_bits(lane_mask a)
{
    return a;
}

/* a in these lanes, 0 in the others. */
static inline vd only(lane_mask which, vd a)
{
    return (vd)_mm512_maskz_mov_pd(which, (__m512d)a);
}

static inline vd magnitude(vd a)
{
    return (vd)_mm512_abs_pd((__m512d)a);
}

/* magnitude (not negative) with the sign of this */
static inline vd with_sign(vd size, vd sign)
{
    __m512i bit = _mm512_and_si512((__m512i)sign, _mm512_set1_epi64(INT64_MIN));
    return (vd)_mm512_or_si512((__m512i)size, bit);
}

/* z[k] holds four elements of lane k and four of lane k + 4; then z[t] holds element t of every lane. */
static inline void svd_turn(vd z[4])
{
    const __m512i even = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
    const __m512i odd = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
    __m512d a = _mm512_unpacklo_pd((__m512d)z[0], (__m512d)z[1]);
    __m512d b = _mm512_unpackhi_pd((__m512d)z[0], (__m512d)z[1]);
    __m512d c = _mm512_unpacklo_pd((__m512d)z[2], (__m512d)z[3]);
    __m512d d = _mm512_unpackhi_pd((__m512d)z[2], (__m512d)z[3]);
    z[0] = (vd)_mm512_permutex2var_pd(a, even, c);
    z[1] = (vd)_mm512_permutex2var_pd(b, even, d);
    z[2] = (vd)_mm512_permutex2var_pd(a, odd, c);
    z[3] = (vd)_mm512_permutex2var_pd(b, odd, d);
}

#elif VBYTES == 32 && defined(__AVX2__)

typedef __m256d lane_mask;

static inline vd svd_fma(vd a, vd b, vd c)
{
    return (vd)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}

static inline vd svd_fnma(vd a, vd b, vd c)
{
    return (vd)_mm256_fnmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}

static inline vd svd_sqrt(vd a)
{
    return (vd)_mm256_sqrt_pd((__m256d)a);
}

static inline vd all_lanes(double x)
{
    return (vd)_mm256_set1_pd(x);
}

static inline lane_mask is_less(vd a, vd b)
{
    return _mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_LT_OQ);
}

static inline lane_mask is_at_most(vd a, vd b)
{
    return _mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_LE_OQ);
}

static inline vd choose(lane_mask which, vd yes, vd no)
{
    vd chosen; /* GCC makes a mask of the intrinsic's mask first */
    __asm__("vblendvpd %3, %2, %1, %0" : "=x"(chosen) : "x"(no), "xm"(yes), "x"(which));
    return chosen;
}

static inline lane_mask both(lane_mask a, lane_mask b)
{
    return _mm256_and_pd(a, b);
}

static inline lane_mask either(lane_mask a, lane_mask b)
{
    return _mm256_or_pd(a, b);
}

static inline lane_mask but_not(lane_mask a, lane_mask b)
{
    return _mm256_andnot_pd(b, a);
}

static inline unsigned mask_bits(lane_mask a)
{
    return (unsigned)_mm256_movemask_pd(a);
}

static inline vd only(lane_mask which, vd a)
{
    return (vd)_mm256_and_pd(which, (__m256d)a);
}

static inline vd magnitude(vd a)
{
    return (vd)_mm256_andnot_pd(_mm256_set1_pd(-0.0), (__m256d)a);
}

static inline vd with_sign(vd size, vd sign)
{
    return (vd)_mm256_or_pd((__m256d)size, _mm256_and_pd(_mm256_set1_pd(-0.0), (__m256d)sign));
}

/* z[k] holds four elements of lane k; then z[t] holds element t of every lane. */
static inline void svd_turn(vd z[4])
{
    __m256d a = _mm256_unpacklo_pd((__m256d)z[0], (__m256d)z[1]);
    __m256d b = _mm256_unpackhi_pd((__m256d)z[0], (__m256d)z[1]);
    __m256d c = _mm256_unpacklo_pd((__m256d)z[2], (__m256d)z[3]);
    __m256d d = _mm256_unpackhi_pd((__m256d)z[2], (__m256d)z[3]);
    z[0] = (vd)_mm256_permute2f128_pd(a, c, 0x20);
    z[1] = (vd)_mm256_permute2f128_pd(b, d, 0x20);
    z[2] = (vd)_mm256_permute2f128_pd(a, c, 0x31);
    z[3] = (vd)_mm256_permute2f128_pd(b, d, 0x31);
}

#elif VBYTES == 8

typedef bool lane_mask;

static inline vd svd_fma(vd a, vd b, vd c)
{
    return __builtin_fma(a, b, c);
}

static inline vd svd_fnma(vd a, vd b, vd c)
{
    return __builtin_fma(-a, b, c);
}

static inline vd svd_sqrt(vd a)
{
    return __builtin_sqrt(a);
}

static inline vd all_lanes(double x)
{
    return x;
}

static inline lane_mask is_less(vd a, vd b)
{
    return a < b;
}

static inline lane_mask is_at_most(vd a, vd b)
{
    return a <= b;
}

static inline vd choose(lane_mask which, vd yes, vd no)
{
    return which ? yes : no;
}

static inline lane_mask both(lane_mask a, lane_mask b)
{
    return a && b;
}

static inline lane_mask either(lane_mask a, lane_mask b)
{
    return a || b;
}

static inline lane_mask but_not(lane_mask a, lane_mask b)
{
    return a && !b;
}

static inline unsigned mask_bits(lane_mask a)
{
    return a;
}

static inline vd only(lane_mask which, vd a)
{
    return which ? a : 0;
}

static inline vd magnitude(vd a)
{
    return __builtin_fabs(a);
}

static inline vd with_sign(vd size, vd sign)
{
    return __builtin_copysign(size, sign);
}

#else /* any width, in terms of the vector extension */

typedef vec_i64 lane_mask;

static inline vd svd_fma(vd a, vd b, vd c)
{
    for (int k = 0; k < LANES; k++)
        c[k] = __builtin_fma(a[k], b[k], c[k]);
    return c;
}

static inline vd svd_fnma(vd a, vd b, vd c)
{
    return svd_fma(-a, b, c);
}

static inline vd svd_sqrt(vd a)
{
    for (int k = 0; k < LANES; k++)
        a[k] = __builtin_sqrt(a[k]);
    return a;
}

static inline vd all_lanes(double x)
{
    vd a;
    for (int k = 0; k < LANES; k++)
        a[k] = x;
    return a;
}

static inline lane_mask is_less(vd a, vd b)
{
    return (lane_mask)(a < b);
}

static inline lane_mask is_at_most(vd a, vd b)
{
    return (lane_mask)(a <= b);
}

static inline vd choose(lane_mask which, vd yes, vd no)
{
    return (vd)(((lane_mask)yes & which) | ((lane_mask)no & ~which));
}

static inline lane_mask both(lane_mask a, lane_mask b)
{
    return a & b;
}

static inline lane_mask either(lane_mask a, lane_mask b)
{
    return a | b;
}

static inline lane_mask but_not(lane_mask a, lane_mask b)
{
    return a & ~b;
}

static inline unsigned mask_bits(lane_mask a)
{
    unsigned bits = 0;
    for (int k = 0; k < LANES; k++)
        bits |= (a[k] != 0 ? 1U : 0U) << k;
    return bits;
}

static inline vd only(lane_mask which, vd a)
{
    return (vd)((lane_mask)a & which);
}

static inline vd magnitude(vd a)
{
    return (vd)((lane_mask)a & INT64_MAX);
}

static inline vd with_sign(vd size, vd sign)
{
    return (vd)((lane_mask)size | ((lane_mask)sign & INT64_MIN));
}

#endif

/* a if it is less (greater) than b, else b. */
static inline vd smaller(vd a, vd b)
{
#if VBYTES == 64 && defined(__AVX512F__)
    return (vd)_mm512_min_pd((__m512d)a, (__m512d)b);
#elif VBYTES == 32 && defined(__AVX2__)
    return (vd)_mm256_min_pd((__m256d)a, (__m256d)b);
#else
    return choose(is_less(a, b), a, b);
#endif
}

static inline vd larger(vd a, vd b)
{
#if VBYTES == 64 && defined(__AVX512F__)
    return (vd)_mm512_max_pd((__m512d)a, (__m512d)b);
#elif VBYTES == 32 && defined(__AVX2__)
    return (vd)_mm256_max_pd((__m256d)a, (__m256d)b);
#else
    return choose(is_less(b, a), a, b);
#endif
}

#endif
