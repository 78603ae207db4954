/* columns.c -- neighbouring columns: folded together in the order of a sum, or transposed for kernels of
 * runs.
 *
 *              column 0 .. 511       A row of 512 columns is some lines one after the other; the next row
 *     row 0    ===========           lies anywhere. To go down one column would read a line for each
 *     row 1    ===========           element, so all columns that lie in the lines go down together.
 *
 * The lanes of <sheaf/reduce.h> are then the rows of a table, lane l of all columns, to which row after
 * row is added; the binary counter and the last fold go over whole tables. */
#include "ops/columns.h"

#include <string.h>

enum {
    LANES = KERNEL_SUM_LANES,
    LEVELS = 5, /* of the binary counter: 2^4 sub-blocks are a leaf */
    STRIP = 64, /* columns that are converted at a time */
    STRIP_ELEMENTS = KERNEL_SUM_SUB_BLOCK * STRIP,
};

/* What a fold works in: for 512 columns 768 KiB, and what is converted. */
struct fold_room {
    size_t table; /* doubles: LANES of all columns */
    size_t used;  /* rows of lanes that are wanted */
    double *lanes;
    double *levels; /* LEVELS tables */
    double *x;      /* a strip of a sub-block */
    double *y;
};

static struct fold_room room_of(const struct column_leaf *leaf)
{
    const size_t columns = leaf->columns;
    const size_t table = LANES * columns;
    double *room = leaf->room;
    return (struct fold_room){table,
                              LANES,
                              room,
                              room + table,
                              room + (1 + LEVELS) * table,
                              room + (1 + LEVELS) * table + STRIP_ELEMENTS};
}

size_t columns_fold_room(size_t columns)
{
    return ((1 + LEVELS) * LANES * columns + 2 * (size_t)STRIP_ELEMENTS) * sizeof(double);
}

size_t columns_tile_room(size_t columns)
{
    return COLUMNS_TILE + COLUMNS_PAD * sizeof(double) * columns;
}

size_t columns_count(const struct column_leaf *leaf)
{
    return leaf->columns;
}

uint64_t columns_rows(const struct column_leaf *leaf)
{
    return leaf->rows;
}

size_t columns_transpose(void *room, const struct elements *e, const struct columns *in,
                         uint64_t begin, size_t rows, size_t columns)
{
    const size_t bytes = e->type == KERNEL_I32 || e->type == KERNEL_F32 ? 4 : 8;
    const size_t pitch = rows + COLUMNS_PAD;
    struct layout_walk walk;
    layout_walk_begin(&walk, in->rows, in->data, begin);
    for (size_t done = 0; done < rows;) {
        const unsigned char *at;
        int64_t stride;
        size_t run = layout_walk_run(&at, &stride, &walk, rows - done);
        const struct tile tile = {at, stride, in->column_stride, run, columns, pitch};
        e->kernels->transpose[in->type](&tile, (unsigned char *)room + done * bytes);
        done += run;
    }
    return pitch;
}

static void combine(double *out, const double *a, const double *b, size_t n, bool is_product)
{
    if (is_product)
        for (size_t i = 0; i < n; i++)
            out[i] = a[i] * b[i];
    else
        for (size_t i = 0; i < n; i++)
            out[i] = a[i] + b[i];
}

/* `columns` columns from number `first` on, of rows begin .. begin + rows - 1, one row after the other. */
static void convert_strip(void *to, const struct elements *e, const struct columns *in,
                          uint64_t begin, size_t rows, size_t first, size_t columns)
{
    const size_t bytes = e->type == KERNEL_I32 || e->type == KERNEL_F32 ? 4 : 8;
    struct layout_walk walk;
    layout_walk_begin(&walk, in->rows, in->data + (int64_t)first * in->column_stride, begin);
    for (size_t r = 0; r < rows; r++) {
        const unsigned char *at;
        int64_t stride;
        layout_walk_run(&at, &stride, &walk, 1);
        e->kernels->convert[in->type](at, in->column_stride, columns,
                                      (unsigned char *)to + r * columns * bytes);
    }
}

