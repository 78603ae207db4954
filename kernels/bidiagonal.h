/* bidiagonal.h -- columns of one large matrix to bidiagonal form, a panel at a time.
 *
 * What a panel does to the columns behind it is kept as two thin matrices, and done by one product when it is through:
 *
 *     A - vx yu'      vx: v0 x0 v1 x1 ..  (rows)      v: reflections from the left, u: from the right
 *                     yu: y0 u0 y1 u1 ..  (columns)   y = tau A' v, x = tau A u, of A as it was then
 *
 * as LAPACK's ?labrd does. That reads A twice a column, for y and for x; here four columns of A at a time give their part of y,
 * with that their elements of the row that u is made of, and with those their part of A u while they are in L1: u is that row
 * less its norm in one place, divided by a number, so A u follows from A's product with the row itself. (Howell, Demmel,
 * Fulton, Hammarling, Marmol, "Cache efficient bidiagonalization using BLAS 2.5 operators", 2008.)
 *
 * Rows are walked in runs of eight from a multiple of eight on, lane = row mod 8; above and below what counts a vector
 * is 0. */
#ifndef SHEAF_KERNELS_BIDIAGONAL_H
#define SHEAF_KERNELS_BIDIAGONAL_H

#include "kernels.h"
#include "svd_lanes.h"

enum { BIDIAGONAL_FOUR = 4 };

static inline size_t run_before(size_t row)
{
    return row / VIRTUAL * VIRTUAL;
}

/* Of which columns four are; where there are fewer the last stands for those, and its factor is 0. */
static inline void four_columns(const double *x[BIDIAGONAL_FOUR], const double *first, size_t pitch,
                                size_t count)
{
    for (size_t c = 0; c < BIDIAGONAL_FOUR; c++)
        x[c] = first + (c < count ? c : count - 1) * pitch;
}

static inline double bidiagonal_fold_lanes(const vd *sum)
{
    double lane[VIRTUAL];
    memcpy(lane, sum, sizeof lane);
    for (size_t half = VIRTUAL / 2; half > 0; half /= 2)
        for (size_t k = 0; k < half; k++)
            lane[k] += lane[k + half];
    return lane[0];
}

/* The sums of four columns' lanes, all in the order of bidiagonal_fold_lanes(). */
static inline void bidiagonal_fold(double dots[BIDIAGONAL_FOUR], vd sum[BIDIAGONAL_FOUR][REGISTERS])
{
#if VBYTES >= 32
    __m256d z[BIDIAGONAL_FOUR];
    for (size_t c = 0; c < BIDIAGONAL_FOUR; c++)
#if VBYTES == 64
        z[c] = _mm512_castpd512_pd256((__m512d)sum[c][0]) +
               _mm512_extractf64x4_pd((__m512d)sum[c][0], 1);
#else
        z[c] = (__m256d)(sum[c][0] + sum[c][1]);
#endif
    /* lanes 0 and 1, 2 and 3 of two columns */
    __m256d a = _mm256_permute2f128_pd(z[0], z[2], 0x20) + _mm256_permute2f128_pd(z[0], z[2], 0x31);
    __m256d b = _mm256_permute2f128_pd(z[1], z[3], 0x20) + _mm256_permute2f128_pd(z[1], z[3], 0x31);
    _mm256_storeu_pd(dots, _mm256_unpacklo_pd(a, b) + _mm256_unpackhi_pd(a, b));
#else
    for (size_t c = 0; c < BIDIAGONAL_FOUR; c++)
        dots[c] = bidiagonal_fold_lanes(sum[c]);
#endif
}

/* dots[c] = x[c]' v, of rows from .. to - 1. */
static inline void bidiagonal_dots(double dots[BIDIAGONAL_FOUR],
                                   const double *const x[BIDIAGONAL_FOUR], const double *v,
                                   size_t from, size_t to)
{
    vd sum[BIDIAGONAL_FOUR][REGISTERS];
    for (size_t c = 0; c < BIDIAGONAL_FOUR; c++)
        for (size_t g = 0; g < REGISTERS; g++)
            sum[c][g] = all_lanes(0);
    for (size_t row = from; row < to; row += VIRTUAL)
        for (size_t g = 0; g < REGISTERS; g++) {
            vd by = *(const vd *)(const void *)(v + row + g * LANES);
            for (size_t c = 0; c < BIDIAGONAL_FOUR; c++)
                sum[c][g] =
                    svd_fma(*(const vd *)(const void *)(x[c] + row + g * LANES), by, sum[c][g]);
        }
    bidiagonal_fold(dots, sum);
}

