/* vec_any.h -- what vec.h asks, in terms of the vector extension alone, or of plain C. */
typedef vec_i32 mask_i32;
typedef vec_i32 mask_f32;
typedef vec_i64 mask_i64;
typedef vec_i64 mask_u64;
typedef vec_i64 mask_f64;

#define TEMPLATE "vec_any_tmpl.h"
#define NO_HALVES
#include "every_type.h"

#if VBYTES > 8

static inline vec_f16 vmax_u16(vec_f16 a, vec_f16 b)
{
    vec_f16 is_a = (vec_f16)(a > b);
    return (a & is_a) | (b & ~is_a);
}

/* a * b + c, where a * b is exact: rounded once either way. */
static inline vwide_f64 add_exact_product(vwide_f64 a, double b, vwide_f64 c)
{
    return a * b + c;
}

#endif
