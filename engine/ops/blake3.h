/* blake3.h -- BLAKE3 by subtrees: for the operation, and for hashing a stream.
 *
 * A node is kept as it is just before its compression, so nobody has to know which one is the root: a
 * merge compresses its two children into chaining values, and only the root gets the ROOT flag.
 *
 *          [cv|cv]                   a node: what the compression function will be given
 *          /     \
 *     [cv|cv]   [last block]         a chunk's node is its last block
 *      /    \
 *   chunk  chunk
 *
 * The key of a keyed hash is in no node, and so in no partial of a job: a node that begins with it (a
 * parent, the first block of a chunk) leaves its cv unset, and whoever compresses it knows the mode. */
#ifndef SHEAF_OPS_BLAKE3_H
#define SHEAF_OPS_BLAKE3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels.h"

enum {
    BLAKE3_BATCH = 64,  /* chunks hashed in one go; 64 chaining values are 2 KiB of stack */
    BLAKE3_LEVELS = 56, /* of the tree over 2^64 bytes, and two to spare */
};

/* What nodes begin with, and the flags that all of them have. */
struct blake3_mode {
    uint32_t key[8];
    uint32_t flags;
};

/* The operation's params. */
struct blake3_params {
    struct blake3_mode mode;
    uint32_t is_content; /* the content hash of <sheaf/hash.h> */
    uint64_t offset;     /* of the first byte of output that is wanted */
};

/* How to hash. */
struct blake3 {
    const struct kernels *kernels;
    const struct blake3_mode *mode;
};

struct blake3_node {
    uint64_t counter;
    uint32_t block_bytes;
    uint32_t flags;
    uint32_t cv[8];
    uint8_t block[BLAKE3_BLOCK];
};

/* The operation's result, for the process that asked: sheaf_blake3_write() makes bytes of it. The key may
 * be in it. */
struct blake3_result {
    struct blake3_node root;
    const struct kernels *kernels;
    uint64_t offset;
};

/* Chaining values of complete subtrees, from the left, waiting for their right siblings. `chunks` were
 * pushed so far; once merged, there is one value for each bit of it. A merge is put off until the
 * next push, so that the top of the whole tree is never compressed here. */
struct blake3_stack {
    uint64_t chunks;
    size_t depth;
    uint32_t cv[BLAKE3_LEVELS][8];
};

/* An input that comes piece by piece. The buffer keeps the end, since it may be the last. */
struct blake3_stream {
    struct blake3_stack stack;
    size_t buffered;
    uint8_t buffer[BLAKE3_BATCH * BLAKE3_CHUNK];
};

/* The mode of a plain hash; of a hash with a key of 32 bytes; of keys derived for a context. */
void sheaf_blake3_mode_plain(struct blake3_mode *mode);
void sheaf_blake3_mode_keyed(struct blake3_mode *mode, const uint8_t key[32]);
void sheaf_blake3_mode_derive(struct blake3_mode *mode, const struct kernels *kernels,
                              const char *context);

/* The node over x[0..bytes), which begins with chunk number first of the whole input. Unless it is the
 * end of the input, bytes is a power of two of chunks, and first a multiple of that. */
void sheaf_blake3_subtree(struct blake3_node *out, const struct blake3 *how, const uint8_t *x,
                          size_t bytes, uint64_t first);

/* The parent of two nodes. out may be one of them. */
void sheaf_blake3_parent(struct blake3_node *out, const struct blake3 *how,
                         const struct blake3_node *left, const struct blake3_node *right);

/* Streams. To start over, begin again. end gives the root and leaves the stream as it is. */
void sheaf_blake3_begin(struct blake3_stream *stream);
void sheaf_blake3_update(struct blake3_stream *stream, const struct blake3 *how, const uint8_t *x,
                         size_t bytes);
void sheaf_blake3_end(struct blake3_node *out, const struct blake3_stream *stream,
                      const struct blake3 *how);

/* Sets the root's cv, if it begins with the key: it then holds the key, and is to be wiped. */
void sheaf_blake3_complete(struct blake3_node *root, const struct blake3_mode *mode);

/* Bytes offset, offset + 1, .. of the output of a completed root. */
void sheaf_blake3_output(uint8_t *out, size_t bytes, uint64_t offset, const struct kernels *kernels,
                         const struct blake3_node *root);

/* The hash of at most one block of input, of at most one block of output: what the three above give, without
 * the node between them. */
void sheaf_blake3_block(uint8_t *out, size_t out_bytes, const struct blake3 *how, const uint8_t *x,
                        size_t bytes);

/* The bytes of the operation's result. */
void sheaf_blake3_write(void *out, size_t bytes, const void *result);

#endif
