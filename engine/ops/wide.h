/* wide.h -- exact sums of integers, in 128 bits, and the one rounding of what is made of them. */
#ifndef SHEAF_OPS_WIDE_H
#define SHEAF_OPS_WIDE_H

#include "job/op.h"

__extension__ typedef __int128 wide;

/* The sum of a run of leaves of i32 or i64. */
wide wide_sum(const struct op_call *call, uint64_t first, uint64_t count);

/* sum / n, rounded once, to nearest and ties to even. n is not 0. */
double wide_divide(wide sum, uint64_t n);

#endif
