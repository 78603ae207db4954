/* layout.c -- strides, and walks over them. */
#include "memory/layout.h"

#include <assert.h>
#include <string.h>

void layout_dense(int64_t *strides, size_t ndim, const uint64_t *shape, size_t element_bytes)
{
    int64_t stride = (int64_t)element_bytes;
    for (size_t d = ndim; d-- > 0;) {
        strides[d] = stride;
        stride *= (int64_t)(shape[d] > 0 ? shape[d] : 1); /* the product fits: shape_measure() */
    }
}

bool layout_is_dense(size_t ndim, const uint64_t *shape, const int64_t *strides,
                     size_t element_bytes)
{
    int64_t stride = (int64_t)element_bytes;
    bool is_dense = true;
    for (size_t d = ndim; d-- > 0;) {
        if (shape[d] == 0)
            return true;
        if (shape[d] == 1)
            continue;
        is_dense &= strides[d] == stride;
        stride = is_dense ? stride * (int64_t)shape[d] : 0;
    }
    return is_dense;
}

void layout_simplify(struct layout *out, size_t ndim, const uint64_t *shape, const int64_t *strides)
{
    out->ndim = 0;
    for (size_t d = 0; d < ndim; d++) {
        if (shape[d] == 1)
            continue;
        size_t last = out->ndim - 1;
        if (out->ndim > 0 && out->strides[last] == strides[d] * (int64_t)shape[d]) {
            out->shape[last] *= shape[d];
            out->strides[last] = strides[d];
        } else {
            out->shape[out->ndim] = shape[d];
            out->strides[out->ndim] = strides[d];
            out->ndim++;
        }
    }
    if (out->ndim == 0) {
        out->shape[0] = 1;
        out->strides[0] = 0;
        out->ndim = 1;
    }
}

void layout_walk_begin(struct layout_walk *walk, const struct layout *layout, const void *data,
                       uint64_t first)
{
    assert(layout->ndim > 0 && data != NULL);
    *walk = (struct layout_walk){.layout = layout, .at = data};
    for (size_t d = layout->ndim; d-- > 0;) {
        walk->place[d] = first % layout->shape[d];
        first /= layout->shape[d];
        walk->at += (int64_t)walk->place[d] * layout->strides[d];
    }
}

uint64_t layout_walk_run(const unsigned char **at, int64_t *stride, struct layout_walk *walk,
                         uint64_t most)
{
    const struct layout *layout = walk->layout;
    size_t d = layout->ndim - 1;
    assert(walk->at != NULL);
    uint64_t left = layout->shape[d] - walk->place[d];
    uint64_t count = left < most ? left : most;
    *at = walk->at;
    *stride = layout->strides[d];
    walk->place[d] += count;
    if (walk->place[d] < layout->shape[d]) {
        walk->at += (int64_t)count * layout->strides[d];
        return count;
    }
    walk->at += ((int64_t)count - (int64_t)layout->shape[d]) * layout->strides[d];
    walk->place[d] = 0;
    while (d-- > 0) { /* carry, as in an odometer */
        walk->at += layout->strides[d];
        if (++walk->place[d] < layout->shape[d])
            break;
        walk->at -= (int64_t)layout->shape[d] * layout->strides[d];
        walk->place[d] = 0;
    }
    return count;
}

/* A constant size makes each copy one instruction. */
static inline void copy_run(unsigned char *out, const unsigned char *at, int64_t stride,
                            uint64_t count, size_t bytes)
{
    for (uint64_t i = 0; i < count; i++, at += stride)
        memcpy(out + i * bytes, at, bytes);
}

void layout_gather(void *out, const struct layout *layout, const void *data, size_t element_bytes,
                   uint64_t first, uint64_t count)
{
    struct layout_walk walk;
    unsigned char *to = out;
    if (count == 0)
        return;
    layout_walk_begin(&walk, layout, data, first);
    while (count > 0) {
        const unsigned char *at;
        int64_t stride;
        uint64_t run = layout_walk_run(&at, &stride, &walk, count);
        if (stride == (int64_t)element_bytes)
            memcpy(to, at, run * element_bytes);
        else if (element_bytes == 8)
            copy_run(to, at, stride, run, 8);
        else if (element_bytes == 4)
            copy_run(to, at, stride, run, 4);
        else
            copy_run(to, at, stride, run, element_bytes);
        to += run * element_bytes;
        count -= run;
    }
}
