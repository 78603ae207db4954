/* bidiagonal.h -- one large matrix to bidiagonal form, panel by panel: the panels by our kernel, what they leave to the
 * rest of the matrix by LAPACK's product.
 *
 * One core of a Zen 4 at 2.85 GHz, milliseconds for n x n, f64, beside dgebrd of OpenBLAS 0.3.21:
 *
 *     n          100    300    600   1000
 *     dgebrd    0.30   4.95   36.4    156
 *     this      0.23   2.80   22.7    120 */
#ifndef SHEAF_OPS_BIDIAGONAL_H
#define SHEAF_OPS_BIDIAGONAL_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels.h"
#include "ops/lapack.h"

/* The distance of a matrix's columns of so many rows, in elements: a multiple of 8, and of an odd number of cache lines, as
 * columns that lie a power of two apart share their lines of the cache. */
size_t bidiagonal_pitch(size_t rows);

/* A matrix, column-major: no fewer rows than columns, bidiagonal_pitch(rows) apart and 0 below the last row. */
struct bidiagonal {
    const struct kernels *kernels;
    const struct lapack_routines *lapack; /* which is to use one thread a call meanwhile */
    size_t rows, columns;
    double *a;
    bool keeps_rows;
    size_t threads; /* at most so many do it, the caller one of them */
};

/* The doubles that sheaf_bidiagonalise() works in, at a multiple of 64. */
size_t bidiagonal_room(size_t rows, size_t columns, size_t threads);

/* The matrix becomes what dgebrd leaves there: below the diagonal the reflections from the left and, if keeps_rows, above the
 * diagonal next to it those from the right. d, e, tauq, taup: `columns` elements each, as dgebrd has them. The bits
 * depend on the number of threads. */
void sheaf_bidiagonalise(const struct bidiagonal *matrix, double *const vectors[4], double *room);

#endif
