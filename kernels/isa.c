/* isa.c -- all kernels for one instruction set.
 *
 * CMake compiles this file once per instruction set, with that set's -m flags and
 *     ISA     its name, as in isas.def
 *     VBYTES  its register width in bytes; 8: plain scalars
 * Everything here is static but the one table, so no function built for a newer CPU can be picked up
 * by code meant for every CPU. */
#include "kernels.h"
#include "vec.h"

/* The order of a float sum; see sum_float_tmpl.h. */
enum { ROW = 32, SUB_BLOCK = 512, LEVELS = 5 };
_Static_assert(SUB_BLOCK << (LEVELS - 1) == KERNEL_SUM_LEAF, "a leaf fills the highest level");

/* How it is walked, which shows in the speed alone. GROUP: accumulators at a time. WALK: sub-blocks side
 * by side, 1 or 2. */
#if VBYTES == 64
enum { GROUP = 4, WALK = 2 };
#elif VBYTES == 16
enum { GROUP = 16, WALK = 1 };
#else
enum { GROUP = 8, WALK = 1 };
#endif

#define QUIET_NAN __builtin_nan("")

#define T i32
#include "load_tmpl.h"
#define T i64
#include "load_tmpl.h"
#define T f32
#include "load_tmpl.h"
#define T f64
#include "load_tmpl.h"

#define OP             max
#define BEATS          >
#define PREFERRED_ZERO 0.0F
#define T              i32
#include "extreme_tmpl.h"
#define T i64
#include "extreme_tmpl.h"
#define T f32
#include "extreme_tmpl.h"
#define T f64
#include "extreme_tmpl.h"
#undef OP
#undef BEATS
#undef PREFERRED_ZERO

#define OP             min
#define BEATS          <
#define PREFERRED_ZERO -0.0F
#define T              i32
#include "extreme_tmpl.h"
#define T i64
#include "extreme_tmpl.h"
#define T f32
#include "extreme_tmpl.h"
#define T f64
#include "extreme_tmpl.h"

#define T i32
#include "sum_int_tmpl.h"
#define T i64
#include "sum_int_tmpl.h"
#define T f32
#include "sum_float_tmpl.h"
#define T f64
#include "sum_float_tmpl.h"

#include "blake3_tmpl.h"

#define STRING_(s) #s
#define STRING(s)  STRING_(s)

extern const struct kernels PASTE(sheaf_kernels, ISA);
const struct kernels PASTE(sheaf_kernels, ISA) = {
    .isa = STRING(ISA),
    .blake3 = blake3_many,
#define X(T, elem_t, acc_t) max_##T##_kernel,
    .max =
        {
#include "dtypes.def"
        },
#undef X
#define X(T, elem_t, acc_t) min_##T##_kernel,
    .min =
        {
#include "dtypes.def"
        },
#undef X
#define X(T, elem_t, acc_t) sum_kernel_##T,
    .sum =
        {
#include "dtypes.def"
        },
#undef X
};