/* w += x[0] r[0] + .. + x[3] r[3]; what lies `ahead` elements after the columns is asked for. */
static inline void bidiagonal_add(double *w, const double *const x[BIDIAGONAL_FOUR],
                                  const double r[BIDIAGONAL_FOUR], size_t from, size_t to,
                                  size_t ahead)
{
    vd by[BIDIAGONAL_FOUR];
    for (size_t c = 0; c < BIDIAGONAL_FOUR; c++)
        by[c] = all_lanes(r[c]);
    for (size_t row = from; row < to; row += VIRTUAL) {
        for (size_t c = 0; c < BIDIAGONAL_FOUR; c++)
            __builtin_prefetch(x[c] + row + ahead);
        for (size_t g = row; g < row + VIRTUAL; g += LANES) {
            vd sum = *(const vd *)(void *)(w + g);
            for (size_t c = 0; c < BIDIAGONAL_FOUR; c++)
                sum = svd_fma(*(const vd *)(const void *)(x[c] + g), by[c], sum);
            *(vd *)(void *)(w + g) = sum;
        }
    }
}

/* A thin matrix, by columns. */
struct thin {
    const double *first;
    size_t pitch, columns;
};

/* dots[k] = column k' v. */
static inline void bidiagonal_dot_columns(double *dots, const struct thin *thin, const double *v,
                                          size_t from, size_t to)
{
    for (size_t k = 0; k < thin->columns; k += BIDIAGONAL_FOUR) {
        const double *x[BIDIAGONAL_FOUR];
        double some[BIDIAGONAL_FOUR];
        size_t count = thin->columns - k;
        four_columns(x, thin->first + k * thin->pitch, thin->pitch, count);
        bidiagonal_dots(some, x, v, from, to);
        for (size_t c = 0; c < BIDIAGONAL_FOUR && c < count; c++)
            dots[k + c] = some[c];
    }
}

/* p -= columns times a, q -= columns times b. */
static inline void bidiagonal_subtract(double *restrict p, double *restrict q,
                                       const struct thin *thin, const double *a, const double *b,
                                       size_t from, size_t to)
{
    for (size_t k = 0; k < thin->columns; k += BIDIAGONAL_FOUR) {
        const double *x[BIDIAGONAL_FOUR];
        vd as[BIDIAGONAL_FOUR];
        vd bs[BIDIAGONAL_FOUR];
        size_t count = thin->columns - k;
        four_columns(x, thin->first + k * thin->pitch, thin->pitch, count);
        for (size_t c = 0; c < BIDIAGONAL_FOUR; c++) {
            as[c] = all_lanes(c < count ? a[k + c] : 0);
            bs[c] = all_lanes(c < count ? b[k + c] : 0);
        }
        for (size_t row = from; row < to; row += LANES) {
            vd sum_p = *(const vd *)(void *)(p + row);
            vd sum_q = *(const vd *)(void *)(q + row);
            for (size_t c = 0; c < BIDIAGONAL_FOUR; c++) {
                vd element = *(const vd *)(const void *)(x[c] + row);
                sum_p = svd_fnma(element, as[c], sum_p);
                sum_q = svd_fnma(element, bs[c], sum_q);
            }
            *(vd *)(void *)(p + row) = sum_p;
            *(vd *)(void *)(q + row) = sum_q;
        }
    }
}

/* H = I - tau v v' that takes a vector x to beta e: v = scale x but for its first element, which is 1. */
struct householder {
    double first; /* of x */
    double beta;
    double tau;
    double scale;
    double
        power; /* 1; or x has been multiplied by its inverse, as its squares would underflow: beta is of that */
};

static inline double bidiagonal_squares(const double *x, size_t from, size_t to)
{
    vd sum[REGISTERS];
    for (size_t g = 0; g < REGISTERS; g++)
        sum[g] = all_lanes(0);
    for (size_t row = from; row < to; row += VIRTUAL)
        for (size_t g = 0; g < REGISTERS; g++) {
            vd element = *(const vd *)(const void *)(x + row + g * LANES);
            sum[g] = svd_fma(element, element, sum[g]);
        }
    return bidiagonal_fold_lanes(sum);
}

