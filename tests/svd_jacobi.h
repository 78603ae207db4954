/* svd_jacobi.h -- singular values by one-sided Jacobi (Hestenes 1958) in long double: slow, and nothing like the
 * kernels. */
#ifndef SHEAF_TESTS_SVD_JACOBI_H
#define SHEAF_TESTS_SVD_JACOBI_H

#include <stddef.h>

/* Of a, m x n by rows, m at least n; m and n at most 1100 and 64. Not for threads. */
void svd_jacobi(const double *a, size_t m, size_t n, double *values);

#endif
