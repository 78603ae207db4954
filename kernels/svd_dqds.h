/* svd_dqds.h -- the singular values of bidiagonal matrices, each lane one of them: dqds (Fernando and
 * Parlett, "Accurate singular values and differential qd algorithms", 1994).
 *
 * Where e is at most the threshold (an error below 2^-51 of the largest value) a block ends, and what is above waits
 * for its turn. A sweep whose shift was too large, seen by a d or an e below 0, is not accepted: the lane gets its
 * state back and tries a smaller one. What a lane does depends on that lane alone.
 *
 * A sweep also sums up what the next shift and the decision on the last value are made of (svd_add_row()). There are
 * less of them by a third for that: 2.4 for a value of random 10 x 10, 2.6 of 32 x 32, of which 3 in 100 are not
 * accepted. A shift of the least value itself would need 1.7.
 *
 * A sweep over 32 lanes of random 32 x 32 takes 470 ns, and what it brings 170, half of it the new shifts. What
 * befalls few lanes (svd_blocks.h) is done lane by lane, by one loop for all registers: a branch for each is taken wrongly
 * in most sweeps. */
#ifndef SHEAF_KERNELS_SVD_DQDS_H
#define SHEAF_KERNELS_SVD_DQDS_H

#include "svd_blocks.h"

/* Notes the values of the lanes that have converged, and moves them. Returns whether the rest of what a value brings
 * is to be done: svd_go_on().
 *
 * The symmetric form of U L has q, the last, at the end of its diagonal, and q e, squared, beside it. A' is what is
 * above, the last of its diagonal with e, which the next sweep adds: the tail. Without q e, no eigenvalue above
 * 2 q changes by more than 2 q e [A'^-1], and those below, with q, by 2 q sqrt(q e [A'^-2]), [] being the last
 * element of the diagonal: both are to be less than 2^-54 of the shifts so far. Or q e is to be so small that
 * its root cannot change a value by more than 2^-50 of the largest. An e below the threshold comes a sweep or two later. */
static inline __attribute__((always_inline)) bool svd_take(struct chain *c, size_t g,
                                                           double *values, const size_t groups)
{
    struct sweeper *s = &c->lanes[g];
    size_t n = c->n;
    vd one = all_lanes(1);
    vd last_two = svd_index(n - 2);
    vd q = s->last;
    vd e = c->e_next[(FRONT + n - 2) * groups + g];
    vd off = e * q;
    vd room = all_lanes(0x1p-56) * s->sum;
    lane_mask near = both(is_at_most(off * s->inverse, room),
                          is_at_most(off * s->square * (q * q), room * room));
    lane_mask ends = either(near, is_at_most(off, s->threshold * larger(s->sum, q)));
    s->is_new = both(s->accepted, is_less(last_two, s->first));
    s->moves = either(both(s->accepted, ends), s->is_new);
    s->tail = choose(s->accepted, only(but_not(s->moves, s->is_new), e), s->tail);
    svd_note(c, g, q + s->sum, mask_bits(s->moves), values, groups);
    s->bound = choose(s->moves, all_lanes(no_bound), s->bound);
    s->found = s->found + only(s->moves, one);
    s->first = s->first + only(s->moves, one);
    return mask_bits(either(s->is_new, both(s->accepted, is_at_most(last_two, s->found)))) != 0;
}

/* What is not done after every sweep: lanes whose block is finished, and those with two values left, or none. */
static void svd_go_on(struct chain *c, size_t g)
{
    struct sweeper *s = &c->lanes[g];
    vd all = svd_index(c->n);
    vd last_two = svd_index(c->n - 2);
    unsigned to_next = mask_bits(both(s->is_new, is_less(s->found, all)));
    for (; to_next != 0; to_next &= to_next - 1)
        svd_next_block(c, g, (size_t)__builtin_ctz(to_next));
    lane_mask pair = both(but_not(s->accepted, s->is_new),
                          both(is_at_most(last_two, s->found), is_at_most(s->first, last_two)));
    if (mask_bits(pair) != 0)
        svd_keep_pair(c, g, pair);
    lane_mask finished = both(s->accepted, is_at_most(all, s->found)); /* never active again */
    s->first = choose(finished, all, s->first);
    s->moves = but_not(s->moves, finished);
}

/* The shift for the next sweep, below the least eigenvalue x of U L. The last pivot of U L - x is 0:
 *
 *     q / (1 + f / (1 - x / p)) + tail - x = 0, where f = e [A^-1], p = [A^-1] / [A^-2]
 *
 * for the rows above the last, A, if one eigenvalue p of A counts alone. In truth p is at least the least of
 * those that count, so 0.9 p is taken: one shift in forty is too large. Written with a square root and a division
 * alone; what overflows makes a shift of 0. */
