/* vec_avx2.h -- what vec.h asks of AVX2. */
#ifndef SHEAF_KERNELS_VEC_AVX2_H
#define SHEAF_KERNELS_VEC_AVX2_H

#include <immintrin.h>

static inline vec_i32 vmax_i32(vec_i32 a, vec_i32 b)
{
    return (vec_i32)_mm256_max_epi32((__m256i)a, (__m256i)b);
}

static inline vec_i32 vmin_i32(vec_i32 a, vec_i32 b)
{
    return (vec_i32)_mm256_min_epi32((__m256i)a, (__m256i)b);
}

/* There is no max of 64-bit integers before AVX-512. */
static inline vec_i64 vmax_i64(vec_i64 a, vec_i64 b)
{
    vec_i64 is_a = a > b;
    return (a & is_a) | (b & ~is_a);
}

static inline vec_i64 vmin_i64(vec_i64 a, vec_i64 b)
{
    vec_i64 is_a = b > a;
    return (a & is_a) | (b & ~is_a);
}

static inline vec_u64 vmax_u64(vec_u64 a, vec_u64 b)
{
    vec_u64 is_a = (vec_u64)(a > b);
    return (a & is_a) | (b & ~is_a);
}

static inline vec_u64 vmin_u64(vec_u64 a, vec_u64 b)
{
    vec_u64 is_a = (vec_u64)(b > a);
    return (a & is_a) | (b & ~is_a);
}

static inline vec_f32 vmax_f32(vec_f32 a, vec_f32 b)
{
    return (vec_f32)_mm256_max_ps((__m256)a, (__m256)b);
}

static inline vec_f32 vmin_f32(vec_f32 a, vec_f32 b)
{
    return (vec_f32)_mm256_min_ps((__m256)a, (__m256)b);
}

static inline vec_f64 vmax_f64(vec_f64 a, vec_f64 b)
{
    return (vec_f64)_mm256_max_pd((__m256d)a, (__m256d)b);
}

static inline vec_f64 vmin_f64(vec_f64 a, vec_f64 b)
{
    return (vec_f64)_mm256_min_pd((__m256d)a, (__m256d)b);
}

static inline vec_f16 vmax_u16(vec_f16 a, vec_f16 b)
{
    return (vec_f16)_mm256_max_epu16((__m256i)a, (__m256i)b);
}

/* a * b + c, where a * b is exact: rounded once either way, and here by one instruction, on a port that does not add. */
static inline vwide_f64 add_exact_product(vwide_f64 a, double b, vwide_f64 c)
{
    return (vwide_f64)_mm256_fmadd_pd((__m256d)a, _mm256_set1_pd(b), (__m256d)c);
}

static inline vacc_i32 widen_i32(part_i32 v)
{
    return (vacc_i32)_mm256_cvtepi32_epi64((__m128i)v);
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
    return (vacc_f32)_mm256_cvtps_pd((__m128)v);
}

static inline vacc_f64 widen_f64(part_f64 v)
{
    return v;
}

/* sum + v * one, where one is 1 and no compiler knows it: the bits of sum + v. A Zen 4 converts in the two pipes that add,
 * and multiplies in the other two: of f32 in L1 and L2 the sum takes 77 GB/s this way instead of 45, and each pipe
 * is busy. */
#define ADDS_BESIDE_CONVERSIONS 1
static inline vwide_f64 add_product(vwide_f64 sum, vwide_f64 v, vwide_f64 one)
{
    return (vwide_f64)_mm256_fmadd_pd((__m256d)v, (__m256d)one, (__m256d)sum);
}

/* All ones in the lanes that have met a NaN. */
typedef __m256 nan_f32;
typedef __m256d nan_f64;
#define NO_NAN_f32 _mm256_setzero_ps()
#define NO_NAN_f64 _mm256_setzero_pd()

static inline nan_f32 note_nan_f32(nan_f32 so_far, vec_f32 a, vec_f32 b)
{
    return _mm256_or_ps(so_far, _mm256_cmp_ps((__m256)a, (__m256)b, _CMP_UNORD_Q));
}

static inline nan_f64 note_nan_f64(nan_f64 so_far, vec_f64 a, vec_f64 b)
{
    return _mm256_or_pd(so_far, _mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_UNORD_Q));
}

static inline bool any_nan_f32(nan_f32 noted)
{
    return _mm256_movemask_ps(noted) != 0;
}

static inline bool any_nan_f64(nan_f64 noted)
{
    return _mm256_movemask_pd(noted) != 0;
}

#endif
