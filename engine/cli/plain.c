/* plain.c -- the loops. No NaN rule, no zero rule, no order but the first: nothing that would slow
 * them down. */
#include "cli/plain.h"

double plain_max(const double *x, size_t n)
{
    double max = x[0];
    for (size_t i = 1; i < n; i++)
        max = x[i] > max ? x[i] : max;
    return max;
}

double plain_min(const double *x, size_t n)
{
    double min = x[0];
    for (size_t i = 1; i < n; i++)
        min = x[i] < min ? x[i] : min;
    return min;
}

double plain_sum(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}
