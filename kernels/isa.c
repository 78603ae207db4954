/* isa.c -- all kernels for one instruction set.
 *
 * CMake compiles this file once per instruction set, with that set's -m flags and
 *     ISA     its name, as in isas.def
 *     VBYTES  its register width in bytes; 8: plain scalars
 * Everything here is static but the one table, so no function built for a newer CPU can be picked up
 * by code meant for every CPU. */
#include "kernels.h"
#include "sha256.h"
#include "half.h"
#include "vec.h"

/* The order of a float sum; see fold_tmpl.h. */
enum { ROW = 32, SUB_BLOCK = 512, LEVELS = 5 };
_Static_assert(SUB_BLOCK << (LEVELS - 1) == KERNEL_SUM_LEAF, "a leaf fills the highest level");

/* How runs are walked, which shows in the speed alone.
 *     CHAINS    accumulators of max and min: two results in a cycle, each 4 cycles after its operands
 *     STREAMS   parts of a run that max and min walk at the same time, PIECE_BYTES of each in turn: memory
 *               is quicker with 4 of them, the L3 of a Zen 4 is not if turns are short. Its max of f64,
 *               GB/s from memory on a core and on two, and from L3: 1 stream 22, 37, 76; 4 in turns of 64 bytes, in
 *               runs of 128 KiB, 23, 40, 66; of 512 bytes, in runs of 1 MiB, 25, 47, 76
 *     GROUP     accumulators of a float sum
 * Nothing is prefetched: on a Zen 4, lines asked for 2048 bytes ahead took max of f64 from 0.84 of the limit
 * to 0.69, on one core, and sum from 0.87 to 0.69. */
enum { CHAINS = 8, STREAMS = 4, PIECE_BYTES = 512 };
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

#if VBYTES > 8
static const int64_t lane_indices[ROW] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                          11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                          22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
#endif

#define TEMPLATE "load_tmpl.h"
#define NO_HALVES
#include "every_type.h"
#define TEMPLATE "half_load_tmpl.h"
#define ONLY_HALVES
#include "every_type.h"
#define TEMPLATE "search_tmpl.h"
#include "every_type.h"
#define TEMPLATE "half_tmpl.h"
#define ONLY_HALVES
#include "every_type.h"
#define TEMPLATE "convert_tmpl.h"
#include "every_stored.h"

#define OP             max
#define BEATS          >
#define PREFERRED_ZERO 0.0F
#define EXTREME        max
#define SKIPS_NANS     0
#define TEMPLATE       "extreme_tmpl.h"
#define NO_HALVES
#include "every_type.h"
#define TEMPLATE "extreme_columns_tmpl.h"
#define NO_HALVES
#include "every_type.h"
#undef EXTREME
#undef SKIPS_NANS
#define EXTREME    nanmax
#define SKIPS_NANS 1
#define LEAST      (-__builtin_inff())
#define TEMPLATE   "extreme_tmpl.h"
#define ONLY_FLOATS
#define NO_HALVES
#include "every_type.h"
#define TEMPLATE "extreme_columns_tmpl.h"
#define ONLY_FLOATS
#define NO_HALVES
#include "every_type.h"
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
#define TEMPLATE       "extreme_tmpl.h"
#define NO_HALVES
#include "every_type.h"
#define TEMPLATE "extreme_columns_tmpl.h"
#define NO_HALVES
#include "every_type.h"
#undef EXTREME
#undef SKIPS_NANS
#define EXTREME    nanmin
#define SKIPS_NANS 1
#define LEAST      __builtin_inff()
#define TEMPLATE   "extreme_tmpl.h"
#define ONLY_FLOATS
#define NO_HALVES
#include "every_type.h"
#define TEMPLATE "extreme_columns_tmpl.h"
#define ONLY_FLOATS
#define NO_HALVES
#include "every_type.h"
#undef OP
#undef BEATS
#undef PREFERRED_ZERO
#undef EXTREME
#undef SKIPS_NANS
#undef LEAST

#define TEMPLATE "minmax_tmpl.h"
#define NO_HALVES
#include "every_type.h"

#include "folds.h"

#include "exact_table.h"
#define TEMPLATE "exact_tmpl.h"
#include "every_type.h"