static inline __attribute__((always_inline)) vd svd_shift(const struct chain *c, size_t g,
                                                          const size_t groups)
{
    const struct sweeper *s = &c->lanes[g];
    size_t n = c->n;
    vd zero = all_lanes(0);
    vd last = svd_moved(c->q_next, n - 1, g, s->moves, groups) + s->tail;
    vd above = choose(s->moves, s->inverse_before, s->inverse);
    vd square = choose(s->moves, s->square_before, s->square) * all_lanes(1.0 / 0.9);
    vd f = svd_moved(c->e_next, n - 2, g, s->moves, groups) * above;
    vd b = svd_fma(last, square, svd_fma(f, above, above));
    vd product = svd_fma(s->tail, f, last) * above;
    vd root = svd_sqrt(larger(svd_fma(b, b, all_lanes(-4) * product * square), zero));
    vd shift = (product + product) / (b + root) * all_lanes(1 - 0x1p-40);
    shift = choose(is_less(s->bound, shift), all_lanes(0.5) * s->bound, shift);
    lane_mask is_one = is_at_most(svd_index(n - 1), s->first);
    return choose(either(is_one, s->is_new), zero, larger(shift, zero));
}

/* The shift after one that was too large. If only the last d fell below 0, the shift and it together are
 * close below the eigenvalue; else a quarter; after four in a row none, which cannot fail. */
static vd svd_smaller_shift(const struct sweeper *s)
{
    vd zero = all_lanes(0);
    vd close = (s->shift + s->last) * all_lanes(1 - 0x1p-40);
    lane_mask is_late = both(but_not(is_less(zero, s->last_but_one), s->failed),
                             is_less(s->failures, all_lanes(2)));
    vd less = smaller(all_lanes(0.25) * s->shift, all_lanes(0.5) * s->bound);
    vd shift = choose(both(is_late, is_less(zero, close)), close, less);
    return choose(is_less(s->failures, all_lanes(4)), shift, zero);
}

/* Whether the sweep is accepted, and what follows from that at once. Returns a bit for each lane where it is not. */
static inline __attribute__((always_inline)) unsigned svd_judge(struct chain *c, size_t g,
                                                                const size_t groups)
{
    struct sweeper *s = &c->lanes[g];
    vd zero = all_lanes(0);
    lane_mask busy = is_less(s->first, svd_index(c->n));
    vd least = smaller(c->e_next[(FRONT + c->n - 2) * groups + g], s->last);
    s->accepted = both(but_not(busy, s->failed), is_at_most(zero, least));
    lane_mask rejected = but_not(busy, s->accepted);
    s->failures = only(rejected, s->failures + all_lanes(1));
    s->sum = s->sum + only(s->accepted, s->shift);
    vd bound = s->bound - s->shift; /* svd_restore() makes it again */
    s->bound = choose(is_at_most(bound, zero), all_lanes(no_bound), bound);
    return mask_bits(rejected);
}

/* What the sweep brought: accepted or not, values found, the next shifts. Step by step for all registers, so that they
 * wait for square roots and divisions together, and for branches taken wrongly once. ends: svd_look(). */
static inline __attribute__((always_inline)) void svd_decide(struct chain *c, unsigned ends,
                                                             double *values, const size_t groups)
{
    uint64_t rejected = 0;
    unsigned retries = 0;
    vd retry[MOST_GROUPS];
    unsigned goes_on = 0;
    for (size_t g = 0; g < groups; g++)
        rejected |= (uint64_t)svd_judge(c, g, groups) << g * LANES;
    for (; ends != 0; ends &= ends - 1)
        svd_end_blocks(c, (size_t)__builtin_ctz(ends), c->n - 2);
    for (; rejected != 0; rejected &= rejected - 1) {
        size_t lane = (size_t)__builtin_ctzll(rejected);
        svd_restore(c, lane / LANES, lane % LANES);
        retries |= 1U << lane / LANES;
    }
    for (size_t g = 0; g < groups; g++)
        goes_on |= (svd_take(c, g, values, groups) ? 1U : 0U) << g;
    for (; goes_on != 0; goes_on &= goes_on - 1)
        svd_go_on(c, (size_t)__builtin_ctz(goes_on));
    for (unsigned bits = retries; bits != 0; bits &= bits - 1)
        retry[__builtin_ctz(bits)] = svd_smaller_shift(&c->lanes[__builtin_ctz(bits)]);
    for (size_t g = 0; g < groups; g++)
        c->lanes[g].shift = svd_shift(c, g, groups);
    for (; retries != 0; retries &= retries - 1) {
        int g = __builtin_ctz(retries);
        struct sweeper *s = &c->lanes[g];
        s->shift = choose(is_less(all_lanes(0), s->failures), retry[g], s->shift);
    }
}

