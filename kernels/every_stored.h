/* every_stored.h -- includes TEMPLATE for each type of stored.def. READ(x): the element that is stored as
 * x, if it is not x itself. */
#define T       truth
#define READ(x) ((x) != 0)
#include TEMPLATE
#define T i8
#include TEMPLATE
#define T i16
#include TEMPLATE
#define T i32
#include TEMPLATE
#define T i64
#include TEMPLATE
#define T u8
#include TEMPLATE
#define T u16
#include TEMPLATE
#define T u32
#include TEMPLATE
#define T u64
#include TEMPLATE
#define T f16
#include TEMPLATE
#define T bf16
#include TEMPLATE
#define T f32
#include TEMPLATE
#define T f64
#include TEMPLATE
#undef TEMPLATE
