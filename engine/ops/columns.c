/* columns.c -- neighbouring columns: folded together in the order of a sum, or transposed for kernels of
 * runs.
 *
 *              column 0 .. 2047      A row of 2048 columns is some pages one after the other; the next row
 *     row 0    ===========           lies anywhere. To go down one column would read a line for each
 *     row 1    ===========           element, so all columns that lie in the lines go down together.
 *
 * Lane l of <sheaf/reduce.h> is rows l, l + 32, .. of a sub-block. A pass goes down a leaf for one lane, or for some if the
 * columns are few, so that what it adds up to stays in the nearest cache, with its binary counter:
 *
 *     lanes 0, 1     sub-block 0, 1, 2 .. 15   ->  rows 0 and 1 of the table of lanes
 *     lanes 2, 3     sub-block 0, 1, 2 .. 15   ->  rows 2 and 3; in the end the table's rows are folded
 *
 * Measured on a Zen 4 with 2 workers, (20000, 15000) doubles: 512 columns at a time, all lanes of a sub-block after the
 * other, read at 0.50 of the limit; of 1880, a lane after the other, with what comes next asked for, at 0.9. */
#include "ops/columns.h"

#include <string.h>

enum {
    LANES = KERNEL_SUM_LANES,
    SUB_BLOCK = KERNEL_SUM_SUB_BLOCK,
    STREAMS = SUB_BLOCK / LANES, /* rows of a lane */
    LEVELS = 5,                  /* of the binary counter: 2^4 sub-blocks are a leaf */
    STRIP = 512,                 /* columns that are read at a time */
    PASS = COLUMNS_MAX,          /* sums of a pass: lanes x columns, at most, but for one lane */
    LINE = 64,
};

/* What a fold works in. */
struct fold_room {
    double *lanes;                 /* a table: LANES of all columns */
    double *sums;                  /* of a pass */
    double *levels;                /* LEVELS of those */
    const unsigned char **rows[2]; /* of a leaf: of each array, where they have no one stride */
    unsigned char *x;              /* a strip of a lane's rows */
    unsigned char *y;
};

static struct fold_room room_of(const struct column_leaf *leaf)
{
    double *lanes = leaf->room;
    double *sums = lanes + LANES * leaf->columns;
    double *levels = sums + PASS;
    const unsigned char **rows = (const unsigned char **)(void *)(levels + LEVELS * PASS);
    unsigned char *x = (unsigned char *)(rows + 2 * REDUCTION_LEAF);
    return (struct fold_room){.lanes = lanes,
                              .sums = sums,
                              .levels = levels,
                              .rows = {rows, rows + REDUCTION_LEAF},
                              .x = x,
                              .y = x + STREAMS * STRIP * sizeof(double)};
}

