/* svd_qr.h -- Householder QR, each lane a matrix (or a part of one) of its own.
 *
 * A reflection I - scale v v' has v = (head, the column below): v is not normalised, so no pass over it
 * is needed; scale = 1 / (norm (norm + |first|)). The elements are at most 2 and the largest of a matrix at
 * least 1, or 2^-75 for a denormal one; a column whose squares sum to less than TINY counts as zero, since
 * a sum of denormals would not give a reflection. */
#ifndef SHEAF_KERNELS_SVD_QR_H
#define SHEAF_KERNELS_SVD_QR_H

#include "svd_lanes.h"

#define TINY 0x1p-960

struct reflection {
    vd head, scale, beta; /* beta: what the column's first element becomes */
};

static inline struct reflection svd_reflection(vd first, vd squares)
{
    vd total = svd_fma(first, first, squares);
    lane_mask counts = is_at_most(all_lanes(TINY), total);
    vd norm = svd_sqrt(total);
    vd sum = norm + magnitude(first);
    vd zero = all_lanes(0);
    vd one = all_lanes(1);
    return (struct reflection){
        .head = choose(counts, with_sign(sum, first), zero),
        .scale = choose(counts, one, zero) / choose(counts, norm * sum, one),
        .beta = choose(counts, -with_sign(norm, first), first),
    };
}

/* In four chains. */
static inline vd svd_dot(const vd *x, const vd *y, size_t n)
{
    vd s[4] = {all_lanes(0), all_lanes(0), all_lanes(0), all_lanes(0)};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t c = 0; c < 4; c++)
            s[c] = svd_fma(x[i + c], y[i + c], s[c]);
    for (; i < n; i++)
        s[0] = svd_fma(x[i], y[i], s[0]);
    return (s[0] + s[1]) + (s[2] + s[3]);
}

/* Two reflections, of columns k and k + 1: what multiplies the rows below those two is u and v, and cross is
 * the element of the first in row k + 1 (0 if the two rows are R's). product is that of u and v. */
struct pair {
    const vd *u, *v;
    struct reflection first, second;
    vd product, cross;
};

/* Where a panel keeps what its reflections need beside their columns, to be applied again: n heads, then n
 * scales. NULL: it does not. */
static inline void svd_keep(vd *keep, size_t n, size_t k, const struct reflection *reflection)
{
    if (keep != NULL) {
        keep[k] = reflection->head;
        keep[n + k] = reflection->scale;
    }
}

/* Applies the pair to `columns` columns: rows k and k + 1 (row_u, row_v, row_step from column to column) and
 * those below. Returns the sum of the squares of the first column's new elements below. */
static inline __attribute__((always_inline)) vd svd_apply_pair(const struct pair *pair, vd *row_u,
                                                               vd *row_v, const size_t row_step,
                                                               vd *b, const size_t stride,
                                                               size_t rows, const size_t columns)
{
    const vd *u = pair->u;
    const vd *v = pair->v;
    vd with_u[4];
    vd with_v[4];
    for (size_t c = 0; c < columns; c++)
        with_u[c] = with_v[c] = all_lanes(0);
    for (size_t i = 0; i < rows; i++)
        for (size_t c = 0; c < columns; c++) {
            with_u[c] = svd_fma(u[i], b[c * stride + i], with_u[c]);
            with_v[c] = svd_fma(v[i], b[c * stride + i], with_v[c]);
        }
    for (size_t c = 0; c < columns; c++) {
        vd of_u = row_u[c * row_step];
        vd of_v = row_v[c * row_step];
        vd w = svd_fma(pair->cross, of_v, svd_fma(pair->first.head, of_u, with_u[c]));
        w = pair->first.scale * w;
        of_v = svd_fnma(w, pair->cross, of_v);
        vd z = svd_fma(pair->second.head, of_v, svd_fnma(pair->product, w, with_v[c]));
        z = pair->second.scale * z;
        row_u[c * row_step] = svd_fnma(w, pair->first.head, of_u);
        row_v[c * row_step] = svd_fnma(z, pair->second.head, of_v);
        with_u[c] = w;
        with_v[c] = z;
    }
    vd squares = all_lanes(0);
    for (size_t i = 0; i < rows; i++)
        for (size_t c = 0; c < columns; c++) {
            vd x = svd_fnma(with_u[c], u[i], b[c * stride + i]);
            x = svd_fnma(with_v[c], v[i], x);
            b[c * stride + i] = x;
            if (c == 0)
                squares = svd_fma(x, x, squares);
        }
    return squares;
}

