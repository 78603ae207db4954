/* svd_layout.h -- how matrices of a shape are treated, and what memory that takes. By the shape alone. */
#ifndef SHEAF_KERNELS_SVD_LAYOUT_H
#define SHEAF_KERNELS_SVD_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "gram_layout.h"

enum {
    SVD_VIRTUAL = 8,       /* lanes, whatever the registers are */
    SVD_TOGETHER = 32,     /* lanes that dqds sweeps at the same time, at most */
    SVD_WITH_VECTORS = 16, /* matrices, and lanes, with vectors, at most */
    SVD_ORDERED = 64,      /* matrices whose values are found in the order that suits it */
    SVD_FRONT = 5, /* entries of its arrays before the first, of which one is read; with 33 rows of
                              eight registers the arrays would lie near each other modulo 4096: 4 % of a sweep */
    SVD_SWEEPS = 8 /* of QR whose rotations are applied to vectors together */
};

/* DIRECT   bidiagonalised as it is, lane = matrix
 * BY_MATRIX its R, panel by panel, lane = matrix
 * BY_ROWS  the Gram matrix, row after row, and its R, lane = matrix (svd_gram.h). Where that is refused, the R of each
 *          of eight interleaved parts, lane = row mod 8; then these merge, lane = matrix */
enum svd_way { SVD_DIRECT, SVD_BY_MATRIX, SVD_BY_ROWS };

static inline enum svd_way svd_way(size_t rows, size_t columns)
{
    if (2 * rows <= 3 * columns)
        return SVD_DIRECT;
    return rows <= 8 * columns ? SVD_BY_MATRIX : SVD_BY_ROWS;
}

/* Rows of a panel in each lane: it stays in L1 with R, and the square roots are spread over many rows. */
static inline size_t svd_panel_rows(size_t columns)
{
    size_t rows = 320 / columns;
    return rows < 8 ? 8 : rows > 64 ? 64 : rows;
}

/* Rows of the panel that begins at `row` of `rows`: the first has no less rows than columns. */
static inline size_t svd_rows_at(size_t row, size_t rows, size_t columns)
{
    size_t most = svd_panel_rows(columns);
    most = row == 0 && most < columns ? columns : most;
    return rows - row < most ? rows - row : most;
}

static inline size_t svd_panels(size_t rows, size_t columns)
{
    size_t panels = 0;
    for (size_t row = 0; row < rows; row += svd_rows_at(row, rows, columns))
        panels++;
    return panels;
}

/* Rows of what becomes bidiagonal. */
static inline size_t svd_core_rows(size_t rows, size_t columns)
{
    return svd_way(rows, columns) == SVD_DIRECT ? rows : columns;
}

/* From column to column of that, in registers: of 32 or 64 rows, all columns would lie in few sets of the L1 (3 % of
 * the time of 32 x 32, 8 % of 64 x 64). */
static inline size_t svd_apart(size_t rows)
{
    return rows % 32 == 0 ? rows + 2 : rows;
}

/* Registers of one panel with its heads and scales. */
static inline size_t svd_kept_panel(size_t rows, size_t columns)
{
    return rows * columns + 2 * columns;
}

/* Registers of all reflections of all panels of `rows` rows. */
static inline size_t svd_kept_panels(size_t rows, size_t columns)
{
    return rows * columns + 2 * columns * svd_panels(rows, columns);
}

/* Matrices that are decomposed at the same time with their vectors: tall ones are read again for these, so as many
 * as the L2 holds. The results do not depend on it. */
static inline size_t svd_at_once(size_t rows, size_t columns)
{
    size_t room = (768U << 10) / sizeof(double) / columns / rows;
    size_t most = SVD_WITH_VECTORS;
    if (svd_way(rows, columns) != SVD_BY_ROWS)
        return most;
    return room < SVD_VIRTUAL ? SVD_VIRTUAL : room < most ? room : most;
}

/* Doubles that the Gram matrix of a tall matrix is made in, and it. */
static inline size_t svd_gram_doubles(size_t rows, size_t columns)
{
    if (svd_way(rows, columns) != SVD_BY_ROWS)
        return 0;
    return gram_doubles(columns) + columns * columns;
}

/* The bidiagonal forms of SVD_ORDERED matrices, which is a multiple of the lanes. */
static inline size_t svd_forms_registers(size_t columns, size_t lanes)
{
    return 2 * columns * (SVD_ORDERED / lanes);
}

/* In registers of so many lanes, of which `groups` at most are swept together. */
static inline size_t svd_scratch_registers(size_t rows, size_t columns, size_t groups, size_t lanes)
{
    size_t square = columns * columns;
    size_t tall = svd_way(rows, columns) == SVD_DIRECT ? rows : svd_panel_rows(columns);
    size_t gram = (svd_gram_doubles(rows, columns) + lanes - 1) / lanes;
    tall = tall > columns ? tall : columns;
    return svd_apart(tall) * columns + 2 * (SVD_VIRTUAL + 1) * square + tall + 2 * columns +
           svd_forms_registers(columns, lanes) + 2 * groups * columns +
           6 * groups * (SVD_FRONT + columns) + groups * (columns + 1) + gram;
}

/* The same of what vectors need beside that: see svd_sweep_memory(). */
static inline size_t svd_vectors_registers(size_t rows, size_t columns, size_t groups, size_t lanes)
{
    size_t square = columns * columns;
    size_t core = svd_core_rows(rows, columns);
    size_t tall = svd_rows_at(0, rows, columns);
    size_t of_one = svd_apart(core) * columns + square + 2 * columns + core * columns + square;
    size_t panels = 0;
    if (svd_way(rows, columns) == SVD_BY_MATRIX)
        of_one += svd_kept_panels(rows, columns);
    if (svd_way(rows, columns) == SVD_BY_ROWS) { /* of eight parts of one matrix */
        size_t of_part = (rows + SVD_VIRTUAL - 1) / SVD_VIRTUAL;
        of_one += (SVD_VIRTUAL - 1) * svd_kept_panel(columns, columns) + square;
        panels = SVD_VIRTUAL / lanes * svd_kept_panels(of_part, columns);
    }
    return groups * of_one + panels + 2 * square + 2 * tall * columns +
           4 * groups * SVD_SWEEPS * columns;
}

/* Doubles that the complement of rows x columns is made in. */
static inline size_t svd_complement_doubles(size_t rows, size_t columns)
{
    return 3 * rows * columns + columns * columns + 2 * columns + rows;
}

#endif