/* begin and top. Returns whether any lane has a value left. */
static inline __attribute__((always_inline)) bool svd_range(struct chain *c, const size_t groups)
{
    vd all = svd_index(c->n);
    vd fewest = all;
    vd last_first = all_lanes(0);
    for (size_t g = 0; g < groups; g++) {
        const struct sweeper *s = &c->lanes[g];
        fewest = smaller(fewest, s->found);
        last_first = larger(last_first, only(is_less(s->first, all), s->first));
    }
    c->begin = c->n;
    c->top = 0;
    for (size_t lane = 0; lane < LANES; lane++) {
        size_t found = svd_index_of(fewest, lane);
        size_t first = svd_index_of(last_first, lane);
        c->begin = found < c->begin ? found : c->begin;
        c->top = first > c->top ? first : c->top;
    }
    bool is_any = c->begin < c->n;
    c->begin = c->begin < c->n - 2 ? c->begin : c->n - 2;
    return is_any;
}

/* Squares d and e into the chain's next state, as q and e; blocks that end at once wait. A d of 0 becomes one that
 * changes no value by more than 2^-70 of the largest. */
static void svd_start(struct chain *c, const vd *d, const vd *e)
{
    size_t n = c->n;
    size_t groups = c->groups;
    vd zero = all_lanes(0);
    memset(c->rows, 0, sizeof c->rows);
    memset(c->lanes, 0, groups * sizeof *c->lanes); /* masks of no lane, too */
    c->begin = 0;
    for (size_t g = 0; g < groups; g++) {
        struct sweeper *s = &c->lanes[g];
        vd most = all_lanes(0x1p-960);
        for (size_t i = 0; i < n; i++) {
            vd q = d[i * groups + g] * d[i * groups + g];
            vd above = i + 1 < n ? e[i * groups + g] * e[i * groups + g] : zero;
            c->q_next[(FRONT + i) * groups + g] = q;
            c->e_next[(FRONT + i) * groups + g] = above;
            most = larger(above, larger(q, most));
        }
        for (size_t i = 0; i < n; i++) {
            vd *q = &c->q_next[(FRONT + i) * groups + g];
            *q = larger(*q, most * all_lanes(0x1p-140));
        }
        s->threshold = most * all_lanes(0x1p-102);
        s->bound = all_lanes(no_bound);
        s->accepted = is_at_most(zero, zero);
        svd_end_blocks(c, g, n - 1);
    }
}

/* svd_dqds() of so many registers. */
static inline __attribute__((always_inline)) void svd_sweeps(struct chain *c, double *values,
                                                             size_t most, const size_t groups)
{
    for (size_t sweeps = 0; svd_range(c, groups) && sweeps < most; sweeps++) {
        vd *q = c->q;
        vd *e = c->e;
        c->q = c->q_next;
        c->e = c->e_next;
        c->q_next = q;
        c->e_next = e;
        svd_decide(c, svd_sweep(c, groups), values, groups);
    }
}

/* The squares of the singular values of the bidiagonal matrices d[n], e[n - 1], n >= 3, of `groups` registers each,
 * in no order. values: n + 1 rows of `groups` registers, work: 6 (FRONT + n) groups. unfinished: a bit for each lane
 * that took too many sweeps. */
static void svd_dqds(const vd *d, const vd *e, size_t n, size_t groups, double *values, vd *work,
                     size_t sweeps_for_one, unsigned unfinished[MOST_GROUPS])
{
    size_t step = (FRONT + n) * groups;
    size_t most = sweeps_for_one * n;
    struct chain c;
    c.q = work;
    c.e = work + step;
    c.q_next = work + 2 * step;
    c.e_next = work + 3 * step;
    c.waiting_q = work + 4 * step;
    c.waiting_e = work + 5 * step;
    c.n = n;
    c.groups = groups;
    svd_start(&c, d, e);
    if (groups == MOST_GROUPS) /* each has code of its own, which knows how many */
        svd_sweeps(&c, values, most, MOST_GROUPS);
    else if (groups == GROUPS)
        svd_sweeps(&c, values, most, GROUPS);
    else if (groups == 2)
        svd_sweeps(&c, values, most, 2);
    else
        svd_sweeps(&c, values, most, 1);
    for (size_t g = 0; g < groups; g++)
        unfinished[g] = mask_bits(is_less(c.lanes[g].first, svd_index(n)));
    svd_pairs(&c, values);
}

#endif
