/* svd_rotate.h -- singular vectors of bidiagonal matrices, each lane one of them: implicit QR steps with
 * Wilkinson's shift (Golub and Reinsch, "Singular value decomposition and least squares solutions", 1970),
 * each on the last block of its lane that is not diagonal yet.
 *
 * The values that come with the vectors are not used but to order them: those of svd_dqds.h are the
 * result, so that they are the same bits with and without vectors. An e of at most 2^-53 of the largest
 * element counts as 0. Where a diagonal element is that small the shift is 0, which splits the block there
 * and at its end (Demmel and Kahan, "Accurate singular values of bidiagonal matrices", 1990).
 *
 * A lane that is not in the range of a step gets c = 1 and s = 0, which change no number, but perhaps the sign
 * of a zero: who reads the vectors adds +0. Rotations are kept for SWEEPS steps and then applied to the rows of
 * the vectors, which lie in L1 for that time. */
#ifndef SHEAF_KERNELS_SVD_ROTATE_H
#define SHEAF_KERNELS_SVD_ROTATE_H

#include "svd_dqds.h"
#include "svd_qr.h"

enum { SWEEPS = SVD_SWEEPS, QR_SWEEPS_FOR_ONE = 30 };

/* The block that the next step works on, in each lane of one register. */
struct svd_block {
    vd threshold;
    vd low, high;      /* first and last index; high 0: all is diagonal */
    vd start;          /* the vector that is rotated into the first row begins with this, then e */
    size_t begin, end; /* of all lanes; end: the largest `high` */
};

/* The rotations of one step of one register: cosine and sine of index k at 2 k. */
struct svd_turns {
    size_t begin, end;
    vd *right, *left;
};

static inline vd svd_unless(lane_mask which, vd x)
{
    return choose(which, all_lanes(0), x);
}

/* The smaller eigenvalue of the last 2 x 2 of B'B, or what is near it, from the end of the block. */
static inline vd svd_wilkinson(vd d0, vd d1, vd e0, vd e1)
{
    vd a = svd_fma(e0, e0, d0 * d0);
    vd c = svd_fma(e1, e1, d1 * d1);
    vd off = d0 * e1;
    vd half = all_lanes(0.5) * (a - c);
    vd root = svd_sqrt(svd_fma(half, half, off * off));
    vd below = half + with_sign(root, half);
    lane_mask is_zero = is_at_most(magnitude(below), all_lanes(TINY));
    vd mu = c - svd_unless(is_zero, off * off) / choose(is_zero, all_lanes(1), below);
    return larger(mu, all_lanes(0));
}

/* Finds the last block of each lane; e of no account become 0. */
static void svd_find_block(struct svd_block *block, const vd *d, vd *e, size_t g)
{
    vd zero = all_lanes(0);
    lane_mask found = is_less(zero, zero);
    lane_mask closed = found;
    vd low = zero;
    vd high = zero;
    vd least = all_lanes(1);
    vd first = d[g];
    vd d0 = least;
    vd d1 = least;
    vd e0 = zero;
    vd e1 = zero;
    for (size_t k = block->end; k-- > 0;) {
        vd off = e[k * GROUPS + g];
        vd index = all_lanes((double)(int64_t)k + 1);
        lane_mask small = is_at_most(magnitude(off), block->threshold);
        lane_mask opens = but_not(is_less(block->threshold, magnitude(off)), found);
        lane_mask closes = but_not(both(small, found), closed);
        e[k * GROUPS + g] = svd_unless(small, off);
        if (mask_bits(opens) != 0) {
            vd above = k > 0 ? e[(k - 1) * GROUPS + g] : zero;
            above = svd_unless(is_at_most(magnitude(above), block->threshold), above);
            found = either(found, opens);
            high = choose(opens, index, high);
            d0 = choose(opens, d[k * GROUPS + g], d0);
            d1 = choose(opens, d[(k + 1) * GROUPS + g], d1);
            e0 = choose(opens, above, e0);
            e1 = choose(opens, off, e1);
            least = choose(opens, magnitude(d1), least);
        }
        closed = either(closed, closes);
        low = choose(closes, index, low);
        first = choose(closes, d[(k + 1) * GROUPS + g], first);
        least = choose(but_not(found, closed), smaller(magnitude(d[k * GROUPS + g]), least), least);
    }
    vd shift = svd_unless(is_at_most(least, block->threshold), svd_wilkinson(d0, d1, e0, e1));
    lane_mask shifted = is_less(zero, shift);
    block->start =
        first - svd_unless(is_at_most(shift, zero), shift) / choose(shifted, first, all_lanes(1));
    block->low = low;
    block->high = high;
    double of_low[LANES];
    double of_high[LANES];
    memcpy(of_low, &low, sizeof of_low);
    memcpy(of_high, &high, sizeof of_high);
    block->begin = block->end;
    block->end = 0;
    for (size_t lane = 0; lane < LANES; lane++) {
        size_t end = (size_t)of_high[lane];
        size_t begin = (size_t)of_low[lane];
        block->end = end > block->end ? end : block->end;
        block->begin = end > 0 && begin < block->begin ? begin : block->begin;
    }
}

