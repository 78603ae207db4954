/* wide.h -- exact sums of integers, in 128 bits, and the one rounding of what is made of them. */
#ifndef SHEAF_OPS_WIDE_H
#define SHEAF_OPS_WIDE_H

#include "ops/reduction.h"

__extension__ typedef __int128 wide;

/* The sum of a run of integers. */
wide wide_sum(const struct elements *e, const struct run *run);

/* sum / n, rounded once, to nearest and ties to even, to a float that has so many bits: what is left is
 * exact in a double, and rounds to that float alone. n is not 0. */
double wide_divide(wide sum, uint64_t n, sheaf_dtype result);

#endif