/* The same to columns j .. n - 1: row_u, row_v and b are those of column j. */
static inline __attribute__((always_inline)) vd
svd_apply_pair_to_all(const struct pair *pair, vd *row_u, vd *row_v, const size_t row_step, vd *b,
                      const size_t stride, size_t rows, size_t columns)
{
    vd squares = all_lanes(0);
    size_t c = 0;
    for (; c + 4 <= columns; c += 4) {
        vd s = svd_apply_pair(pair, row_u + c * row_step, row_v + c * row_step, row_step,
                              b + c * stride, stride, rows, 4);
        squares = c == 0 ? s : squares;
    }
    if (c + 2 <= columns) {
        vd s = svd_apply_pair(pair, row_u + c * row_step, row_v + c * row_step, row_step,
                              b + c * stride, stride, rows, 2);
        squares = c == 0 ? s : squares;
        c += 2;
    }
    if (c < columns) {
        vd s = svd_apply_pair(pair, row_u + c * row_step, row_v + c * row_step, row_step,
                              b + c * stride, stride, rows, 1);
        squares = c == 0 ? s : squares;
    }
    return squares;
}

/* Makes the second reflection of the pair, whose first is made, from column k + 1. */
static inline void svd_second(struct pair *pair, vd *row, vd *below, vd *v, size_t rows)
{
    const vd *u = pair->u;
    vd w = svd_fma(pair->first.head, *row, svd_dot(u, v, rows));
    w = pair->first.scale * svd_fma(pair->cross, *below, w);
    *row = svd_fnma(w, pair->first.head, *row);
    *below = svd_fnma(w, pair->cross, *below);
    for (size_t i = 0; i < rows; i++)
        v[i] = svd_fnma(w, u[i], v[i]);
    pair->product = svd_dot(u, v, rows);
    pair->second = svd_reflection(*below, svd_dot(v, v, rows));
    *below = pair->second.beta;
}

/* R of [R; B]: r is n x n, upper triangular, by rows; b is rows x n, by columns `rows` apart, and is
 * replaced by the reflections' columns. is_triangular: b is upper triangular too (n x n, zeros below). */
static void svd_qr_panel(vd *restrict r, vd *restrict b, size_t n, size_t rows, bool is_triangular,
                         vd *keep)
{
    vd squares = svd_dot(b, b, is_triangular ? 1 : rows);
    for (size_t k = 0; k < n; k += 2) {
        size_t used = is_triangular && k + 2 < rows ? k + 2 : rows;
        struct pair pair = {.u = b + k * rows, .v = b + (k + 1) * rows, .cross = all_lanes(0)};
        pair.first = svd_reflection(r[k * n + k], squares);
        svd_keep(keep, n, k, &pair.first);
        r[k * n + k] = pair.first.beta;
        if (k + 1 == n)
            break;
        vd *row_u = r + k * n;
        vd *row_v = row_u + n;
        svd_second(&pair, row_u + k + 1, row_v + k + 1, b + (k + 1) * rows, used);
        svd_keep(keep, n, k + 1, &pair.second);
        squares = svd_apply_pair_to_all(&pair, row_u + k + 2, row_v + k + 2, 1, b + (k + 2) * rows,
                                        rows, used, n - k - 2);
        if (used < rows) { /* the diagonal element of the next column, which nothing has touched */
            vd diagonal = b[(k + 2) * rows + k + 2];
            squares = svd_fma(diagonal, diagonal, squares);
        }
    }
}

/* R of B, rows >= n: as LAPACK does it, so that the reflections have orthonormal columns whatever the rank
 * of B. b becomes the reflections' columns, their heads among them, zeros above. */
static void svd_qr_first(vd *restrict r, vd *restrict b, size_t n, size_t rows, vd *keep)
{
    for (size_t k = 0; k < n; k += 2) {
        vd *u = b + k * rows + k;
        vd *v = u + rows;
        struct pair pair = {.u = u + 2, .v = v + 2, .cross = k + 1 < rows ? u[1] : all_lanes(0)};
        pair.first = svd_reflection(u[0], svd_dot(u + 1, u + 1, rows - k - 1));
        svd_keep(keep, n, k, &pair.first);
        u[0] = pair.first.beta;
        if (k + 1 == n)
            break;
        svd_second(&pair, v, v + 1, v + 2, rows - k - 2);
        svd_keep(keep, n, k + 1, &pair.second);
        (void)svd_apply_pair_to_all(&pair, v + rows, v + rows + 1, rows, v + rows + 2, rows,
                                    rows - k - 2, n - k - 2);
    }
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i <= j; i++) {
            r[i * n + j] = b[j * rows + i];
            b[j * rows + i] = keep != NULL && i == j ? keep[j] : all_lanes(0);
        }
}

#endif
