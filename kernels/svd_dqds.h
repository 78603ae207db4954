/* svd_dqds.h -- the singular values of bidiagonal matrices, each lane one of them: dqds (Fernando and
 * Parlett, "Accurate singular values and differential qd algorithms", 1994) with masks.
 *
 * Every lane's block ends at the last index, so that what decides of it lies at the same place for all:
 *
 *     index    0 .. pad   ..  first  ..  n - 1
 *              converged  waiting blocks | the block that is swept
 *
 * A lane that has found its last value moves down by one as the next sweep reads it. Where e is at most the
 * threshold (an error below 2^-51 of the largest value) a block ends: e then holds minus the sum of the
 * shifts so far, to go on from when the block above has its turn. A sweep whose shift was too large, seen by
 * a d or an e below 0, is not accepted: the lane keeps its state and tries a smaller one. What a lane does
 * depends on that lane alone. Converged and waiting parts are passed on as they are, and what is computed for
 * them meanwhile, and for finished lanes, is hardly ever denormal, which would cost 3 to 4 times the time.
 *
 * A sweep also sums up what the next shift and the decision on the last value are made of (svd_add_row()). There are
 * less of them by a third for that: 2.4 for a value of random 10 x 10, 2.6 of 32 x 32, of which 3 in 100 are not
 * accepted. A shift of the least value itself would need 1.7.
 *
 * GROUPS registers are swept at the same time, since a sweep is a chain of divisions. On a Zen 4 at 2.8 GHz four registers
 * of four lanes cannot divide in less than 7.1 ns an index; with what the shift needs it takes 10, and 16 where lanes
 * are masked; what a sweep brings takes 70 ns for all four. Two chains of two registers in turns, one deciding
 * while the other is swept, lose a half at 32 x 32: each waits for its divisions. */
#ifndef SHEAF_KERNELS_SVD_DQDS_H
#define SHEAF_KERNELS_SVD_DQDS_H

#include "svd_lanes.h"
#include "svd_layout.h"

enum { GROUPS = LANES == 8 ? 2 : 4, FRONT = SVD_FRONT };

static const double no_bound = 0x1p1000;
/* One register of lanes. Whole numbers are held as doubles, to be compared in lanes. */
struct sweeper {
    vd shift, sum;         /* of the next sweep; of all that were accepted */
    vd threshold;          /* an e of at most this is 0 */
    vd first;              /* where the block starts */
    vd tail;               /* added to the last d: the e below it, whose row has been deflated */
    vd last, last_but_one; /* d of the sweep before */
    vd inverse, square;    /* svd_add_row() of all rows but the last; of all but the last two */
    vd inverse_before, square_before;
    vd pair_first, pair_last, pair_e; /* the last two values of a lane: svd_pairs() */
    lane_mask is_pair;
    vd bound;    /* of the shift, for this value, once one was too large: svd_restore() */
    vd failures; /* in a row */
    vd found;    /* values */
    lane_mask failed, accepted; /* the sweep: a d but the last was below 0 */
    lane_mask moves, is_new;    /* by one, to a value; to a block not swept yet */
    vd next_first;              /* what the sweep has found: becomes `first` if it is accepted */
};

struct chain { /* the state: two buffers, of FRONT + n entries of GROUPS registers */
    vd *q, *e, *q_next, *e_next;
    size_t n;
    struct sweeper lanes[GROUPS];
    size_t rows[GROUPS * LANES]; /* values found, as whole numbers */
};

static inline vd svd_moved(const vd *x, size_t i, size_t g, lane_mask moves)
{
    return choose(moves, x[(FRONT + i - 1) * GROUPS + g], x[(FRONT + i) * GROUPS + g]);
}

/* What a sweep carries from index to index. */
struct swept {
    vd d, inverse, square;
};

/* The next row of the block joins those above: of A = B B', B upper bidiagonal with squares q and e, the last element of
 * the diagonal of A^-1 and of A^-2. Row i of B^-T is row i - 1 times -sqrt(e / q), and 1 / sqrt(q). e: above the
 * row; inverse: of its q. */
