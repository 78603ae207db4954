/* svd_blocks.h -- the lanes of dqds (svd_dqds.h) that part from the others: sweeps that were not accepted, blocks that
 * wait, and the last two values. */
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

static inline size_t svd_index_of(vd x, size_t lane)
{
    return (size_t)(int32_t)svd_lane(x, lane);
}

/* One lane of q or e, from the first index on: its elements are c->groups * LANES apart. */
static inline double *svd_of_lane(const struct chain *c, vd *x, size_t g, size_t lane)
{
    return (double *)(void *)(x + FRONT * c->groups + g) + lane;
}

/* A lane whose sweep was not accepted gets its old state into the new buffer. Its least eigenvalue is not above the least
 * q, wherever that is, and what is added to the last: a bound of the shifts from now on, as the last rows, which
 * shifts are made of, may know nothing of it. */
static void svd_restore(struct chain *c, size_t g, size_t lane)
{
    struct sweeper *s = &c->lanes[g];
    size_t step = c->groups * LANES;
    size_t first = svd_index_of(s->first, lane);
    size_t from = first - (mask_bits(s->moves) >> lane & 1);
    const double *q = svd_of_lane(c, c->q, g, lane) + from * step;
    const double *e = svd_of_lane(c, c->e, g, lane) + from * step;
    double *q_next = svd_of_lane(c, c->q_next, g, lane) + first * step;
    double *e_next = svd_of_lane(c, c->e_next, g, lane) + first * step;
    double least = *q;
    for (size_t i = 0; i < (c->n - first) * step; i += step) {
        least = q[i] < least ? q[i] : least;
        q_next[i] = q[i];
        e_next[i] = e[i];
    }
    svd_set_lane(&s->bound, lane, least + svd_lane(s->tail, lane));
}

/* Rows of a lane from its first to `end` - 1, which are as far down as it has found values, wait until the block
 * below them is done. Where a block of them ends, e holds minus the sum of the shifts so far, to go on from. */
static void svd_park(struct chain *c, size_t g, size_t lane, size_t end)
{
    const struct sweeper *s = &c->lanes[g];
    size_t step = c->groups * LANES;
    size_t found = c->rows[g * LANES + lane];
    double *q = svd_of_lane(c, c->q_next, g, lane);
    double *e = svd_of_lane(c, c->e_next, g, lane);
    double *to_q = svd_of_lane(c, c->waiting_q, g, lane);
    double *to_e = svd_of_lane(c, c->waiting_e, g, lane);
    double threshold = svd_lane(s->threshold, lane);
    double sum = svd_lane(s->sum, lane);
    for (size_t i = svd_index_of(s->first, lane); i < end; i++) {
        to_q[(i - found) * step] = q[i * step];
        to_e[(i - found) * step] = e[i * step] <= threshold ? 0 - sum : e[i * step];
        q[i * step] = no_row;
        e[i * step] = 0;
    }
}

/* Blocks end before index `end` where an e is at most the threshold, in lanes whose sweep was accepted; what is above
 * waits. Of a block that has got shorter no bound is known. */
static void svd_end_blocks(struct chain *c, size_t g, size_t end)
{
    struct sweeper *s = &c->lanes[g];
    vd first = s->first;
    for (size_t i = c->begin; i < end; i++) {
        vd e = c->e_next[(FRONT + i) * c->groups + g];
        lane_mask active = both(s->accepted, is_at_most(s->first, svd_index(i)));
        first = choose(both(active, is_at_most(e, s->threshold)), svd_index(i + 1), first);
    }
    lane_mask shorter = is_less(s->first, first);
    for (unsigned bits = mask_bits(shorter); bits != 0; bits &= bits - 1) {
        size_t lane = (size_t)__builtin_ctz(bits);
        svd_park(c, g, lane, svd_index_of(first, lane));
    }
    s->bound = choose(shorter, all_lanes(no_bound), s->bound);
    s->first = first;
}

/* A lane whose block is finished goes on with the one above, which lies a row higher until the lane moves. */
static void svd_next_block(struct chain *c, size_t g, size_t lane)
{
    size_t step = c->groups * LANES;
    size_t up = c->rows[g * LANES + lane] - 1;
    double *q = svd_of_lane(c, c->q_next, g, lane) + up * step;
    double *e = svd_of_lane(c, c->e_next, g, lane) + up * step;
    const double *from_q = svd_of_lane(c, c->waiting_q, g, lane);
    const double *from_e = svd_of_lane(c, c->waiting_e, g, lane);
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

/* Lanes whose block has two values left and no block is above: kept for svd_pairs(), and finished. They are swept on,
 * but as nothing: else their e would become denormal, which takes 3 to 4 times as long. */
static void svd_keep_pair(struct chain *c, size_t g, lane_mask pair)
{
    struct sweeper *s = &c->lanes[g];
    size_t groups = c->groups;
    size_t n = c->n;
    s->is_pair = either(s->is_pair, pair);
    s->pair_last = choose(pair, svd_moved(c->q_next, n - 1, g, s->moves, groups), s->pair_last);
    s->pair_first = choose(pair, svd_moved(c->q_next, n - 2, g, s->moves, groups), s->pair_first);
    s->pair_e = choose(pair, svd_moved(c->e_next, n - 2, g, s->moves, groups), s->pair_e);
    s->found = choose(pair, svd_index(n), s->found);
    for (size_t i = n - 3; i < n; i++) {
        vd *q = &c->q_next[(FRONT + i) * groups + g];
        vd *e = &c->e_next[(FRONT + i) * groups + g];
        *q = choose(pair, all_lanes(no_row), *q);
        *e = choose(pair, all_lanes(0), *e);
    }
}

/* The eigenvalues of [q0 + e0, sqrt(q1 e0); sqrt(q1 e0), q1 + e1], each to a few roundings of
 * itself, unless q0 q1 underflows. */
static inline void svd_pair_of(vd q0, vd q1, vd e0, vd e1, vd *high, vd *low)
{
    vd a = q0 + e0;
    vd b = q1 + e1;
    vd gap = a - b;
    vd root = svd_sqrt(svd_fma(gap, gap, all_lanes(4) * (q1 * e0)));
    *high = larger(all_lanes(0.5) * (a + b + root), all_lanes(0x1p-600)); /* of 0: 0 and that */
    *low = smaller(svd_fma(q0, b, e0 * e1) / *high, *high);
}

/* The last two values of such lanes. */
static void svd_pairs(struct chain *c, double *values)
{
    for (size_t g = 0; g < c->groups; g++) {
        struct sweeper *s = &c->lanes[g];
        unsigned pairs = mask_bits(s->is_pair);
        vd high, low;
        svd_pair_of(s->pair_first, s->pair_last, s->pair_e, s->tail, &high, &low);
        svd_note(c, g, low + s->sum, pairs, values, c->groups);
        svd_note(c, g, high + s->sum, pairs, values, c->groups);
    }
}

#endif
