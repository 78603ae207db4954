/* fill.h -- arrays of test data: the same numbers whatever the number of threads.
 *
 * Element i is a function of (seed, i) alone: splitmix64 at position i, so parts can be filled in any order.
 *
 *     zeros     0
 *     arange    i
 *     uniform   floats [0, 1) in steps of 2^-53, f32 2^-24, f16 2^-11, bf16 2^-8; bool, and integers of 8
 *               and 16 bits: all values; others -1000000..999999, without a sign 0..1999999
 *     descending n - 1 - i
 *     wide      floats of either sign and any magnitude: f64 2^-990 .. 2^990, f32 2^-120 .. 2^120
 *     normal    mean 0, variance 1 (Box and Muller, 1958); floats only */
#ifndef SHEAF_CLI_FILL_H
#define SHEAF_CLI_FILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sheaf/sheaf.h>

enum fill_kind {
    FILL_ZEROS,
    FILL_ARANGE,
    FILL_UNIFORM,
    FILL_NORMAL,
    FILL_DESCENDING,
    FILL_WIDE,
    FILL_KINDS
};

/* FILL_KINDS if there is none of this name. */
enum fill_kind fill_by_name(const char *name);
const char *fill_name(enum fill_kind kind);

/* What is wrong with filling n elements of this dtype so; NULL if nothing is. */
const char *fill_refusal(enum fill_kind kind, sheaf_dtype dtype, size_t n);

/* Fills on so many threads. The array is zero when it is given. */
void fill_array(sheaf_array *array, enum fill_kind kind, uint64_t seed, size_t workers);

#endif