/* The rotation that takes (f, g) to (r, 0), in the lanes that are active. */
static inline vd svd_rotation(vd *turn, vd f, vd g, lane_mask active)
{
    vd square = svd_fma(f, f, g * g);
    lane_mask counts = both(active, is_at_most(all_lanes(TINY), square));
    vd r = svd_sqrt(choose(counts, square, all_lanes(1)));
    vd inverse = all_lanes(1) / r;
    turn[0] = choose(counts, f * inverse, all_lanes(1));
    turn[1] = choose(counts, g * inverse, all_lanes(0));
    return choose(counts, r, f);
}

/* What a step carries from index to index. */
struct svd_bulge {
    vd f, g, d, e;
};

static inline void svd_chase_one(struct svd_bulge *bulge, const struct svd_block *block, vd *d,
                                 vd *e, size_t k, size_t n, size_t g, const struct svd_turns *turns)
{
    vd index = all_lanes((double)(int64_t)k);
    lane_mask above_end = is_less(index, block->high);
    lane_mask active = both(is_at_most(block->low, index), above_end);
    lane_mask starts = but_not(active, is_less(block->low, index));
    lane_mask ends = both(active, is_at_most(block->high, index + all_lanes(1)));
    vd old_d = d[k * GROUPS + g];
    vd old_e = e[k * GROUPS + g];
    vd old_next = d[(k + 1) * GROUPS + g];
    vd after = k + 2 < n ? e[(k + 1) * GROUPS + g] : all_lanes(0);
    vd *right = turns->right + 2 * k;
    vd *left = turns->left + 2 * k;
    vd dk = choose(starts, old_d, bulge->d);
    vd ek = choose(starts, old_e, bulge->e);
    vd r = svd_rotation(right, choose(starts, block->start, bulge->f),
                        choose(starts, old_e, bulge->g), active);
    if (k > 0) {
        vd *before = &e[(k - 1) * GROUPS + g];
        *before = choose(but_not(active, starts), r, *before);
    }
    vd f = svd_fma(right[0], dk, right[1] * ek);
    ek = svd_fnma(right[1], dk, right[0] * ek);
    vd next = right[0] * old_next;
    r = svd_rotation(left, f, right[1] * old_next, active);
    d[k * GROUPS + g] = choose(active, r, old_d);
    bulge->f = svd_fma(left[0], ek, left[1] * next);
    bulge->d = svd_fnma(left[1], ek, left[0] * next);
    bulge->g = left[1] * after;
    bulge->e = left[0] * after;
    e[k * GROUPS + g] = choose(ends, bulge->f, old_e);
    d[(k + 1) * GROUPS + g] = choose(ends, bulge->d, old_next);
}

/* One step of every register. */
static void svd_chase(vd *restrict d, vd *restrict e, size_t n,
                      const struct svd_block blocks[GROUPS], const struct svd_turns turns[GROUPS])
{
    struct svd_bulge bulges[GROUPS];
    size_t begin = n;
    size_t end = 0;
    for (size_t g = 0; g < GROUPS; g++) {
        bulges[g].f = bulges[g].d = all_lanes(1);
        bulges[g].g = bulges[g].e = all_lanes(0);
        if (blocks[g].end == 0)
            continue;
        begin = blocks[g].begin < begin ? blocks[g].begin : begin;
        end = blocks[g].end > end ? blocks[g].end : end;
    }
    for (size_t k = begin; k < end; k++)
        for (size_t g = 0; g < GROUPS; g++)
            svd_chase_one(&bulges[g], &blocks[g], d, e, k, n, g, &turns[g]);
}

