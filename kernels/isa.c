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

/* The order of a float sum; see fold_tmpl.h. */
enum { ROW = 32, SUB_BLOCK = 512, LEVELS = 5 };
_Static_assert(SUB_BLOCK << (LEVELS - 1) == KERNEL_SUM_LEAF, "a leaf fills the highest level");

/* How runs are walked, which shows in the speed alone.
 *     CHAINS    accumulators of max and min: two results in a cycle, each 4 cycles after its operands
 *     STREAMS   parts of a run that max and min walk at the same time: from memory, max of f64 with
 *               AVX-512 reads at 0.97 of the limit with 4 of them, and at 0.93 with 1
 *     GROUP     accumulators of a float sum
 * Nothing is prefetched: on a Zen 4, lines asked for 2048 bytes ahead took max of f64 from 0.84 of the limit
 * to 0.69, on one core, and sum from 0.87 to 0.69. */
enum { CHAINS = 8, STREAMS = 4, EACH = CHAINS / STREAMS };
#if VBYTES == 64
enum { GROUP = 4 };
#elif VBYTES == 32
enum { GROUP = 8 };
#elif VBYTES == 16
enum { GROUP = 16 };
#else
enum { GROUP = 8 };
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

#define T i32
#include "search_tmpl.h"
#define T i64
#include "search_tmpl.h"
#define T f32
#include "search_tmpl.h"
#define T f64
#include "search_tmpl.h"

#define OP             max
#define BEATS          >
#define PREFERRED_ZERO 0.0F
#define EXTREME        max
#define SKIPS_NANS     0
#define T              i32
#include "extreme_tmpl.h"
#define T i64
#include "extreme_tmpl.h"
#define T f32
#include "extreme_tmpl.h"
#define T f64
#include "extreme_tmpl.h"
#undef EXTREME
#undef SKIPS_NANS
#define EXTREME    nanmax
#define SKIPS_NANS 1
#define LEAST      (-__builtin_inff())
#define T          f32
#include "extreme_tmpl.h"
#define T f64
#include "extreme_tmpl.h"
#undef OP
#undef BEATS
#undef PREFERRED_ZERO
#undef EXTREME
#undef SKIPS_NANS
#undef LEAST

#define OP             min
#define BEATS          <
#define PREFERRED_ZERO -0.0F
#define EXTREME        min
#define SKIPS_NANS     0
#define T              i32
#include "extreme_tmpl.h"
#define T i64
#include "extreme_tmpl.h"
#define T f32
#include "extreme_tmpl.h"
#define T f64
#include "extreme_tmpl.h"
#undef EXTREME
#undef SKIPS_NANS
#define EXTREME    nanmin
#define SKIPS_NANS 1
#define LEAST      __builtin_inff()
#define T          f32
#include "extreme_tmpl.h"
#define T f64
#include "extreme_tmpl.h"
#undef OP
#undef BEATS
#undef PREFERRED_ZERO
#undef EXTREME
#undef SKIPS_NANS
#undef LEAST

#define T i32
#include "minmax_tmpl.h"
#define T i64
#include "minmax_tmpl.h"
#define T f32
#include "minmax_tmpl.h"
#define T f64
#include "minmax_tmpl.h"

/* Sums and products of integers, which wrap. */
#define FOLD          sum
#define COMBINE       +
#define NEUTRAL       0
#define TERM(x, y, c) (x)
#define T             i32
#include "fold_int_tmpl.h"
#define T i64
#include "fold_int_tmpl.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

#define FOLD          prod
#define COMBINE       *
#define NEUTRAL       1
#define TERM(x, y, c) (x)
#define T             i32
#include "fold_int_tmpl.h"
#define T i64
#include "fold_int_tmpl.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

#define FOLD          dot
#define COMBINE       +
#define NEUTRAL       0
#define TERM(x, y, c) ((x) * (y))
#define T             i32
#include "fold_int_tmpl.h"
#define T i64
#include "fold_int_tmpl.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

/* The upper halves of i64, above the least of them: see kernels.h. */
#define FOLD          upper
#define COMBINE       +
#define NEUTRAL       0
#define TERM(x, y, c) (((x) ^ (UINT64_C(1) << 63)) >> 32)
#define T             i64
#include "fold_int_tmpl.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

/* Folds in doubles. */
#define FOLD          sum
#define COMBINE       +
#define NEUTRAL       -0.0
#define TERM(x, y, c) (x)
#define T             f32
#include "fold_tmpl.h"
#define T f64
#include "fold_tmpl.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

#define FOLD          prod
#define COMBINE       *
#define NEUTRAL       1.0
#define TERM(x, y, c) (x)
#define T             f32
#include "fold_tmpl.h"
#define T f64
#include "fold_tmpl.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

#define FOLD          dot
#define COMBINE       +
#define NEUTRAL       -0.0
#define TERM(x, y, c) ((x) * (y))
#define T             f32
#include "fold_tmpl.h"
#define T f64
#include "fold_tmpl.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

#define FOLD          values
#define COMBINE       +
#define NEUTRAL       -0.0
#define TERM(x, y, c) (x)
#define T             i32
#include "fold_tmpl.h"
#define T i64
#include "fold_tmpl.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

#define FOLD          magnitudes
#define COMBINE       +
#define NEUTRAL       -0.0
#define TERM(x, y, c) FN(magnitude)(x)
#define T             i32
#include "fold_tmpl.h"
#define T i64
#include "fold_tmpl.h"
#define T f32
#include "fold_tmpl.h"
#define T f64
#include "fold_tmpl.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

