/* gram_tmpl.h -- A'A of rows of type T. */
#include "tmpl_begin.h"

/* Rows [first, first + rows) as doubles, scaled, one after the other, `padded` apart with zeros in the end. */
static void FN(gram_pack)(double *to, size_t padded, const struct tall_rows *t, size_t first,
                          size_t rows, double scale)
{
    size_t n = t->columns;
    const elem *from = (const elem *)t->x + first * t->row_step;
    for (size_t i = 0; i < rows; i++, from += t->row_step) {
        double *row = to + i * padded;
        for (size_t j = 0; j < n; j++)
            row[j] = (double)from[j * t->column_step] * scale;
        for (size_t j = n; j < padded; j++)
            row[j] = 0;
    }
}

/* The right upper triangle of A'A, n x n by rows, of the rows times a power of two; 1: as they are. work:
 * gram_doubles(n). */
static void FN(gram)(const struct tall_rows *t, double scale, double *work, double *g)
{
    size_t n = t->columns;
    size_t padded = gram_padded(n);
    size_t block_rows = gram_block_rows(n);
    double *pack = work + padded * padded;
    bool is_packed =
        sizeof(elem) != sizeof(double) || t->column_step != 1 || scale != 1 || padded != n;
    size_t bytes = t->column_step == 1 ? t->row_step * sizeof(elem) : 0;
    size_t ahead = block_rows * bytes;
    size_t ask = (bytes + gram_tiles(padded) - 1) / gram_tiles(padded);
    memset(g, 0, n * n * sizeof *g);
    for (size_t row = 0; row < t->rows;) {
        memset(work, 0, padded * padded * sizeof *work);
        for (size_t i = 0; i < GRAM_BLOCKS && row < t->rows; i++) {
            const elem *from = (const elem *)t->x + row * t->row_step;
            size_t rows = t->rows - row < block_rows ? t->rows - row : block_rows;
            struct gram_block b = {
                .x = pack, .rows = rows, .step = padded, .n = padded, .ask = ask < 64 ? ask : 64};
            if (is_packed) {
                FN(gram_pack)(pack, padded, t, row, rows, scale);
            } else {
                b.x = (const double *)(const void *)from;
                b.step = t->row_step;
            }
            row += rows;
            b.ahead = (uintptr_t)from + ahead;
            gram_block_add(&b, work);
        }
        gram_gather(g, work, n);
    }
}

/* The rows times a power of two times W, n x n by rows, to q, of as many rows and columns. work: gram_doubles(n). */
static void FN(times)(const struct tall_rows *t, double scale, const double *w,
                      const struct tall_rows *q, double *work)
{
    size_t n = t->columns;
    size_t padded = (n + LANES - 1) / LANES * LANES;
    size_t block_rows = gram_block_rows(n);
    struct gram_product p = {.w = work, .to = work + padded * padded, .n = n, .padded = padded};
    double *pack = p.to + block_rows * padded;
    bool is_packed = sizeof(elem) != sizeof(double) || t->column_step != 1 || scale != 1;
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
        p.step = is_packed ? n : t->row_step;
        gram_times(&p, rows);
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < n; j++)
                to[i * q->row_step + j * q->column_step] = (elem)p.to[i * padded + j];
    }
}

#include "tmpl_end.h"
