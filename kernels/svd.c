/* svd.c -- which matrices the SVD kernels take, and how much memory that needs. */
#include "kernels.h"
#include "svd_layout.h"

size_t sheaf_svd_scratch(size_t m, size_t n, bool has_vectors, bool is_full)
{
    size_t rows = m < n ? n : m;
    size_t columns = m < n ? m : n;
    if (columns == 0 || columns > KERNEL_SVD_COLUMNS_MAX)
        return 0;
    size_t registers = svd_scratch_registers(rows, columns);
    if (has_vectors)
        registers += svd_vectors_registers(rows, columns);
    size_t bytes = registers * SVD_VIRTUAL * sizeof(double);
    if (is_full && rows > columns)
        bytes += svd_complement_doubles(rows, columns) * sizeof(double);
    return bytes;
}