/* The lanes of so many rows, as a power of two: those of no row hold the neutral element, and change nothing. */
static size_t lanes_of(size_t rows)
{
    size_t lanes = 1;
    while (lanes < rows && lanes < LANES)
        lanes *= 2;
    return lanes;
}

/* The lanes of a sub-block: in place if its rows can be read as they are, else strip by strip. */
static void fold_sub_block(const struct fold_room *room, const struct elements *e,
                           const struct column_leaf *leaf, enum columns_fold fold, const double *c,
                           uint64_t begin, size_t rows)
{
    const size_t bytes = e->type == KERNEL_I32 || e->type == KERNEL_F32 ? 4 : 8;
    fold_columns_kernel *kernel = e->kernels->columns[fold][e->type];
    struct fold_columns in = {.rows = rows,
                              .columns = leaf->columns,
                              .lanes = room->used,
                              .pitch = leaf->columns,
                              .c = c};
    if (leaf->x.is_direct && leaf->x.rows->ndim == 1 && !leaf->has_second) {
        in.x_stride = in.y_stride = leaf->x.rows->strides[0];
        in.x = in.y = leaf->x.data + (int64_t)begin * in.x_stride;
        kernel(&in, room->lanes);
        return;
    }
    in.x = room->x;
    in.y = leaf->has_second ? room->y : room->x;
    for (size_t first = 0; first < leaf->columns; first += in.columns) {
        size_t left = leaf->columns - first;
        in.columns = left < STRIP ? left : STRIP;
        in.x_stride = in.y_stride = (ptrdiff_t)(in.columns * bytes);
        in.c = c + first;
        convert_strip(room->x, e, &leaf->x, begin, rows, first, in.columns);
        if (leaf->has_second)
            convert_strip(room->y, e, &leaf->y, begin, rows, first, in.columns);
        kernel(&in, room->lanes + first);
    }
}

/* The counter's tables to one: from the right, the first combined with the neutral element. */
static void drain(const struct fold_room *room, size_t count, bool is_product)
{
    for (size_t i = 0; i < room->table; i++)
        room->lanes[i] = is_product ? 1.0 : -0.0;
    for (size_t l = 0; count >> l != 0; l++)
        if (count >> l & 1)
            combine(room->lanes, room->levels + l * room->table, room->lanes, room->table,
                    is_product);
}

/* The lanes to one number a column, as fold_tmpl.h does for one run. */
static void fold_lanes(double *out, double *lanes, size_t count, size_t columns, bool is_product)
{
    for (size_t half = count / 2; half > 0; half /= 2)
        combine(lanes, lanes, lanes + half * columns, half * columns, is_product);
    for (size_t i = 0; i < columns; i++)
        out[i] = canonical_f64(lanes[i]);
}

void columns_fold(double *out, const struct elements *e, const struct column_leaf *leaf,
                  enum columns_fold fold, const double *c)
{
    static const double zeros[COLUMNS_MAX];
    const bool is_product = fold == COLUMNS_PRODUCTS;
    const size_t table = LANES * leaf->columns;
    struct fold_room room = room_of(leaf);
    size_t count = 0;
    c = c != NULL ? c : zeros;
    if (leaf->rows > 0 && leaf->rows <= KERNEL_SUM_SUB_BLOCK) { /* nothing to count */
        room.used = lanes_of(leaf->rows);
        fold_sub_block(&room, e, leaf, fold, c, leaf->begin, leaf->rows);
        fold_lanes(out, room.lanes, room.used, leaf->columns, is_product);
        return;
    }
    for (size_t done = 0; done < leaf->rows; count++) {
        size_t left = leaf->rows - done;
        size_t rows = left < KERNEL_SUM_SUB_BLOCK ? left : KERNEL_SUM_SUB_BLOCK;
        size_t l = 0;
        fold_sub_block(&room, e, leaf, fold, c, leaf->begin + done, rows);
        for (; count >> l & 1; l++)
            combine(room.lanes, room.levels + l * table, room.lanes, table, is_product);
        memcpy(room.levels + l * table, room.lanes, table * sizeof(double));
        done += rows;
    }
    drain(&room, count, is_product);
    fold_lanes(out, room.lanes, LANES, leaf->columns, is_product);
}
