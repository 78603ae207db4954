/* stats.h -- medians, and how sure they are. */
#ifndef SHEAF_CLI_STATS_H
#define SHEAF_CLI_STATS_H

#include <stddef.h>

struct estimate {
    double median;
    double low;  /* of the interval of order statistics that covers the median with 95 % or more; */
    double high; /* with fewer than 6 values: their whole range, which covers it with less */
};

/* Of n values (at least 1), in any order; sorts them. */
struct estimate estimate_median(double *values, size_t n);

/* How many of n values lie above the median by more than 5 times what half of all lie within, scaled to a
 * standard deviation: a round in which something else happened. */
size_t outlier_count(const double *values, size_t n);

/* The probability that the interval of n values covers the median. */
double estimate_coverage(size_t n);

#endif
