/* tall.h -- tall matrices up and down the tree: R's of leaves of rows merge; from the last R the rows of Q Z come
 * back, for whatever n x n matrix Z stands at the top.
 *
 *     matrix 0: leaves 0 .. L - 1, none up to P - 1
 *     matrix 1: leaves P .. P + L - 1, none ..
 *
 * P is the power of two above L, so that a matrix is an aligned subtree, and its tree is the one it would
 * have alone: leaves that are none change nothing. Nothing here depends on how leaves become tasks. */
#ifndef SHEAF_OPS_TALL_H
#define SHEAF_OPS_TALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sheaf/status.h>

#include "job/op.h"
#include "kernels.h"

enum { TALL_SQUARE = KERNEL_SVD_COLUMNS_MAX * KERNEL_SVD_COLUMNS_MAX };

/* How matrices of m x n, m >= n, are cut, which their type and shape alone decide. */
struct tall_cut {
    enum kernel_dtype dtype;
    size_t element; /* bytes */
    size_t rows, n;
    size_t leaf_rows;  /* of all leaves but the last one */
    uint64_t leaves;   /* of a matrix: L */
    uint64_t distance; /* from a matrix's first leaf to the next one's: P */
    uint64_t matrices;
    bool is_view;         /* not dense: leaves are copied */
    size_t partial_bytes; /* with room for Z, if the matrices have one */
    size_t partial_bytes_without_z;
};

/* A run of leaves of one matrix, or of matrices that are solved: then only failures counts, and Z if the run is
 * one matrix. */
struct tall_partial {
    uint64_t first, count; /* leaves, without those that are none */
    uint64_t solved;       /* matrices */
    int64_t failures;
    int32_t is_finite; /* if not, the rest means nothing */
    int32_t exponent;  /* R is scaled by 2^-exponent */
    double r[];        /* n (n + 1) / 2, by rows; then Z, n x n */
};

/* What the end of a matrix's way up is: from its R, by rows, to what is written of it, and Z if has_z. */
typedef sheaf_status tall_solve(const struct op_call *call, const struct tall_cut *cut,
                                uint64_t matrix, struct tall_partial *partial);

/* True if a matrix of m x n has two leaves at least. */
bool tall_is(size_t m, size_t n);

struct tall_cut tall_cut(const struct op_array *a, bool has_z);
uint64_t tall_leaves(const struct tall_cut *cut);     /* of all matrices */
uint64_t tall_leaf_bytes(const struct tall_cut *cut); /* of work, for a plan */

/* R, n x n by rows, and where Z lies. */
void tall_unpack(double *r, const struct tall_partial *partial, size_t n);
double *tall_z(struct tall_partial *partial, size_t n);

/* map(), merge() and merged() of an operation whose array 0 is the matrices. */
sheaf_status tall_map(const struct op_call *call, const struct tall_cut *cut, uint64_t first,
                      uint64_t count, struct tall_partial *out, tall_solve *solve);
void tall_merge(const struct op_call *call, const struct tall_cut *cut,
                const struct tall_partial *left, const struct tall_partial *right,
                struct tall_partial *out);
sheaf_status tall_merged(const struct op_call *call, const struct tall_cut *cut,
                         struct tall_partial *partial, tall_solve *solve);

/* down(): writes the rows of Q Z to array `to`, of as many columns; if Z was written by solve. */
sheaf_status tall_down(const struct op_call *call, const struct tall_cut *cut, uint64_t first,
                       uint64_t count, const struct op_up *up, uint32_t to, tall_solve *solve);

#endif
