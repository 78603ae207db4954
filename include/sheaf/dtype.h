/* dtype.h -- the types of an array's elements, and a single value of one. */
#ifndef SHEAF_DTYPE_H
#define SHEAF_DTYPE_H

#include <stddef.h>
#include <stdint.h>

#include <sheaf/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* SHEAF_BOOL; SHEAF_I8 to SHEAF_I64, SHEAF_U8 to SHEAF_U64; SHEAF_F16 (IEEE 754 binary16), SHEAF_BF16 (the
 * upper half of an f32), SHEAF_F32, SHEAF_F64. Never 0. A bool is a byte, 0 or 1 (as NumPy's; any other
 * byte is true as well). */
typedef enum sheaf_dtype {
#define X(NAME, code, c_type, name, kind, npy_descr, numpy_type) SHEAF_##NAME = code,
#include <sheaf/dtypes.def>
#undef X
} sheaf_dtype;

/* An element: read the member of its dtype. */
typedef union sheaf_value {
    uint8_t boolean; /* 0 or 1 */
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    uint16_t f16;  /* the bits */
    uint16_t bf16; /* the bits */
    float f32;
    double f64;
    unsigned char bytes[8];
} sheaf_value;

/* The result of a reduction: read the member of value that dtype names. What an operation does not
 * have is 0. */
typedef struct sheaf_scalar {
    sheaf_dtype dtype;
    sheaf_value value;
    sheaf_value second; /* minmax: the maximum, of the same dtype; value is the minimum */
    int64_t index;      /* argmax, argmin and their nan forms: where, in C order */
} sheaf_scalar;

/* The value as a double: rounded, if it is an integer beyond 2^53. */
SHEAF_EXPORT double sheaf_scalar_f64(const sheaf_scalar *scalar);

/* A double as a scalar of a dtype: rounded once, to nearest, ties to even; for integers cut off to a whole
 * number, and held within their limits (a NaN is 0); for bool whether it is not 0. */
SHEAF_EXPORT sheaf_scalar sheaf_scalar_of_f64(sheaf_dtype dtype, double value);

/* 'b' (bool), 'i', 'u' (integers without a sign) or 'f'; 0 if dtype is none of ours. */
SHEAF_EXPORT char sheaf_dtype_kind(sheaf_dtype dtype);

/* Bytes of one element; 0 if dtype is none of ours. */
SHEAF_EXPORT size_t sheaf_dtype_size(sheaf_dtype dtype);

/* "f64", or "?" if dtype is none of ours. */
SHEAF_EXPORT const char *sheaf_dtype_name(sheaf_dtype dtype);

/* The dtype of this name ("f64"), or 0. */
SHEAF_EXPORT sheaf_dtype sheaf_dtype_by_name(const char *name);

#ifdef __cplusplus
}
#endif
#endif
