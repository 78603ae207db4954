/* panels.c -- how the cells of a result are cut into panels.
 *
 * A panel is narrow enough that many workers have something to do. One that has a task of several gains from going
 * down all of them at once, as the start of a row is what costs: (20000, 15000) doubles on 2 cores of a Zen 4, summed
 * along axis 0 by a bare loop, are read at 0.83 of the limit 1880 columns at a time, at 0.87 with 3752 and at 0.95 with 7504. */
#include "ops/panels.h"

#include <stdlib.h>

#include "memory/layout.h"
#include "ops/columns.h"
#include "ops/reader.h"

/* From so many panels on, each is one leaf of the job: there is enough to do without cutting them. */
enum { PANELS_ENOUGH = 24 };

/* Wide panels read well, but not so few leaves that there is nothing to share out. */
enum { LEAVES_WANTED = 16, WIDTH_LEAST = 256, TILE_WIDTH = 512, PANEL_WIDTH = 2048 };

/* Fewer columns are transposed, where the order is free: kernels of columns would have most of a register empty. */
enum { COLUMNS_LEAST = 16 };

/* Of a panel, at most; in a job's slot. */
enum { PARTIALS_BYTES = 56 * 1024 };

static bool joins(const struct cells *cells, size_t d, const struct op_array *const *arrays,
                  const uint32_t *first, size_t from)
{
    for (size_t i = 0; i < ARRAYS; i++)
        if (cells->strides[i][d] !=
            arrays[i]->strides[first[i] + from] * (int64_t)arrays[X]->shape[from])
            return false;
    return true;
}

static void find_cells(struct frame *frame, uint32_t kept, uint32_t leading)
{
    const struct op_array *arrays[ARRAYS] = {
        &frame->call->arrays[X],
        &frame->call->arrays[Y],
        &frame->call->arrays[RESULTS]
    };
    const uint32_t first[ARRAYS] = {0, 0, leading};
    struct cells *cells = &frame->cells;
    cells->ndim = 0;
    frame->cell_count = 1;
    for (size_t d = 0; d < kept; d++) {
        uint64_t extent = arrays[X]->shape[d];
        frame->cell_count *= extent;
        if (extent == 1)
            continue;
        size_t to = cells->ndim;
        if (to > 0 && joins(cells, to - 1, arrays, first, d)) {
            to--;
            cells->shape[to] *= extent;
        } else {
            cells->shape[to] = extent;
            cells->ndim++;
        }
        for (size_t i = 0; i < ARRAYS; i++)
            cells->strides[i][to] = arrays[i]->strides[first[i] + d];
    }
    if (cells->ndim == 0) {
        cells->ndim = 1;
        cells->shape[0] = 1;
        for (size_t i = 0; i < ARRAYS; i++)
            cells->strides[i][0] = 0;
    }
}

/* Whether neighbouring cells lie closer than the elements of one. */
static bool is_by_columns(const struct frame *frame, uint32_t kept)
{
    const struct op_array *x = &frame->call->arrays[X];
    struct layout rows;
    if (frame->cell_count < 2 || frame->e.count < 2)
        return false;
    if (!reduction_is_free(frame->own, &frame->e) && frame->own->columns == NULL)
        return false;
    layout_simplify(&rows, x->ndim - kept, x->shape + kept, x->strides + kept);
    int64_t column = frame->cells.strides[X][frame->cells.ndim - 1];
    int64_t row = rows.strides[rows.ndim - 1];
    return llabs(column) < llabs(row);
}

/* Whether all arrays' cells are runs for columns_fold_run(). */
static bool is_by_runs(const struct frame *frame, uint32_t kept)
{
    const size_t arrays = frame->own->takes_second ? 2 : 1;
    struct layout run;
    if (frame->by_columns || frame->own->columns == NULL || frame->e.count < KERNEL_SUM_LANES ||
        reduction_is_free(frame->own, &frame->e) ||
        frame->e.bytes != sheaf_dtype_size(frame->e.dtype))
        return false;
    for (size_t i = 0; i < arrays; i++) {
        const struct op_array *x = &frame->call->arrays[i];
        layout_simplify(&run, x->ndim - kept, x->shape + kept, x->strides + kept);
        if (run.ndim != 1 || run.strides[0] != 2 * (int64_t)frame->e.bytes)
            return false;
    }
    return true;
}

static uint64_t panels_of(const struct frame *frame, uint64_t width)
{
    uint64_t last = frame->cells.shape[frame->cells.ndim - 1];
    uint64_t panels = last / width + (last % width != 0);
    for (size_t d = 0; d + 1 < frame->cells.ndim; d++)
        panels *= frame->cells.shape[d];
    return panels;
}

