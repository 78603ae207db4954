/* scrypt_walk.h -- where the blocks of a row lie while scrypt works on it.
 *
 * BlockMix gives its blocks in another order: even ones first, then odd ones. Nothing is moved for
 * that, and there is no second row. Block i of the new row is block 2 i mod (2 r - 1) of the one before
 * (the last stays the last), so after k times it is found at 2^k i mod (2 r - 1): a walk with a stride. */
#ifndef SHEAF_KERNELS_SCRYPT_WALK_H
#define SHEAF_KERNELS_SCRYPT_WALK_H

#include <stddef.h>

struct block_walk {
    size_t last; /* 2 r - 1 */
    size_t stride;
    size_t at;
};

static inline struct block_walk walk_row(size_t r)
{
    return (struct block_walk){.last = 2 * r - 1, .stride = r > 1 ? 1 : 0};
}

/* Where block i lies, for i = 0, 1, .. in turn. */
static inline size_t next_block(struct block_walk *walk, size_t i)
{
    size_t here = i == walk->last ? i : walk->at;
    walk->at += walk->stride;
    if (walk->at >= walk->last)
        walk->at -= walk->last;
    return here;
}

/* The row has been through BlockMix once more. */
static inline void next_row(struct block_walk *walk)
{
    walk->at = 0;
    walk->stride *= 2;
    if (walk->stride >= walk->last)
        walk->stride -= walk->last;
}

#endif