/* Multiplies x by a power of two, if its squares would underflow; returns its inverse. */
static double bidiagonal_enlarge(double *x, size_t from, size_t to)
{
    double most = 0;
    double power = 1;
    for (size_t row = from; row < to; row++)
        most = __builtin_fabs(x[row]) > most ? __builtin_fabs(x[row]) : most;
    for (; most > 0 && most < 1 && power > 0x1p-1020; most *= 0x1p60, power *= 0x1p-60)
        for (size_t row = from; row < to; row++)
            x[row] *= 0x1p60;
    return power;
}

/* Of x, which begins at row `lead` after zeros. */
static struct householder bidiagonal_reflection(double *x, size_t lead, size_t to)
{
    const double tiny = 0x1p-800; /* less than this: squares may have been lost */
    const size_t from = run_before(lead);
    struct householder h = {.power = 1};
    double tail;
    double total;
    for (bool again = false;; again = true) {
        h.first = x[lead];
        x[lead] = 0;
        tail = bidiagonal_squares(x, from, to);
        x[lead] = h.first;
        total = __builtin_fma(h.first, h.first, tail);
        if (total >= tiny || again)
            break;
        h.power = bidiagonal_enlarge(x, from, to);
    }
    h.beta = h.first;
    if (tail == 0)
        return h;
    h.beta = -__builtin_copysign(__builtin_sqrt(total), h.first);
    h.tau = (h.beta - h.first) / h.beta;
    h.scale = 1 / (h.first - h.beta);
    return h;
}

/* x to v. */
static void bidiagonal_vector(const struct householder *h, double *x, size_t lead, size_t to)
{
    for (size_t row = run_before(lead); row < to; row++)
        x[row] *= h->scale;
    x[lead] = 1;
}

/* Work space of a panel: vectors as long as a column, then as a row, then of two numbers a column of the panel. */
struct bidiagonal_room {
    double *w, *next; /* of w one for each share */
    double *below, *along;
    double *row, *dots, *sums, *head;
};

static struct bidiagonal_room bidiagonal_rooms(const struct kernel_bidiagonal *call)
{
    struct bidiagonal_room room;
    size_t few = run_before(2 * call->count + VIRTUAL);
    room.w = call->scratch;
    room.next = room.w + call->shares * call->pitch;
    room.below = room.next + call->pitch;
    room.along = room.below + call->row_pitch;
    room.row = room.along + call->row_pitch;
    room.dots = room.row + few;
    room.sums = room.dots + few;
    room.head = room.sums + few;
    return room;
}

/* A share's part of y, of the row that u is made of, and of w = A times that row, behind column i: see above. below and
 * along: what the panel's columns so far take from them. */
static void bidiagonal_share(const struct kernel_bidiagonal *call, size_t k, size_t share)
{
    const struct bidiagonal_room room = bidiagonal_rooms(call);
    const size_t i = call->first + k;
    const size_t from = run_before(i);
    const double tau = call->tauq[i];
    const double *v = call->vx + 2 * k * call->pitch;
    double *y = call->yu + 2 * k * call->row_pitch;
    double *u = y + call->row_pitch;
    double *w = room.w + share * call->pitch;
    const size_t fours = (call->columns - i - 1 + BIDIAGONAL_FOUR - 1) / BIDIAGONAL_FOUR;
    const size_t end = (share + 1) * fours / call->shares;
    memset(w + from, 0, (call->pitch - from) * sizeof *w);
    for (size_t four = share * fours / call->shares; four < end; four++) {
        const double *x[BIDIAGONAL_FOUR];
        double dots[BIDIAGONAL_FOUR];
        double r[BIDIAGONAL_FOUR] = {0};
        size_t j = i + 1 + four * BIDIAGONAL_FOUR;
        size_t count = call->columns - j;
        four_columns(x, call->a + j * call->pitch, call->pitch, count);
        bidiagonal_dots(dots, x, v, from, call->pitch);
        for (size_t c = 0; c < BIDIAGONAL_FOUR && c < count; c++) {
            y[j + c] = tau * (dots[c] + room.below[j + c]);
            u[j + c] = r[c] = x[c][i] + room.along[j + c] - y[j + c];
        }
        bidiagonal_add(w, x, r, from, call->pitch, BIDIAGONAL_FOUR * call->pitch);
    }
}

