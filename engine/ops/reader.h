/* reader.h -- dense runs of an array's elements, in the type that they are computed in, whatever the dtype
 * and the strides are. */
#ifndef SHEAF_OPS_READER_H
#define SHEAF_OPS_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "job/op.h"
#include "kernels.h"
#include "memory/layout.h"

/* Lines, runs of the last dimension, whose neighbours lie in the same lines of the cache: some are brought together. */
struct reader_tile {
    unsigned char *room; /* READER_TILE_BYTES */
    uint64_t first;      /* its lines */
    uint64_t count;
    uint64_t end; /* elements from here on are not wanted */
};

enum { READER_TILE_BYTES = 4 * 1024 * 1024, READER_TILE_LINES = 32 };

struct reader {
    const unsigned char *data;
    convert_kernel *convert;
    transpose_kernel *transpose;
    struct reader_tile *tile; /* NULL, or what who calls has for it */
    size_t stored;            /* bytes of an element */
    size_t computed;          /* bytes */
    bool is_direct;           /* the memory is what is wanted */
    struct layout layout;
};

/* The stored type of a dtype. */
enum kernel_stored reader_stored(sheaf_dtype dtype);

/* Dimensions first .. ndim - 1 of an array, from its first element on. */
void reader_begin(struct reader *reader, const struct kernels *kernels,
                  const struct op_array *array, const void *data, uint32_t first);

/* An array as it was given, and where its first element lies. */
struct reader_view {
    struct op_array array;
    const unsigned char *data;
};

/* The same elements, numbered in the order in which they lie in memory, for what may come in any order: dimensions from
 * the longest stride of x on, and those that repeat an element before them; none runs backwards in x. y: NULL, or of the
 * same shape; it takes the same order. */
void reader_memory_order(struct reader_view *x, struct reader_view *y);

/* Whether a tile would spare reading lines of the cache again and again. */
bool reader_wants_tile(const struct reader *reader);

/* n elements from number begin on: in place, in its tile, or in room, which has computed bytes
 * for each. */
const void *reader_run(const struct reader *reader, uint64_t begin, size_t n, void *room);

#endif
