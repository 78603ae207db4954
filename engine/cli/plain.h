/* plain.h -- what a C programmer writes first: one loop over doubles, which the compiler may not
 * vectorise (see CMakeLists.txt). The speed that everything is compared with. n: at least 1. */
#ifndef SHEAF_CLI_PLAIN_H
#define SHEAF_CLI_PLAIN_H

#include <stddef.h>

double plain_max(const double *x, size_t n);
double plain_min(const double *x, size_t n);
double plain_sum(const double *x, size_t n);

#endif
