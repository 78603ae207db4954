/* svd_bidiagonal.h -- the bidiagonal form, each lane a matrix of its own, by reflections from the left and the right in
 * turns.
 *
 * Both updates of a step wait for the next one, which reads every column anyway; so a column is read and written once
 * in a step, and read once more (Howell, Demmel, Fulton, Hammarling, Marmol, "Cache efficient bidiagonalization using
 * BLAS 2.5 operators", 2008). A reflection's vector is (head, what is below), and only its head and its scale wait for
 * a square root and a division: so the products with what is below come first, and the head's part after them. */
#ifndef SHEAF_KERNELS_SVD_BIDIAGONAL_H
#define SHEAF_KERNELS_SVD_BIDIAGONAL_H

#include "svd_qr.h"

/* What is kept of a bidiagonalisation, to be applied again: the left reflections' columns are in a, from the
 * diagonal down; the right ones' rows are here, n apart, from k + 1 on. */
struct svd_bidiagonal_kept {
    vd *left, *right; /* scales, n each */
    vd *rows;         /* n x n */
};

/* Step k: a, u, x, y and v begin at row or column k. What is still to be subtracted from the columns behind is
 * before y' + x v', of the step before. */
struct svd_step {
    vd *a;
    size_t stride, rows, columns; /* with row and column k */
    const vd *before;             /* NULL in the first step: nothing to be subtracted */
    vd *x, *y, *v;
    struct reflection left, right;
    vd yv; /* of columns k + 2 on */
};

/* Brings `columns` columns from j on up to date, and replaces their y by the products with u below the first row. */
static inline __attribute__((always_inline)) void svd_pass(const struct svd_step *s, size_t j,
                                                           const size_t columns)
{
    const vd *restrict u = s->a;
    const vd *restrict before = s->before;
    const vd *restrict x = s->x;
    vd *restrict a = s->a + j * s->stride;
    size_t stride = s->stride;
    vd sum[4];
    vd y[4];
    vd v[4];
    for (size_t c = 0; c < columns; c++) {
        sum[c] = all_lanes(0);
        y[c] = s->y[j + c];
        v[c] = s->v[j + c];
        a[c * stride] = svd_fnma(x[0], v[c], svd_fnma(before[0], y[c], a[c * stride]));
    }
    for (size_t i = 1; i < s->rows; i++) {
        vd of_u = u[i]; /* read once, whatever the columns may overlap */
        vd of_before = before[i];
        vd of_x = x[i];
        for (size_t c = 0; c < columns; c++) {
            vd e = svd_fnma(of_before, y[c], a[c * stride + i]);
            e = svd_fnma(of_x, v[c], e);
            a[c * stride + i] = e;
            sum[c] = svd_fma(of_u, e, sum[c]);
        }
    }
    for (size_t c = 0; c < columns; c++)
        s->y[j + c] = sum[c];
}

/* The same of the first step: the products alone. */
static inline __attribute__((always_inline)) void svd_first_pass(const struct svd_step *s, size_t j,
                                                                 const size_t columns)
{
    const vd *u = s->a;
    const vd *a = s->a + j * s->stride;
    vd sum[8];
    for (size_t c = 0; c < columns; c++)
        sum[c] = all_lanes(0);
    for (size_t i = 1; i < s->rows; i++)
        for (size_t c = 0; c < columns; c++)
            sum[c] = svd_fma(u[i], a[c * s->stride + i], sum[c]);
    for (size_t c = 0; c < columns; c++)
        s->y[j + c] = sum[c];
}

/* All columns behind column k, never one alone if that can be: its chain of sums is slow. */
static void svd_passes(const struct svd_step *s)
{
    size_t j = 1;
    if (s->before == NULL) {
        for (; j + 8 <= s->columns; j += 8)
            svd_first_pass(s, j, 8);
        for (; j + 4 <= s->columns; j += 4)
            svd_first_pass(s, j, 4);
        for (; j < s->columns; j++)
            svd_first_pass(s, j, 1);
    }
    while (j < s->columns) {
        size_t left = s->columns - j;
        if (left % 4 == 0) {
            svd_pass(s, j, 4);
            j += 4;
        } else if (left >= 3) {
            svd_pass(s, j, 3);
            j += 3;
        } else if (left == 2) {
            svd_pass(s, j, 2);
            j += 2;
        } else {
            svd_pass(s, j, 1);
            j += 1;
        }
    }
}

