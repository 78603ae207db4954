/* tall_layout.h -- how the rows of a tall matrix are cut: by its type and number of columns alone, as the cut
 * shows in the bits. */
#ifndef SHEAF_KERNELS_TALL_LAYOUT_H
#define SHEAF_KERNELS_TALL_LAYOUT_H

#include <stddef.h>

#include "gram_layout.h"
#include "svd_layout.h"

enum { TALL_COLUMNS_MAX = 64, TALL_PANELS = 16 };

/* Rows of a panel in each of the eight lanes. In L1 with R; 32 of 20 columns take 25 ns a row on one core (AVX2), 16
 * take 32 and 64 take 26, as the chain of square roots and divisions is the same for all. */
static inline size_t tall_panel_rows(size_t columns)
{
    size_t rows = 640 / columns;
    return rows < 16 ? 16 : rows > 64 ? 64 : rows;
}

/* Of the first panel of a leaf. */
static inline size_t tall_first_rows(size_t columns)
{
    size_t rows = tall_panel_rows(columns);
    return rows < columns ? columns : rows;
}

/* Rows of the matrix in a leaf: 4096 of 20 columns. */
static inline size_t tall_leaf_rows(size_t columns)
{
    return SVD_VIRTUAL * (tall_first_rows(columns) + (TALL_PANELS - 1) * tall_panel_rows(columns));
}

/* The last leaf may have less, or so many more: each has at least 8 n rows. */
static inline size_t tall_more_rows(size_t columns)
{
    return SVD_VIRTUAL * columns;
}

/* What of eight lanes is kept of all panels of the largest leaf: they, with two numbers a column. */
static inline size_t tall_kept_registers(size_t columns)
{
    size_t panels = TALL_PANELS + columns / tall_panel_rows(columns) + 1;
    size_t rows = (tall_leaf_rows(columns) + tall_more_rows(columns)) / SVD_VIRTUAL;
    return (rows + 2 * panels) * columns;
}

/* Doubles for the Gram matrix of a leaf, what it becomes, and what it is made in, with lanes as wide as they can be. */
static inline size_t tall_gram_doubles(size_t columns)
{
    size_t doubles = (2 * SVD_VIRTUAL + 1) * columns * columns + gram_doubles(columns);
    return (doubles + 7) / 8 * 8;
}

#endif
