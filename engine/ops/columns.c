/* columns.c -- neighbouring columns: folded together in the order of a sum, or transposed for kernels of
 * runs.
 *
 *              column 0 .. 7679      A row of 7680 columns is some pages one after the other; the next row
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
 * other, read at 0.50 of the limit; of 1880, a lane after the other, with what comes next asked for, at 0.65; 7520 at 0.82. Of
 * every other column of every other row all columns are read and summed, as the lines are there, and those between
 * dropped: 0.94, where bringing the wanted ones together first gave 0.45. A bare loop of this
 * order reads at 0.95 to 0.98. What needs a leaf twice (var: its mean comes first) cannot pass 0.5, as a leaf of such rows is
 * 1 GB: two bare passes read at 0.47. Blocks of 128 to 512 columns, read again from L3, gave 0.36 to 0.41. */
#include "ops/columns.h"

#include <string.h>

_Static_assert(COLUMNS_RUN == KERNEL_SUM_SUB_BLOCK / KERNEL_SUM_LANES,
               "rows that are read together");

enum {
    LANES = KERNEL_SUM_LANES,
    SUB_BLOCK = KERNEL_SUM_SUB_BLOCK,
    STREAMS = SUB_BLOCK / LANES, /* rows of a lane */
    LEVELS = 5,                  /* of the binary counter: 2^4 sub-blocks are a leaf */
    NUMBERS = 4,                 /* doubles */
    STRIP = 512,                 /* columns that are read at a time */
    PASS = 2048,                 /* sums of a pass: lanes x columns, at most, but for one lane */
    LINE = 64,
};

/* What a fold works in. */
struct fold_room {
    double *numbers;               /* NUMBERS of each column, for who asked for the fold */
    double *lanes;                 /* a table: LANES of all elements of a row */
    double *levels;                /* LEVELS of the sums of a pass */
    double *c;                     /* of each element, where there is more than the columns' */
    const unsigned char **rows[2]; /* of a leaf: of each array, where they have no one stride */
    unsigned char *x;              /* a strip of a lane's rows */
    unsigned char *y;
};

/* The elements of a row that are read. */
static size_t wide(size_t columns, size_t apart)
{
    return (columns - 1) * apart + 1;
}

/* Sums of a pass, at most. */
static size_t pass_of(size_t elements)
{
    return elements < PASS ? PASS : (elements + 7) / 8 * 8;
}

static struct fold_room room_of(const struct column_leaf *leaf)
{
    const size_t elements = wide(leaf->columns, leaf->apart);
    const size_t pass = pass_of(elements);
    struct fold_room room = {.numbers = leaf->room};
    room.lanes = room.numbers + NUMBERS * leaf->columns;
    room.levels = room.lanes + LANES * elements;
    room.c = room.levels + LEVELS * pass;
    room.rows[0] = (const unsigned char **)(void *)(room.c + pass);
    room.rows[1] = room.rows[0] + REDUCTION_LEAF;
    room.x = (unsigned char *)(room.rows[1] + REDUCTION_LEAF);
    room.y = room.x + STREAMS * STRIP * sizeof(double);
    return room;
}

size_t columns_fold_room(size_t columns, size_t apart)
{
    const size_t elements = columns > 0 ? wide(columns, apart) : 0;
    return (NUMBERS * columns + LANES * elements + (1 + LEVELS) * pass_of(elements) +
            2 * (size_t)STREAMS * STRIP) *
               sizeof(double) +
           2 * REDUCTION_LEAF * sizeof(unsigned char *);
}