#ifndef __clang__
/* GCC would add what is ready last first. In sixteen registers GCC 12 does better when it schedules before it
 * gives them away, too: six lanes of scrypt take 16.8 ns a block then, not 19. */
#pragma GCC push_options
#pragma GCC optimize("no-tree-reassoc")
#if VBYTES == 32
#pragma GCC optimize("schedule-insns", "sched-pressure")
#endif
#endif
#include "blake3_tmpl.h"
#include "scrypt_tmpl.h"
#include "sha256_many_tmpl.h"
#ifndef __clang__
#pragma GCC pop_options
#endif

#include "gram.h"
#include "svd_vectors.h"
#include "tall.h"
#include "bidiagonal.h"
enum { TILE = VBYTES >= 32 ? 4 : 1 };
#define elem_bits      elem_i32
#define vec_bits       vec_i32
#define max_bits       vmax_i32
#define MAGNITUDE_BITS INT32_MAX
#define ELEMENT_BYTES  4
#define T              f32
#include "svd_load_tmpl.h"
#define T f32
#include "gram_tmpl.h"
#define T f32
#include "times_tmpl.h"
#define T f32
#include "tall_most_tmpl.h"
#define T f32
#include "svd_small_tmpl.h"
#define T f32
#include "svd_certified_tmpl.h"
#define T f32
#include "svd_values_tmpl.h"
#define T f32
#include "svd_vectors_tmpl.h"
#define T f32
#include "tall_gram_tmpl.h"
#define T f32
#include "tall_tmpl.h"
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
#include "gram_tmpl.h"
#define T f64
#include "times_tmpl.h"
#define T f64
#include "tall_most_tmpl.h"
#define T f64
#include "svd_small_tmpl.h"
#define T f64
#include "svd_certified_tmpl.h"
#define T f64
#include "svd_values_tmpl.h"
#define T f64
#include "svd_vectors_tmpl.h"
#define T f64
#include "tall_gram_tmpl.h"
#define T f64
#include "tall_tmpl.h"

#define STRING_(s) #s
#define STRING(s)  STRING_(s)

