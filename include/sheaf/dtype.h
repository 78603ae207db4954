/* dtype.h -- the types of an array's elements, and a single value of one. */
#ifndef SHEAF_DTYPE_H
#define SHEAF_DTYPE_H

#include <stddef.h>
#include <stdint.h>

#include <sheaf/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* SHEAF_I32, SHEAF_I64, SHEAF_F32, SHEAF_F64. Never 0. */
typedef enum sheaf_dtype {
#define X(NAME, code, c_type, name, npy_descr, numpy_type) SHEAF_##NAME = code,
#include <sheaf/dtypes.def>
#undef X
} sheaf_dtype;

/* An element: read the member of its dtype. */
typedef union sheaf_value {
    int32_t i32;
    int64_t i64;
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
