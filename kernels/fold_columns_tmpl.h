/* fold_columns_tmpl.h -- many neighbouring columns of a type, T, folded at the same time, down the rows, in
 * the order of fold_tmpl.h: lane l of a column is row number l, l + 32, .. of its sub-block.
 *
 *              column 0 1 2 ..                    The lanes of all columns lie in one table of ROW rows,
 *     row 0    x x x x x x x    -> lane 0         so that a row of elements is added to a row of lanes,
 *     row 1    x x x x x x x    -> lane 1         register by register.
 */
#include "tmpl_begin.h"

#define LANES      ((size_t)PASTE(sums, T))
#define THIS(name) PASTE(PASTE(FOLD, T), name)

static inline void THIS(column_row)(double *lane, const elem *x, const elem *y, const double *c,
                                    size_t columns)
{
    size_t i = 0;
    for (; i + LANES <= columns; i += LANES) {
        vwide sum;
        vwide center;
        vwide a = FN(load_double)(x + i);
        vwide b = FN(load_double)(y + i);
        memcpy(&sum, lane + i, sizeof sum);
        memcpy(&center, c + i, sizeof center);
        (void)a;
        (void)b;
        (void)center;
        sum = sum COMBINE(TERM(a, b, center));
        memcpy(lane + i, &sum, sizeof sum);
    }
    if (i < columns) { /* the same of a register that is filled up */
        elem rest[2][LANES];
        double extra[2][LANES];
        memset(rest, 0, sizeof rest);
        memset(extra, 0, sizeof extra);
        memcpy(rest[0], x + i, (columns - i) * sizeof(elem));
        memcpy(rest[1], y + i, (columns - i) * sizeof(elem));
        memcpy(extra[0], lane + i, (columns - i) * sizeof(double));
        memcpy(extra[1], c + i, (columns - i) * sizeof(double));
        THIS(column_row)(extra[0], rest[0], rest[1], extra[1], LANES);
        memcpy(lane + i, extra[0], (columns - i) * sizeof(double));
    }
}

static void THIS(columns)(const struct fold_columns *in, double *lanes)
{
    const unsigned char *x = in->x;
    const unsigned char *y = in->y;
    for (size_t r = 0; r < in->rows; r++) {
        THIS(column_row)
        (lanes + (in->first + r) % ROW * in->pitch, (const elem *)x, (const elem *)y, in->c,
         in->columns);
        x += in->x_stride;
        y += in->y_stride;
    }
}

#undef LANES
#undef THIS
#include "tmpl_end.h"
