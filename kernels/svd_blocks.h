/* svd_blocks.h -- the lanes of dqds (svd_dqds.h) that part from the others: sweeps that were not accepted, blocks that wait,
 * and the last two values. */
#ifndef SHEAF_KERNELS_SVD_BLOCKS_H
#define SHEAF_KERNELS_SVD_BLOCKS_H

#include "svd_sweep.h"

static inline double svd_lane(vd x, size_t lane)
{
    double of_lane[LANES];
    memcpy(of_lane, &x, sizeof of_lane);
    return of_lane[lane];
}

static inline void svd_set_lane(vd *x, size_t lane, double value)
{
    memcpy((double *)(void *)x + lane, &value, sizeof value);
}

/* A lane whose sweep was not accepted gets its old state into the new buffer. Its least eigenvalue is not above the least q,
 * wherever that is, and what is added to the last: a bound of the shifts from now on, as the last rows, which shifts are
 * made of, may know nothing of it. */
static void svd_restore(struct chain *c, size_t g, size_t lane)
{
    struct sweeper *s = &c->lanes[g];
    size_t step = c->groups * LANES;
    size_t first = (size_t)(int32_t)svd_lane(s->first, lane);
    size_t to = (FRONT + first) * step + g * LANES + lane;
    size_t from = mask_bits(s->moves) >> lane & 1 ? to - step : to;
    const double *q = (const double *)(const void *)c->q + from;
    const double *e = (const double *)(const void *)c->e + from;
    double *q_next = (double *)(void *)c->q_next + to;
    double *e_next = (double *)(void *)c->e_next + to;
    double least = *q;
    for (size_t i = 0; i < (c->n - first) * step; i += step) {
        least = q[i] < least ? q[i] : least;
        q_next[i] = q[i];
        e_next[i] = e[i];
    }
    svd_set_lane(&s->bound, lane, least + svd_lane(s->tail, lane));
}

/* Rows `begin` to `end` - 1 of one lane, as far down as it has found values, wait until the block below them is done. Where a
 * block of them ends, e holds minus the sum of the shifts so far, to go on from. */
static void svd_park(struct chain *c, vd *from_q, vd *from_e, size_t g, size_t lane, size_t end)
{
    const struct sweeper *s = &c->lanes[g];
    size_t step = c->groups * LANES;
    size_t at = g * LANES + lane;
    double *q = (double *)(void *)from_q + FRONT * step + at;
    double *e = (double *)(void *)from_e + FRONT * step + at;
    double *to_q = c->waiting_q + at;
    double *to_e = c->waiting_e + at;
    size_t found = c->rows[at];
    double threshold = svd_lane(s->threshold, lane);
    double sum = svd_lane(s->sum, lane);
    for (size_t i = (size_t)(int32_t)svd_lane(s->first, lane); i < end; i++) {
        to_q[(i - found) * step] = q[i * step];
        to_e[(i - found) * step] = e[i * step] <= threshold ? 0 - sum : e[i * step];
        q[i * step] = no_row;
        e[i * step] = 0;
    }
}

/* The lanes of a register whose blocks have ended, by svd_find_ends(). Of those that have got shorter nothing is known. */
static void svd_park_all(struct chain *c, vd *q, vd *e, size_t g, lane_mask which)
{
    struct sweeper *s = &c->lanes[g];
    which = both(which, is_less(s->first, s->next_first));
    for (unsigned bits = mask_bits(which); bits != 0; bits &= bits - 1) {
        size_t lane = (size_t)__builtin_ctz(bits);
        svd_park(c, q, e, g, lane, (size_t)(int32_t)svd_lane(s->next_first, lane));
    }
    s->bound = choose(which, all_lanes(no_bound), s->bound);
    s->first = choose(which, s->next_first, s->first);
}

/* A lane whose block is finished goes on with the one above, which lies a row higher until the lane moves. */
static void svd_next_block(struct chain *c, size_t g, size_t lane)
{
    size_t step = c->groups * LANES;
    size_t at = g * LANES + lane;
    size_t up = c->rows[at] - 1;
    double *q = (double *)(void *)c->q_next + (FRONT + up) * step + at;
    double *e = (double *)(void *)c->e_next + (FRONT + up) * step + at;
    const double *from_q = c->waiting_q + at;
    const double *from_e = c->waiting_e + at;
    size_t i = c->n - 2 - up; /* its last row, where it was first */
    svd_set_lane(&c->lanes[g].sum, lane, 0 - from_e[i * step]);
    q[i * step] = from_q[i * step];
    e[i * step] = 0;
    for (; i > 0 && from_e[(i - 1) * step] > 0; i--) {
        q[(i - 1) * step] = from_q[(i - 1) * step];
        e[(i - 1) * step] = from_e[(i - 1) * step];
    }
    svd_set_lane(&c->lanes[g].first, lane, (double)(int64_t)(i + up + 1));
}

/* Writes every lane's value to where its next one belongs; it is one if the lane is in `done`. Without a
 * branch: which lanes find one in a sweep cannot be foretold. values: n + 1 rows of `groups` registers. */
static inline __attribute__((always_inline)) void
svd_note(struct chain *c, size_t g, vd value, unsigned done, double *values, const size_t groups)
{
    double of_lane[LANES];
    memcpy(of_lane, &value, sizeof value);
    for (unsigned lane = 0; lane < LANES; lane++) {
        size_t *row = &c->rows[g * LANES + lane];
        values[*row * (groups * LANES) + g * LANES + lane] = of_lane[lane];
        *row += done >> lane & 1;
    }
}

/* Lanes whose block has two values left and no block is above: kept for svd_pairs(), and finished. */
static void svd_keep_pair(struct chain *c, size_t g, lane_mask pair)
{
    struct sweeper *s = &c->lanes[g];
    size_t groups = c->groups;
    size_t n = c->n;
    s->is_pair = either(s->is_pair, pair);
    s->pair_last = choose(pair, svd_moved(c->q_next, n - 1, g, s->moves, groups), s->pair_last);
    s->pair_first = choose(pair, svd_moved(c->q_next, n - 2, g, s->moves, groups), s->pair_first);
    s->pair_e = choose(pair, svd_moved(c->e_next, n - 2, g, s->moves, groups), s->pair_e);
    s->found = choose(pair, all_lanes((double)(int64_t)n), s->found);
    for (size_t i = n - 3; i < n; i++) {
        vd *q = &c->q_next[(FRONT + i) * groups + g];
        vd *e = &c->e_next[(FRONT + i) * groups + g];
        *q = choose(pair, all_lanes(no_row), *q);
        *e = choose(pair, all_lanes(0), *e);
    }
}

/* The last two values of such lanes: the eigenvalues of U L, 2 x 2, each to a few roundings of itself. */
static void svd_pairs(struct chain *c, double *values)
{
    for (size_t g = 0; g < c->groups; g++) {
        struct sweeper *s = &c->lanes[g];
        unsigned pairs = mask_bits(s->is_pair);
        vd first = s->pair_first + s->pair_e;
        vd last = s->pair_last + s->tail;
        vd gap = first - last;
        vd root = svd_sqrt(svd_fma(gap, gap, all_lanes(4) * (s->pair_last * s->pair_e)));
        vd high = all_lanes(0.5) * (first + last + root);
        vd low = svd_fma(s->tail, first, s->pair_first * s->pair_last);
        low = low / choose(s->is_pair, high, all_lanes(1));
        svd_note(c, g, low + s->sum, pairs, values, c->groups);
        svd_note(c, g, high + s->sum, pairs, values, c->groups);
    }
}

#endif
