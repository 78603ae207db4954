/* times_tmpl.h -- rows of type T times a square matrix of doubles.
 *
 * As in gram.h each element of a row, in all lanes, multiplies vectors, here of W: each element of the result is one
 * chain of fma() along the row, however wide registers are. */
#include "tmpl_begin.h"

/* A block of rows of doubles, W (n x n by rows `padded` apart, with zeros in the end), and where the product goes. */
struct FN(product) {
    const double *x, *w;
    size_t step, n, padded;
    elem *to, *end; /* rows one after the other; nothing is written from `end` on */
};

/* `high` rows from x on, `wide` vectors from column j on. What the last of them holds beyond column n falls on the next
 * row, and is written over when that one is; is_last: there may be none. */
static inline __attribute__((always_inline)) void
FN(times_tile)(const struct FN(product) * p, const double *x, elem *to, size_t j, const size_t high,
               const size_t wide, const bool is_last)
{
    vd sum[GRAM_HIGH][GRAM_WIDE];
    const double *w = p->w + j;
    for (size_t h = 0; h < high; h++)
        for (size_t v = 0; v < wide; v++)
            sum[h][v] = all_lanes(0);
    for (size_t k = 0; k < p->n; k++, w += p->padded) {
        vd across[GRAM_WIDE];
        for (size_t v = 0; v < wide; v++)
            across[v] = gram_load(w + v * LANES);
        for (size_t h = 0; h < high; h++) {
            vd down = all_lanes(x[h * p->step + k]);
            for (size_t v = 0; v < wide; v++)
                sum[h][v] = svd_fma(down, across[v], sum[h][v]);
        }
    }
    for (size_t h = 0; h < high; h++)
        for (size_t v = 0; v < wide; v++) {
            elem *at = to + h * p->n + j + v * LANES;
#if VBYTES == 8
            elem narrow = (elem)sum[h][v];
#else
            part narrow = __builtin_convertvector(sum[h][v], part);
#endif
            size_t left = is_last ? (size_t)(p->end - at) : LANES;
            memcpy(at, &narrow, left < LANES ? left * sizeof(elem) : sizeof narrow);
        }
}

/* `high` rows: the last columns first, as they write over the first ones of the next row. */
static inline __attribute__((always_inline)) void FN(times_rows)(const struct FN(product) * p,
                                                                 const double *x, elem *to,
                                                                 const size_t high,
                                                                 const bool is_last)
{
    size_t vectors = p->padded / LANES;
    while (vectors > 0) {
        size_t wide = vectors == 4 || vectors < GRAM_WIDE ? (vectors < 2 ? vectors : 2) : GRAM_WIDE;
        vectors -= wide;
        if (wide == 3)
            FN(times_tile)(p, x, to, vectors * LANES, high, 3, is_last);
        else if (wide == 2)
            FN(times_tile)(p, x, to, vectors * LANES, high, 2, is_last);
        else
            FN(times_tile)(p, x, to, vectors * LANES, high, 1, is_last);
    }
}

/* `rows` rows of x to p->to. Their lines are asked for before they are written. */
static void FN(times_block)(const struct FN(product) * p, size_t rows)
{
    enum { AHEAD = 1024, LINE = 64 };
    const double *x = p->x;
    elem *to = p->to;
    size_t bytes = GRAM_HIGH * p->n * sizeof(elem);
    size_t over = p->padded - p->n;
    size_t row = 0;
    for (; row + GRAM_HIGH <= rows; row += GRAM_HIGH) {
        elem *next = to + GRAM_HIGH * p->n;
        if ((size_t)(p->end - next) < over)
            break;
        for (size_t i = 0; i < bytes; i += LINE)
            __builtin_prefetch((const char *)to + AHEAD + i, 1);
        FN(times_rows)(p, x, to, GRAM_HIGH, false);
        x += GRAM_HIGH * p->step;
        to = next;
    }
    for (; row < rows; row++, x += p->step, to += p->n)
        FN(times_rows)(p, x, to, 1, true);
}

/* The rows times a power of two times W, n x n by rows, to q, of as many rows and columns. work: gram_doubles(n). */
static void FN(times)(const struct tall_rows *t, double scale, const double *w,
                      const struct tall_rows *q, double *work)
{
    size_t n = t->columns;
    size_t padded = (n + LANES - 1) / LANES * LANES;
    size_t block_rows = gram_block_rows(n);
    double *pack = work + padded * padded;
    elem *out = (elem *)(void *)(pack + block_rows * padded);
    bool is_packed = sizeof(elem) != sizeof(double) || t->column_step != 1 || scale != 1;
    bool is_dense = q->column_step == 1 && q->row_step == n;
    struct FN(product)
        p = {.w = work, .n = n, .padded = padded, .step = is_packed ? n : t->row_step};
    for (size_t k = 0; k < n; k++)
        for (size_t j = 0; j < padded; j++)
            work[k * padded + j] = j < n ? w[k * n + j] : 0;
    for (size_t row = 0; row < t->rows; row += block_rows) {
        const elem *from = (const elem *)t->x + row * t->row_step;
        elem *to = (elem *)(uintptr_t)q->x + row * q->row_step;
        size_t rows = t->rows - row < block_rows ? t->rows - row : block_rows;
        if (is_packed)
            FN(gram_pack)(pack, n, t, row, rows, scale);
        p.x = is_packed ? pack : (const double *)(const void *)from;
        p.to = is_dense ? to : out;
        p.end = is_dense ? to + (t->rows - row) * n : out + rows * n;
        FN(times_block)(&p, rows);
        for (size_t j = 0; j < n && !is_dense; j++)
            for (size_t i = 0; i < rows; i++)
                to[i * q->row_step + j * q->column_step] = out[i * n + j];
    }
}

#include "tmpl_end.h"
