/* op.h -- the reductions, and the instruction sets that they can be asked to run on. */
#ifndef SHEAF_OP_H
#define SHEAF_OP_H

#include <stddef.h>

#include <sheaf/export.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sheaf_op {
    SHEAF_MAX = 1,      /* IEEE 754-2019 maximum: any NaN gives NaN, +0 is above -0 */
    SHEAF_MIN = 2,      /* IEEE 754-2019 minimum */
    SHEAF_SUM = 3,      /* in the fixed order of reduce.h; integers wrap in 64 bits */
    SHEAF_ARGMAX = 4,   /* where the first of the greatest is, or the first NaN */
    SHEAF_ARGMIN = 5,   /* where the first of the least is, or the first NaN */
    SHEAF_MINMAX = 6,   /* min and max in one pass */
    SHEAF_PTP = 7,      /* max - min; integers wrap */
    SHEAF_NORM_INF = 8, /* the greatest magnitude */
    SHEAF_ANY = 9,      /* whether an element is not zero; ends with the first that it meets */
    SHEAF_ALL = 10,     /* whether no element is zero; ends with the first that is */
    SHEAF_COUNT_NONZERO = 11, /* how many are not zero; NaNs are not */
    SHEAF_MEAN = 12,          /* the sum / the count; of integers exact before its one rounding */
    SHEAF_PROD = 13,          /* in the order of the sum; integers wrap in 64 bits */
    SHEAF_VAR = 14,    /* the mean square of what elements differ by from the mean; option ddof */
    SHEAF_STD = 15,    /* the square root of var */
    SHEAF_DOT = 16,    /* the sum of a * b, b the option second */
    SHEAF_NORM1 = 17,  /* the sum of the magnitudes */
    SHEAF_NORM2 = 18,  /* the root of the sum of squares, which neither overflows nor vanishes */
    SHEAF_NANMAX = 19, /* the nan forms: as without, but NaNs do not count */
    SHEAF_NANMIN = 20,
    SHEAF_NANSUM = 21,
    SHEAF_NANMEAN = 22,
    SHEAF_NANVAR = 23,
    SHEAF_NANSTD = 24,
    SHEAF_NANARGMAX = 25,
    SHEAF_NANARGMIN = 26,
    SHEAF_FSUM = 27, /* the exact sum, rounded once: as math.fsum of Python */
} sheaf_op;

/* "max", or "?". SHEAF_MAX is the first, and they are numbered without a gap. */
SHEAF_EXPORT const char *sheaf_op_name(sheaf_op op);

/* The reduction of this name, or 0. */
SHEAF_EXPORT sheaf_op sheaf_op_by_name(const char *name);

/* The instruction sets that this build has and this CPU runs, slowest first: "scalar", "avx2",
 * "avx512". NULL past the last. */
SHEAF_EXPORT const char *sheaf_isa_name(size_t index);

#ifdef __cplusplus
}
#endif
#endif
