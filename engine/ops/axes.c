/* axes.c -- a reduction along some dimensions, as an operation: each cell of the result is the reduction of
 * the elements that lie along the others.
 *
 *     arrays[0]   x         kept dimensions first, then those that are reduced, whatever their strides
 *     arrays[1]   y         of the same shape; x again, if the reduction takes one array
 *     arrays[2]   results   the kept dimensions (a pair: of 2 and those), written
 *
 * Cells go in panels of some neighbouring ones, and a panel's elements in leaves. The job is one tree
 * over panels x leaves, each panel's leaves filled up to a power of two with empty ones, so that a panel
 * is a node:
 *
 *     panel 0               panel 1               panel 2            3 leaves each, and one that is empty
 *     0   1   2   -         0   1   2   -         0   1   2   -
 *     |___|   |___|         |___|   |___|         |___|   |___|      merges within a panel are the
 *       |_______|             |_______|             |_______|        reduction's own; the node that has all
 *           |_____________________|                     |            leaves of it writes its results, and
 *                     |_________________________________|            those above have nothing to do
 *
 * Of many panels each is one leaf. The tree of a panel is the left-complete one of its leaves, since what is empty is left out. Where
 * neighbouring cells lie closer in memory than the elements of one, their columns are read together
 * (columns.h); otherwise a cell is a run like a whole array's. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ops/columns.h"
#include "ops/source.h"

enum { X, Y, RESULTS, ARRAYS };

/* The part of a panel that a partial is of. The reduction's partials of its cells follow. */
struct head {
    uint64_t panel;
    uint64_t leaves; /* that it has in it; 0: nothing is left to do */
};

/* From so many panels on, each is one leaf of the job: there is enough to do without cutting them. */
enum { PANELS_ENOUGH = 24 };

/* Wide panels read well, but not so few leaves that there is nothing to share out. */
enum { LEAVES_WANTED = 16, WIDTH_LEAST = 256, TILE_WIDTH = 512 };

/* Fewer columns are transposed, where the order is free: kernels of columns would have most of a register empty. */
enum { COLUMNS_LEAST = 16 };

/* Of a panel, at most; in a job's slot. */
enum { PARTIALS_BYTES = 56 * 1024 };

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
    uint64_t leaves; /* of a panel */
    uint64_t padded; /* to a power of two; 1 if a panel is never cut */
    bool by_columns;
    bool has_columns;    /* they are folded together, not transposed */
    int64_t pair_stride; /* from the first result of a cell to the second */
};

/* One panel. */
struct panel {
    uint64_t width;
    const unsigned char *at[ARRAYS]; /* the first cell */
};

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

static uint64_t panels_of(const struct frame *frame, uint64_t width)
{
    uint64_t last = frame->cells.shape[frame->cells.ndim - 1];
    uint64_t panels = last / width + (last % width != 0);
    for (size_t d = 0; d + 1 < frame->cells.ndim; d++)
        panels *= frame->cells.shape[d];
    return panels;
}

/* Panels of equal width, in whole lines of doubles. */
static void find_width(struct frame *frame)
{
    enum { LINE = 8 };
    uint64_t last = frame->cells.shape[frame->cells.ndim - 1];
    frame->has_columns = reduction_has_columns(frame->own, &frame->e) &&
                         (last >= COLUMNS_LEAST || !reduction_is_free(frame->own, &frame->e));
    uint64_t most = frame->by_columns && frame->has_columns ? COLUMNS_MAX : TILE_WIDTH;
    while (most * frame->op->partial_bytes > PARTIALS_BYTES ||
           (most > WIDTH_LEAST && panels_of(frame, most) * frame->leaves < LEAVES_WANTED))
        most /= 2;
    uint64_t in_last = last / most + (last % most != 0);
    uint64_t equal = in_last > 0 ? (last / in_last + LINE) / LINE * LINE : most;
    frame->width = equal < most ? equal : most;
    if (!frame->by_columns && frame->leaves > 1)
        frame->width = 1;
    frame->panels = panels_of(frame, frame->width);
}

/* Everything but the data is known from the arrays' shapes alone. */
static void make_frame(struct frame *frame, const struct op_call *call)
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
    find_width(frame);
    frame->padded = 1;
    while (frame->panels < PANELS_ENOUGH && frame->padded < frame->leaves)
        frame->padded *= 2;
}