/* Column j of row k: y, and v, what the left reflection leaves there. */
static inline void svd_row_element(const struct svd_step *s, size_t j)
{
    vd top = s->a[j * s->stride];
    vd y = s->left.scale * svd_fma(s->left.head, top, s->y[j]);
    s->y[j] = y;
    s->v[j] = svd_fnma(s->left.head, y, top);
}

/* The same, and its square and product. */
static inline __attribute__((always_inline)) void svd_row_sums(const struct svd_step *s, size_t j,
                                                               vd *square, vd *yv)
{
    svd_row_element(s, j);
    *square = svd_fma(s->v[j], s->v[j], *square);
    *yv = svd_fma(s->y[j], s->v[j], *yv);
}

/* All of row k, whose squares behind the first element of v are returned. As in svd_next_column(), four at a time by a
 * constant bound, else GCC keeps the sums in memory; and from a copy of the step, which no store can change. */
static vd svd_row(struct svd_step *step)
{
    const struct svd_step s = *step;
    vd squares[4] = {all_lanes(0), all_lanes(0), all_lanes(0), all_lanes(0)};
    vd yv[4] = {all_lanes(0), all_lanes(0), all_lanes(0), all_lanes(0)};
    size_t j = 2;
    svd_row_element(&s, 1);
    for (; j + 4 <= s.columns; j += 4)
        for (size_t c = 0; c < 4; c++)
            svd_row_sums(&s, j + c, &squares[c], &yv[c]);
    for (size_t c = 0; c < 3 && j + c < s.columns; c++)
        svd_row_sums(&s, j + c, &squares[c], &yv[c]);
    step->yv = (yv[0] + yv[1]) + (yv[2] + yv[3]);
    return (squares[0] + squares[1]) + (squares[2] + squares[3]);
}

/* x = A v of `rows` rows from i on, but for column k + 1. */
static inline __attribute__((always_inline)) void svd_rows(const struct svd_step *s, size_t i,
                                                           const size_t rows)
{
    const vd *restrict a = s->a + i;
    vd sum[12];
    for (size_t c = 0; c < rows; c++)
        sum[c] = all_lanes(0);
    for (size_t j = 2; j < s->columns; j++)
        for (size_t c = 0; c < rows; c++)
            sum[c] = svd_fma(a[j * s->stride + c], s->v[j], sum[c]);
    for (size_t c = 0; c < rows; c++)
        s->x[i + c] = sum[c];
}

/* The same of all rows below row k, in parts of 12 at most that are nearly the same. Four or eight columns at a time over
 * all rows, or right after svd_pass(), would read them more often from L1 than from registers: 5 % slower at 32 x 32. */
static void svd_all_rows(const struct svd_step *s)
{
    size_t left = s->rows - 1;
    size_t i = 1;
    for (size_t parts = (left + 11) / 12; parts > 0; parts--) {
        size_t rows = left / parts;
        switch (rows) {
#define X(n)                                                                                       \
    case n:                                                                                        \
        svd_rows(s, i, n);                                                                         \
        break;
            X(1)
            X(2)
            X(3)
            X(4)
            X(5)
            X(6)
            X(7)
            X(8)
            X(9)
            X(10)
            X(11)
            X(12)
#undef X
        default:
            break;
        }
        i += rows;
        left -= rows;
    }
}

/* x of row i becomes scale (A v - u yv), and column k + 1 is brought up to date. Returns what is there then. */
static inline vd svd_next_element(const struct svd_step *s, size_t i)
{
    vd *next = s->a + s->stride + i;
    vd u = s->a[i];
    vd x = s->right.scale * svd_fma(*next, s->right.head, svd_fnma(u, s->yv, s->x[i]));
    s->x[i] = x;
    *next = svd_fnma(x, s->right.head, svd_fnma(u, s->y[1], *next));
    return *next;
}

