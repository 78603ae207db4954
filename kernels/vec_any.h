/* vec_any.h -- what vec.h asks, in terms of the vector extension alone, or of plain C. */
typedef vec_i32 mask_i32;
typedef vec_i32 mask_f32;
typedef vec_i64 mask_i64;
typedef vec_i64 mask_u64;
typedef vec_i64 mask_f64;

#define TEMPLATE "vec_any_tmpl.h"
#include "every_type.h"
