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
#include "ops/panels.h"
#include "ops/source.h"

/* The part of a panel that a partial is of. The reduction's partials of its cells follow. */
struct head {
    uint64_t panel;
    uint64_t leaves; /* that it has in it; 0: nothing is left to do */
};

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
            .is_direct = reader->stored == reader->computed &&
                         stride == (int64_t)(frame->apart * reader->stored),
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

/* Looks for the places of columns whose partials know a run of rows, of those before `end`. */
static void settle_columns(const struct work *work, const struct panel *panel, uint64_t end,
                           unsigned char *partials)
{
    const struct frame *frame = work->frame;
    const int64_t stride = frame->cells.strides[X][frame->cells.ndim - 1];
    struct reader reader = work->source.x;
    double room[COLUMNS_RUN];
    for (size_t c = 0; c < panel->width; c++) {
        unsigned char *partial = partials + c * frame->op->partial_bytes;
        const int64_t begin = frame->own->waits(partial);
        if (begin < 0)
            continue;
        const uint64_t left = end - (uint64_t)begin;
        struct run run = {.n = left < COLUMNS_RUN ? left : COLUMNS_RUN, .begin = (uint64_t)begin};
        reader.data = panel->at[X] + (int64_t)c * stride;
        run.x = run.y = reader_run(&reader, run.begin, run.n, room);
        frame->own->settle(&frame->e, &run, partial);
    }
}

/* The left-complete tree of a panel's leaves, all columns at the same time; see walk_tree(). */
static void map_columns(struct work *work, const struct panel *panel, uint64_t begin, uint64_t end,
                        unsigned char *partials)
{
    const struct frame *frame = work->frame;
    const size_t bytes = frame->op->partial_bytes;
    const size_t pitch = panel->width * bytes;
    const uint64_t past = end;
    size_t depth = 0;
    struct column_leaf leaf = {
        .x = columns_of(work, panel, X),
        .y = columns_of(work, panel, Y),
        .has_second = frame->own->takes_second,
        .columns = panel->width,
        .apart = frame->apart,
        .is_run = frame->by_runs,
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
    if (frame->own->waits != NULL)
        settle_columns(work, panel, past, partials);
}

/* Cell by cell: each is a panel of one column. */
static void map_runs(struct work *work, const struct panel *panel, uint64_t begin, uint64_t end,
                     unsigned char *partials)
{
    const struct frame *frame = work->frame;
    const size_t last = frame->cells.ndim - 1;
    struct panel cell = {.width = 1};
    for (uint64_t i = 0; i < panel->width; i++) {
        cell.at[X] = panel->at[X] + (int64_t)i * frame->cells.strides[X][last];
        cell.at[Y] = panel->at[Y] + (int64_t)i * frame->cells.strides[Y][last];
        map_columns(work, &cell, begin, end, partials + i * frame->op->partial_bytes);
    }
}

/* Leaves first .. first + count - 1 of one panel. */
static void map_panel(struct work *work, const struct panel *panel, uint64_t first, uint64_t count)
{
    const struct frame *frame = work->frame;
    unsigned char *partials = work->partials;
    uint64_t begin = first * REDUCTION_LEAF;
    uint64_t end = first + count >= frame->leaves ? frame->e.count : begin + count * REDUCTION_LEAF;
    if (frame->by_runs)
        map_runs(work, panel, begin, end, partials);
    else if (!frame->by_columns)
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
    const size_t width = (size_t)(frame->width * frame->joined);
    const size_t partials = width * frame->op->partial_bytes;
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
        room = frame->has_columns ? columns_fold_room(width, frame->apart)
                                  : columns_tile_room(width) * (frame->own->takes_second ? 2 : 1);
        room = (room + 63) / 64 * 64;
    } else if (frame->by_runs) {
        waiting = (size_t)(65 - __builtin_clzll(frame->leaves)) * frame->op->partial_bytes;
        room = (columns_fold_room(1, 1) + 63) / 64 * 64;
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
    panels_frame(&frame, call);
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
    if (frame.joined > 1)
        out->together = frame.padded < 1024 ? (uint32_t)(frame.joined * frame.padded) : 1024;
    return SHEAF_OK;
}

/* Panel `first` and those that can be taken with it, at most `most`: to their results. Returns how many. */
static uint64_t map_whole(struct work *work, uint64_t first, uint64_t most)
{
    const struct frame *frame = work->frame;
    const uint64_t beside = panels_beside(frame, first);
    const uint64_t count = beside < most ? beside : most;
    const struct panel panel = panels_at(frame, first, count);
    map_panel(work, &panel, 0, frame->leaves);
    finish_panel(frame, &panel, work->partials);
    return count;
}

static sheaf_status map(const struct op_call *call, uint64_t first, uint64_t count, void *partial)
{
    struct frame frame;
    struct work work;
    struct head head = {0};
    panels_frame(&frame, call);
    memcpy(partial, &head, sizeof head);
    if (frame.cell_count == 0)
        return SHEAF_OK;
    sheaf_status status = work_begin(&work, &frame);
    if (status != SHEAF_OK)
        return status;
    for (uint64_t end = first + count; first < end;) {
        const uint64_t leaf = first % frame.padded;
        head.panel = first / frame.padded;
        if (leaf == 0 && end - first >= frame.padded) {
            first += map_whole(&work, head.panel, (end - first) / frame.padded) * frame.padded;
            continue;
        }
        uint64_t past = frame.padded - leaf < end - first ? frame.padded : leaf + (end - first);
        first += past - leaf;
        past = past < frame.leaves ? past : frame.leaves;
        head.leaves = leaf < past ? past - leaf : 0;
        if (head.leaves == 0)
            continue;
        struct panel panel = panels_at(&frame, head.panel, 1);
        map_panel(&work, &panel, leaf, head.leaves);
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
    panels_frame(&frame, call);
    const size_t bytes = frame.op->partial_bytes;
    unsigned char *to = (unsigned char *)out + sizeof a;
    const unsigned char *from = (const unsigned char *)left + sizeof a;
    struct panel panel = panels_at(&frame, a.panel, 1);
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