static inline void svd_add_row(struct swept *w, vd e, vd inverse)
{
    vd ratio = e * inverse;
    w->inverse = svd_fma(ratio, w->inverse, inverse);
    w->square = svd_fma(w->inverse, w->inverse, ratio * w->square);
}

/* Index i of one register, where lanes may be inactive: first > i. */
static inline void svd_step_masked(struct chain *restrict c, struct swept *w, size_t i, size_t g)
{
    const struct sweeper *s = &c->lanes[g];
    vd zero = all_lanes(0);
    vd e = svd_moved(c->e, i, g, s->moves);
    vd q = svd_moved(c->q, i, g, s->moves);
    vd next = svd_moved(c->q, i + 1, g, s->moves);
    lane_mask active = is_at_most(s->first, all_lanes((double)(int64_t)i));
    vd sum = w->d + e;
    vd inverse = all_lanes(1) / sum;
    vd d_next = w->d * next;
    vd e_new = e * next * inverse;
    svd_add_row(w, c->e_next[(FRONT + i - 1) * GROUPS + g], inverse);
    w->inverse = only(active, w->inverse);
    w->square = only(active, w->square);
    c->q_next[(FRONT + i) * GROUPS + g] = choose(active, sum, q);
    c->e_next[(FRONT + i) * GROUPS + g] = choose(active, e_new, e);
    w->d = choose(active, svd_fma(d_next, inverse, zero - s->shift), next - s->shift);
}

/* The same where all are active. */
static inline void svd_step(struct chain *restrict c, struct swept *w, size_t i, size_t g)
{
    const struct sweeper *s = &c->lanes[g];
    vd e = svd_moved(c->e, i, g, s->moves);
    vd next = svd_moved(c->q, i + 1, g, s->moves);
    vd sum = w->d + e;
    vd inverse = all_lanes(1) / sum;
    vd d_next = w->d * next;
    vd e_new = e * next * inverse;
    svd_add_row(w, c->e_next[(FRONT + i - 1) * GROUPS + g], inverse);
    c->q_next[(FRONT + i) * GROUPS + g] = sum;
    c->e_next[(FRONT + i) * GROUPS + g] = e_new;
    w->d = svd_fma(d_next, inverse, all_lanes(0) - s->shift);
}

/* Finds where an e is below 0, so that the shift was too large, and notes where blocks end, but before the last
 * value: e holds minus the sum of the shifts there. */
static void svd_examine(struct chain *c, size_t begin, size_t g)
{
    struct sweeper *s = &c->lanes[g];
    for (size_t i = begin; i + 2 < c->n; i++) {
        vd *e = &c->e_next[(FRONT + i) * GROUPS + g];
        lane_mask active = is_at_most(s->first, all_lanes((double)(int64_t)i));
        lane_mask splits = both(active, is_at_most(*e, s->threshold));
        s->failed = either(s->failed, both(active, is_less(*e, all_lanes(0))));
        s->next_first = choose(splits, all_lanes((double)(int64_t)i + 1), s->next_first);
        *e = choose(splits, all_lanes(0) - (s->sum + s->shift), *e);
    }
}

/* Looks for an e that is not above the threshold, before the last. */
static inline void svd_look(struct chain *c, size_t begin, size_t top)
{
    vd signs[GROUPS];
    size_t i = begin;
    for (size_t g = 0; g < GROUPS; g++)
        signs[g] = all_lanes(0);
    for (; i + 2 < c->n && i < top; i++)
        for (size_t g = 0; g < GROUPS; g++) {
            lane_mask active = is_at_most(c->lanes[g].first, all_lanes((double)(int64_t)i));
            vd above = c->e_next[(FRONT + i) * GROUPS + g] - c->lanes[g].threshold;
            signs[g] = bits_of_either(signs[g], only(active, above));
        }
    for (; i + 2 < c->n; i++)
        for (size_t g = 0; g < GROUPS; g++)
            signs[g] = bits_of_either(signs[g],
                                      c->e_next[(FRONT + i) * GROUPS + g] - c->lanes[g].threshold);
    for (size_t g = 0; g < GROUPS; g++) {
        struct sweeper *s = &c->lanes[g];
        lane_mask busy = is_at_most(s->first, all_lanes((double)(int64_t)c->n - 1));
        s->next_first = s->first;
        s->failed = is_less(all_lanes(0), all_lanes(0));
        if (mask_bits(both(busy, is_negative(signs[g]))) != 0)
            svd_examine(c, begin, g);
    }
}

