/* every_type.h -- includes TEMPLATE for each type of dtypes.def; with ONLY_INTEGERS, ONLY_FLOATS or ONLY_HALVES (f16
 * and bf16, which are floats) for those alone, and with NO_HALVES for the others. */
#if !defined(ONLY_FLOATS) && !defined(ONLY_HALVES)
#define T i32
#include TEMPLATE
#define T i64
#include TEMPLATE
#define T u64
#include TEMPLATE
#endif
#if !defined(ONLY_INTEGERS) && !defined(NO_HALVES)
#define T f16
#include TEMPLATE
#define T bf16
#include TEMPLATE
#endif
#if !defined(ONLY_INTEGERS) && !defined(ONLY_HALVES)
#define T f32
#include TEMPLATE
#define T f64
#include TEMPLATE
#endif
#undef TEMPLATE
#undef ONLY_FLOATS
#undef ONLY_HALVES
#undef ONLY_INTEGERS
#undef NO_HALVES
