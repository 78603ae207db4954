/* svd_small.h -- bidiagonal matrices of up to three columns, and the way there from 3 x 3: no loops over indices, so
 * that everything of a matrix stays in registers.
 *
 * The squares of two values have a closed form whose terms are all positive. Of three, the least is split off by
 * dqds (svd_dqds.h) with two shifts in turn. One is from the characteristic polynomial of B B', whose coefficients are
 * sums of products of q and e, none of them negative: so they have the accuracy of q and e. Laguerre's step from 0 is
 * below the least root of a polynomial whose roots are all real, and converges cubically; but of two roots close to
 * each other, it leaves a quarter. The other takes the two from the last rows: svd_pair_shift(). Once the last q is
 * nothing beside the shifts, the sum of the shifts is the least square, and the other two are those of a 2 x 2 matrix.
 *
 * A random 3 x 3 takes 2 or 3 sweeps, 8 % take 4 and one in a thousand 5; what 12 leave, eight in a million if the
 * values are close to each other, goes to svd_dqds(). */
#ifndef SHEAF_KERNELS_SVD_SMALL_H
#define SHEAF_KERNELS_SVD_SMALL_H

#include "svd_bidiagonal.h"
#include "svd_dqds.h"

enum {
    SVD_SMALL = 3,         /* columns */
    SVD_SMALL_SWEEPS = 12, /* at most, and then svd_dqds() */
    LANE_BITS = (1 << LANES) - 1
};

/* svd_bidiagonal() of 3 x 3 by columns. A column of one element needs no reflection: its scale is 0. */
static inline __attribute__((always_inline)) void
svd_bidiagonal_three(vd a[9], vd *d, vd *e, const size_t step,
                     const struct svd_bidiagonal_kept *kept)
{
    struct reflection left = svd_reflection(a[0], svd_fma(a[2], a[2], a[1] * a[1]));
    vd y1 = left.scale * svd_fma(a[2], a[5], svd_fma(a[1], a[4], left.head * a[3]));
    vd y2 = left.scale * svd_fma(a[2], a[8], svd_fma(a[1], a[7], left.head * a[6]));
    vd v1 = svd_fnma(left.head, y1, a[3]);
    vd v2 = svd_fnma(left.head, y2, a[6]);
    vd a4 = svd_fnma(a[1], y1, a[4]);
    vd a5 = svd_fnma(a[2], y1, a[5]);
    vd a7 = svd_fnma(a[1], y2, a[7]);
    vd a8 = svd_fnma(a[2], y2, a[8]);

    struct reflection right = svd_reflection(v1, v2 * v2);
    vd x1 = right.scale * svd_fma(a7, v2, a4 * right.head);
    vd x2 = right.scale * svd_fma(a8, v2, a5 * right.head);
    a4 = svd_fnma(x1, right.head, a4);
    a5 = svd_fnma(x2, right.head, a5);
    a7 = svd_fnma(x1, v2, a7);
    a8 = svd_fnma(x2, v2, a8);

    struct reflection last = svd_reflection(a4, a5 * a5);
    vd y = last.scale * svd_fma(a5, a8, last.head * a7);
    d[0] = left.beta;
    d[step] = last.beta;
    d[2 * step] = svd_fnma(a5, y, a8);
    e[0] = right.beta;
    e[step] = svd_fnma(last.head, y, a7);
    if (kept == NULL)
        return;
    a[0] = left.head;
    a[4] = last.head;
    a[5] = a5;
    a[8] = all_lanes(0);
    kept->left[0] = left.scale;
    kept->left[1] = last.scale;
    kept->left[2] = kept->right[1] = all_lanes(0);
    kept->right[0] = right.scale;
    kept->rows[1] = right.head;
    kept->rows[2] = v2;
    kept->rows[5] = all_lanes(0);
}

/* svd_scale() in lanes: of nine elements, which are scaled, or become zeros if one is not finite. back: by what the
 * values are multiplied. Returns where all are finite. */
static inline __attribute__((always_inline)) lane_mask svd_scale_nine(vd a[9], vd *back)
{
    const uint64_t exponent = 0x7ff0000000000000;
    const uint64_t of_product = 0x7fe0000000000000; /* of 2^k and 2^-k, added */
    vd zero = all_lanes(0);
    vd most = zero;
    vd nothing = zero;
    uint64_t bits[LANES];
    uint64_t inverse[LANES];
    for (size_t i = 0; i < 9; i++) {
        most = larger(magnitude(a[i]), most);
        nothing = svd_fma(a[i], zero, nothing); /* NaN if a[i] is not finite */
    }
    lane_mask is_finite = is_at_most(nothing, zero);
    vd near = smaller(larger(most, all_lanes(0x1p-1000)), all_lanes(0x1p1022));
    memcpy(bits, &near, sizeof bits);
    for (size_t lane = 0; lane < LANES; lane++) {
        bits[lane] &= exponent;
        inverse[lane] = of_product - bits[lane];
    }
    vd scale;
    memcpy(back, bits, sizeof *back);
    memcpy(&scale, inverse, sizeof scale);
    *back = choose(is_less(zero, most), *back, zero);
    for (size_t i = 0; i < 9; i++)
        a[i] = choose(is_finite, a[i] * scale, zero);
    return is_finite;
}

/* L U of one register while its least eigenvalue is split off: q and e, and the sum of the shifts. */
struct three {
    vd q0, q1, q2, e0, e1, sum, threshold;
    lane_mask is_done;
};

/* Squares d and e, the larger end first: the least value converges to the last place. Not zeros; a change of 2^-70
 * of the largest value, as in svd_start(). */