/* The last two rows. */
static __attribute__((noinline)) void svd_finish(struct chain *restrict c, struct swept *w,
                                                 size_t begin, size_t top)
{
    for (size_t g = 0; g < GROUPS; g++) {
        c->lanes[g].inverse_before = w[g].inverse;
        c->lanes[g].square_before = w[g].square;
        c->lanes[g].last_but_one = w[g].d;
    }
    if (c->n > 1)
        for (size_t g = 0; g < GROUPS; g++)
            svd_step_masked(c, &w[g], c->n - 2, g);
    for (size_t g = 0; g < GROUPS; g++) {
        struct sweeper *s = &c->lanes[g];
        s->inverse = w[g].inverse;
        s->square = w[g].square;
        s->last = w[g].d + s->tail;
        c->q_next[(FRONT + c->n - 1) * GROUPS + g] = s->last;
    }
    svd_look(c, begin, top);
}

/* From index begin on, the least in any lane; from `top` on all lanes are active, or finished, and then
 * it does not matter what they hold. */
static void svd_sweep(struct chain *restrict c, size_t begin, size_t top)
{
    struct swept w[GROUPS];
    vd zero = all_lanes(0);
    size_t i = begin;
    for (size_t g = 0; g < GROUPS; g++) {
        w[g].d = svd_moved(c->q, begin, g, c->lanes[g].moves) - c->lanes[g].shift;
        w[g].inverse = w[g].square = zero;
        c->e_next[(FRONT + begin - 1) * GROUPS + g] = zero;
    }
    for (; i + 2 < c->n && i < top; i++)
        for (size_t g = 0; g < GROUPS; g++)
            svd_step_masked(c, &w[g], i, g);
    for (; i + 2 < c->n; i++)
        for (size_t g = 0; g < GROUPS; g++)
            svd_step(c, &w[g], i, g);
    svd_finish(c, w, begin, top);
}

/* The lanes of this register whose sweep did not succeed get their old state into the new buffer. Their least eigenvalue is
 * not above the least q, wherever that is, and what is added to the last: a bound of the shifts from now on, as the last
 * rows, which shifts are made of, may know nothing of it. */
static void svd_restore(struct chain *c, size_t begin, size_t g, lane_mask rejected)
{
    struct sweeper *s = &c->lanes[g];
    vd least = all_lanes(no_bound);
    vd index = all_lanes((double)(int64_t)begin);
    for (size_t i = begin; i < c->n; i++) {
        vd *q = &c->q_next[(FRONT + i) * GROUPS + g];
        vd *e = &c->e_next[(FRONT + i) * GROUPS + g];
        *q = choose(rejected, svd_moved(c->q, i, g, s->moves), *q);
        *e = choose(rejected, svd_moved(c->e, i, g, s->moves), *e);
        least = smaller(choose(is_at_most(s->first, index), *q, least), least);
        index = index + all_lanes(1);
    }
    s->bound = choose(rejected, least + s->tail, s->bound);
}

static inline double svd_lane(const vd *x, size_t i, size_t g, size_t lane)
{
    double of_lane[LANES];
    memcpy(of_lane, &x[(FRONT + i) * GROUPS + g], sizeof of_lane);
    return of_lane[lane];
}

/* A lane whose block is finished goes on with the one above: finds where it starts, once it has moved, and its sum. */
static void svd_next_block(struct chain *c, size_t g, size_t lane, size_t found)
{
    size_t i = c->n - 2; /* the finished block is one value, the last */
    double sum = 0 - svd_lane(c->e_next, i, g, lane);
    while (i > found && svd_lane(c->e_next, i - 1, g, lane) > 0)
        i--;
    double first = (double)(int64_t)i + 1;
    memcpy((double *)&c->lanes[g].sum + lane, &sum, sizeof sum);
    memcpy((double *)&c->lanes[g].first + lane, &first, sizeof first);
}

