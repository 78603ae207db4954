/* svd.c -- which matrices the SVD kernels take, and how much memory that needs. */
#include "kernels.h"
#include "svd_layout.h"

size_t sheaf_svd_scratch(size_t m, size_t n)
{
    size_t rows = m < n ? n : m;
    size_t columns = m < n ? m : n;
    if (columns == 0 || columns > KERNEL_SVD_COLUMNS_MAX)
        return 0;
    return svd_scratch_registers(rows, columns) * SVD_VIRTUAL * sizeof(double);
}