static inline void svd_three_start(struct three *t, const vd *d, const vd *e)
{
    vd q0 = d[0] * d[0];
    vd q1 = d[GROUPS] * d[GROUPS];
    vd q2 = d[2 * GROUPS] * d[2 * GROUPS];
    vd e0 = e[0] * e[0];
    vd e1 = e[GROUPS] * e[GROUPS];
    vd most = larger(larger(larger(q0, q1), larger(q2, e0)), larger(e1, all_lanes(0x1p-300)));
    vd least = most * all_lanes(0x1p-140);
    lane_mask turns = is_less(q0, q2);
    t->q0 = larger(choose(turns, q2, q0), least);
    t->q1 = larger(q1, least);
    t->q2 = larger(choose(turns, q0, q2), least);
    t->e0 = choose(turns, e1, e0);
    t->e1 = choose(turns, e0, e1);
    t->sum = all_lanes(0);
    t->threshold = most * all_lanes(0x1p-104);
    t->is_done = is_at_most(smaller(t->q2, t->e1), t->threshold);
}

/* Laguerre's step. The root of a difference has the error of its terms: 2^-23 of them are added. */
static inline vd svd_three_shift(const struct three *t)
{
    vd low = t->e1 + t->q2;
    vd middle = t->q1 + low;
    vd s1 = (t->q0 + t->e0) + middle;
    vd s2 = svd_fma(t->q0, middle, svd_fma(t->e0, low, t->q1 * t->q2));
    vd s3 = all_lanes(3) * (t->q0 * t->q1 * t->q2);
    vd squared = s2 * s2;
    vd under = larger(svd_fnma(s1, s3, squared), all_lanes(0));
    vd root = svd_sqrt(svd_fma(squared, all_lanes(0x1p-46), under));
    return s3 / (s2 + root + root) * all_lanes(1 - 0x1p-46);
}

/* The least eigenvalue of the last two rows of B B' once the first is eliminated, as it is of B B' - x for x = q2: that
 * is not below the least eigenvalue, so this is not above it. If q0 is less than q2, it may be anything. */
static inline vd svd_pair_shift(const struct three *t)
{
    vd high, low;
    vd above = t->q0 - t->q2;
    svd_pair_of(t->q1 * (above / (above + t->e0)), t->q2, t->e1, all_lanes(0), &high, &low);
    return larger(low * all_lanes(1 - 0x1p-46), all_lanes(0));
}

/* A sweep. If the shift was too large the lane stays as it is. */
static inline void svd_three_sweep(struct three *t, vd shift)
{
    vd d0 = t->q0 - shift;
    vd q0 = d0 + t->e0;
    vd ratio0 = t->q1 / q0;
    vd d1 = svd_fma(d0, ratio0, all_lanes(0) - shift);
    vd q1 = d1 + t->e1;
    vd ratio1 = t->q2 / q1;
    vd d2 = svd_fma(d1, ratio1, all_lanes(0) - shift);
    vd e1 = t->e1 * ratio1;
    lane_mask accepted =
        but_not(is_at_most(all_lanes(0), smaller(smaller(d0, d1), d2)), t->is_done);
    vd sum = t->sum + shift;
    vd small = larger(all_lanes(0x1p-54) * sum, t->threshold);
    lane_mask is_last = either(is_at_most(d2, small), is_at_most(e1, t->threshold));
    t->q0 = choose(accepted, q0, t->q0);
    t->e0 = choose(accepted, t->e0 * ratio0, t->e0);
    t->q1 = choose(accepted, q1, t->q1);
    t->e1 = choose(accepted, e1, t->e1);
    t->q2 = choose(accepted, d2, t->q2);
    t->sum = choose(accepted, sum, t->sum);
    t->is_done = either(t->is_done, both(accepted, is_last));
}

/* The squares of the values of d and e, falling: n is 3. Returns a bit for each register that has lanes that are not
 * `done`. */
static unsigned svd_of_three(const vd *d, const vd *e, vd *values, size_t sweeps, lane_mask *done)
{
    struct three all[GROUPS];
    unsigned unfinished = (1U << GROUPS) - 1;
    for (size_t g = 0; g < GROUPS; g++)
        svd_three_start(&all[g], d + g, e + g);
    for (size_t sweep = 0; sweep < sweeps && unfinished != 0; sweep++) {
        unfinished = 0;
        for (size_t g = 0; g < GROUPS; g++)
            svd_three_sweep(&all[g],
                            sweep % 2 ? svd_pair_shift(&all[g]) : svd_three_shift(&all[g]));
        for (size_t g = 0; g < GROUPS; g++)
            unfinished |= mask_bits(all[g].is_done) == LANE_BITS ? 0U : 1U << g;
    }
    for (size_t g = 0; g < GROUPS; g++) {
        struct three *t = &all[g];
        vd high, low;
        svd_pair_of(t->q0, t->q1, t->e0, t->e1, &high, &low);
        high = high + t->sum;
        low = low + t->sum;
        vd last = t->q2 + t->sum;
        vd middle = smaller(high, last);
        values[g] = larger(high, last);
        values[GROUPS + g] = larger(low, middle);
        values[2 * GROUPS + g] = smaller(low, middle);
        done[g] = t->is_done;
    }
    return unfinished;
}

/* The same for one or two columns. */
static void svd_of_two(const vd *d, const vd *e, size_t n, vd *values)
{
    for (size_t g = 0; g < GROUPS; g++) {
        vd q0 = d[g] * d[g];
        values[g] = q0;
        if (n == 1)
            continue;
        vd q1 = d[GROUPS + g] * d[GROUPS + g];
        svd_pair_of(q0, q1, e[g] * e[g], all_lanes(0), &values[g], &values[GROUPS + g]);
    }
}

#endif