/* Writes every lane's value to where its next one belongs; it is one if the lane is in `done`. Without a
 * branch: which lanes find one in a sweep cannot be foretold. values: n + 1 rows of GROUPS registers. */
static inline void svd_note(struct chain *c, size_t g, vd value, unsigned done, double *values)
{
    double of_lane[LANES];
    memcpy(of_lane, &value, sizeof value);
    for (unsigned lane = 0; lane < LANES; lane++) {
        size_t *row = &c->rows[g * LANES + lane];
        values[*row * (GROUPS * LANES) + g * LANES + lane] = of_lane[lane];
        *row += done >> lane & 1;
    }
}

/* Lanes whose block has two values left and no block is above: kept for svd_pairs(), and finished. */
static inline void svd_keep_pair(struct chain *c, size_t g, lane_mask pair)
{
    struct sweeper *s = &c->lanes[g];
    vd all = all_lanes((double)(int64_t)c->n);
    s->is_pair = either(s->is_pair, pair);
    s->pair_last = choose(pair, svd_moved(c->q_next, c->n - 1, g, s->moves), s->pair_last);
    s->pair_first = choose(pair, svd_moved(c->q_next, c->n - 2, g, s->moves), s->pair_first);
    s->pair_e = choose(pair, svd_moved(c->e_next, c->n - 2, g, s->moves), s->pair_e);
    s->found = choose(pair, all, s->found);
}

/* The last two values of such lanes: the eigenvalues of U L, 2 x 2, each to a few roundings of itself. */
static void svd_pairs(struct chain *c, double *values)
{
    for (size_t g = 0; g < GROUPS; g++) {
        struct sweeper *s = &c->lanes[g];
        unsigned pairs = mask_bits(s->is_pair);
        vd first = s->pair_first + s->pair_e;
        vd last = s->pair_last + s->tail;
        vd gap = first - last;
        vd root = svd_sqrt(svd_fma(gap, gap, all_lanes(4) * (s->pair_last * s->pair_e)));
        vd high = all_lanes(0.5) * (first + last + root);
        vd low = svd_fma(s->tail, first, s->pair_first * s->pair_last);
        low = low / choose(s->is_pair, high, all_lanes(1));
        svd_note(c, g, low + s->sum, pairs, values);
        svd_note(c, g, high + s->sum, pairs, values);
    }
}

/* Notes the values of the lanes that have converged, and moves them. Returns whether the rest of what a value brings
 * is to be done: svd_go_on().
 *
 * The symmetric form of U L has q, the last, at the end of its diagonal, and q e, squared, beside it. A' is what is
 * above, the last of its diagonal with e, which the next sweep adds: the tail. Without q e, no eigenvalue above
 * 2 q changes by more than 2 q e [A'^-1], and those below, with q, by 2 q sqrt(q e [A'^-2]), [] being the last
 * element of the diagonal: both are to be less than 2^-54 of the shifts so far. Or q e is to be so small that
 * its root cannot change a value by more than 2^-50 of the largest. An e below the threshold comes a sweep or two later. */
static inline bool svd_take(struct chain *c, size_t g, double *values)
{
    struct sweeper *s = &c->lanes[g];
    size_t n = c->n;
    vd one = all_lanes(1);
    vd last_two = all_lanes((double)(int64_t)n - 2);
    vd q = s->last;
    vd e = c->e_next[(FRONT + n - 2) * GROUPS + g];
    vd off = e * q;
    vd room = all_lanes(0x1p-56) * s->sum;
    lane_mask near = both(is_at_most(off * s->inverse, room),
                          is_at_most(off * s->square * (q * q), room * room));
    lane_mask ends = either(near, is_at_most(off, s->threshold * larger(s->sum, q)));
    s->is_new = both(s->accepted, is_less(last_two, s->first));
    s->moves = either(both(s->accepted, ends), s->is_new);
    vd tail = choose(but_not(s->moves, s->is_new), e, all_lanes(0));
    s->tail = choose(s->accepted, tail, s->tail);
    svd_note(c, g, q + s->sum, mask_bits(s->moves), values);
    s->bound = choose(s->moves, all_lanes(no_bound), s->bound);
    s->found = choose(s->moves, s->found + one, s->found);
    s->first = choose(s->moves, s->first + one, s->first);
    return mask_bits(either(s->is_new, both(s->accepted, is_at_most(last_two, s->found)))) != 0;
}

