/* fold_columns_tmpl.h -- one lane of many neighbouring columns of a type, T, folded at the same time, down the
 * rows of a sub-block, in the order of fold_tmpl.h: lane l of a column is rows l, l + 32, ..
 *
 *              column 0 1 2 ..
 *     row l       x x x x x x x        The rows of the lane are some streams that go from left to right
 *     row l + 32  x x x x x x x        together, a page each; what they add up to is in registers, and
 *     row l + 64  x x x x x x x        is written once.
 *
 * What the next call will read is asked for meanwhile, line by line: where rows are far apart, what a call reads
 * of each ends before the hardware has seen a stream in it. It goes to L2: asked for into L1, which is too small for
 * 16 rows of 4 KiB, it was no faster than not at all (15 GB/s on 2 cores of a Zen 4, and 23 into L2). */
#include "tmpl_begin.h"

#define LANES      ((size_t)PASTE(sums, T))
#define THIS(name) PASTE(PASTE(FOLD, T), name)
#define ABREAST    4 /* registers of columns */
#define LINE       64

/* Asks for a line of a row of the next call, where `count` registers from column i on begin one. */
static inline void THIS(ask)(const struct fold_columns *in, size_t r, size_t i, const size_t count)
{
    const uintptr_t row = (uintptr_t)in->next + r * (uintptr_t)in->x_stride + i * sizeof(elem);
    for (size_t b = 0; b < count * LANES * sizeof(elem); b += LINE)
        __builtin_prefetch((const void *)(row + b), 0, 2);
}

/* `count` registers of columns from number i on. count is a constant where this is called. */
static inline void THIS(some)(double *sums, const struct fold_columns *in, size_t i,
                              const size_t count, const bool asks)
{
    const vwide zero = {0};
    vwide sum[ABREAST];
    vwide c[ABREAST];
    for (size_t k = 0; k < count; k++) {
        sum[k] = NEUTRAL - zero;
        memcpy(&c[k], in->c + i + k * LANES, sizeof c[k]);
    }
    (void)c;
    for (size_t r = 0; r < in->rows; r++) {
        const elem *x = (const elem *)((uintptr_t)in->x + r * (uintptr_t)in->x_stride) + i;
        const elem *y = (const elem *)((uintptr_t)in->y + r * (uintptr_t)in->y_stride) + i;
        if (asks)
            THIS(ask)(in, r, i, count);
        for (size_t k = 0; k < count; k++) {
            vwide a = FN(load_double)(x + k * LANES);
            vwide b = FN(load_double)(y + k * LANES);
            (void)a;
            (void)b;
            sum[k] = sum[k] COMBINE(TERM(a, b, c[k]));
        }
    }
    for (size_t m = 0; m < in->merged_count; m++)
        for (size_t k = 0; k < count; k++) {
            vwide before;
            memcpy(&before, in->merged + m * in->merged_step + i + k * LANES, sizeof before);
            sum[k] = before COMBINE sum[k];
        }
    for (size_t k = 0; k < count; k++)
        memcpy(sums + i + k * LANES, &sum[k], sizeof sum[k]);
}

/* The same of what does not fill a register. */
static inline void THIS(one)(double *sums, const struct fold_columns *in, size_t i)
{
    elem x[LANES];
    elem y[LANES];
    double c[LANES];
    double sum[LANES];
    const struct fold_columns filled = {
        .x = x, .y = y, .rows = 1, .columns = LANES, .c = c, .next = NULL};
    memset(x, 0, sizeof x);
    memset(y, 0, sizeof y);
    memset(c, 0, sizeof c);
    c[0] = in->c[i];
    double total = NEUTRAL;
    for (size_t r = 0; r < in->rows; r++) {
        x[0] = ((const elem *)((uintptr_t)in->x + r * (uintptr_t)in->x_stride))[i];
        y[0] = ((const elem *)((uintptr_t)in->y + r * (uintptr_t)in->y_stride))[i];
        THIS(some)(sum, &filled, 0, 1, false);
        total = total COMBINE sum[0];
    }
    for (size_t m = 0; m < in->merged_count; m++)
        total = in->merged[m * in->merged_step + i] COMBINE total;
    sums[i] = total;
}

static void THIS(columns)(const struct fold_columns *in, double *sums)
{
    size_t i = 0;
    if (in->next != NULL)
        for (; i + ABREAST * LANES <= in->columns; i += ABREAST * LANES)
            THIS(some)(sums, in, i, ABREAST, true);
    for (; i + ABREAST * LANES <= in->columns; i += ABREAST * LANES)
        THIS(some)(sums, in, i, ABREAST, false);
    for (; i + LANES <= in->columns; i += LANES)
        THIS(some)(sums, in, i, 1, false);
    for (; i < in->columns; i++)
        THIS(one)(sums, in, i);
}

#undef LANES
#undef THIS
#undef ABREAST
#undef LINE
#include "tmpl_end.h"
