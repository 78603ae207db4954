/* every_type.h -- includes TEMPLATE for each type of dtypes.def; with ONLY_INTEGERS or ONLY_FLOATS for
 * those alone. */
#ifndef ONLY_FLOATS
#define T i32
#include TEMPLATE
#define T i64
#include TEMPLATE
#define T u64
#include TEMPLATE
#endif
#ifndef ONLY_INTEGERS
#define T f32
#include TEMPLATE
#define T f64
#include TEMPLATE
#endif
#undef TEMPLATE
#undef ONLY_FLOATS
#undef ONLY_INTEGERS