extern const struct kernels PASTE(sheaf_kernels, ISA);
const struct kernels PASTE(sheaf_kernels, ISA) = {
    .isa = STRING(ISA),
    .blake3 = blake3_many,
    .blake3_one = blake3_one,
    .blake3_chunk = blake3_chunk,
    .svd_values = {[KERNEL_F32] = svd_values_f32, [KERNEL_F64] = svd_values_f64},
    .svd_vectors = {[KERNEL_F32] = svd_vectors_f32, [KERNEL_F64] = svd_vectors_f64},
    .gram = {[KERNEL_F32] = gram_f32, [KERNEL_F64] = gram_f64},
    .tall_factor = {[KERNEL_F32] = tall_factor_f32, [KERNEL_F64] = tall_factor_f64},
    .tall_expand = {[KERNEL_F32] = tall_expand_f32, [KERNEL_F64] = tall_expand_f64},
    .tall_merge = tall_merge,
    .tall_unmerge = tall_unmerge,
    .bidiagonal_left = bidiagonal_left,
    .bidiagonal_share = bidiagonal_share,
    .bidiagonal_right = bidiagonal_right,
    .sha256 = sheaf_sha256_portable, /* select.c has a faster one where the CPU does */
    .sha256_many = sha256_many,
    .scrypt = scrypt_romix,
    .scrypt_lanes = SCRYPT_LANES,
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = max_##T##_kernel,
    .max =
        {
#include "dtypes.def"
        },
#undef X
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = min_##T##_kernel,
    .min =
        {
#include "dtypes.def"
        },
#undef X
#define I(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = max_##T##_kernel,
#define F(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = nanmax_##T##_kernel,
    .nanmax =
        {
#include "dtypes.def"
        },
#define I(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = min_##T##_kernel,
#define F(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = nanmin_##T##_kernel,
    .nanmin =
        {
#include "dtypes.def"
        },
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = minmax_kernel_##T,
    .minmax =
        {
#include "dtypes.def"
        },
#undef X
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = find_kernel_##T,
    .find =
        {
#include "dtypes.def"
        },
#undef X
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = nonzero_kernel_##T,
    .nonzero =
        {
#include "dtypes.def"
        },
#undef X
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = numbers_kernel_##T,
    .numbers =
        {
#include "dtypes.def"
        },
#undef X
#define I(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = sum_##T##_kernel,
#define F(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = values_##T##_kernel,
    .sum =
        {
#include "dtypes.def"
        },
#define I(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = prod_##T##_kernel,
#define F(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = products_##T##_kernel,
    .prod =
        {
#include "dtypes.def"
        },
#define I(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = dot_##T##_kernel,
#define F(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = products_of_two_##T##_kernel,
    .dot =
        {
#include "dtypes.def"
        },
#define I(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = sum_##T##_kernel,
#define F(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = nanvalues_##T##_kernel,
    .nansum =
        {
#include "dtypes.def"
        },
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = values_##T##_kernel,
    .values =
        {
#include "dtypes.def"
        },
#undef X
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = products_##T##_kernel,
    .products =
        {
#include "dtypes.def"
        },
#undef X
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = products_of_two_##T##_kernel,
    .products_of_two =
        {
#include "dtypes.def"
        },
#undef X
#define I(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = values_##T##_kernel,
#define F(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = nanvalues_##T##_kernel,
    .nanvalues =
        {
#include "dtypes.def"
        },
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = magnitudes_##T##_kernel,
    .magnitudes =
        {
#include "dtypes.def"
        },
#undef X
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = squares_##T##_kernel,
    .squares =
        {
#include "dtypes.def"
        },
#undef X
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = deviations_##T##_kernel,
    .deviations =
        {
#include "dtypes.def"
        },
#undef X
#define I(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = deviations_##T##_kernel,
#define F(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = nandeviations_##T##_kernel,
    .nandeviations =
        {
#include "dtypes.def"
        },
    .upper = {[KERNEL_I64] = upper_i64_kernel, [KERNEL_U64] = upper_u64_kernel},
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = exact_kernel_##T,
    .exact =
        {
#include "dtypes.def"
        },
#undef X
#define X(NAME, T, stored_t, COMPUTED, computed_t) [STORED_##NAME] = convert_##T,
    .convert =
        {
#include "stored.def"
        },
#undef X
#define X(NAME, T, stored_t, COMPUTED, computed_t) [STORED_##NAME] = transpose_##T,
    .transpose =
        {
#include "stored.def"
        },
#undef X
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = max_##T##_columns,
    .extremes[COLUMNS_MAXIMA] =
        {
#include "dtypes.def"
        },
#undef X
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = min_##T##_columns,
    .extremes[COLUMNS_MINIMA] =
        {
#include "dtypes.def"
        },
#undef X
#define I(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = max_##T##_columns,
#define F(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = nanmax_##T##_columns,
    .extremes[COLUMNS_NANMAXIMA] =
        {
#include "dtypes.def"
        },
#define I(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = min_##T##_columns,
#define F(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = nanmin_##T##_columns,
    .extremes[COLUMNS_NANMINIMA] =
        {
#include "dtypes.def"
        },
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = values_##T##_columns,
    .columns[COLUMNS_VALUES] =
        {
#include "dtypes.def"
        },
#undef X
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = products_##T##_columns,
    .columns[COLUMNS_PRODUCTS] =
        {
#include "dtypes.def"
        },
#undef X
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = products_of_two_##T##_columns,
    .columns[COLUMNS_PRODUCTS_OF_TWO] =
        {
#include "dtypes.def"
        },
#undef X
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = magnitudes_##T##_columns,
    .columns[COLUMNS_MAGNITUDES] =
        {
#include "dtypes.def"
        },
#undef X
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = squares_##T##_columns,
    .columns[COLUMNS_SQUARES] =
        {
#include "dtypes.def"
        },
#undef X
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = deviations_##T##_columns,
    .columns[COLUMNS_DEVIATIONS] =
        {
#include "dtypes.def"
        },
#undef X
#define I(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = values_##T##_columns,
#define F(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = nanvalues_##T##_columns,
    .columns[COLUMNS_NANVALUES] =
        {
#include "dtypes.def"
        },
#define I(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = deviations_##T##_columns,
#define F(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = nandeviations_##T##_columns,
    .columns[COLUMNS_NANDEVIATIONS] =
        {
#include "dtypes.def"
        },
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = count_##T##_columns,
    .columns[COLUMNS_NUMBERS] =
        {
#include "dtypes.def"
        },
#undef X
};
