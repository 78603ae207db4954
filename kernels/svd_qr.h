/* svd_qr.h -- Householder QR and bidiagonalisation, each lane a matrix (or a part of one) of its own.
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

/* The reflection of a column of its first element and `count` below; none is needed if there are none. */
static inline struct reflection svd_reflection_of(vd first, const vd *below, size_t count)
{
    if (count == 0)
        return (struct reflection){.head = all_lanes(0), .scale = all_lanes(0), .beta = first};
    return svd_reflection(first, svd_dot(below, below, count));
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

/* What is still to be subtracted from the trailing matrix: u y' + x v'. */
struct pending {
    const vd *u, *x;
    vd *y, *v;
};

/* Subtracts what is pending from `columns` columns, and replaces their y by the products with u. */
static inline __attribute__((always_inline)) void svd_pass(const struct pending *p, vd *restrict a,
                                                           const vd *restrict u, size_t j,
                                                           size_t stride, size_t rows,
                                                           const size_t columns)
{
    vd sum[4];
    vd y[4];
    vd v[4];
    for (size_t c = 0; c < columns; c++) {
        sum[c] = all_lanes(0);
        y[c] = p->y[j + c];
        v[c] = p->v[j + c];
    }
    for (size_t i = 0; i < rows; i++)
        for (size_t c = 0; c < columns; c++) {
            vd e = svd_fnma(p->u[i], y[c], a[c * stride + i]);
            e = svd_fnma(p->x[i], v[c], e);
            a[c * stride + i] = e;
            sum[c] = svd_fma(u[i], e, sum[c]);
        }
    for (size_t c = 0; c < columns; c++)
        p->y[j + c] = sum[c];
}

/* x = scale (A v - u yv), A of rows x columns. */
static inline void svd_product(vd *restrict x, const vd *restrict a, const vd *restrict v,
                               const vd *restrict u, size_t stride, size_t rows, size_t columns,
                               vd scale, vd yv)
{
    for (size_t i = 0; i < rows; i++)
        x[i] = -yv * u[i];
    size_t j = 0;
    for (; j + 4 <= columns; j += 4)
        for (size_t i = 0; i < rows; i++) {
            vd sum = x[i];
            for (size_t c = 0; c < 4; c++)
                sum = svd_fma(a[(j + c) * stride + i], v[j + c], sum);
            x[i] = sum;
        }
    for (; j < columns; j++)
        for (size_t i = 0; i < rows; i++)
            x[i] = svd_fma(a[j * stride + i], v[j], x[i]);
    for (size_t i = 0; i < rows; i++)
        x[i] = scale * x[i];
}

/* What is kept of a bidiagonalisation, to be applied again: the left reflections' columns are in a, from the
 * diagonal down; the right ones' rows are here, n apart, from k + 1 on. */
struct svd_bidiagonal_kept {
    vd *left, *right; /* scales, n each */
    vd *rows;         /* n x n */
};

/* The bidiagonal form of a, m x n with m >= n, by columns m apart, destroyed: d[n] the diagonal, e[n - 1]
 * above it. work: m + 2 n. kept may be NULL. Both updates of a step wait for the next one, which reads every column anyway;
 * so a column is read and written once in a step, and read once more (Howell, Demmel, Fulton, Hammarling,
 * Marmol, "Cache efficient bidiagonalization using BLAS 2.5 operators", 2008). */
static void svd_bidiagonal(vd *restrict a, size_t m, size_t n, vd *d, vd *e, vd *work,
                           const struct svd_bidiagonal_kept *kept)
{
    vd *x = work;
    vd *y = work + m;
    vd *v = y + n;
    for (size_t i = 0; i < m + 2 * n; i++)
        work[i] = all_lanes(0);
    for (size_t k = 0; k < n; k++) {
        vd *u = a + k * m + k;
        size_t rows = m - k;
        struct pending pending = {.u = k > 0 ? u - m : u, .x = x + k, .y = y, .v = v};
        for (size_t i = 0; i < rows && k > 0; i++)
            u[i] = svd_fnma(x[k + i], v[k], svd_fnma(pending.u[i], y[k], u[i]));
        struct reflection left = svd_reflection_of(u[0], u + 1, rows - 1);
        d[k] = left.beta;
        u[0] = left.head;
        if (kept != NULL)
            kept->left[k] = left.scale;
        if (k + 1 == n)
            break;
        size_t j = k + 1;
        for (; j + 4 <= n; j += 4)
            svd_pass(&pending, a + j * m + k, u, j, m, rows, 4);
        for (; j < n; j++)
            svd_pass(&pending, a + j * m + k, u, j, m, rows, 1);

        /* the row as the reflection leaves it, and the reflection that folds it into its first element */
        vd yv = all_lanes(0);
        for (j = k + 1; j < n; j++) {
            y[j] = left.scale * y[j];
            v[j] = svd_fnma(left.head, y[j], a[j * m + k]);
        }
        struct reflection right = svd_reflection_of(v[k + 1], v + k + 2, n - k - 2);
        e[k] = right.beta;
        v[k + 1] = right.head;
        if (kept != NULL) {
            kept->right[k] = right.scale;
            for (j = k + 1; j < n; j++)
                kept->rows[k * n + j] = v[j];
        }
        for (j = k + 1; j < n; j++)
            yv = svd_fma(y[j], v[j], yv);
        svd_product(x + k + 1, a + (k + 1) * m + k + 1, v + k + 1, u + 1, m, rows - 1, n - k - 1,
                    right.scale, yv);
    }
}

#endif
