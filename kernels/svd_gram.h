/* svd_gram.h -- R by way of the Gram matrix A'A, where a certificate allows it: half of the work of reflections, and
 * the rows are read as they lie.
 *
 * R = Cholesky(A'A) has the singular values of A but for the rounding errors E of A'A, and those can cost twice the
 * digits that the condition does. What they cost is known from R itself: with the columns of A scaled to norm 1 by
 * D^-1, which changes nothing of what follows (van der Sluis 1969; Demmel, Veselic 1992), each value's relative error is at
 * most |H^-1| |D^-1 E D^-1| / 2, H = D^-1 A'A D^-1, and |H^-1| is at most its trace, c. So this way is taken if
 * c <= CERTIFIED n, and else that of reflections. Independent columns have c near n, uniform ones in [0, 1) 3.6 n,
 * whatever their magnitudes are.
 *
 * The decision must not depend on the scale of A: svd(2^k A) is 2^k svd(A) to the bit. So it is that of the canonical
 * scale, at which the largest element is in [2^300, 2^301): what underflows there is less than the rounding errors of any
 * column that is taken. A as it lies gives the same G if its scale is not above that one and nothing underflowed, which the
 * CPU's flag tells; a flag raised for nothing costs time alone. */
#ifndef SHEAF_KERNELS_SVD_GRAM_H
#define SHEAF_KERNELS_SVD_GRAM_H

#include "svd_lanes.h"

#if defined(__SSE2__)
#include <xmmintrin.h>
#else
#include <fenv.h>
#endif

enum {
    CERTIFIED = 8,          /* the most of c / n */
    CANONICAL = 300,        /* exponent of the largest element at the canonical scale */
    CERTIFIED_LEAST = -900, /* exponent of the squared norm of a column that is taken */
    CERTIFIED_ROOM = 32     /* see svd_gram_up() */
};

/* Of G = B'B, B = 2^shift A: column j of B has a norm in [2^e, 2^(e + 1)), e = exponent[j]; top is the largest. */
struct svd_gram_scale {
    int32_t exponent[KERNEL_SVD_COLUMNS_MAX];
    int32_t top, shift;
};

/* Clears the underflow flag, and returns how the flags were. Memory is a barrier: what is computed between this and the
 * next function goes from there and to there. */
static inline unsigned svd_gram_watch(void)
{
    __asm__ volatile("" ::: "memory");
#if defined(__SSE2__)
    unsigned before = _mm_getcsr();
    _mm_setcsr(before & ~(unsigned)_MM_EXCEPT_UNDERFLOW);
#else
    unsigned before = (unsigned)fetestexcept(FE_UNDERFLOW);
    feclearexcept(FE_UNDERFLOW);
#endif
    __asm__ volatile("" ::: "memory");
    return before;
}

/* True if anything underflowed since: tiny, and inexact. The flag is again as it was before. */
static inline bool svd_gram_underflowed(unsigned before)
{
    __asm__ volatile("" ::: "memory");
#if defined(__SSE2__)
    const unsigned flag = _MM_EXCEPT_UNDERFLOW;
    unsigned now = _mm_getcsr();
    bool is_raised = (now & flag) != 0;
    _mm_setcsr((now & ~flag) | (before & flag));
#else
    bool is_raised = fetestexcept(FE_UNDERFLOW) != 0;
    feclearexcept(FE_UNDERFLOW);
    if (before != 0)
        feraiseexcept(FE_UNDERFLOW);
#endif
    __asm__ volatile("" ::: "memory");
    return is_raised;
}