double *columns_numbers(const struct column_leaf *leaf, size_t i)
{
    return room_of(leaf).numbers + i * leaf->columns;
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

uint64_t columns_place(const struct column_leaf *leaf, const struct elements *e, const void *places,
                       size_t i)
{
    const unsigned char *at = (const unsigned char *)places + i * e->bytes;
    uint16_t place; /* of little-endian integers of any width: a leaf has few runs */
    memcpy(&place, at, sizeof place);
    return leaf->begin + (uint64_t)place * COLUMNS_RUN;
}

size_t columns_transpose(void *room, const struct elements *e, const struct columns *in,
                         uint64_t begin, size_t rows, size_t columns)
{
    const size_t bytes = e->bytes;
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
    const double *c; /* NULL: 0 */
    size_t columns;  /* those that are folded: all that is read of a row */
    size_t apart;    /* of them, from a column to the next */
    size_t pass;     /* doubles from level to level */
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
    return at + (int64_t)first * (fold->is_in_place ? (int64_t)fold->computed : in->column_stride);
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

/* The lanes of a pass. */
struct lanes {
    size_t first;
    size_t count;
};

/* The strips of a row: number `first` on, and what comes after it, there or at the start of row `after`. */
static struct strip strip_at(const struct fold *fold, size_t row, size_t first)
{
    const size_t left = fold->columns - first;
    return (struct strip){row, first, left < STRIP ? left : STRIP};
}

static struct strip strip_after(const struct fold *fold, const struct strip *strip, size_t after)
{
    const size_t first = strip->first + STRIP;
    return first < fold->columns ? strip_at(fold, strip->row, first) : strip_at(fold, after, 0);
}

/* The lanes from number `lane` on, so many, of one sub-block, one after the other, merged with the first `level`
 * levels. */
static void fold_sub_block(double *sums, const struct fold *fold, size_t sub_block,
                           const struct lanes *lanes, size_t level)
{
    static const double zeros[STRIP];
    const size_t columns = fold->columns;
    for (size_t l = 0; l < lanes->count; l++) {
        const size_t row = sub_block * SUB_BLOCK + lanes->first + l;
        size_t after = l + 1 < lanes->count ? row + 1 : (sub_block + 1) * SUB_BLOCK + lanes->first;
        if (after >= fold->leaf->rows) /* the next pass */
            after = lanes->first + lanes->count;
        for (size_t first = 0; first < columns; first += STRIP) {
            const struct strip strip = strip_at(fold, row, first);
            const struct strip next = strip_after(fold, &strip, after);
            struct fold_columns in = find_strip(fold, &strip, &next);
            in.c = fold->c != NULL ? fold->c + first : zeros;
            in.merged = fold->room.levels + l * columns + first;
            in.merged_count = level;
            in.merged_step = fold->pass;
            fold->kernel(&in, sums + l * columns + first);
        }
    }
}

/* A pass: the same lanes of all sub-blocks, by the binary counter of fold_tmpl.h. */
static void fold_pass(double *to, const struct fold *fold, const struct lanes *lanes)
{
    const size_t n = lanes->count * fold->columns;
    const bool is_product = fold->is_product;
    double *levels = fold->room.levels;
    size_t done = 0;
    if (fold->leaf->rows <= SUB_BLOCK) { /* nothing to count */
        fold_sub_block(to, fold, 0, lanes, 0);
        return;
    }
    for (; done * SUB_BLOCK < fold->leaf->rows; done++) {
        const size_t level = (size_t)__builtin_ctzll(~(unsigned long long)done); /* that is free */
        fold_sub_block(levels + level * fold->pass, fold, done, lanes, level);
    }
    /* To one: from the right, the first combined with the neutral element. */
    for (size_t i = 0; i < n; i++)
        to[i] = is_product ? 1.0 : -0.0;
    for (size_t l = 0; done >> l != 0; l++)
        if (done >> l & 1)
            combine(to, levels + l * fold->pass, to, n, is_product);
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
static void fold_lanes(double *out, const struct fold *fold, size_t count)
{
    const size_t apart = fold->columns > 1 ? fold->apart : 1;
    double *lanes = fold->room.lanes;
    for (size_t half = count / 2; half > 0; half /= 2)
        combine(lanes, lanes, lanes + half * fold->columns, half * fold->columns, fold->is_product);
    for (size_t i = 0; i < fold->leaf->columns; i++)
        out[i] = canonical_f64(lanes[i * apart]);
}

static bool can_stay(const struct columns *in)
{
    return in->is_direct && in->rows->ndim == 1;
}

static struct fold fold_of(const struct elements *e, const struct column_leaf *leaf)
{
    struct fold fold = {
        .e = e,
        .leaf = leaf,
        .room = room_of(leaf),
        .computed = e->bytes,
        .is_in_place = can_stay(&leaf->x) && (!leaf->has_second || can_stay(&leaf->y)),
    };
    fold.apart = fold.is_in_place ? leaf->apart : 1;
    fold.columns = wide(leaf->columns, fold.apart);
    fold.pass = pass_of(fold.columns);
    if (!fold.is_in_place)
        find_rows(&fold.room, leaf);
    return fold;
}

/* A c for each element that is read: what lies between columns has none. */
static const double *spread(const struct fold *fold, const double *c)
{
    if (c == NULL || fold->apart == 1)
        return c;
    memset(fold->room.c, 0, fold->columns * sizeof *c);
    for (size_t i = 0; i < fold->leaf->columns; i++)
        fold->room.c[i * fold->apart] = c[i];
    return fold->room.c;
}

void columns_fold(double *out, const struct elements *e, const struct column_leaf *leaf,
                  enum columns_fold which, const double *c)
{
    if (leaf->is_run) {
        columns_fold_run(out, e, leaf, which, c);
        return;
    }
    const size_t used = lanes_of(leaf->rows);
    struct fold fold = fold_of(e, leaf);
    fold.kernel = e->kernels->columns[which][e->type];
    fold.c = spread(&fold, c);
    fold.step = LANES;
    fold.is_product = which == COLUMNS_PRODUCTS;
    size_t together = 1;
    while (together < used && 2 * together * fold.columns <= PASS)
        together *= 2;
    for (size_t lane = 0; lane < used; lane += together)
        fold_pass(fold.room.lanes + lane * fold.columns, &fold, &(struct lanes){lane, together});
    fold_lanes(out, &fold, used);
}

/* A strip of some rows, for each kind. */
static void extremes_of_strip(const struct columns_best *best, size_t count,
                              const struct fold *fold, const struct strip *strip)
{
    const struct strip next = strip_after(fold, strip, strip->row + STREAMS);
    const struct fold_columns rows = find_strip(fold, strip, &next);
    struct extreme_columns in = {.x = rows.x,
                                 .stride = rows.x_stride,
                                 .rows = rows.rows,
                                 .columns = rows.columns,
                                 .next = rows.next,
                                 .is_begun = strip->row > 0,
                                 .place = (int32_t)(strip->row / STREAMS)};
    const size_t at = strip->first * fold->computed;
    for (size_t k = 0; k < count; k++, in.next = NULL) {
        if (best[k].places != NULL)
            in.places = (unsigned char *)best[k].places + at;
        fold->e->kernels->extremes[best[k].which][fold->e->type](&in,
                                                                 (unsigned char *)best[k].out + at);
    }
}

/* From what was kept for each element that is read. */
static void keep_columns(void *out, const void *from, const struct fold *fold)
{
    for (size_t i = 0; i < fold->leaf->columns; i++)
        memcpy((unsigned char *)out + i * fold->computed,
               (const unsigned char *)from + i * fold->apart * fold->computed, fold->computed);
}

void columns_extremes(const struct columns_best *best, size_t count, const struct elements *e,
                      const struct column_leaf *leaf)
{
    struct columns_best read[LEVELS / 2];
    struct fold fold = fold_of(e, leaf);
    fold.step = 1;
    for (size_t k = 0; k < count; k++) {
        read[k] = best[k];
        if (fold.apart > 1) {
            read[k].out = fold.room.levels + 2 * k * fold.pass;
            read[k].places =
                best[k].places != NULL ? fold.room.levels + (2 * k + 1) * fold.pass : NULL;
        }
    }
    for (size_t row = 0; row < leaf->rows; row += STREAMS)
        for (size_t first = 0; first < fold.columns; first += STRIP) {
            const struct strip strip = strip_at(&fold, row, first);
            extremes_of_strip(read, count, &fold, &strip);
        }
    for (size_t k = 0; k < count && fold.apart > 1; k++) {
        keep_columns(best[k].out, read[k].out, &fold);
        if (best[k].places != NULL)
            keep_columns(best[k].places, read[k].places, &fold);
    }
}
