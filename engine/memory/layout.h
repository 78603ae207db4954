/* layout.h -- where the elements of a view lie: a shape, and a stride in bytes for each dimension.
 *
 * Elements are numbered in C order: that is the order of every operation, whatever the strides. A walk
 * gives them as runs, each with one stride. */
#ifndef SHEAF_MEMORY_LAYOUT_H
#define SHEAF_MEMORY_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sheaf/array.h>

struct layout {
    size_t ndim;
    uint64_t shape[SHEAF_MAX_DIMS];
    int64_t strides[SHEAF_MAX_DIMS];
};

/* The strides of dense elements in C order. */
void layout_dense(int64_t *strides, size_t ndim, const uint64_t *shape, size_t element_bytes);

/* Whether these strides are dense: where an extent is 1 a stride means nothing, and where one is 0
 * none does. */
bool layout_is_dense(size_t ndim, const uint64_t *shape, const int64_t *strides,
                     size_t element_bytes);

/* The same elements in the same order with as few dimensions as that takes, one at least. No extent may
 * be 0. */
void layout_simplify(struct layout *out, size_t ndim, const uint64_t *shape,
                     const int64_t *strides);

struct layout_walk {
    const struct layout *layout;
    const unsigned char *at;        /* the next element */
    uint64_t place[SHEAF_MAX_DIMS]; /* its indices */
};

/* At element number `first`, which the layout has; data: element 0. */
void layout_walk_begin(struct layout_walk *walk, const struct layout *layout, const void *data,
                       uint64_t first);

/* The next run: at most `most` elements (1 at least) from *at on, *stride bytes apart. It may go on past the
 * last element only if nobody asks again. */
uint64_t layout_walk_run(const unsigned char **at, int64_t *stride, struct layout_walk *walk,
                         uint64_t most);

/* Copies elements first .. first + count - 1 of a simplified layout, one after the other. */
void layout_gather(void *out, const struct layout *layout, const void *data, size_t element_bytes,
                   uint64_t first, uint64_t count);

#endif
