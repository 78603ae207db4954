/* vec_avx512.h -- what vec.h asks of AVX-512 (F, VL, DQ, BW). */
#ifndef SHEAF_KERNELS_VEC_AVX512_H
#define SHEAF_KERNELS_VEC_AVX512_H

#include <immintrin.h>

static inline vec_i32 vmax_i32(vec_i32 a, vec_i32 b)
{
    return (vec_i32)_mm512_max_epi32((__m512i)a, (__m512i)b);
}

static inline vec_i32 vmin_i32(vec_i32 a, vec_i32 b)
{
    return (vec_i32)_mm512_min_epi32((__m512i)a, (__m512i)b);
}

static inline vec_i64 vmax_i64(vec_i64 a, vec_i64 b)
{
    return (vec_i64)_mm512_max_epi64((__m512i)a, (__m512i)b);
}

static inline vec_i64 vmin_i64(vec_i64 a, vec_i64 b)
{
    return (vec_i64)_mm512_min_epi64((__m512i)a, (__m512i)b);
}

static inline vec_u64 vmax_u64(vec_u64 a, vec_u64 b)
{
    return (vec_u64)_mm512_max_epu64((__m512i)a, (__m512i)b);
}

static inline vec_u64 vmin_u64(vec_u64 a, vec_u64 b)
{
    return (vec_u64)_mm512_min_epu64((__m512i)a, (__m512i)b);
}

static inline vec_f32 vmax_f32(vec_f32 a, vec_f32 b)
{
    return (vec_f32)_mm512_max_ps((__m512)a, (__m512)b);
}

static inline vec_f32 vmin_f32(vec_f32 a, vec_f32 b)
{
    return (vec_f32)_mm512_min_ps((__m512)a, (__m512)b);
}

static inline vec_f64 vmax_f64(vec_f64 a, vec_f64 b)
{
    return (vec_f64)_mm512_max_pd((__m512d)a, (__m512d)b);
}

static inline vec_f64 vmin_f64(vec_f64 a, vec_f64 b)
{
    return (vec_f64)_mm512_min_pd((__m512d)a, (__m512d)b);
}

static inline vec_f16 vmax_u16(vec_f16 a, vec_f16 b)
{
    return (vec_f16)_mm512_max_epu16((__m512i)a, (__m512i)b);
}

/* a * b + c, where a * b is exact: rounded once either way, and here by one instruction, on a port that does not add. */
static inline vwide_f64 add_exact_product(vwide_f64 a, double b, vwide_f64 c)
{
    return (vwide_f64)_mm512_fmadd_pd((__m512d)a, _mm512_set1_pd(b), (__m512d)c);
}

static inline vacc_i32 widen_i32(part_i32 v)
{
    return (vacc_i32)_mm512_cvtepi32_epi64((__m256i)v);
}

static inline vacc_i64 widen_i64(part_i64 v)
{
    return (vacc_i64)v;
}

static inline vacc_u64 widen_u64(part_u64 v)
{
    return v;
}

static inline vacc_f32 widen_f32(part_f32 v)
{
    return (vacc_f32)_mm512_cvtps_pd((__m256)v);
}

static inline vacc_f64 widen_f64(part_f64 v)
{
    return v;
}

/* The lanes that have held numbers only. The compare under a mask is the AND: no instruction on the
 * mask itself, which would take one of the two ports that max needs. */
typedef __mmask16 nan_f32;
typedef __mmask8 nan_f64;
#define NO_NAN_f32 ((nan_f32)0xffff)
#define NO_NAN_f64 ((nan_f64)0xff)

static inline nan_f32 note_nan_f32(nan_f32 so_far, vec_f32 a, vec_f32 b)
{
    return _mm512_mask_cmp_ps_mask(so_far, (__m512)a, (__m512)b, _CMP_ORD_Q);
}

static inline nan_f64 note_nan_f64(nan_f64 so_far, vec_f64 a, vec_f64 b)
{
    return _mm512_mask_cmp_pd_mask(so_far, (__m512d)a, (__m512d)b, _CMP_ORD_Q);
}

static inline bool any_nan_f32(nan_f32 noted)
{
    return noted != NO_NAN_f32;
}

static inline bool any_nan_f64(nan_f64 noted)
{
    return noted != NO_NAN_f64;
}

#endif
