/* panels.h -- the cells of a result, in panels of neighbouring ones: how wide they are, and where they lie. All of it is known
 * from the shapes of a job's arrays. */
#ifndef SHEAF_OPS_PANELS_H
#define SHEAF_OPS_PANELS_H

#include <stdbool.h>
#include <stdint.h>

#include "job/op.h"
#include "ops/reduction.h"

enum { X, Y, RESULTS, ARRAYS };

/* The cells, simplified for all arrays together. */
struct cells {
    size_t ndim;
    uint64_t shape[SHEAF_MAX_DIMS];
    int64_t strides[ARRAYS][SHEAF_MAX_DIMS];
};

struct frame {
    const struct op_call *call;
    const struct op *op; /* the reduction */
    const struct reduction *own;
    struct elements e;
    struct cells cells;
    uint64_t cell_count;
    uint64_t width; /* cells of a panel, at most; in the last dimension of cells */
    uint64_t panels;
    uint64_t
        joined; /* neighbouring panels, at most, that are gone down as one where a task has all of them */
    uint64_t leaves; /* of a panel */
    uint64_t padded; /* to a power of two; 1 if a panel is never cut */
    size_t apart;    /* elements from a column to the next, if they are read in place; else 1 */
    bool by_columns;
    bool by_runs;        /* cells are runs whose elements lie two apart, folded in place */
    bool has_columns;    /* they are folded together, not transposed */
    int64_t pair_stride; /* from the first result of a cell to the second */
};

/* One panel, or some that were joined. */
struct panel {
    uint64_t width;
    const unsigned char *at[ARRAYS]; /* the first cell */
};

void panels_frame(struct frame *frame, const struct op_call *call);

/* Panel `number`, and `count - 1` more that follow it in the same dimension, as one. */
struct panel panels_at(const struct frame *frame, uint64_t number, uint64_t count);

/* How many panels from `number` on can be taken as one: at least 1, at most frame->joined. */
uint64_t panels_beside(const struct frame *frame, uint64_t number);

#endif
