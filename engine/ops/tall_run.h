/* tall_run.h -- what the ways up and down share: runs of leaves of one matrix. */
#ifndef SHEAF_OPS_TALL_RUN_H
#define SHEAF_OPS_TALL_RUN_H

#include "ops/tall.h"

/* Two neighbouring R's merged, with what the way back needs. */
struct tall_joint {
    double r[TALL_SQUARE], below[TALL_SQUARE];
    double marks[2 * KERNEL_SVD_COLUMNS_MAX];
    int32_t exponent;
};

void tall_join(struct tall_joint *joint, const struct kernels *kernels, size_t n,
               const struct tall_partial *left, const struct tall_partial *right);

/* Two neighbouring runs of one matrix, of which the right one may be none. out may be left. */
void tall_merge_runs(const struct kernels *kernels, const struct tall_cut *cut,
                     const struct tall_partial *left, const struct tall_partial *right,
                     struct tall_partial *out);

/* The rows of a leaf in a dense array of the matrices' shape. */
struct tall_rows tall_leaf(const struct op_call *call, const struct tall_cut *cut, uint32_t array,
                           uint64_t matrix, uint64_t leaf);

/* Runs on the way up, of .. 4, 2, 1 leaves, as a binary counter has them, and what a kernel works in. free()
 * scratch, which has it all. */
enum { TALL_STACK_DEPTH = 66 };
struct tall_stack {
    void *scratch;
    unsigned char *runs;
    size_t bytes, depth;
    void *copy; /* of a leaf's rows; NULL if the matrices are dense */
};

/* The rows of a leaf of the matrices; of a view a copy of them, until the next call. */
struct tall_rows tall_input(const struct op_call *call, const struct tall_cut *cut, uint64_t matrix,
                            uint64_t leaf, const struct tall_stack *stack);

/* The R of one leaf. */
void tall_factor(const struct op_call *call, const struct tall_cut *cut, uint64_t matrix,
                 uint64_t leaf, struct tall_partial *out, const struct tall_stack *stack);

/* is_back: for tall_expand() of the kernels, too. Errors: NO_MEMORY. */
sheaf_status tall_stack_make(struct tall_stack *stack, const struct tall_cut *cut, bool is_back);

/* Leaves [first, end) of a matrix, an aligned run of them. The result is the stack's. */
struct tall_partial *tall_reduce(const struct op_call *call, const struct tall_cut *cut,
                                 uint64_t matrix, uint64_t first, uint64_t end,
                                 struct tall_stack *stack);

#endif
