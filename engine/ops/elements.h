/* elements.h -- what the reductions share: leaves of elements, canonical NaNs, results as bytes. */
#ifndef SHEAF_OPS_ELEMENTS_H
#define SHEAF_OPS_ELEMENTS_H

#include <stdbool.h>

#include <sheaf/dtype.h>

#include "job/op.h"
#include "kernels.h"

bool elements_are_floats(const struct op_call *call);

/* The kernels' name of the first array's dtype; KERNEL_DTYPES if it has none. */
enum kernel_dtype elements_kernel(const struct op_call *call);

/* Leaves of KERNEL_SUM_LEAF elements of the first array, one at least. Errors: DTYPE. */
sheaf_status elements_plan(struct op_plan *out, const struct op_call *call);

/* The same for what needs an element: `what` is its name for the text. Errors: EMPTY, DTYPE. */
sheaf_status elements_plan_some(struct op_plan *out, const struct op_call *call, const char *what);

/* The elements of a run of leaves, and how many they are. */
const unsigned char *elements_run(const struct op_call *call, uint64_t first, uint64_t count,
                                  size_t *n);

/* The same number, or the canonical quiet NaN: what a compiler makes of 0.0 / 0.0 has a sign. */
double canonical_f64(double x);
float canonical_f32(float x);

/* A result as bytes that can be compared: nothing in the padding. */
void elements_write(void *result, const sheaf_scalar *scalar);

#endif
