/* svd_layout.h -- how matrices of a shape are treated, and what memory that takes. By the shape alone. */
#ifndef SHEAF_KERNELS_SVD_LAYOUT_H
#define SHEAF_KERNELS_SVD_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

enum {
    SVD_VIRTUAL = 8, /* lanes, whatever the registers are */
    SVD_GROUPS = 2,  /* registers that dqds sweeps at the same time */
    SVD_FRONT = 5    /* entries of its arrays before the first */
};

/* DIRECT   bidiagonalised as it is, lane = matrix
 * BY_MATRIX its R, panel by panel, lane = matrix
 * BY_ROWS  the R of each of eight interleaved parts, lane = row mod 8; then these merge, lane = matrix */
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

/* In registers, which have up to 8 lanes. */
static inline size_t svd_scratch_registers(size_t rows, size_t columns)
{
    size_t tall = svd_way(rows, columns) == SVD_DIRECT ? rows : svd_panel_rows(columns);
    tall = tall > columns ? tall : columns;
    return tall * columns + 2 * SVD_VIRTUAL * columns * columns + tall + 4 * columns +
           2 * SVD_GROUPS * columns + 4 * SVD_GROUPS * (SVD_FRONT + columns) + SVD_GROUPS * columns;
}

#endif
