/* vec_any.h -- what vec.h asks, in terms of the vector extension alone, or of plain C. */
typedef vec_i32 mask_i32;
typedef vec_i32 mask_f32;
typedef vec_i64 mask_i64;
typedef vec_i64 mask_f64;

#define T i32
#include "vec_any_tmpl.h"
#define T i64
#include "vec_any_tmpl.h"
#define T f32
#include "vec_any_tmpl.h"
#define T f64
#include "vec_any_tmpl.h"
