/* svd_jacobi.c -- see svd_jacobi.h. */
#include "svd_jacobi.h"

#include "check.h"

#include <math.h>

void svd_jacobi(const double *a, size_t m, size_t n, double *values)
{
    static long double x[64][1100];
    CHECK(n <= 64 && m <= 1100 && m >= n);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            x[j][i] = (long double)a[i * n + j];
    for (int sweep = 0; sweep < 40; sweep++)
        for (size_t p = 0; p < n; p++)
            for (size_t q = p + 1; q < n; q++) {
                long double pp = 0;
                long double qq = 0;
                long double pq = 0;
                for (size_t i = 0; i < m; i++) {
                    pp += x[p][i] * x[p][i];
                    qq += x[q][i] * x[q][i];
                    pq += x[p][i] * x[q][i];
                }
                if (pq == 0)
                    continue;
                long double z = (qq - pp) / (2 * pq);
                long double t = (z < 0 ? -1 : 1) / (fabsl(z) + sqrtl(1 + z * z));
                long double c = 1 / sqrtl(1 + t * t);
                for (size_t i = 0; i < m; i++) {
                    long double old = x[p][i];
                    x[p][i] = c * (old - t * x[q][i]);
                    x[q][i] = c * (t * old + x[q][i]);
                }
            }
    for (size_t j = 0; j < n; j++) {
        long double sum = 0;
        for (size_t i = 0; i < m; i++)
            sum += x[j][i] * x[j][i];
        values[j] = (double)sqrtl(sum);
        for (size_t i = j; i > 0 && values[i] > values[i - 1]; i--) {
            double low = values[i - 1];
            values[i - 1] = values[i];
            values[i] = low;
        }
    }
}
