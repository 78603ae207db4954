/* tall.h -- the QR factorisation of one tall matrix: the R of a leaf of its rows, of two R's, and the way back.
 *
 * Leaves that are certified take the way of tall_gram_tmpl.h, and there is no more to do. Of the others:
 *
 *     rows of a leaf                     a panel: 8 x tall_panel_rows() rows, lane = row mod 8
 *     panel 0 \                          R of [R; panel] in each lane, panel after panel
 *     panel 1  > eight R's > one R       then 0 with 4, 1 with 5 ..; 0 with 2 ..; 0 with 1
 *     ...     /
 *
 * The way back takes n x n matrices Z down: Q [Z; 0] of each panel, in reverse (Demmel, Grigori, Hoemmen,
 * Langou, "Communication-optimal parallel and sequential QR and LU factorizations", 2012). The first panel has at
 * least n rows in each lane, so no row stands above the matrix that could take a share of Q. */
#ifndef SHEAF_KERNELS_TALL_H
#define SHEAF_KERNELS_TALL_H

#include "svd_reflect.h"
#include "tall_layout.h"

/* y += s x, and y -= s x. */
static inline void tall_add(double *restrict y, double s, const double *restrict x, size_t n)
{
    for (size_t j = 0; j < n; j++)
        y[j] = __builtin_fma(s, x[j], y[j]);
}

static inline void tall_subtract(double *restrict y, double s, const double *restrict x, size_t n)
{
    for (size_t j = 0; j < n; j++)
        y[j] = __builtin_fma(-s, x[j], y[j]);
}

/* R of [R; B], both n x n and upper triangular, by rows; b holds the vectors afterwards. marks: the n heads,
 * then the n scales. */
static void tall_merge(double *restrict r, double *restrict b, size_t n, double *marks)
{
    double w[TALL_COLUMNS_MAX];
    for (size_t k = 0; k < n; k++) {
        double *row = r + k * n;
        double first = row[k];
        memset(w + k, 0, (n - k) * sizeof *w);
        for (size_t i = 0; i <= k; i++)
            tall_add(w + k, b[i * n + k], b + i * n + k, n - k);
        double total = __builtin_fma(first, first, w[k]);
        double norm = __builtin_sqrt(total);
        double sum = norm + __builtin_fabs(first);
        bool counts = total >= TINY;
        double head = counts ? __builtin_copysign(sum, first) : 0;
        double scale = counts ? 1 / (norm * sum) : 0;
        marks[k] = head;
        marks[n + k] = scale;
        for (size_t j = k + 1; j < n; j++)
            w[j] = scale * __builtin_fma(head, row[j], w[j]);
        tall_subtract(row + k + 1, head, w + k + 1, n - k - 1);
        for (size_t i = 0; i <= k; i++)
            tall_subtract(b + i * n + k + 1, b[i * n + k], w + k + 1, n - k - 1);
        if (counts)
            row[k] = first < 0 || (first == 0 && __builtin_signbit(first)) ? norm : -norm;
    }
}

/* [Z; out] = Q [Z; 0], all n x n by rows, of the merge that left b and marks. */
static void tall_unmerge(double *restrict z, double *restrict out, const double *restrict b,
                         size_t n, const double *marks)
{
    double w[TALL_COLUMNS_MAX];
    memset(out, 0, n * n * sizeof *out);
    for (size_t k = n; k-- > 0;) {
        for (size_t j = 0; j < n; j++)
            w[j] = marks[k] * z[k * n + j];
        for (size_t i = 0; i <= k; i++)
            tall_add(w, b[i * n + k], out + i * n, n);
        for (size_t j = 0; j < n; j++)
            w[j] = marks[n + k] * w[j];
        tall_subtract(z + k * n, marks[k], w, n);
        for (size_t i = 0; i <= k; i++)
            tall_subtract(out + i * n, b[i * n + k], w, n);
    }
}

/* 2^exponent, of a normal number. */
static inline double tall_power(int32_t exponent)
{
    uint64_t bits = (uint64_t)(1023 + exponent) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/* The scale's exponent follows the largest element up, and r with it. What is 2^-1000 of it is lost. */
static void tall_follow(vd *r, size_t n, int32_t *exponent, double most)
{
    uint64_t bits;
    memcpy(&bits, &most, sizeof bits);
    int32_t here = (int32_t)(bits >> 52) - 1023;
    here = here < -1000 ? -1000 : here > 1022 ? 1022 : here;
    if (here <= *exponent)
        return;
    int64_t by = (int64_t)*exponent - here;
    vd factor = all_lanes(by < -1000 ? 0 : tall_power((int32_t)by));
    for (size_t i = 0; i < REGISTERS * n * n; i++)
        r[i] = r[i] * factor;
    *exponent = here;
}

/* Lane `lane` of eight matrices of n x n, in registers, to plain doubles; and back. */
static void tall_from_lane(double *to, const vd *from, size_t n, size_t lane)
{
    const double *x = (const double *)(const void *)(from + lane / LANES * n * n);
    for (size_t i = 0; i < n * n; i++)
        to[i] = x[i * LANES + lane % LANES];
}

static void tall_to_lane(vd *to, const double *from, size_t n, size_t lane)
{
    double *x = (double *)(void *)(to + lane / LANES * n * n);
    for (size_t i = 0; i < n * n; i++)
        x[i * LANES + lane % LANES] = from[i];
}

/* The R of eight, into the first; each other one holds the vectors of its merge, with its marks. */
static void tall_fold(double *parts, double *marks, size_t n)
{
    for (size_t half = SVD_VIRTUAL / 2; half > 0; half /= 2)
        for (size_t v = 0; v < half; v++)
            tall_merge(parts + v * n * n, parts + (v + half) * n * n, n,
                       marks + (v + half) * 2 * n);
}

/* The first Z to all eight, by the vectors and marks of tall_fold(). */
static void tall_unfold(double *z, const double *parts, const double *marks, size_t n)
{
    for (size_t half = 1; half < SVD_VIRTUAL; half *= 2)
        for (size_t v = 0; v < half; v++)
            tall_unmerge(z + v * n * n, z + (v + half) * n * n, parts + (v + half) * n * n, n,
                         marks + (v + half) * 2 * n);
}

#endif
