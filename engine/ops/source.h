/* source.h -- the elements of one result, from wherever they lie, through a reduction's functions. */
#ifndef SHEAF_OPS_SOURCE_H
#define SHEAF_OPS_SOURCE_H

#include "ops/reader.h"
#include "ops/reduction.h"

struct source {
    const struct op *op;
    const struct reduction *own;
    struct elements e;
    struct reader x;
    struct reader y; /* if it takes a second array */
    void *room;      /* SOURCE_ROOM bytes, if one of them is not in place */
};

enum { SOURCE_ROOM = 2 * REDUCTION_LEAF * sizeof(double) };

/* The partial of elements begin .. end - 1, which are whole leaves, or to the end. */
void source_walk(const struct source *source, uint64_t begin, uint64_t end, void *partial);

#endif
