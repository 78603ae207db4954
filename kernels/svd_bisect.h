/* svd_bisect.h -- the singular values of bidiagonal matrices that took dqds too many sweeps: by bisection, which
 * always ends. */
#ifndef SHEAF_KERNELS_SVD_BISECT_H
#define SHEAF_KERNELS_SVD_BISECT_H

#include "svd_dqds.h"

/* How many singular values are below x, in lanes: of the 2 n x 2 n matrix with 0 on its diagonal and
 * d0, e0, d1, .. beside it, whose eigenvalues are they and their negatives (Golub and Kahan 1965). */
static vd svd_count_below(const vd *d, const vd *e, size_t n, size_t apart, vd x)
{
    vd count = all_lanes(-(double)(int64_t)n);
    vd least = all_lanes(0x1p-500);
    vd zero = all_lanes(0);
    vd pivot = zero - x;
    for (size_t i = 0; i < 2 * n; i++) {
        lane_mask is_below = is_less(pivot, least);
        pivot = choose(is_less(magnitude(pivot), least), zero - least, pivot);
        count = count + choose(is_below, all_lanes(1), zero);
        vd off = i % 2 == 0 ? d[i / 2 * apart] : i + 1 < 2 * n ? e[i / 2 * apart] : zero;
        pivot = zero - x - off * off / pivot;
    }
    return count;
}

/* All values by bisection, squared: for the lanes that did not converge. d, e, values: of one register, `apart` apart. */
static void svd_bisect(const vd *d, const vd *e, size_t n, size_t apart, unsigned lanes,
                       double *values)
{
    vd most = all_lanes(0);
    for (size_t i = 0; i < n; i++) {
        most = larger(magnitude(d[i * apart]), most);
        if (i + 1 < n)
            most = larger(magnitude(e[i * apart]), most);
    }
    for (size_t k = 0; k < n; k++) {
        vd low = all_lanes(0);
        vd high = most + most;
        for (int step = 0; step < 64; step++) {
            vd middle = all_lanes(0.5) * (low + high);
            lane_mask is_low =
                is_at_most(svd_count_below(d, e, n, apart, middle), all_lanes((double)(int64_t)k));
            low = choose(is_low, middle, low);
            high = choose(is_low, high, middle);
        }
        vd square = low * low;
        double of_lane[LANES];
        memcpy(of_lane, &square, sizeof square);
        for (unsigned lane = 0; lane < LANES; lane++)
            if (lanes >> lane & 1)
                values[k * apart * LANES + lane] = of_lane[lane];
    }
}

#endif