/* 2^exponent, of a number that is not zero. */
static inline double svd_power(int32_t exponent)
{
    uint64_t bits =
        exponent < -1022 ? (uint64_t)1 << (exponent + 1074) : (uint64_t)(1023 + exponent) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/* The shift from a scale to the canonical one; `most`: the largest magnitude there, finite and not 0. Numbers so small
 * that no power of two brings them there have no bits that could underflow. */
static inline int32_t svd_gram_shift(double most)
{
    uint64_t bits;
    memcpy(&bits, &most, sizeof bits);
    int32_t shift = CANONICAL + 1023 - (int32_t)(bits >> 52);
    return shift < 1023 ? shift : 1023;
}

/* Fills in exponents and top. False if a column is too small, or not finite. */
static bool svd_gram_exponents(struct svd_gram_scale *scale, const double *g, size_t n)
{
    bool is_good = true;
    scale->top = INT32_MIN;
    for (size_t j = 0; j < n; j++) {
        uint64_t bits;
        memcpy(&bits, &g[j * n + j], sizeof bits);
        int32_t exponent = (int32_t)(bits >> 52) - 1023; /* no square is negative */
        is_good = is_good && exponent >= CERTIFIED_LEAST && exponent <= 1023;
        scale->exponent[j] = exponent >> 1;
        scale->top = scale->exponent[j] > scale->top ? scale->exponent[j] : scale->top;
    }
    return is_good;
}

static inline bool svd_gram_has_zero(const double *g, size_t n)
{
    bool has_zero = false;
    for (size_t j = 0; j < n; j++)
        has_zero = has_zero || g[j * n + j] == 0;
    return has_zero;
}

/* An element of row i of R^-1 Z, for A (R^-1 Z): R was made of columns scaled by 2^-exponent. Less than 2^-700 is 0, as it
 * would lose bits at some scales of A. */
static inline double svd_gram_weight(double x, int32_t exponent)
{
    return __builtin_fabs(x) < 0x1p-700 ? 0 : x * svd_power(-exponent);
}

/* The upper triangle of G becomes lane `lane` of h, its diagonal in [1, 4). NULL: that of the identity. */
static void svd_gram_to_lane(vd *h, const double *g, const struct svd_gram_scale *scale, size_t n,
                             size_t lane)
{
    double *to = (double *)(void *)h + lane;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++)
            to[(i * n + j) * LANES] =
                g == NULL ? (double)(i == j)
                          : g[i * n + j] * svd_power(-scale->exponent[i] - scale->exponent[j]);
}

/* c -= the sum of a[k * a_step] times row k of b, k = first .. end - 1: `columns` elements of rows n apart. */
static inline __attribute__((always_inline)) void svd_less(vd *restrict c, const vd *a,
                                                           size_t a_step, const vd *b, size_t n,
                                                           size_t end, const size_t columns)
{
    vd sum[4];
    for (size_t t = 0; t < columns; t++)
        sum[t] = c[t];
    for (size_t k = 0; k < end; k++)
        for (size_t t = 0; t < columns; t++)
            sum[t] = svd_fnma(a[k * a_step], b[k * n + t], sum[t]);
    for (size_t t = 0; t < columns; t++)
        c[t] = sum[t];
}

/* Row i of x, from column i + 1 on, becomes that of the inverse of r, of which 1 / r_ii is there, and all rows below. */
static void svd_invert_row(vd *restrict x, const vd *restrict r, size_t n, size_t i)
{
    size_t j = i + 1;
    vd *row = x + i * n;
    for (size_t t = 0; t < n; t++)
        row[t] = t == i ? row[t] : all_lanes(0);
    for (; j + 4 <= n; j += 4)
        svd_less(row + j, r + i * n + i + 1, 1, x + (i + 1) * n + j, n, j + 3 - i, 4);
    for (; j < n; j++)
        svd_less(row + j, r + i * n + i + 1, 1, x + (i + 1) * n + j, n, j - i, 1);
    for (j = i + 1; j < n; j++)
        row[j] = row[i] * row[j];
}

/* r: the upper triangle of H by rows, with a diagonal in [1, 4), becomes its Cholesky factor, and inverse that one's inverse,
 * with zeros below the diagonal. True of the lanes in which that can be trusted: see above. */
static lane_mask svd_certified(vd *restrict r, vd *restrict inverse, size_t n)
{
    vd square[KERNEL_SVD_COLUMNS_MAX];
    vd c = all_lanes(0);
    for (size_t k = 0; k < n; k++) {
        vd *row = r + k * n;
        size_t j = k;
        square[k] = row[k];
        for (; j + 4 <= n; j += 4)
            svd_less(row + j, r + k, n, r + j, n, k, 4);
        for (; j < n; j++)
            svd_less(row + j, r + k, n, r + j, n, k, 1);
        row[k] = svd_sqrt(row[k]); /* NaN if that is negative: c will be */
        vd one_by = all_lanes(1) / row[k];
        inverse[k * n + k] = one_by;
        for (j = k + 1; j < n; j++)
            row[j] = one_by * row[j];
    }
    for (size_t i = n; i-- > 0;) {
        vd sum = all_lanes(0);
        svd_invert_row(inverse, r, n, i);
        for (size_t j = i; j < n; j++)
            sum = svd_fma(inverse[i * n + j], inverse[i * n + j], sum);
        c = svd_fma(square[i], sum, c);
    }
    return is_at_most(c, all_lanes((double)(int64_t)(CERTIFIED * n)));
}

#endif
