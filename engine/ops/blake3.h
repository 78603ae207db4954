/* blake3.h -- BLAKE3 by subtrees: for the operation, and for hashing a stream.
 *
 * A node is kept as it is just before its compression, so nobody has to know which one is the root: a
 * merge compresses its two children into chaining values, and only the root gets the ROOT flag.
 *
 *          [cv|cv]                   a node: what the compression function will be given
 *          /     \
 *     [cv|cv]   [last block]         a chunk's node is its last block
 *      /    \
 *   chunk  chunk                                                                             */
#ifndef SHEAF_OPS_BLAKE3_H
#define SHEAF_OPS_BLAKE3_H

#include <stddef.h>
#include <stdint.h>

#include "kernels.h"

struct blake3_node {
    uint64_t counter;
    uint32_t block_bytes;
    uint32_t flags;
    uint32_t cv[8];
    uint8_t block[BLAKE3_BLOCK];
};

/* The node over x[0..bytes), which begins with chunk number first of the whole input. Unless it is the
 * end of the input, bytes is a power of two of chunks, and first a multiple of that. */
void sheaf_blake3_subtree(struct blake3_node *out, const struct kernels *kernels, const uint8_t *x,
                          size_t bytes, uint64_t first);

/* The parent of two nodes. out may be one of them. */
void sheaf_blake3_parent(struct blake3_node *out, const struct blake3_node *left,
                         const struct blake3_node *right);

/* The hash, 32 bytes, of the input whose root this is. */
void sheaf_blake3_root(uint8_t out[32], const struct blake3_node *root);

#endif