static struct panel panel_at(const struct frame *frame, uint64_t number)
{
    const struct cells *cells = &frame->cells;
    struct panel panel;
    size_t d = cells->ndim - 1;
    uint64_t in_last = cells->shape[d] / frame->width + (cells->shape[d] % frame->width != 0);
    uint64_t first = number % in_last * frame->width;
    uint64_t left = cells->shape[d] - first;
    number /= in_last;
    panel.width = left < frame->width ? left : frame->width;
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

static void write_result(unsigned char *to, const struct elements *e, const sheaf_value *value)
{
    memcpy(to, value, sheaf_dtype_size(e->result));
}

/* Partials of whole cells become results. */
static void finish_panel(const struct frame *frame, const struct panel *panel,
                         const unsigned char *partials)
{
    int64_t stride = frame->cells.strides[RESULTS][frame->cells.ndim - 1];
    unsigned char *to = (unsigned char *)(uintptr_t)panel->at[RESULTS];
    for (uint64_t i = 0; i < panel->width; i++, to += stride) {
        sheaf_scalar scalar = {.dtype = frame->e.result};
        frame->own->finish(&frame->e, partials + i * frame->op->partial_bytes, &scalar);
        if (frame->own->has_index)
            memcpy(to, &scalar.index, sizeof scalar.index);
        else
            write_result(to, &frame->e, &scalar.value);
        if (frame->own->is_pair)
            write_result(to + frame->pair_stride, &frame->e, &scalar.second);
    }
}

/* What the map of a task works in. */
struct work {
    const struct frame *frame;
    struct source source; /* of one cell */
    struct layout x_rows; /* by columns */
    struct layout y_rows;
    unsigned char *waiting;  /* partials of panels on their way up the tree */
    unsigned char *partials; /* of a panel */
    void *room;
};

static void map_cells(struct work *work, const struct panel *panel, uint64_t begin, uint64_t end,
                      unsigned char *partials)
{
    const struct frame *frame = work->frame;
    size_t last = frame->cells.ndim - 1;
    for (uint64_t i = 0; i < panel->width; i++) {
        if (frame->e.count > 0) { /* of nothing there may be no memory */
            work->source.x.data = panel->at[X] + (int64_t)i * frame->cells.strides[X][last];
            work->source.y.data = panel->at[Y] + (int64_t)i * frame->cells.strides[Y][last];
        }
        source_walk(&work->source, begin, end, partials + i * frame->op->partial_bytes);
    }
}

static struct columns columns_of(const struct work *work, const struct panel *panel, size_t array)
{
    const struct frame *frame = work->frame;
    const struct reader *reader = array == X
    ? &work->source.x : &work->source.y;
    int64_t stride = frame->cells.strides[array][frame->cells.ndim - 1];
    return (struct columns)
    {
        .data = panel->at[array], .rows = array == X
        ? &work->x_rows : &work->y_rows,
            .column_stride = stride, .type = reader_stored(frame->e.dtype),
            .is_direct = reader->stored == reader->computed && stride == (int64_t)reader->stored,
    };
}

/* Tiles of rows are transposed, and a run of each column joins what there is of it. */
static void map_tiles(struct work *work, const struct panel *panel, uint64_t begin, uint64_t end,
                      unsigned char *partials)
{
    const struct frame *frame = work->frame;
    const size_t computed = work->source.x.computed;
    const size_t bytes = frame->op->partial_bytes;
    const struct columns columns[2] = { columns_of(work, panel, X), columns_of(work, panel, Y) };
    size_t most = REDUCTION_LEAF;
    _Alignas(16) unsigned char newest[REDUCTION_PARTIAL_MAX];
    while (most * panel->width * computed > COLUMNS_TILE)
        most /= 2;
    unsigned char *room[2] = {work->room,
                              (unsigned char *)work->room + columns_tile_room(frame->width)};
    for (uint64_t at = begin; at < end;) {
        size_t rows = end - at < most ? (size_t)(end - at) : most;
        size_t pitch = columns_transpose(room[0], &frame->e, &columns[0], at, rows, panel->width);
        if (frame->own->takes_second)
            columns_transpose(room[1], &frame->e, &columns[1], at, rows, panel->width);
        for (size_t c = 0; c < panel->width; c++) {
            struct run run = {.x = room[0] + c * pitch * computed, .n = rows, .begin = at};
            run.y = frame->own->takes_second ? room[1] + c * pitch * computed : run.x;
            unsigned char *partial = partials + c * bytes;
            frame->own->leaf(&frame->e, &run, at == begin ? partial : newest);
            if (at != begin)
                frame->own->merge(&frame->e, partial, newest, partial);
            if (frame->own->waits != NULL && frame->own->waits(partial) == (int64_t)at)
                frame->own->settle(&frame->e, &run, partial);
        }
        at += rows;
    }
}

/* The left-complete tree of a panel's leaves, all columns at the same time; see walk_tree(). */
static void map_columns(struct work *work, const struct panel *panel, uint64_t begin, uint64_t end,
                        unsigned char *partials)
{
    const struct frame *frame = work->frame;
    const size_t bytes = frame->op->partial_bytes;
    const size_t pitch = (size_t)frame->width * bytes;
    size_t depth = 0;
    struct column_leaf leaf = {
        .x = columns_of(work, panel, X),
        .y = columns_of(work, panel, Y),
        .has_second = frame->own->takes_second,
        .columns = panel->width,
        .room = work->room
    };
    for (uint64_t i = 0; begin < end; i++) {
        if (i > 0)
            memcpy(work->waiting + depth++ * pitch, partials, panel->width * bytes);
        leaf.begin = begin;
        leaf.rows = end - begin < REDUCTION_LEAF ? (size_t)(end - begin) : REDUCTION_LEAF;
        frame->own->columns(&frame->e, &leaf, partials);
        begin += leaf.rows;
        for (uint64_t pairs = i; depth > 0 && (pairs & 1 || begin >= end); pairs >>= 1) {
            depth--;
            for (size_t c = 0; c < panel->width; c++)
                frame->own->merge(&frame->e, work->waiting + depth * pitch + c * bytes,
                                  partials + c * bytes, partials + c * bytes);
        }
    }
}

/* Leaves first .. first + count - 1 of one panel. */
static void map_panel(struct work *work, const struct panel *panel, uint64_t first, uint64_t count)
{
    const struct frame *frame = work->frame;
    unsigned char *partials = work->partials;
    uint64_t begin = first * REDUCTION_LEAF;
    uint64_t end = first + count >= frame->leaves ? frame->e.count : begin + count * REDUCTION_LEAF;
    if (!frame->by_columns)
        map_cells(work, panel, begin, end, partials);
    else if (frame->has_columns)
        map_columns(work, panel, begin, end, partials);
    else
        map_tiles(work, panel, begin, end, partials);
}

/* Errors: NO_MEMORY. */
static sheaf_status work_begin(struct work *work, const struct frame *frame)
{
    const struct op_call *call = frame->call;
    const struct op_array *x = &call->arrays[X];
    const struct op_array *y = &call->arrays[Y];
    const uint32_t kept = ((const struct reduce_params *)call->params)->kept;
    const size_t partials = (size_t)frame->width * frame->op->partial_bytes;
    size_t room = 0;
    size_t waiting = 0;
    memset(work, 0, sizeof *work);
    work->frame = frame;
    work->source = (struct source){.op = frame->op, .own = frame->own, .e = frame->e};
    if (frame->e.count > 0) {
        reader_begin(&work->source.x, call->kernels, x, call->data[X], kept);
        reader_begin(&work->source.y, call->kernels, y, call->data[Y], kept);
        layout_simplify(&work->x_rows, x->ndim - kept, x->shape + kept, x->strides + kept);
        layout_simplify(&work->y_rows, y->ndim - kept, y->shape + kept, y->strides + kept);
    }
    if (frame->by_columns) {
        waiting = (size_t)(65 - __builtin_clzll(frame->leaves)) * partials;
        room = frame->has_columns
                   ? columns_fold_room(frame->width)
                   : columns_tile_room(frame->width) * (frame->own->takes_second ? 2 : 1);
        room = (room + 63) / 64 * 64;
    } else if (!work->source.x.is_direct || !work->source.y.is_direct) {
        room = SOURCE_ROOM;
    }
    work->room = aligned_alloc(64, (room + partials + waiting + 63) / 64 * 64);
    if (work->room == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "%s: no memory to gather elements in",
                          frame->op->name);
    work->source.room = work->room;
    work->partials = (unsigned char *)work->room + room;
    work->waiting = work->partials + partials;
    return SHEAF_OK;
}

static sheaf_status plan(struct op_plan *out, const struct op_call *call)
{
    struct frame frame;
    const struct op_array *x = &call->arrays[X];
    make_frame(&frame, call);
    sheaf_status status = reduction_check(call, frame.op, frame.cell_count > 0 ? frame.e.count : 1);
    if (status != SHEAF_OK)
        return status;
    if (frame.cell_count == 0)
        frame.panels = 1; /* with no cell in it */
    double bytes = (double)x->size * (double)sheaf_dtype_size((sheaf_dtype)x->dtype);
    out->leaves = frame.panels * frame.padded;
    out->leaf_bytes = (uint64_t)(bytes / (double)out->leaves) + 16 * frame.width;
    out->partial_bytes = sizeof(struct head);
    if (frame.padded > 1)
        out->partial_bytes += (uint32_t)(frame.width * frame.op->partial_bytes);
    return SHEAF_OK;
}

static sheaf_status map(const struct op_call *call, uint64_t first, uint64_t count, void *partial)
{
    struct frame frame;
    struct work work;
    struct head head = {0};
    make_frame(&frame, call);
    memcpy(partial, &head, sizeof head);
    if (frame.cell_count == 0)
        return SHEAF_OK;
    sheaf_status status = work_begin(&work, &frame);
    if (status != SHEAF_OK)
        return status;
    for (uint64_t end = first + count; first < end;) {
        head.panel = first / frame.padded;
        uint64_t leaf = first % frame.padded;
        if (frame.padded == 1) { /* all of it */
            struct panel panel = panel_at(&frame, first++);
            map_panel(&work, &panel, 0, frame.leaves);
            finish_panel(&frame, &panel, work.partials);
            continue;
        }
        uint64_t past = frame.padded - leaf < end - first ? frame.padded : leaf + (end - first);
        first += past - leaf;
        past = past < frame.leaves ? past : frame.leaves;
        head.leaves = leaf < past ? past - leaf : 0;
        if (head.leaves == 0)
            continue;
        struct panel panel = panel_at(&frame, head.panel);
        map_panel(&work, &panel, leaf, head.leaves);
        if (head.leaves == frame.leaves) {
            finish_panel(&frame, &panel, work.partials);
            head.leaves = 0;
        }
    }
    memcpy(partial, &head, sizeof head);
    if (head.leaves > 0)
        memcpy((unsigned char *)partial + sizeof head, work.partials,
               frame.width * frame.op->partial_bytes);
    free(work.room);
    return SHEAF_OK;
}

static void merge(const struct op_call *call, const void *left, const void *right, void *out)
{
    struct frame frame;
    struct head a;
    struct head b;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    if (a.leaves == 0) { /* whole panels are done; then those to the right are, too */
        memcpy(out, &a, sizeof a);
        return;
    }
    make_frame(&frame, call);
    const size_t bytes = frame.op->partial_bytes;
    unsigned char *to = (unsigned char *)out + sizeof a;
    const unsigned char *from = (const unsigned char *)left + sizeof a;
    struct panel panel = panel_at(&frame, a.panel);
    if (b.leaves == 0)
        memcpy(to, from, panel.width * bytes);
    for (uint64_t i = 0; i < panel.width && b.leaves > 0; i++)
        frame.own->merge(&frame.e, from + i * bytes,
                         (const unsigned char *)right + sizeof b + i * bytes, to + i * bytes);
    a.leaves += b.leaves;
    if (a.leaves == frame.leaves) {
        finish_panel(&frame, &panel, to);
        a.leaves = 0;
    }
    memcpy(out, &a, sizeof a);
}

/* Everything has been written. */
static void finish(const struct op_call *call, const void *root, void *result)
{
    (void)call;
    (void)root;
    *(unsigned char *)result = 0;
}

const struct op sheaf_op_axes = {
    .name = "axes",
    .partial_bytes = OP_PARTIAL_BYTES_MAX,
    .result_bytes = 1,
    .writes = 1U << RESULTS,
    .views = (1U << ARRAYS) - 1,
    .plan = plan,
    .map = map,
    .merge = merge,
    .finish = finish,
};
