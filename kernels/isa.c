/* isa.c -- all kernels for one instruction set.
 *
 * CMake compiles this file once per instruction set, with that set's -m flags and
 *     ISA     its name, as in isas.def
 *     VBYTES  its register width in bytes; 8: plain scalars
 * Everything here is static but the one table, so no function built for a newer CPU can be picked up
 * by code meant for every CPU. */
#include "kernels.h"
#include "sha256.h"
#include "vec.h"

/* The order of a float sum; see sum_float_tmpl.h. */
enum { ROW = 32, SUB_BLOCK = 512, LEVELS = 5 };
_Static_assert(SUB_BLOCK << (LEVELS - 1) == KERNEL_SUM_LEAF, "a leaf fills the highest level");

/* How runs are walked, which shows in the speed alone.
 *     CHAINS    accumulators of max and min: two results in a cycle, each 4 cycles after its operands
 *     STREAMS   parts of a run that max and min walk at the same time: from memory, max of f64 with
 *               AVX-512 reads at 0.97 of the limit with 4 of them, and at 0.93 with 1
 *     GROUP     accumulators of a float sum
 *     PREFETCH  bytes ahead, or 0: with AVX2 2048 takes max of f64 from 0.82 to 0.96 of the limit and
 *               sum from 0.84 to 0.95; with AVX-512 there is nothing left to gain */
enum { CHAINS = 8, STREAMS = 4, EACH = CHAINS / STREAMS };
#if VBYTES == 64
enum { GROUP = 4, PREFETCH = 0 };
#elif VBYTES == 32
enum { GROUP = 8, PREFETCH = 2048 };
#elif VBYTES == 16
enum { GROUP = 16, PREFETCH = 0 };
#else
enum { GROUP = 8, PREFETCH = 0 };
#endif

/* Asks for the lines of these bytes, PREFETCH on. They may lie past the array: that is harmless. */
static inline void prefetch(const void *from, size_t bytes)
{
    for (size_t b = 0; PREFETCH != 0 && b < bytes; b += 64)
        __builtin_prefetch((const void *)((uintptr_t)from + PREFETCH + b));
}

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
#include "scrypt_tmpl.h"
#include "sha256_many_tmpl.h"

#define STRING_(s) #s
#define STRING(s)  STRING_(s)

extern const struct kernels PASTE(sheaf_kernels, ISA);
const struct kernels PASTE(sheaf_kernels, ISA) = {
    .isa = STRING(ISA),
    .blake3 = blake3_many,
    .sha256 = sheaf_sha256_portable, /* select.c has a faster one where the CPU does */
    .sha256_many = sha256_many,
    .scrypt = scrypt_romix,
    .scrypt_lanes = SCRYPT_LANES,
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
