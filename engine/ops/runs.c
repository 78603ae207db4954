/* runs.c -- a leaf of one run whose elements lie two apart, folded where it is, in the order of a sum.
 *
 *     row 0    x . x . x .  ..  x .     32 elements, one for each lane, and what lies between them
 *     row 1    x . x . x .  ..  x .     A sub-block is 16 rows of 64 neighbouring columns, for which there are kernels;
 *     ..                                every other column is dropped.
 *
 * After the last element there may be no memory, so its row is brought elsewhere.
 * Elements that were brought together first, a leaf of them, were read at 0.71 to 0.84 of the limit; here at 0.84 to 0.87. */
#include "ops/columns.h"

#include <string.h>

enum {
    LANES = KERNEL_SUM_LANES,
    SUB_BLOCK = KERNEL_SUM_SUB_BLOCK,
    WIDTH = 2 * LANES, /* of a row */
    LEVELS = 5,        /* of the binary counter of fold_tmpl.h */
};

struct run_fold {
    fold_columns_kernel *kernel;
    const struct column_leaf *leaf;
    size_t row; /* bytes */
    size_t bytes;
    bool is_product;
    double c[WIDTH];
    double levels[LEVELS][WIDTH];
};

static void combine(double *out, const double *a, const double *b, bool is_product)
{
    for (size_t i = 0; i < WIDTH; i++)
        out[i] = is_product ? a[i] * b[i] : a[i] + b[i];
}

/* Some rows from number `row` on, in place. */
static struct fold_columns rows_at(const struct run_fold *fold, size_t row, size_t rows)
{
    const struct column_leaf *leaf = fold->leaf;
    const int64_t at = (int64_t)(leaf->begin * 2 * fold->bytes + row * fold->row);
    return (struct fold_columns){.x = leaf->x.data + at,
                                 .y = leaf->has_second ? leaf->y.data + at : leaf->x.data + at,
                                 .x_stride = (ptrdiff_t)fold->row,
                                 .y_stride = (ptrdiff_t)fold->row,
                                 .rows = rows,
                                 .columns = WIDTH,
                                 .c = fold->c};
}

/* The leaf's last row, of so many elements: the sums of their lanes. */
static void take_last_row(double *sums, const struct run_fold *fold, size_t row, size_t elements)
{
    double x[WIDTH] = {0};
    double y[WIDTH] = {0};
    double taken[WIDTH];
    const size_t bytes = (2 * elements - 1) * fold->bytes;
    struct fold_columns in = rows_at(fold, row, 1);
    memcpy(x, in.x, bytes);
    memcpy(y, in.y, bytes);
    in.x = x;
    in.y = fold->leaf->has_second ? y : x;
    in.merged = sums;
    in.merged_count = 1;
    fold->kernel(&in, taken);
    memcpy(sums, taken, 2 * elements * sizeof(double));
}

/* Lanes to one number. */
static double fold_lanes(double *lanes, bool is_product)
{
    for (size_t half = LANES / 2; half > 0; half /= 2)
        for (size_t k = 0; k < half; k++)
            lanes[2 * k] = is_product ? lanes[2 * k] * lanes[2 * (k + half)]
                                      : lanes[2 * k] + lanes[2 * (k + half)];
    return canonical_f64(lanes[0]);
}

void columns_fold_run(double *out, const struct elements *e, const struct column_leaf *leaf,
                      enum columns_fold which, const double *c)
{
    struct run_fold fold = {.kernel = e->kernels->columns[which][e->type],
                            .leaf = leaf,
                            .row = WIDTH * e->bytes,
                            .bytes = e->bytes,
                            .is_product = which == COLUMNS_PRODUCTS};
    const size_t sub_blocks = (leaf->rows - 1) / SUB_BLOCK + 1;
    const size_t last_row = (leaf->rows - 1) / LANES;
    double lanes[WIDTH];
    for (size_t i = 0; i < WIDTH && c != NULL; i++)
        fold.c[i] = c[0];
    for (size_t done = 0; done < sub_blocks; done++) {
        const size_t level = (size_t)__builtin_ctzll(~(unsigned long long)done);
        const size_t row = done * (SUB_BLOCK / LANES);
        const bool is_last = done + 1 == sub_blocks;
        struct fold_columns in = rows_at(&fold, row, is_last ? last_row - row : SUB_BLOCK / LANES);
        if (!is_last) {
            in.next = (const unsigned char *)in.x + SUB_BLOCK / LANES * fold.row;
            in.merged = fold.levels[0];
            in.merged_count = level;
            in.merged_step = WIDTH;
        }
        fold.kernel(&in, fold.levels[level]);
        if (is_last) {
            take_last_row(fold.levels[level], &fold, last_row, leaf->rows - last_row * LANES);
            for (size_t l = 0; l < level; l++)
                combine(fold.levels[level], fold.levels[l], fold.levels[level], fold.is_product);
        }
    }
    for (size_t i = 0; i < WIDTH; i++)
        lanes[i] = fold.is_product ? 1.0 : -0.0;
    for (size_t l = 0; sub_blocks >> l != 0; l++)
        if (sub_blocks >> l & 1)
            combine(lanes, fold.levels[l], lanes, fold.is_product);
    *out = fold_lanes(lanes, fold.is_product);
}
