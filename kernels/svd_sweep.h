/* svd_sweep.h -- a sweep of dqds (svd_dqds.h) over registers of matrices.
 *
 * Every lane's block ends at the last index, so that what decides of it lies at the same place for all:
 *
 *     index    0 .. begin ..  first  ..  n - 1
 *              nothing        the block that is swept
 *
 * A lane that has found its last value moves down by one as the next sweep reads it. What is above a block, q = 2^200 and
 * e = 0, needs no mask: d comes to 2^200, from which no shift is subtracted without being rounded away, and
 * 2^200 q 2^-200 is q; so the block begins with exactly q - shift, as if nothing were there.
 *
 * The registers share the loop, since each is a chain of divisions: sum, division, multiply-add, 20 cycles an index
 * on a Zen 4, whose divider takes 5 a register. Eight registers of four lanes take 57 cycles for 40 of divisions,
 * four took 31 for 20; and what a sweep brings (svd_dqds.h) is as long a chain, which twice as many lanes pay once.
 * Not better: halves of four registers in turns, every 2, 4 or 8 indices; all divisions of an index first; next / q
 * as one ratio, which takes a multiplication less and makes the chain longer. */
#ifndef SHEAF_KERNELS_SVD_SWEEP_H
#define SHEAF_KERNELS_SVD_SWEEP_H

#include "svd_lanes.h"
#include "svd_layout.h"

/* Registers that are computed together: with vectors, and up to three columns; at most. */
enum { GROUPS = LANES == 8 ? 2 : 4, MOST_GROUPS = 2 * GROUPS, FRONT = SVD_FRONT };

static const double no_bound = 0x1p1000;
static const double no_row = 0x1p200;

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
    lane_mask failed, accepted; /* the sweep: an e but the last was below 0 */
    lane_mask moves, is_new;    /* by one, to a value; to a block not swept yet */
};

static inline vd svd_index(size_t i)
{
    return all_lanes((double)(int64_t)i);
}

struct chain { /* the state: two buffers, of FRONT + n entries of `groups` registers */
    vd *q, *e, *q_next, *e_next;
    vd *waiting_q, *waiting_e; /* svd_park(): as these */
    size_t n, groups;
    size_t begin,
        top; /* from the first on lie all blocks; from the second on all lanes are in one, or finished */
    struct sweeper lanes[MOST_GROUPS];
    size_t rows[MOST_GROUPS * LANES]; /* values found, as whole numbers */
};

static inline __attribute__((always_inline)) vd svd_moved(const vd *x, size_t i, size_t g,
                                                          lane_mask moves, const size_t groups)
{
    return choose(moves, x[(FRONT + i - 1) * groups + g], x[(FRONT + i) * groups + g]);
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

/* Index i of one register. */
static inline __attribute__((always_inline)) void
svd_sweep_index(struct chain *restrict c, struct swept *w, size_t i, size_t g, const size_t groups)
{
    const struct sweeper *s = &c->lanes[g];
    vd e = svd_moved(c->e, i, g, s->moves, groups);
    vd next = svd_moved(c->q, i + 1, g, s->moves, groups);
    vd sum = w->d + e;
    vd inverse = all_lanes(1) / sum;
    vd d_next = w->d * next;
    vd e_new = e * next * inverse;
    svd_add_row(w, c->e_next[(FRONT + i - 1) * groups + g], inverse);
    c->q_next[(FRONT + i) * groups + g] = sum;
    c->e_next[(FRONT + i) * groups + g] = e_new;
    w->d = svd_fma(d_next, inverse, -s->shift);
}

/* Looks for an e that is below 0, or not above the threshold, before the last. Returns a bit for each register where a
 * block ends. */
static inline __attribute__((always_inline)) unsigned svd_look(struct chain *c, const size_t groups)
{
    vd least[MOST_GROUPS];
    unsigned ends = 0;
    size_t i = c->begin;
    for (size_t g = 0; g < groups; g++)
        least[g] = all_lanes(no_bound);
    for (; i + 2 < c->n && i < c->top; i++)
        for (size_t g = 0; g < groups; g++) {
            lane_mask active = is_at_most(c->lanes[g].first, svd_index(i));
            vd e = choose(active, c->e_next[(FRONT + i) * groups + g], all_lanes(no_bound));
            least[g] = smaller(e, least[g]);
        }
    for (; i + 2 < c->n; i++)
        for (size_t g = 0; g < groups; g++)
            least[g] = smaller(c->e_next[(FRONT + i) * groups + g], least[g]);
    for (size_t g = 0; g < groups; g++) {
        struct sweeper *s = &c->lanes[g];
        lane_mask busy = is_less(s->first, svd_index(c->n));
        s->failed = is_less(least[g], all_lanes(0));
        lane_mask at_end = but_not(is_at_most(least[g], s->threshold), s->failed);
        ends |= (mask_bits(both(busy, at_end)) != 0 ? 1U : 0U) << g;
    }
    return ends;
}

/* The last two rows. */
static inline __attribute__((always_inline)) void
svd_end_sweep(struct chain *restrict c, struct swept *w, const size_t groups)
{
    size_t n = c->n;
    for (size_t g = 0; g < groups; g++) {
        c->lanes[g].inverse_before = w[g].inverse;
        c->lanes[g].square_before = w[g].square;
        c->lanes[g].last_but_one = w[g].d;
    }
    for (size_t g = 0; g < groups; g++)
        svd_sweep_index(c, &w[g], n - 2, g, groups);
    for (size_t g = 0; g < groups; g++) {
        struct sweeper *s = &c->lanes[g];
        s->inverse = w[g].inverse;
        s->square = w[g].square;
        s->last = w[g].d + s->tail;
        c->q_next[(FRONT + n - 1) * groups + g] = s->last;
    }
}

/* One sweep, of n >= 2. Returns svd_look(). What is in front of `begin` may be of a sweep before the last: a lane that
 * moves must read nothing there. */
static inline __attribute__((always_inline)) unsigned svd_sweep(struct chain *restrict c,
                                                                const size_t groups)
{
    struct swept w[MOST_GROUPS];
    vd zero = all_lanes(0);
    size_t begin = c->begin;
    for (size_t g = 0; g < groups; g++) {
        w[g].d = svd_moved(c->q, begin, g, c->lanes[g].moves, groups) - c->lanes[g].shift;
        w[g].inverse = w[g].square = zero;
        c->q_next[(FRONT + begin - 1) * groups + g] = all_lanes(no_row);
        c->e_next[(FRONT + begin - 1) * groups + g] = zero;
    }
    for (size_t i = begin; i + 2 < c->n; i++)
#pragma GCC unroll 8
        for (size_t g = 0; g < groups; g++)
            svd_sweep_index(c, &w[g], i, g, groups);
    /* else GCC saves for the last step what is in memory anyway */
    __asm__ volatile("" ::: "memory");
    svd_end_sweep(c, w, groups);
    return svd_look(c, groups);
}

#endif
