/* stats.c -- the interval of the median by order statistics: how many of n independent values lie below
 * the median is Binomial(n, 1/2), whatever their distribution. */
#include "cli/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* P(Binomial(n, 1/2) <= k). */
static double binomial_below(size_t n, size_t k)
{
    double sum = 0;
    for (size_t i = 0; i <= k; i++)
        sum += exp(lgamma((double)n + 1) - lgamma((double)i + 1) - lgamma((double)(n - i) + 1) -
                   (double)n * log(2));
    return sum;
}

/* The interval goes from the value of this rank (from 0) to the one as far from the end. */
static size_t low_rank(size_t n)
{
    size_t rank = 0;
    while (rank + 1 < (n + 1) / 2 && binomial_below(n, rank + 1) <= 0.025)
        rank++;
    return rank;
}

double estimate_coverage(size_t n)
{
    return n < 2 ? 0 : 1 - 2 * binomial_below(n, low_rank(n));
}

struct estimate estimate_median(double *values, size_t n)
{
    qsort(values, n, sizeof values[0], ascending);
    size_t rank = low_rank(n);
    return (struct estimate){
        .median = n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2,
        .low = values[rank],
        .high = values[n - 1 - rank],
    };
}

size_t outlier_count(const double *values, size_t n)
{
    const double to_deviation = 1.4826; /* of normal values: Hampel 1974 */
    size_t count = 0;
    double *sorted = malloc(n * sizeof *sorted);
    double *distances = malloc(n * sizeof *distances);
    if (sorted != NULL && distances != NULL) {
        memcpy(sorted, values, n * sizeof *sorted);
        double median = estimate_median(sorted, n).median;
        for (size_t i = 0; i < n; i++)
            distances[i] = fabs(values[i] - median);
        double spread = to_deviation * estimate_median(distances, n).median;
        for (size_t i = 0; i < n; i++)
            count += values[i] > median + 5 * spread && values[i] > 1.02 * median;
    }
    free(sorted);
    free(distances);
    return count;
}
