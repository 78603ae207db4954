/* columns.c -- neighbouring columns: folded together in the order of a sum, or transposed for kernels of
 * runs.
 *
 *              column 0 .. 63        A row of 64 columns is some lines one after the other; the next row
 *     row 0    ===========           lies anywhere. To go down one column would read a line for each
 *     row 1    ===========           element, so all columns that lie in the lines go down together.
 *
 * The lanes of <sheaf/reduce.h> are then the rows of a table, lane l of all columns, to which row after
 * row is added; the binary counter and the last fold go over whole tables. */
#include "ops/columns.h"

#include <string.h>

enum {
    LANES = KERNEL_SUM_LANES,
    TABLE = LANES * COLUMNS_MAX,
    LEVELS = 5, /* of the binary counter: 2^4 sub-blocks are a leaf */
    CHUNK = 32, /* rows that are converted at a time */
};

/* What a fold works in: 128 KiB. */
struct fold_room {
    double lanes[TABLE];
    double level[LEVELS][TABLE];
    double x[CHUNK * COLUMNS_MAX];
    double y[CHUNK * COLUMNS_MAX];
};
_Static_assert(sizeof(struct fold_room) <= COLUMNS_ROOM, "room");

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

/* Rows to come, of one array: where they lie, or converted. */
struct rows {
    const struct columns *in;
    struct layout_walk walk;
};

static void convert_rows(void *to, const struct elements *e, struct rows *rows, size_t count,
                         size_t columns)
{
    const size_t bytes = e->type == KERNEL_I32 || e->type == KERNEL_F32 ? 4 : 8;
    for (size_t r = 0; r < count; r++) {
        const unsigned char *at;
        int64_t stride;
        layout_walk_run(&at, &stride, &rows->walk, 1);
        e->kernels->convert[rows->in->type](at, rows->in->column_stride, columns,
                                            (unsigned char *)to + r * columns * bytes);
    }
}

/* The lanes of a sub-block. */
static void add_sub_block(struct fold_room *room, const struct elements *e,
                          const struct column_leaf *leaf, struct rows *x, struct rows *y,
                          fold_columns_kernel *kernel, const double *c, size_t rows)
{
    const size_t bytes = e->type == KERNEL_I32 || e->type == KERNEL_F32 ? 4 : 8;
    struct fold_columns in = {.columns = leaf->columns, .pitch = leaf->columns, .c = c};
    for (size_t done = 0; done < rows; done += in.rows) {
        size_t left = rows - done;
        in.first = done;
        if (leaf->x.is_direct && !leaf->has_second) {
            const unsigned char *at;
            int64_t stride;
            in.rows = layout_walk_run(&at, &stride, &x->walk, left);
            in.x = in.y = at;
            in.x_stride = in.y_stride = stride;
        } else {
            in.rows = left < CHUNK ? left : CHUNK;
            convert_rows(room->x, e, x, in.rows, leaf->columns);
            if (leaf->has_second)
                convert_rows(room->y, e, y, in.rows, leaf->columns);
            in.x = room->x;
            in.y = leaf->has_second ? room->y : room->x;
            in.x_stride = in.y_stride = (ptrdiff_t)(leaf->columns * bytes);
        }
        kernel(&in, room->lanes);
    }
}

/* 32 lanes of the counter's tables to one number a column, as fold_tmpl.h does for one run. */
static void drain(double *out, struct fold_room *room, size_t count, size_t columns,
                  bool is_product)
{
    const size_t table = LANES * columns;
    double *lanes = room->lanes;
    for (size_t i = 0; i < table; i++)
        lanes[i] = is_product ? 1.0 : -0.0;
    for (size_t l = 0; count >> l != 0; l++)
        if (count >> l & 1)
            combine(lanes, room->level[l], lanes, table, is_product);
    for (size_t half = LANES / 2; half > 0; half /= 2)
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
    struct fold_room *room = leaf->room;
    struct rows x = {.in = &leaf->x};
    struct rows y = {.in = &leaf->y};
    size_t count = 0;
    if (leaf->rows > 0) {
        layout_walk_begin(&x.walk, leaf->x.rows, leaf->x.data, leaf->begin);
        layout_walk_begin(&y.walk, leaf->y.rows, leaf->y.data, leaf->begin);
    }
    for (size_t done = 0; done < leaf->rows; count++) {
        size_t left = leaf->rows - done;
        size_t rows = left < KERNEL_SUM_SUB_BLOCK ? left : KERNEL_SUM_SUB_BLOCK;
        size_t l = 0;
        for (size_t i = 0; i < table; i++)
            room->lanes[i] = is_product ? 1.0 : -0.0;
        add_sub_block(room, e, leaf, &x, &y, e->kernels->columns[fold][e->type],
                      c != NULL ? c : zeros, rows);
        for (; count >> l & 1; l++)
            combine(room->lanes, room->level[l], room->lanes, table, is_product);
        memcpy(room->level[l], room->lanes, table * sizeof(double));
        done += rows;
    }
    drain(out, room, count, leaf->columns, is_product);
}