/* w = A u, for a u that has changed since bidiagonal_share(). */
static void bidiagonal_multiply(const struct kernel_bidiagonal *call, size_t i, const double *u,
                                double *w)
{
    const size_t from = run_before(i);
    memset(w + from, 0, (call->pitch - from) * sizeof *w);
    for (size_t j = i + 1; j < call->columns; j += BIDIAGONAL_FOUR) {
        const double *x[BIDIAGONAL_FOUR];
        double r[BIDIAGONAL_FOUR] = {0};
        size_t count = call->columns - j;
        four_columns(x, call->a + j * call->pitch, call->pitch, count);
        memcpy(r, u + j, (count < BIDIAGONAL_FOUR ? count : BIDIAGONAL_FOUR) * sizeof *r);
        bidiagonal_add(w, x, r, from, call->pitch, BIDIAGONAL_FOUR * call->pitch);
    }
}

/* Column i, the k-th of the panel, which stands in room.next: its reflection, into vx and a. */
static double *bidiagonal_reflect(const struct kernel_bidiagonal *call, size_t k,
                                  const struct bidiagonal_room *room)
{
    const size_t i = call->first + k;
    double *v = call->vx + 2 * k * call->pitch;
    double *column = call->a + i * call->pitch;
    memset(v, 0, i * sizeof *v);
    memcpy(v + i, (k == 0 ? column : room->next) + i, (call->pitch - i) * sizeof *v);
    struct householder h = bidiagonal_reflection(v, i, call->pitch);
    call->d[i] = h.beta * h.power;
    call->tauq[i] = h.tau;
    bidiagonal_vector(&h, v, i, call->pitch);
    memcpy(column + i + 1, v + i + 1, (call->pitch - i - 1) * sizeof *v);
    return v;
}

static void bidiagonal_left(const struct kernel_bidiagonal *call, size_t k)
{
    const struct bidiagonal_room room = bidiagonal_rooms(call);
    const size_t i = call->first + k;
    const size_t ahead = run_before(i + 1);
    const struct thin vx = {call->vx, call->pitch, 2 * k};
    const struct thin yu = {call->yu, call->row_pitch, 2 * k};
    double *y = call->yu + 2 * k * call->row_pitch;
    const double *v = bidiagonal_reflect(call, k, &room);
    if (i + 1 == call->columns)
        return;
    bidiagonal_dot_columns(room.dots, &vx, v, run_before(i), call->pitch);
    for (size_t c = 0; c < vx.columns; c++)
        room.row[c] = call->vx[c * call->pitch + i];
    memset(room.below + ahead, 0, (call->row_pitch - ahead) * sizeof *y);
    memset(room.along + ahead, 0, (call->row_pitch - ahead) * sizeof *y);
    bidiagonal_subtract(room.below, room.along, &yu, room.dots, room.row, ahead, call->row_pitch);
    memset(y, 0, 2 * call->row_pitch * sizeof *y); /* and u */
}

static void bidiagonal_right(const struct kernel_bidiagonal *call, size_t k)
{
    const struct bidiagonal_room room = bidiagonal_rooms(call);
    const size_t i = call->first + k;
    const size_t from = run_before(i);
    const struct thin vx = {call->vx, call->pitch, 2 * k + 1};
    const struct thin yu = {call->yu, call->row_pitch, 2 * k + 1};
    double *x = call->vx + (2 * k + 1) * call->pitch;
    double *u = call->yu + (2 * k + 1) * call->row_pitch;
    for (size_t share = 1; share < call->shares; share++)
        for (size_t row = from; row < call->pitch; row++)
            room.w[row] += room.w[share * call->pitch + row];
    struct householder h = bidiagonal_reflection(u, i + 1, call->row_pitch);
    call->e[i] = h.beta * h.power;
    call->taup[i] = h.tau;
    if (h.power != 1)
        bidiagonal_multiply(call, i, u, room.w);
    bidiagonal_dot_columns(room.sums, &yu, u, run_before(i + 1), call->row_pitch);
    for (size_t c = 0; c < yu.columns; c++)
        room.head[c] = call->yu[c * call->row_pitch + i + 1];
    memcpy(room.next + from, call->a + (i + 1) * call->pitch + from,
           (call->pitch - from) * sizeof *x);
    bidiagonal_subtract(room.w, room.next, &vx, room.sums, room.head, from, call->pitch);
    bidiagonal_vector(&h, u, i + 1, call->row_pitch);
    const double by = h.tau * h.scale;
    memset(x, 0, from * sizeof *x);
    for (size_t row = from; row < call->pitch; row++) {
        x[row] = by * (room.w[row] - h.beta * room.next[row]);
        room.next[row] -= x[row];
    }
}

#endif
