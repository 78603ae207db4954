/* fold_columns_tmpl.h -- many neighbouring columns of a type, T, folded at the same time, down the rows of a
 * sub-block, in the order of fold_tmpl.h: lane l of a column is rows l, l + 32, ..
 *
 *              column 0 1 2 ..
 *     row l       x x x x x x x        The rows of one lane are some streams that go from left to right
 *     row l + 32  x x x x x x x        together, a page each; what they add up to is in registers, and
 *     row l + 64  x x x x x x x        goes to row l of a table of lanes.
 */
#include "tmpl_begin.h"

#define LANES      ((size_t)PASTE(sums, T))
#define THIS(name) PASTE(PASTE(FOLD, T), name)
#define ABREAST    4 /* registers of columns */

/* `count` registers of columns from number i on, of one lane. count is a constant where this is called. */
static inline void THIS(lane_of)(double *lanes, const struct fold_columns *in, size_t lane,
                                 size_t i, const size_t count)
{
    const vwide zero = {0};
    vwide sum[ABREAST];
    vwide c[ABREAST];
    for (size_t k = 0; k < count; k++) {
        sum[k] = NEUTRAL - zero;
        memcpy(&c[k], in->c + i + k * LANES, sizeof c[k]);
    }
    (void)c;
    for (size_t r = lane; r < in->rows; r += ROW) {
        const elem *x = (const elem *)((uintptr_t)in->x + r * (uintptr_t)in->x_stride) + i;
        const elem *y = (const elem *)((uintptr_t)in->y + r * (uintptr_t)in->y_stride) + i;
        for (size_t k = 0; k < count; k++) {
            vwide a = FN(load_double)(x + k * LANES);
            vwide b = FN(load_double)(y + k * LANES);
            (void)a;
            (void)b;
            sum[k] = sum[k] COMBINE(TERM(a, b, c[k]));
        }
    }
    memcpy(lanes + lane * in->pitch + i, sum, count * sizeof sum[0]);
}

/* The same of what does not fill a register. */
static inline void THIS(lane_of_one)(double *lanes, const struct fold_columns *in, size_t lane,
                                     size_t i)
{
    elem x[LANES];
    elem y[LANES];
    double c[LANES];
    double sum[LANES];
    const struct fold_columns filled = {x, y, 0, 0, 1, LANES, 1, LANES, c};
    memset(x, 0, sizeof x);
    memset(y, 0, sizeof y);
    memset(c, 0, sizeof c);
    c[0] = in->c[i];
    double total = NEUTRAL;
    for (size_t r = lane; r < in->rows; r += ROW) {
        x[0] = ((const elem *)((uintptr_t)in->x + r * (uintptr_t)in->x_stride))[i];
        y[0] = ((const elem *)((uintptr_t)in->y + r * (uintptr_t)in->y_stride))[i];
        THIS(lane_of)(sum, &filled, 0, 0, 1);
        total = total COMBINE sum[0];
    }
    lanes[lane * in->pitch + i] = total;
}

static void THIS(columns)(const struct fold_columns *in, double *lanes)
{
    for (size_t lane = 0; lane < in->lanes; lane++) {
        size_t i = 0;
        for (; i + ABREAST * LANES <= in->columns; i += ABREAST * LANES)
            THIS(lane_of)(lanes, in, lane, i, ABREAST);
        for (; i + LANES <= in->columns; i += LANES)
            THIS(lane_of)(lanes, in, lane, i, 1);
        for (; i < in->columns; i++)
            THIS(lane_of_one)(lanes, in, lane, i);
    }
}

#undef LANES
#undef THIS
#undef ABREAST
#include "tmpl_end.h"