/* Applies rotations of the columns begin .. end of `rows` rows, n apart. */
static inline __attribute__((always_inline)) void svd_turn_rows(vd *restrict x, size_t n,
                                                                const vd *restrict turn,
                                                                size_t begin, size_t end,
                                                                const size_t rows)
{
    vd carry[4];
    for (size_t i = 0; i < rows; i++)
        carry[i] = x[i * n + begin];
    for (size_t k = begin; k < end; k++) {
        vd c = turn[2 * k];
        vd s = turn[2 * k + 1];
        for (size_t i = 0; i < rows; i++) {
            vd y = x[i * n + k + 1];
            x[i * n + k] = svd_fma(s, y, c * carry[i]);
            carry[i] = svd_fnma(s, carry[i], c * y);
        }
    }
    for (size_t i = 0; i < rows; i++)
        x[i * n + end] = carry[i];
}

/* Applies the right or left rotations of `count` steps to all rows of x. */
static void svd_turn_all(vd *x, size_t rows, size_t n, const struct svd_turns (*turns)[GROUPS],
                         size_t count, size_t g, bool is_right)
{
    for (size_t i = 0; i < rows; i += 4)
        for (size_t t = 0; t < count; t++) {
            const struct svd_turns *of = &turns[t][g];
            const vd *turn = is_right ? of->right : of->left;
            if (of->end <= of->begin)
                continue;
            if (i + 4 <= rows)
                svd_turn_rows(x + i * n, n, turn, of->begin, of->end, 4);
            else
                for (size_t k = i; k < rows; k++)
                    svd_turn_rows(x + k * n, n, turn, of->begin, of->end, 1);
        }
}

/* Diagonalises d, e (of GROUPS registers) and turns u[g] (rows x n) and v[g] (n x n) with them: then d holds
 * the values, of any sign and in no order. work: 4 GROUPS SWEEPS n. Returns, for each register, a bit for each
 * lane that took too many steps. */
static void svd_diagonalise(vd *d, vd *e, size_t n, vd *const u[GROUPS], size_t rows,
                            vd *const v[GROUPS], vd *work, unsigned unfinished[GROUPS])
{
    struct svd_block blocks[GROUPS];
    struct svd_turns turns[SWEEPS][GROUPS];
    size_t count = 0;
    for (size_t g = 0; g < GROUPS; g++) {
        vd most = all_lanes(0x1p-400);
        for (size_t k = 0; k < n; k++) {
            most = larger(magnitude(d[k * GROUPS + g]), most);
            most = k + 1 < n ? larger(magnitude(e[k * GROUPS + g]), most) : most;
        }
        blocks[g].threshold = most * all_lanes(0x1p-53);
        blocks[g].end = n - 1;
        for (size_t t = 0; t < SWEEPS; t++) {
            turns[t][g].right = work + (2 * t * GROUPS + 2 * g) * 2 * n;
            turns[t][g].left = turns[t][g].right + 2 * n;
        }
    }
    for (size_t sweeps = 0;; sweeps++) {
        size_t left = 0;
        for (size_t g = 0; g < GROUPS; g++) {
            svd_find_block(&blocks[g], d, e, g);
            turns[count][g].begin = blocks[g].begin;
            turns[count][g].end = blocks[g].end;
            left += blocks[g].end;
        }
        bool is_last = left == 0 || sweeps == QR_SWEEPS_FOR_ONE * n;
        if (!is_last)
            svd_chase(d, e, n, blocks, turns[count++]);
        if (count == SWEEPS || is_last) {
            for (size_t g = 0; g < GROUPS; g++) {
                svd_turn_all(u[g], rows, n, (const struct svd_turns(*)[GROUPS])turns, count, g,
                             false);
                svd_turn_all(v[g], n, n, (const struct svd_turns(*)[GROUPS])turns, count, g, true);
            }
            count = 0;
        }
        if (is_last)
            break;
    }
    for (size_t g = 0; g < GROUPS; g++)
        unfinished[g] = mask_bits(is_less(all_lanes(0), blocks[g].high));
}

#endif
