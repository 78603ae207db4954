/* gram_tmpl.h -- A'A of rows of type T. */
#include "tmpl_begin.h"

/* gram_pack() of rows that are one element apart. */
static void FN(gram_turn)(double *to, size_t padded, const elem *from, size_t column_step,
                          size_t rows, size_t n, double scale)
{
    const elem *of_lane[LANES];
    vd z[TILE];
    size_t j = 0;
    for (; j + LANES <= n; j += LANES) {
        for (size_t lane = 0; lane < LANES; lane++)
            of_lane[lane] = from + (j + lane) * column_step;
        for (size_t i = 0; i < rows; i += TILE) {
            size_t count = rows - i < TILE ? rows - i : TILE;
            FN(svd_gather)(z, of_lane, i, count);
            for (size_t t = 0; t < count; t++) {
                z[t] = z[t] * all_lanes(scale);
                memcpy(to + (i + t) * padded + j, &z[t], sizeof z[t]);
            }
        }
    }
    for (; j < padded; j++)
        for (size_t i = 0; i < rows; i++)
            to[i * padded + j] = j < n ? (double)from[j * column_step + i] * scale : 0;
}

/* Rows [first, first + rows) as doubles, scaled, one after the other, `padded` apart with zeros in the end. */
static void FN(gram_pack)(double *to, size_t padded, const struct tall_rows *t, size_t first,
                          size_t rows, double scale)
{
    size_t n = t->columns;
    const elem *from = (const elem *)t->x + first * t->row_step;
    if (t->row_step == 1 && t->column_step != 1) {
        FN(gram_turn)(to, padded, from, t->column_step, rows, n, scale);
        return;
    }
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

#include "tmpl_end.h"
