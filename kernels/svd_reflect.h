/* svd_reflect.h -- reflections applied again, to make singular vectors of what they were made for: the
 * matrices of a bidiagonalisation, and the down-sweep through panels and merges of R's. All matrices made
 * here are by rows, so that rotations of neighbouring columns run along memory. */
#ifndef SHEAF_KERNELS_SVD_REFLECT_H
#define SHEAF_KERNELS_SVD_REFLECT_H

#include "svd_qr.h"

/* q = (I - scale v v') q for `columns` columns, by rows `stride` apart. */
static inline __attribute__((always_inline)) void svd_reflect_some(vd *q, size_t stride,
                                                                   size_t rows,
                                                                   const vd *restrict v, vd scale,
                                                                   const size_t columns)
{
    vd w[4];
    for (size_t c = 0; c < columns; c++)
        w[c] = all_lanes(0);
    for (size_t i = 0; i < rows; i++)
        for (size_t c = 0; c < columns; c++)
            w[c] = svd_fma(v[i], q[i * stride + c], w[c]);
    for (size_t c = 0; c < columns; c++)
        w[c] = scale * w[c];
    for (size_t i = 0; i < rows; i++)
        for (size_t c = 0; c < columns; c++)
            q[i * stride + c] = svd_fnma(w[c], v[i], q[i * stride + c]);
}

/* Q of the reflections k = count - 1 .. 0, vectors v + k * step, each on the rows and columns from
 * k + offset on: q is m x n. */
static void svd_form(vd *restrict q, size_t m, size_t n, const vd *restrict v, size_t step,
                     const vd *scales, size_t count, size_t offset)
{
    for (size_t i = 0; i < m * n; i++)
        q[i] = all_lanes(0);
    for (size_t i = 0; i < n; i++)
        q[i * n + i] = all_lanes(1);
    for (size_t k = count; k-- > 0;) {
        size_t at = k + offset;
        const vd *u = v + k * step + at;
        vd *corner = q + at * n + at;
        size_t j = 1;
        for (; at + j + 4 <= n; j += 4)
            svd_reflect_some(corner + j, n, m - at, u, scales[k], 4);
        for (; at + j < n; j++)
            svd_reflect_some(corner + j, n, m - at, u, scales[k], 1);
        vd w = scales[k] * u[0]; /* the first column is that of the identity */
        for (size_t i = 0; i < m - at; i++)
            corner[i * n] = svd_fnma(w, u[i], i == 0 ? all_lanes(1) : all_lanes(0));
    }
}

/* c -= a' b: a by columns a_step apart, b and c by rows, n apart; of `rows` rows and `columns` columns of c. */
static inline __attribute__((always_inline)) void
svd_subtract_product(vd *restrict c, const vd *restrict a, size_t a_step, const vd *restrict b,
                     size_t n, const size_t rows, const size_t columns)
{
    vd sum[3][4];
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            sum[i][j] = c[i * n + j];
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++)
                sum[i][j] = svd_fnma(a[k * a_step + i], b[k * n + j], sum[i][j]);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            c[i * n + j] = sum[i][j];
}

/* The dots of the reflections' columns, j > k, of `rows` rows: gram[k * n + j]. */
static void svd_gram(vd *restrict gram, const vd *v, size_t n, size_t rows)
{
    for (size_t k = 0; k < n; k++) {
        const vd *u = v + k * rows;
        size_t j = k + 1;
        for (; j + 4 <= n; j += 4) {
            vd sum[4] = {all_lanes(0), all_lanes(0), all_lanes(0), all_lanes(0)};
            for (size_t i = 0; i < rows; i++)
                for (size_t c = 0; c < 4; c++)
                    sum[c] = svd_fma(u[i], v[(j + c) * rows + i], sum[c]);
            for (size_t c = 0; c < 4; c++)
                gram[k * n + j + c] = sum[c];
        }
        for (; j < n; j++) {
            vd sum = all_lanes(0);
            for (size_t i = 0; i < rows; i++)
                sum = svd_fma(u[i], v[j * rows + i], sum);
            gram[k * n + j] = sum;
        }
    }
}

/* What svd_down() works in. */
struct svd_down {
    vd *gram, *w; /* n x n each */
    size_t n;
};

/* `columns` elements of row k of W, from column c on: see svd_down(). */
static inline __attribute__((always_inline)) void svd_down_row(const struct svd_down *down,
                                                               const vd *x, const vd *panel,
                                                               size_t rows, size_t k, bool is_first,
                                                               size_t c, const size_t columns)
{
    size_t n = down->n;
    const vd *gram = down->gram + k * n;
    vd head = panel[rows * n + k];
    vd scale = panel[rows * n + n + k];
    vd w[4];
    for (size_t t = 0; t < columns; t++)
        w[t] = head * x[k * n + c + t];
    for (size_t i = k + 1; is_first && i < n; i++)
        for (size_t t = 0; t < columns; t++)
            w[t] = svd_fma(panel[k * rows + i], x[i * n + c + t], w[t]);
    for (size_t j = k + 1; j < n; j++)
        for (size_t t = 0; t < columns; t++)
            w[t] = svd_fnma(gram[j], down->w[j * n + c + t], w[t]);
    for (size_t t = 0; t < columns; t++)
        down->w[k * n + c + t] = scale * w[t];
}

/* The reflections of a panel, which svd_qr_panel() or svd_qr_first() has kept, applied to [x; 0]: x becomes
 * its upper part, n x n, and out the lower, rows x n. Of a first panel there is no upper part but in
 * out. H_1 .. H_n [x; 0] is [x; 0] - V W, W by its rows from the last: w_k = scale_k (v_k' [x; 0] - the sum
 * over j > k of (v_k' v_j) w_j). */
static void svd_down(const struct svd_down *down, vd *restrict x, vd *restrict out, const vd *panel,
                     size_t rows, bool is_first)
{
    size_t n = down->n;
    const vd *heads = panel + rows * n;
    svd_gram(down->gram, panel, n, rows);
    for (size_t k = n; k-- > 0;) {
        size_t c = 0;
        for (; c + 4 <= n; c += 4)
            svd_down_row(down, x, panel, rows, k, is_first, c, 4);
        for (; c < n; c++)
            svd_down_row(down, x, panel, rows, k, is_first, c, 1);
    }
    for (size_t i = 0; i < rows * n; i++)
        out[i] = is_first && i < n * n ? x[i] : all_lanes(0);
    for (size_t k = 0; k < n && !is_first; k++)
        for (size_t c = 0; c < n; c++)
            x[k * n + c] = svd_fnma(heads[k], down->w[k * n + c], x[k * n + c]);
    size_t i = 0;
    for (; i + 3 <= rows; i += 3) {
        size_t j = 0;
        for (; j + 4 <= n; j += 4)
            svd_subtract_product(out + i * n + j, panel + i, rows, down->w + j, n, 3, 4);
        for (; j < n; j++)
            svd_subtract_product(out + i * n + j, panel + i, rows, down->w + j, n, 3, 1);
    }
    for (; i < rows; i++) {
        size_t j = 0;
        for (; j + 4 <= n; j += 4)
            svd_subtract_product(out + i * n + j, panel + i, rows, down->w + j, n, 1, 4);
        for (; j < n; j++)
            svd_subtract_product(out + i * n + j, panel + i, rows, down->w + j, n, 1, 1);
    }
}

#endif