/* All of column k + 1, which is reflected next. Returns the sum of its squares, but that of the diagonal. */
static vd svd_next_column(const struct svd_step *step)
{
    const struct svd_step s = *step;
    vd squares[4] = {all_lanes(0), all_lanes(0), all_lanes(0), all_lanes(0)};
    size_t i = 2;
    svd_next_element(&s, 1);
    for (; i + 4 <= s.rows; i += 4)
        for (size_t c = 0; c < 4; c++) {
            vd e = svd_next_element(&s, i + c);
            squares[c] = svd_fma(e, e, squares[c]);
        }
    for (size_t c = 0; c < 3 && i + c < s.rows; c++) {
        vd e = svd_next_element(&s, i + c);
        squares[c] = svd_fma(e, e, squares[c]);
    }
    return (squares[0] + squares[1]) + (squares[2] + squares[3]);
}

/* What is made bidiagonal: a, m x n with m >= n, by columns svd_apart(m) apart, is destroyed. d[n] becomes the
 * diagonal, e[n - 1] what is above it. work: m + 2 n. kept may be NULL. Meanwhile `ahead`, what is read next, is
 * brought near from memory: of 32 x 32 elements that would take as long as a tenth of all that is done with them. */
struct svd_bidiagonal {
    vd *a;
    size_t m, n;
    vd *d, *e, *work;
    const struct svd_bidiagonal_kept *kept;
    const unsigned char *ahead;
    size_t ahead_bytes;
};

/* Part k of n. The first asks for a line of each page, so that their addresses are translated at the same time: each
 * alone is waited for, as long as the pass over 20 x 20 takes. */
static inline void svd_fetch_ahead(const struct svd_bidiagonal *b, size_t k)
{
    const size_t line = 64;
    const size_t page = 4096;
    for (size_t i = 0; k == 0 && i < b->ahead_bytes; i += page)
        __builtin_prefetch(b->ahead + i, 0, 2);
    size_t part = (b->ahead_bytes / b->n + line - 1) / line * line;
    size_t end = (k + 1) * part < b->ahead_bytes ? (k + 1) * part : b->ahead_bytes;
    for (size_t i = k * part; i < end; i += line)
        __builtin_prefetch(b->ahead + i, 0, 2);
}

static struct svd_step svd_step_of(const struct svd_bidiagonal *b, size_t k)
{
    size_t apart = svd_apart(b->m);
    vd *u = b->a + k * apart + k;
    return (struct svd_step){.a = u,
                             .stride = apart,
                             .rows = b->m - k,
                             .columns = b->n - k,
                             .before = k > 0 ? u - apart : NULL,
                             .x = b->work + k,
                             .y = b->work + b->m + k,
                             .v = b->work + b->m + b->n + k};
}

/* The right reflection of step k, of the row that it is made for. */
static inline void svd_reflect_row(const struct svd_bidiagonal *b, struct svd_step *s, size_t k,
                                   vd squares)
{
    s->right.beta = s->v[1];
    if (s->columns > 2)
        s->right = svd_reflection(s->v[1], squares);
    b->e[k] = s->right.beta;
    s->v[1] = s->right.head;
    s->yv = svd_fma(s->y[1], s->v[1], s->yv);
    if (b->kept == NULL)
        return;
    b->kept->right[k] = s->right.scale;
    for (size_t j = 1; j < s->columns; j++)
        b->kept->rows[k * b->n + k + j] = s->v[j];
}

/* A column or row of one element needs no reflection. */
static void svd_bidiagonal(const struct svd_bidiagonal *b)
{
    vd squares = svd_dot(b->a + 1, b->a + 1, b->m - 1);
    for (size_t k = 0; k < b->n; k++) {
        struct svd_step s = svd_step_of(b, k);
        s.left.beta = s.a[0];
        if (s.rows > 1)
            s.left = svd_reflection(s.a[0], squares);
        b->d[k] = s.left.beta;
        s.a[0] = s.left.head;
        if (b->kept != NULL)
            b->kept->left[k] = s.left.scale;
        svd_fetch_ahead(b, k);
        if (s.columns == 1)
            break;
        svd_passes(&s);
        svd_reflect_row(b, &s, k, svd_row(&s));
        svd_all_rows(&s);
        squares = svd_next_column(&s);
    }
}

#endif
