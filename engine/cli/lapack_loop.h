/* lapack_loop.h -- what one would do without us: LAPACK's dgesdd (OpenBLAS), one call a matrix, in a loop, and
 * that loop spread over threads by OpenMP. Each matrix is given one thread; one matrix alone gets them all.
 *
 * OpenBLAS is the one that the library itself would load, at the first use. */
#ifndef SHEAF_CLI_LAPACK_LOOP_H
#define SHEAF_CLI_LAPACK_LOOP_H

#include <stdbool.h>
#include <stddef.h>

struct lapack_loop;

/* NULL, or why there is no LAPACK, for good. */
const char *lapack_loop_missing(void);

/* For matrices of m x n. NULL: there is none, and *why says so for good. The work space of all threads is made
 * here, so that it is not in the times. */
struct lapack_loop *lapack_loop_open(const char **why, size_t m, size_t n, size_t workers);
void lapack_loop_close(struct lapack_loop *loop);

/* The min(m, n) singular values of each of `count` matrices in C order, one after the other in values. workers: at
 * most as many as were told above. False: dgesdd failed. */
bool lapack_loop_run(struct lapack_loop *loop, double *values, const double *matrices, size_t count,
                     size_t workers);

#endif
