/* vec_any.h -- what vec.h asks, in terms of the vector extension alone, or of plain C. */
#define T i32
#include "vec_any_tmpl.h"
#define T i64
#include "vec_any_tmpl.h"
#define T f32
#include "vec_any_tmpl.h"
#define T f64
#include "vec_any_tmpl.h"
