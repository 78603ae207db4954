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

/* Element number begin of the first array, and what lies at the same place in the second (or the first
 * again, if there is no second). */
const unsigned char *elements_at(const struct op_call *call, uint64_t begin);
const unsigned char *elements_beside(const struct op_call *call, uint64_t begin);

/* Writes the partial of the n elements from number begin on, which are a leaf. */
typedef void elements_leaf(const struct op_call *call, uint64_t begin, size_t n, void *partial);
typedef void elements_merge(const struct op_call *call, const void *left, const void *right,
                            void *out);

enum { ELEMENTS_PARTIAL_MAX = 32 };

/* The left-complete tree over a run of leaves. bytes: of a partial, at most ELEMENTS_PARTIAL_MAX. out
 * of merge may be one of its inputs. */
void elements_tree(const struct op_call *call, uint64_t first, uint64_t count, void *partial,
                   size_t bytes, elements_leaf *leaf, elements_merge *merge);

/* What the api function writes to params, whose zeros are the defaults. */
struct reduce_params {
    double ddof;
};

/* A result that is a float: the f64 rounded to the dtype of the elements if that is a float, else f64. */
void elements_write_float(void *result, const struct op_call *call, double value);

/* The same number, or the canonical quiet NaN: what a compiler makes of 0.0 / 0.0 has a sign. */
double canonical_f64(double x);
float canonical_f32(float x);

/* A result as bytes that can be compared: nothing in the padding. */
void elements_write(void *result, const sheaf_scalar *scalar);

#endif