#define FOLD          squares
#define COMBINE       +
#define NEUTRAL       -0.0
#define TERM(x, y, c) (((x) * (c)) * ((x) * (c)))
#define T             i32
#include "fold_tmpl.h"
#define T i64
#include "fold_tmpl.h"
#define T f32
#include "fold_tmpl.h"
#define T f64
#include "fold_tmpl.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

#define FOLD          deviations
#define COMBINE       +
#define NEUTRAL       -0.0
#define TERM(x, y, c) (((x) - (c)) * ((x) - (c)))
#define T             i32
#include "fold_tmpl.h"
#define T i64
#include "fold_tmpl.h"
#define T f32
#include "fold_tmpl.h"
#define T f64
#include "fold_tmpl.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

#define FOLD          nansum
#define COMBINE       +
#define NEUTRAL       -0.0
#define TERM(x, y, c) FN(where_number)(x, x)
#define T             f32
#include "fold_tmpl.h"
#define T f64
#include "fold_tmpl.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

#define FOLD          nandeviations
#define COMBINE       +
#define NEUTRAL       -0.0
#define TERM(x, y, c) FN(where_number)(((x) - (c)) * ((x) - (c)), x)
#define T             f32
#include "fold_tmpl.h"
#define T f64
#include "fold_tmpl.h"
#undef FOLD
#undef COMBINE
#undef NEUTRAL
#undef TERM

#define T i32
#include "exact_tmpl.h"
#define T i64
#include "exact_tmpl.h"
#define T f32
#include "exact_tmpl.h"
#define T f64
#include "exact_tmpl.h"

#include "blake3_tmpl.h"
#include "scrypt_tmpl.h"
#include "sha256_many_tmpl.h"

#include "svd_vectors.h"
enum { TILE = VBYTES >= 32 ? 4 : 1 };
#define elem_bits      elem_i32
#define vec_bits       vec_i32
#define max_bits       vmax_i32
#define MAGNITUDE_BITS INT32_MAX
#define ELEMENT_BYTES  4
#define T              f32
#include "svd_load_tmpl.h"
#define T f32
#include "svd_values_tmpl.h"
#define T f32
#include "svd_vectors_tmpl.h"
#undef elem_bits
#undef vec_bits
#undef max_bits
#undef MAGNITUDE_BITS
#undef ELEMENT_BYTES
#define elem_bits      elem_i64
#define vec_bits       vec_i64
#define max_bits       vmax_i64
#define MAGNITUDE_BITS INT64_MAX
#define ELEMENT_BYTES  8
#define T              f64
#include "svd_load_tmpl.h"
#define T f64
#include "svd_values_tmpl.h"
#define T f64
#include "svd_vectors_tmpl.h"

#define STRING_(s) #s
#define STRING(s)  STRING_(s)

extern const struct kernels PASTE(sheaf_kernels, ISA);
const struct kernels PASTE(sheaf_kernels, ISA) = {
    .isa = STRING(ISA),
    .blake3 = blake3_many,
    .blake3_one = sheaf_blake3_compress,
    .svd_values = {[KERNEL_F32] = svd_values_f32, [KERNEL_F64] = svd_values_f64},
    .svd_vectors = {[KERNEL_F32] = svd_vectors_f32, [KERNEL_F64] = svd_vectors_f64},
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
#define X(T, elem_t, acc_t) minmax_kernel_##T,
    .minmax =
        {
#include "dtypes.def"
        },
#undef X
#define X(T, elem_t, acc_t) find_kernel_##T,
    .find =
        {
#include "dtypes.def"
        },
#undef X
#define X(T, elem_t, acc_t) nonzero_kernel_##T,
    .nonzero =
        {
#include "dtypes.def"
        },
#undef X
#define X(T, elem_t, acc_t) numbers_kernel_##T,
    .numbers =
        {
#include "dtypes.def"
        },
#undef X
#define X(T, elem_t, acc_t) sum_##T##_kernel,
    .sum =
        {
#include "dtypes.def"
        },
#undef X
#define X(T, elem_t, acc_t) prod_##T##_kernel,
    .prod =
        {
#include "dtypes.def"
        },
#undef X
#define X(T, elem_t, acc_t) dot_##T##_kernel,
    .dot =
        {
#include "dtypes.def"
        },
#undef X
#define X(T, elem_t, acc_t) magnitudes_##T##_kernel,
    .magnitudes =
        {
#include "dtypes.def"
        },
#undef X
#define X(T, elem_t, acc_t) squares_##T##_kernel,
    .squares =
        {
#include "dtypes.def"
        },
#undef X
#define X(T, elem_t, acc_t) deviations_##T##_kernel,
    .deviations =
        {
#include "dtypes.def"
        },
#undef X
    .nanmax = {max_i32_kernel, max_i64_kernel, nanmax_f32_kernel, nanmax_f64_kernel},
    .nanmin = {min_i32_kernel, min_i64_kernel, nanmin_f32_kernel, nanmin_f64_kernel},
    .values = {values_i32_kernel, values_i64_kernel, sum_f32_kernel, sum_f64_kernel},
    .nansum = {sum_i32_kernel, sum_i64_kernel, nansum_f32_kernel, nansum_f64_kernel},
    .nanvalues = {values_i32_kernel, values_i64_kernel, nansum_f32_kernel, nansum_f64_kernel},
    .nandeviations = {deviations_i32_kernel, deviations_i64_kernel, nandeviations_f32_kernel,
                      nandeviations_f64_kernel},
    .upper = upper_i64_kernel,
#define X(T, elem_t, acc_t) exact_kernel_##T,
    .exact =
        {
#include "dtypes.def"
        },
#undef X
};