/* What is not done after every sweep: lanes whose block is finished, and those with two values left, or none. */
static inline void svd_go_on(struct chain *c, size_t g)
{
    struct sweeper *s = &c->lanes[g];
    vd all = all_lanes((double)(int64_t)c->n);
    vd last_two = all_lanes((double)(int64_t)c->n - 2);
    unsigned to_next = mask_bits(both(s->is_new, is_less(s->found, all)));
    for (unsigned lane = 0; to_next >> lane != 0; lane++)
        if (to_next >> lane & 1)
            svd_next_block(c, g, lane, c->rows[g * LANES + lane] - 1);
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
static inline vd svd_shift(const struct sweeper *s, const vd *q, const vd *e, size_t n, size_t g)
{
    vd zero = all_lanes(0);
    vd last = svd_moved(q, n - 1, g, s->moves);
    vd above = choose(s->moves, s->inverse_before, s->inverse);
    vd square = choose(s->moves, s->square_before, s->square) * all_lanes(1.0 / 0.9);
    vd f = svd_moved(e, n - 2, g, s->moves) * above;
    vd b = svd_fma(last + s->tail, square, svd_fma(f, above, above));
    vd c = svd_fma(s->tail, f, last + s->tail) * above;
    vd root = svd_sqrt(larger(svd_fma(b, b, all_lanes(-4) * c * square), zero));
    vd shift = (c + c) / (b + root) * all_lanes(1 - 0x1p-40);
    shift = choose(is_less(s->bound, shift), all_lanes(0.5) * s->bound, shift);
    lane_mask single = is_at_most(all_lanes((double)(int64_t)n - 1), s->first);
    return choose(either(single, s->is_new), zero, larger(shift, zero));
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

/* What the sweep brought: accepted or not, values found, the next shifts. Step by step for all registers, so that they
 * wait for square roots and divisions together, and for branches taken wrongly once. */
static void svd_decide(struct chain *c, size_t begin, double *values)
{
    vd zero = all_lanes(0);
    lane_mask rejected[GROUPS];
    bool goes_on[GROUPS];
    for (size_t g = 0; g < GROUPS; g++) {
        struct sweeper *s = &c->lanes[g];
        lane_mask busy = is_at_most(s->first, all_lanes((double)(int64_t)c->n - 1));
        vd e = c->e_next[(FRONT + c->n - 2) * GROUPS + g];
        e = choose(is_at_most(s->first, all_lanes((double)(int64_t)c->n - 2)), e, zero);
        s->accepted = both(but_not(busy, s->failed), is_at_most(zero, smaller(e, s->last)));
        rejected[g] = but_not(busy, s->accepted);
        s->failures = choose(rejected[g], s->failures + all_lanes(1), zero);
        s->sum = choose(s->accepted, s->sum + s->shift, s->sum);
        vd bound = s->bound - s->shift; /* of a block that has got shorter nothing is known */
        lane_mask unknown = either(is_less(s->first, s->next_first), is_at_most(bound, zero));
        bound = choose(unknown, all_lanes(no_bound), bound);
        s->bound = choose(s->accepted, bound, s->bound);
        s->first = choose(s->accepted, s->next_first, s->first);
    }
    for (size_t g = 0; g < GROUPS; g++)
        if (mask_bits(rejected[g]) != 0)
            svd_restore(c, begin, g, rejected[g]);
    for (size_t g = 0; g < GROUPS; g++)
        goes_on[g] = svd_take(c, g, values);
    for (size_t g = 0; g < GROUPS; g++)
        if (goes_on[g])
            svd_go_on(c, g);
    for (size_t g = 0; g < GROUPS; g++) {
        struct sweeper *s = &c->lanes[g];
        vd retry = svd_smaller_shift(s);
        s->shift = choose(rejected[g], retry, svd_shift(s, c->q_next, c->e_next, c->n, g));
    }
}

/* Squares d and e into the chain, as q and e; marks where blocks end at once. A d of 0 becomes one that
 * changes no value by more than 2^-70 of the largest. A zero matrix: ones. */
static void svd_start(struct chain *c, const vd *d, const vd *e)
{
    size_t n = c->n;
    vd zero = all_lanes(0);
    memset(c->rows, 0, sizeof c->rows);
    for (size_t i = 0; i < FRONT * GROUPS; i++) {
        c->q[i] = c->q_next[i] = all_lanes(1);
        c->e[i] = c->e_next[i] = zero;
    }
    for (size_t g = 0; g < GROUPS; g++) {
        struct sweeper *s = &c->lanes[g];
        vd most = all_lanes(0x1p-960);
        for (size_t i = 0; i < n; i++) {
            most = larger(d[i * GROUPS + g] * d[i * GROUPS + g], most);
            if (i + 1 < n)
                most = larger(e[i * GROUPS + g] * e[i * GROUPS + g], most);
        }
        memset(s, 0, sizeof *s);
        s->threshold = most * all_lanes(0x1p-102);
        s->moves = s->is_new = s->is_pair = is_less(zero, zero);
        s->bound = all_lanes(no_bound);
        for (size_t i = 0; i < n; i++) {
            vd q = d[i * GROUPS + g] * d[i * GROUPS + g];
            vd above = i + 1 < n ? e[i * GROUPS + g] * e[i * GROUPS + g] : zero;
            lane_mask ends = is_at_most(above, s->threshold);
            c->q[(FRONT + i) * GROUPS + g] = larger(q, most * all_lanes(0x1p-140));
            c->e[(FRONT + i) * GROUPS + g] = choose(ends, zero, above);
            if (i + 1 < n)
                s->first = choose(ends, all_lanes((double)(int64_t)i + 1), s->first);
        }
    }
}

/* The squares of the singular values of the bidiagonal matrices d[n], e[n - 1], of GROUPS registers each,
 * in no order. values: n + 1 rows of GROUPS registers, work: 4 (FRONT + n) GROUPS. unfinished: a bit for each lane
 * that took too many sweeps. */
static void svd_dqds(const vd *d, const vd *e, size_t n, double *values, vd *work,
                     size_t sweeps_for_one, unsigned unfinished[GROUPS])
{
    size_t step = (FRONT + n) * GROUPS;
    struct chain c;
    c.q = work;
    c.e = work + step;
    c.q_next = work + 2 * step;
    c.e_next = work + 3 * step;
    c.n = n;
    svd_start(&c, d, e);
    for (size_t sweeps = 0;; sweeps++) {
        vd end = all_lanes((double)(int64_t)n - 1);
        vd fewest = all_lanes((double)(int64_t)n);
        vd last_first = all_lanes(0);
        unsigned any = 0;
        for (size_t g = 0; g < GROUPS; g++) {
            unfinished[g] = mask_bits(is_at_most(c.lanes[g].first, end));
            any |= unfinished[g];
            fewest = smaller(fewest, c.lanes[g].found);
            vd of_busy = choose(is_at_most(c.lanes[g].first, end), c.lanes[g].first, all_lanes(0));
            last_first = larger(last_first, of_busy);
        }
        if (any == 0 || sweeps == sweeps_for_one * n)
            break;
        double found[LANES];
        double first[LANES];
        size_t begin = n;
        size_t top = 0;
        memcpy(found, &fewest, sizeof fewest);
        memcpy(first, &last_first, sizeof first);
        for (size_t lane = 0; lane < LANES; lane++) {
            size_t of_found = (size_t)(int32_t)found[lane];
            size_t of_first = (size_t)(int32_t)first[lane];
            begin = of_found < begin ? of_found : begin;
            top = of_first > top ? of_first : top;
        }
        svd_sweep(&c, begin, top);
        svd_decide(&c, begin, values);
        vd *q = c.q;
        vd *e_old = c.e;
        c.q = c.q_next;
        c.e = c.e_next;
        c.q_next = q;
        c.e_next = e_old;
    }
    svd_pairs(&c, values);
}

#endif
