/* vec.h -- registers of one element type, on any instruction set.
 *
 * VBYTES, the register's width, comes from the build: 64, 32, 16, or 8 for plain scalars. The types are
 * the GCC/Clang vector extension, so + works on whole registers; with VBYTES 8 they are the C types
 * themselves, since GCC computes even 8-byte vectors with packed instructions. Per type T:
 *
 *     vec_T    lanes_T elements, one register       max and min
 *     vacc_T   sums_T accumulators, one register    sums; part_T is the sums_T elements that widen to it
 *     vwide_T  sums_T doubles, one register         folds in doubles
 *     vbits_T  the same, as integers
 *     nan_T    what was noted of NaNs so far
 *
 * What the extension cannot say in one instruction is in vec_avx512.h, vec_avx2.h and vec_any.h: vmax_T,
 * vmin_T, widen_T, note_nan_T, any_nan_T, but for f16 and bf16; vmax_u16 and add_exact_product. vmax_T and vmin_T
 * may lose NaNs and the sign of zero. */
#ifndef SHEAF_KERNELS_VEC_H
#define SHEAF_KERNELS_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PASTE_(a, b) a##_##b
#define PASTE(a, b)  PASTE_(a, b)
#define CAT_(a, b)   a##b
#define CAT(a, b)    CAT_(a, b)

#if VBYTES == 8
#define REGISTER(bytes)
#define FITS(type) 1
#else
#define REGISTER(bytes) __attribute__((vector_size(bytes)))
#define FITS(type)      (VBYTES / sizeof(type))
#endif

#if VBYTES > 8 && defined(__x86_64__) && !defined(__clang__)
#define HOLD_LOADS 1
#else
#define HOLD_LOADS 0
#endif

#define X(NAME, T, elem_t, acc_t)                                                                  \
    typedef elem_t elem_##T;                                                                       \
    typedef acc_t acc_##T;                                                                         \
    enum { lanes_##T = FITS(elem_t), sums_##T = FITS(acc_t) };                                     \
    typedef elem_t vec_##T REGISTER(VBYTES);                                                       \
    typedef elem_t part_##T REGISTER(sums_##T * sizeof(elem_t));                                   \
    typedef acc_t vacc_##T REGISTER(VBYTES);                                                       \
    typedef double vwide_##T REGISTER(VBYTES);                                                     \
    typedef int64_t vbits_##T REGISTER(VBYTES);
#include "dtypes.def"
#undef X

/* Elements as they are stored, and what they are computed as. */
#define X(NAME, T, stored_t, COMPUTED, computed_t)                                                 \
    typedef stored_t stored_##T;                                                                   \
    typedef elem_##computed_t computed_##T;
#include "stored.def"
#undef X

#define IS_FLOAT_i32  0
#define IS_FLOAT_i64  0
#define IS_FLOAT_u64  0
#define IS_FLOAT_f16  1
#define IS_FLOAT_bf16 1
#define IS_FLOAT_f32  1
#define IS_FLOAT_f64  1
#define IS_HALF_i32   0
#define IS_HALF_i64   0
#define IS_HALF_u64   0
#define IS_HALF_f16   1
#define IS_HALF_bf16  1
#define IS_HALF_f32   0
#define IS_HALF_f64   0
typedef uint32_t bits_i32;
typedef uint64_t bits_i64;
typedef uint64_t bits_u64;
typedef uint16_t bits_f16;
typedef uint16_t bits_bf16;
typedef uint32_t bits_f32;
typedef uint64_t bits_f64;

/* v where x is a number, else 0. */
static inline vwide_f64 where_number(vwide_f64 v, vwide_f64 x)
{
#if VBYTES == 8
    return x == x ? v : 0;
#else
    return (vwide_f64)((vbits_f64)v & (vbits_f64)(x == x));
#endif
}

static inline vwide_f64 wide_magnitude(vwide_f64 v)
{
#if VBYTES == 8
    return __builtin_fabs(v);
#else
    return (vwide_f64)((vbits_f64)v & INT64_MAX);
#endif
}

#if VBYTES == 64 && defined(__AVX512F__)
#include "vec_avx512.h"
#elif VBYTES == 32 && defined(__AVX2__)
#include "vec_avx2.h"
#else
#include "vec_any.h"
#endif

#ifndef ADDS_BESIDE_CONVERSIONS
#define ADDS_BESIDE_CONVERSIONS 0
#endif

#endif
