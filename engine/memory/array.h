/* array.h -- the inside of a sheaf_array: a segment, and what lies where in it. */
#ifndef SHEAF_MEMORY_ARRAY_H
#define SHEAF_MEMORY_ARRAY_H

#include <stddef.h>

#include <sheaf/array.h>

#include "memory/segment.h"

struct sheaf_array {
    struct segment *segment;
    sheaf_dtype dtype;
    size_t ndim;
    size_t shape[SHEAF_MAX_DIMS];
    size_t size;   /* elements */
    size_t bytes;  /* of the elements */
    size_t offset; /* of the first element in the segment */
    char key[SHEAF_KEY_MAX + 1];
};

#endif