/* Elements from a column of an array to the next, 1 or 2, if they can be computed with where they are; else 0. */
static size_t apart_in(const struct frame *frame, size_t array)
{
    const int64_t bytes = (int64_t)sheaf_dtype_size(frame->e.dtype);
    const int64_t stride = frame->cells.strides[array][frame->cells.ndim - 1];
    const bool is_computed = bytes == (int64_t)frame->e.bytes;
    return !is_computed ? 0 : stride == bytes ? 1 : stride == 2 * bytes ? 2 : 0;
}

/* In the last dimension of the cells. */
static uint64_t panels_in_last(const struct frame *frame)
{
    const uint64_t last = frame->cells.shape[frame->cells.ndim - 1];
    return last / frame->width + (last % frame->width != 0);
}

/* How many panels are gone down as one, and what of a row that is. */
static void find_joined(struct frame *frame)
{
    const size_t apart = apart_in(frame, X);
    const bool is_in_place =
        apart != 0 && (!frame->own->takes_second || apart_in(frame, Y) == apart);
    frame->apart = is_in_place ? apart : 1;
    frame->joined = 1;
    if (frame->by_columns && frame->has_columns) {
        const uint64_t most = COLUMNS_MAX / (frame->width * frame->apart);
        const uint64_t in_last = panels_in_last(frame);
        frame->joined = in_last < most ? in_last : most;
    }
}

/* Panels of equal width, in whole lines of doubles. */
static void find_width(struct frame *frame)
{
    enum { LINE = 8 };
    uint64_t last = frame->cells.shape[frame->cells.ndim - 1];
    frame->has_columns = reduction_has_columns(frame->own, &frame->e) &&
                         (last >= COLUMNS_LEAST || !reduction_is_free(frame->own, &frame->e));
    uint64_t most = frame->by_columns && frame->has_columns ? PANEL_WIDTH : TILE_WIDTH;
    while (most * frame->op->partial_bytes > PARTIALS_BYTES ||
           (most > WIDTH_LEAST && panels_of(frame, most) * frame->leaves < LEAVES_WANTED))
        most /= 2;
    uint64_t in_last = last / most + (last % most != 0);
    uint64_t equal = in_last > 0 ? (last / in_last + LINE) / LINE * LINE : most;
    frame->width = equal < most ? equal : most;
    if (!frame->by_columns && frame->leaves > 1)
        frame->width = 1;
    frame->panels = panels_of(frame, frame->width);
    find_joined(frame);
}

/* Everything but the data is known from the arrays' shapes alone. */
void panels_frame(struct frame *frame, const struct op_call *call)
{
    const struct reduce_params *params = call->params;
    const struct op_array *x = &call->arrays[X];
    uint64_t count = 1;
    frame->call = call;
    frame->op = sheaf_ops[params->op];
    frame->own = reduction_of(frame->op);
    for (uint32_t d = params->kept; d < x->ndim; d++)
        count *= x->shape[d];
    reduction_elements(&frame->e, call, frame->op, count);
    find_cells(frame, params->kept, frame->own->is_pair ? 1 : 0);
    frame->pair_stride = frame->own->is_pair ? call->arrays[RESULTS].strides[0] : 0;
    frame->leaves = count / REDUCTION_LEAF + (count % REDUCTION_LEAF != 0);
    frame->leaves = frame->leaves > 0 ? frame->leaves : 1;
    frame->by_columns = is_by_columns(frame, params->kept);
    frame->by_runs = is_by_runs(frame, params->kept);
    find_width(frame);
    frame->padded = 1;
    while (frame->panels < PANELS_ENOUGH && frame->padded < frame->leaves)
        frame->padded *= 2;
}

uint64_t panels_beside(const struct frame *frame, uint64_t number)
{
    const uint64_t in_last = panels_in_last(frame);
    const uint64_t left = in_last - number % in_last;
    return left < frame->joined ? left : frame->joined;
}

struct panel panels_at(const struct frame *frame, uint64_t number, uint64_t count)
{
    const struct cells *cells = &frame->cells;
    struct panel panel;
    size_t d = cells->ndim - 1;
    uint64_t in_last = panels_in_last(frame);
    uint64_t first = number % in_last * frame->width;
    uint64_t left = cells->shape[d] - first;
    number /= in_last;
    panel.width = left < count * frame->width ? left : count * frame->width;
    for (size_t i = 0; i < ARRAYS; i++)
        panel.at[i] = frame->call->data[i];
    for (uint64_t place = first;;) {
        for (size_t i = frame->e.count > 0 ? X : RESULTS; i < ARRAYS; i++)
            panel.at[i] += (int64_t)place * cells->strides[i][d];
        if (d-- == 0)
            return panel;
        place = number % cells->shape[d];
        number /= cells->shape[d];
    }
}
