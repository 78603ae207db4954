/* hash_descriptor.c -- BLAKE3 of a stream, in memory that does not grow with it.
 *
 * The input is cut into pieces that are complete subtrees, except the last. The node of a piece is kept
 * before its compression (ops/blake3.h), so it does not matter that the end is known too late. */
#include <sheaf/hash.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/call.h"
#include "base/error.h"
#include "ops/blake3.h"

enum {
    PIECE_BYTES =
        1 << 18, /* fits in L2 with what the kernel copies it from; a power of two of chunks */
    LEVELS = 64 - 18 + 1, /* of the tree over the pieces of 2^64 bytes */
};

/* Fills the piece unless the input ends before. A descriptor that does not block is waited for. */
static sheaf_status read_piece(uint8_t *piece, size_t *bytes, int descriptor)
{
    size_t done = 0;
    while (done < PIECE_BYTES) {
        ssize_t n = read(descriptor, piece + done, PIECE_BYTES - done);
        if (n == 0)
            break;
        if (n > 0) {
            done += (size_t)n;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd readable = {.fd = descriptor, .events = POLLIN};
            poll(&readable, 1, -1); /* whatever it says, the next read says more */
        } else if (errno != EINTR) {
            return SHEAF_FAIL(SHEAF_ERR_SYSTEM, "hash: cannot read descriptor %d: %s", descriptor,
                              strerror(errno));
        }
    }
    *bytes = done;
    return SHEAF_OK;
}

sheaf_status sheaf_hash_descriptor(uint8_t *out, int descriptor, const sheaf_hash_options *options)
{
    struct blake3_node waiting[LEVELS]; /* complete subtrees of pieces, from the left */
    struct blake3_node node;
    uint32_t isa = 0;
    size_t depth = 0;
    size_t bytes = PIECE_BYTES;

    if (out == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "hash: out is NULL");
    sheaf_status status = call_isa(&isa, options != NULL ? options->isa : NULL);
    if (status != SHEAF_OK)
        return status;
    uint8_t *piece = malloc(PIECE_BYTES);
    if (piece == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "hash: no memory for a buffer of %d bytes",
                          PIECE_BYTES);

    for (uint64_t i = 0; bytes == PIECE_BYTES; i++) {
        status = read_piece(piece, &bytes, descriptor);
        if (status != SHEAF_OK)
            goto free_piece;
        if (bytes == 0 && i > 0)
            break; /* the piece before was the last one */
        sheaf_blake3_subtree(&node, sheaf_kernels_at(isa), piece, bytes,
                             i * (PIECE_BYTES / BLAKE3_CHUNK));
        for (uint64_t pairs = i; pairs & 1; pairs >>= 1)
            sheaf_blake3_parent(&node, &waiting[--depth], &node);
        waiting[depth++] = node;
    }
    while (depth > 1) {
        depth--;
        sheaf_blake3_parent(&waiting[depth - 1], &waiting[depth - 1], &waiting[depth]);
    }
    sheaf_blake3_root(out, &waiting[0]);
free_piece:
    free(piece);
    return status;
}
