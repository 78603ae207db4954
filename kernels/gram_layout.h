/* gram_layout.h -- how the rows of a Gram matrix are cut, which shows in the bits: by the number of columns alone. */
#ifndef SHEAF_KERNELS_GRAM_LAYOUT_H
#define SHEAF_KERNELS_GRAM_LAYOUT_H

#include <stddef.h>

/* Sums of this many blocks are added up on their own: no chain is longer than 64. */
enum { GRAM_BLOCKS = 32 };

/* Rows of a block, which stays in L1 with the sums. */
static inline size_t gram_block_rows(size_t columns)
{
    return columns <= 32 ? 64 : 32;
}

/* Doubles that gram() and times() work in. */
static inline size_t gram_doubles(size_t columns)
{
    size_t padded = (columns + 7) / 8 * 8;
    return columns * columns + 2 * gram_block_rows(columns) * padded + padded * padded;
}

#endif
