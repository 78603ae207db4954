/* hash_descriptor.c -- BLAKE3 of a stream, in memory that does not grow with it. */
#include <sheaf/hash.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/hash_mode.h"
#include "base/error.h"

enum { PIECE_BYTES = 1 << 18 }; /* fits in L2 with what the kernel copies it from */

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
    sheaf_hasher *hasher;
    size_t bytes = PIECE_BYTES;
    size_t out_bytes;
    uint64_t offset;

    if (out == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "hash: out is NULL");
    sheaf_status status = hash_range(&out_bytes, &offset, options);
    if (status == SHEAF_OK)
        status = sheaf_hasher_open(&hasher, options);
    if (status != SHEAF_OK)
        return status;
    uint8_t *piece = malloc(PIECE_BYTES);
    if (piece == NULL) {
        status = SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "hash: no memory for a buffer of %d bytes",
                            PIECE_BYTES);
        goto close_hasher;
    }
    while (bytes == PIECE_BYTES && status == SHEAF_OK) {
        status = read_piece(piece, &bytes, descriptor);
        if (status == SHEAF_OK)
            status = sheaf_hasher_update(hasher, piece, bytes);
    }
    if (status == SHEAF_OK)
        status = sheaf_hasher_finish(out, out_bytes, offset, hasher);
    free(piece);
close_hasher:
    sheaf_hasher_close(hasher);
    return status;
}
