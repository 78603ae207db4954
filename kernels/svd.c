/* svd.c -- which matrices the SVD kernels take, and how much memory that needs. */
#include "kernels.h"
#include "gram_layout.h"
#include "tall_layout.h"

size_t sheaf_svd_scratch(size_t m, size_t n, bool has_vectors, bool is_full)
{
    size_t rows = m < n ? n : m;
    size_t columns = m < n ? m : n;
    if (columns == 0 || columns > KERNEL_SVD_COLUMNS_MAX)
        return 0;
    /* narrower ones take no more */
    const size_t lanes = SVD_VIRTUAL;
    size_t registers = svd_scratch_registers(rows, columns, SVD_TOGETHER / lanes, lanes);
    if (has_vectors)
        registers += svd_vectors_registers(rows, columns, SVD_WITH_VECTORS / lanes, lanes);
    size_t bytes = registers * SVD_VIRTUAL * sizeof(double);
    if (is_full && rows > columns)
        bytes += svd_complement_doubles(rows, columns) * sizeof(double);
    return bytes;
}

size_t sheaf_gram_scratch(size_t columns)
{
    return gram_doubles(columns) * sizeof(double);
}

size_t sheaf_tall_rows(size_t columns)
{
    return tall_leaf_rows(columns);
}

size_t sheaf_tall_scratch(size_t columns, bool is_back)
{
    size_t n = columns;
    size_t panel = tall_first_rows(n) * n;
    size_t registers = n * n + panel;
    if (is_back)
        registers += tall_kept_registers(n) + 2 * n * n;
    return sizeof(double) *
           (tall_gram_doubles(n) + SVD_VIRTUAL * (registers + 2 * n * n + 2 * n + panel));
}