size_t columns_fold_room(size_t columns)
{
    return (LANES * columns + (1 + LEVELS) * (size_t)PASS + 2 * (size_t)STREAMS * STRIP) *
               sizeof(double) +
           2 * REDUCTION_LEAF * sizeof(unsigned char *);
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

/* What stays the same for all passes over a leaf. */
struct fold {
    const struct elements *e;
    const struct column_leaf *leaf;
    struct fold_room room;
    fold_columns_kernel *kernel;
    const double *c;
    size_t computed; /* bytes */
    size_t
        step; /* from a row that is read together with others to the next: LANES, or 1 for extremes */
    bool is_product;
    bool is_in_place; /* the rows can be read where they are */
};

/* Where rows have no one stride, each is looked up. */
static void find_rows(const struct fold_room *room, const struct column_leaf *leaf)
{
    struct layout_walk walk;
    const unsigned char *at;
    int64_t stride;
    for (size_t array = 0; array < (leaf->has_second ? 2 : 1); array++) {
        const struct columns *in = array == 0 ? &leaf->x : &leaf->y;
        if (in->rows->ndim == 1)
            continue;
        layout_walk_begin(&walk, in->rows, in->data, leaf->begin);
        for (size_t r = 0; r < leaf->rows; r++) {
            layout_walk_run(&at, &stride, &walk, 1);
            room->rows[array][r] = at;
        }
    }
}

/* A row of the leaf, from column number `first` on. */
static const unsigned char *row_at(const struct fold *fold, size_t array, size_t row, size_t first)
{
    const struct column_leaf *leaf = fold->leaf;
    const struct columns *in = array == 0 ? &leaf->x : &leaf->y;
    const unsigned char *at = in->rows->ndim == 1
                                  ? in->data + (int64_t)(leaf->begin + row) * in->rows->strides[0]
                                  : fold->room.rows[array][row];
    return at + (int64_t)first * in->column_stride;
}

/* The rows that are read together from this one on: of its lane in its sub-block, or its neighbours. */
static size_t rows_from(const struct fold *fold, size_t row)
{
    const size_t together = STREAMS * fold->step;
    const size_t end = (row / together + 1) * together;
    const size_t past = end < fold->leaf->rows ? end : fold->leaf->rows;
    return row < past ? (past - row + fold->step - 1) / fold->step : 0;
}

/* Columns of some rows that are read together. */
struct strip {
    size_t row; /* its first */
    size_t first;
    size_t columns;
};

/* Its elements, row after row, as they are computed; the lines of what comes next are asked for. */
static void convert_strip(unsigned char *to, const struct fold *fold, size_t array,
                          const struct strip *strip, const struct strip *next)
{
    const struct columns *in = array == 0 ? &fold->leaf->x : &fold->leaf->y;
    const int64_t step = in->column_stride;
    const size_t rows = rows_from(fold, strip->row);
    const size_t rows_next = rows_from(fold, next->row);
    const size_t apart = (size_t)(step < 0 ? -step : step);
    const size_t hop = apart > LINE ? apart : LINE; /* lines between elements are not wanted */
    const size_t bytes = next->columns * apart;
    for (size_t r = 0; r < rows; r++) {
        if (r < rows_next) {
            const unsigned char *from =
                row_at(fold, array, next->row + r * fold->step, next->first);
            for (size_t b = 0; b < bytes; b += hop) /* into L2: L1 is too small */
                __builtin_prefetch(step < 0 ? from - b : from + b, 0, 2);
        }
        fold->e->kernels->convert[in->type](
            row_at(fold, array, strip->row + r * fold->step, strip->first), step, strip->columns,
            to + r * strip->columns * fold->computed);
    }
}

/* Where a strip's rows can be read. */
static struct fold_columns find_strip(const struct fold *fold, const struct strip *strip,
                                      const struct strip *next)
{
    const struct column_leaf *leaf = fold->leaf;
    struct fold_columns in = {.rows = rows_from(fold, strip->row), .columns = strip->columns};
    if (fold->is_in_place) {
        in.x = row_at(fold, 0, strip->row, strip->first);
        in.y = leaf->has_second ? row_at(fold, 1, strip->row, strip->first) : in.x;
        in.x_stride = (ptrdiff_t)fold->step * leaf->x.rows->strides[0];
        in.y_stride =
            (ptrdiff_t)fold->step * (leaf->has_second ? leaf->y : leaf->x).rows->strides[0];
        in.next = next->row < leaf->rows ? row_at(fold, 0, next->row, next->first) : NULL;
        return in;
    }
    in.x = fold->room.x;
    in.y = leaf->has_second ? fold->room.y : fold->room.x;
    in.x_stride = in.y_stride = (ptrdiff_t)(strip->columns * fold->computed);
    convert_strip(fold->room.x, fold, 0, strip, next);
    if (leaf->has_second)
        convert_strip(fold->room.y, fold, 1, strip, next);
    return in;
}

/* The strips of a row: number `first` on, and what comes after it, there or at the start of row `after`. */
static struct strip strip_at(const struct fold *fold, size_t row, size_t first)
{
    const size_t left = fold->leaf->columns - first;
    return (struct strip){row, first, left < STRIP ? left : STRIP};
}

static struct strip strip_after(const struct fold *fold, const struct strip *strip, size_t after)
{
    const size_t first = strip->first + STRIP;
    return first < fold->leaf->columns ? strip_at(fold, strip->row, first)
                                       : strip_at(fold, after, 0);
}

/* The lanes from number `lane` on, so many, of one sub-block, one after the other. */
static void fold_sub_block(double *sums, const struct fold *fold, size_t sub_block, size_t lane,
                           size_t count)
{
    const size_t columns = fold->leaf->columns;
    for (size_t l = 0; l < count; l++, sums += columns) {
        const size_t row = sub_block * SUB_BLOCK + lane + l;
        const size_t after = l + 1 < count ? row + 1 : (sub_block + 1) * SUB_BLOCK + lane;
        for (size_t first = 0; first < columns; first += STRIP) {
            const struct strip strip = strip_at(fold, row, first);
            const struct strip next = strip_after(fold, &strip, after);
            struct fold_columns in = find_strip(fold, &strip, &next);
            in.c = fold->c + first;
            fold->kernel(&in, sums + first);
        }
    }
}

/* A pass: the same lanes of all sub-blocks, by the binary counter of fold_tmpl.h. */
static void fold_pass(double *lanes, const struct fold *fold, size_t lane, size_t count)
{
    const size_t n = count * fold->leaf->columns;
    const bool is_product = fold->is_product;
    double *sums = fold->room.sums;
    size_t done = 0;
    if (fold->leaf->rows <= SUB_BLOCK) { /* nothing to count */
        fold_sub_block(lanes, fold, 0, lane, count);
        return;
    }
    for (; done * SUB_BLOCK < fold->leaf->rows; done++) {
        size_t l = 0;
        fold_sub_block(sums, fold, done, lane, count);
        for (; done >> l & 1; l++)
            combine(sums, fold->room.levels + l * PASS, sums, n, is_product);
        memcpy(fold->room.levels + l * PASS, sums, n * sizeof(double));
    }
    /* To one: from the right, the first combined with the neutral element. */
    for (size_t i = 0; i < n; i++)
        lanes[i] = is_product ? 1.0 : -0.0;
    for (size_t l = 0; done >> l != 0; l++)
        if (done >> l & 1)
            combine(lanes, fold->room.levels + l * PASS, lanes, n, is_product);
}

/* The lanes of so many rows, as a power of two: those of no row hold the neutral element, and change nothing. */
static size_t lanes_of(size_t rows)
{
    size_t lanes = 1;
    while (lanes < rows && lanes < LANES)
        lanes *= 2;
    return lanes;
}

/* The lanes to one number a column, as fold_tmpl.h does for one run. */
static void fold_lanes(double *out, double *lanes, size_t count, size_t columns, bool is_product)
{
    for (size_t half = count / 2; half > 0; half /= 2)
        combine(lanes, lanes, lanes + half * columns, half * columns, is_product);
    for (size_t i = 0; i < columns; i++)
        out[i] = canonical_f64(lanes[i]);
}

static struct fold fold_of(const struct elements *e, const struct column_leaf *leaf)
{
    return (struct fold){
        .e = e,
        .leaf = leaf,
        .room = room_of(leaf),
        .computed = e->type == KERNEL_I32 || e->type == KERNEL_F32 ? 4 : 8,
        .is_in_place = leaf->x.is_direct && leaf->x.rows->ndim == 1 &&
                       (!leaf->has_second || (leaf->y.is_direct && leaf->y.rows->ndim == 1)),
    };
}

void columns_fold(double *out, const struct elements *e, const struct column_leaf *leaf,
                  enum columns_fold fold, const double *c)
{
    static const double zeros[COLUMNS_MAX];
    const size_t used = lanes_of(leaf->rows);
    struct fold all = fold_of(e, leaf);
    all.kernel = e->kernels->columns[fold][e->type];
    all.c = c != NULL ? c : zeros;
    all.step = LANES;
    all.is_product = fold == COLUMNS_PRODUCTS;
    size_t together = 1;
    while (together < used && 2 * together * leaf->columns <= PASS)
        together *= 2;
    if (!all.is_in_place)
        find_rows(&all.room, leaf);
    for (size_t lane = 0; lane < used; lane += together)
        fold_pass(all.room.lanes + lane * leaf->columns, &all, lane, together);
    fold_lanes(out, all.room.lanes, used, leaf->columns, all.is_product);
}

void columns_extremes(const struct columns_best *best, size_t count, const struct elements *e,
                      const struct column_leaf *leaf)
{
    struct fold all = fold_of(e, leaf);
    all.step = 1;
    if (!all.is_in_place)
        find_rows(&all.room, leaf);
    for (size_t row = 0; row < leaf->rows; row += STREAMS)
        for (size_t first = 0; first < leaf->columns; first += STRIP) {
            const struct strip strip = strip_at(&all, row, first);
            const struct strip next = strip_after(&all, &strip, row + STREAMS);
            const struct fold_columns rows = find_strip(&all, &strip, &next);
            struct extreme_columns in = {.x = rows.x,
                                         .stride = rows.x_stride,
                                         .rows = rows.rows,
                                         .columns = rows.columns,
                                         .next = rows.next,
                                         .is_begun = row > 0};
            for (size_t k = 0; k < count; k++, in.next = NULL)
                e->kernels->extremes[best[k].which][e->type](&in, (unsigned char *)best[k].out +
                                                                      first * all.computed);
        }
}
