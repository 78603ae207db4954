/* shape.h -- the arithmetic of shapes, which nothing from outside may overflow. */
#ifndef SHEAF_MEMORY_SHAPE_H
#define SHEAF_MEMORY_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What still leaves room for a footer in a file's 63-bit size. */
#define SHAPE_BYTES_MAX ((uint64_t)INT64_MAX - (1 << 20))

/* Elements of a shape, and the bytes they take. False if either does not fit, also where an extent of
 * 0 makes the product small: the strides would overflow. */
static inline bool shape_measure(size_t *elements, size_t *bytes, const size_t *shape, size_t ndim,
                                 size_t element_bytes)
{
    uint64_t product = element_bytes;
    bool is_empty = false;
    for (size_t i = 0; i < ndim; i++) {
        if (shape[i] == 0)
            is_empty = true;
        else if (__builtin_mul_overflow(product, shape[i], &product) || product > SHAPE_BYTES_MAX)
            return false;
    }
    *bytes = is_empty ? 0 : (size_t)product;
    *elements = *bytes / element_bytes;
    return true;
}

#endif
