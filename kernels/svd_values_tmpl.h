/* svd_values_tmpl.h -- the singular values of a batch of matrices of type T.
 *
 *     matrices of a batch      lanes                     what happens there
 *     GROUPS x LANES           a matrix each             scaled by a power of two, to bidiagonal form
 *     at a time                                          (straight, or by way of R: svd_layout.h), dqds,
 *                                                        sorted, square roots, scaled back
 *
 * The elements are scaled so that the largest lies in [1, 2): exact, but for what is 2^-1000 of it, so
 * the values of 2^k A are 2^k times those of A to the bit. */
#include "tmpl_begin.h"

/* Matrices of one shape, the long side first. */
struct FN(svd_batch) {
    const elem *x;
    size_t rows, columns, row_step, column_step, size;
};

/* Where the matrix of each lane of one register lies, and by what it is multiplied. */
struct FN(svd_lanes) {
    const elem *from[LANES];
    vd scale;
};

/* The R of matrices by panels of their rows. r is zero before. */
static void FN(svd_by_matrix)(const struct FN(svd_batch) * s, const struct FN(svd_lanes) * lanes,
                              vd *r, vd *panel)
{
    size_t most = svd_panel_rows(s->columns);
    for (size_t row = 0; row < s->rows; row += most) {
        size_t rows = s->rows - row < most ? s->rows - row : most;
        const elem *from[LANES];
        for (size_t lane = 0; lane < LANES; lane++)
            from[lane] = lanes->from[lane] + row * s->row_step;
        FN(svd_load)
        (panel, rows, from, s->row_step, s->column_step, rows, s->columns, lanes->scale);
        svd_qr_panel(r, panel, s->columns, rows, false);
    }
}

/* The R of each of the eight parts of one matrix: lane = row mod 8. r: REGISTERS of them, zero before. */
static void FN(svd_by_rows)(const struct FN(svd_batch) * s, const elem *x, double scale, vd *r,
                            vd *panel)
{
    size_t n = s->columns;
    size_t most = svd_panel_rows(n);
    size_t in_all = (s->rows + VIRTUAL - 1) / VIRTUAL; /* of lane 0; others may have one less */
    for (size_t row = 0; row < in_all; row += most) {
        size_t rows = in_all - row < most ? in_all - row : most;
        size_t full = (row + rows) * VIRTUAL <= s->rows ? rows : rows - 1;
        for (size_t k = 0; k < REGISTERS; k++) {
            const elem *from[LANES];
            for (size_t lane = 0; lane < LANES; lane++)
                from[lane] = x + (row * VIRTUAL + k * LANES + lane) * s->row_step;
            if (s->row_step == 1)
                FN(svd_load_rows)(panel, rows, from[0], s->column_step, full, n, all_lanes(scale));
            else
                FN(svd_load)
            (panel, rows, from, VIRTUAL * s->row_step, 1, full, n, all_lanes(scale));
            for (size_t lane = 0; lane < LANES && full < rows;
                 lane++) { /* the last row: by elements */
                bool is_there = (row + full) * VIRTUAL + k * LANES + lane < s->rows;
                for (size_t j = 0; j < n; j++) {
                    const elem *at = from[lane] + full * VIRTUAL * s->row_step + j * s->column_step;
                    double value = is_there ? (double)*at * scale : 0;
                    memcpy((double *)&panel[j * rows + full] + lane, &value, sizeof value);
                }
            }
            svd_qr_panel(r + k * n * n, panel, n, rows, false);
        }
    }
}

/* The R of matrices by rows, lane = matrix: the eight parts of each, then their merges. parts: VIRTUAL x
 * columns^2. */
static void FN(svd_tall)(const struct FN(svd_batch) * s, const struct FN(svd_lanes) * lanes,
                         vd *parts, vd *r, vd *panel)
{
    size_t n = s->columns;
    double scale[LANES];
    memcpy(scale, &lanes->scale, sizeof scale);
    memset(parts, 0, VIRTUAL * n * n * sizeof *parts);
    for (size_t lane = 0; lane < LANES; lane++) {
        if (scale[lane] == 0)
            continue;
        memset(r, 0, REGISTERS * n * n * sizeof *r);
        FN(svd_by_rows)(s, lanes->from[lane], scale[lane], r, panel);
        svd_scatter(parts, r, n, lane);
    }
    svd_merge_parts(parts, n, panel);
}

/* The bidiagonal form of the matrices of one register: d and e. */
static void FN(svd_reduce)(const struct FN(svd_batch) * s, const struct FN(svd_lanes) * lanes,
                           vd *d, vd *e, struct svd_memory *memory)
{
    size_t n = s->columns;
    size_t m = n;
    enum svd_way way = svd_way(s->rows, n);
    if (way == SVD_DIRECT) {
        m = s->rows;
        FN(svd_load)
        (memory->panel, m, lanes->from, s->row_step, s->column_step, m, n, lanes->scale);
    } else {
        if (way == SVD_BY_ROWS) {
            FN(svd_tall)(s, lanes, memory->parts, memory->r, memory->panel);
        } else {
            memset(memory->parts, 0, n * n * sizeof *memory->parts);
            FN(svd_by_matrix)(s, lanes, memory->parts, memory->panel);
        }
        svd_by_columns(memory->panel, memory->parts, n);
    }
    svd_bidiagonal(memory->panel, m, n, d, e, memory->work);
}

/* Up to GROUPS * LANES matrices. */
static void FN(svd_some)(const struct FN(svd_batch) * s, size_t count, elem *values,
                         int32_t *status, size_t sweeps_for_one, struct svd_memory *memory)
{
    size_t n = s->columns;
    double back[GROUPS * LANES];
    for (size_t g = 0; g < GROUPS; g++) {
        struct FN(svd_lanes) lanes;
        double scale[LANES];
        for (size_t lane = 0; lane < LANES; lane++) {
            size_t i = g * LANES + lane;
            double most = i < count ? FN(svd_most)(s->x + i * s->size, s->size) : 0;
            scale[lane] = svd_scale(most, &back[i]);
            lanes.from[lane] = i < count ? s->x + i * s->size : s->x; /* the rest becomes zeros */
            if (i < count)
                status[i] = back[i] != back[i];
        }
        memcpy(&lanes.scale, scale, sizeof scale);
        if (g * LANES < count)
            FN(svd_reduce)(s, &lanes, memory->d, memory->e, memory);
        else
            memset(memory->d, 0, 2 * n * sizeof *memory->d);
        for (size_t k = 0; k < n; k++) {
            memory->all_d[k * GROUPS + g] = memory->d[k];
            memory->all_e[k * GROUPS + g] = memory->e[k];
        }
    }
    svd_bidiagonal_values(memory, n, sweeps_for_one);
    double *found = (double *)memory->values;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < n; k++) {
            double value = found[k * GROUPS * LANES + i] * back[i];
            values[i * n + k] = value == value ? (elem)value : (elem)QUIET_NAN;
        }
}

static void FN(svd_values)(const void *x, size_t count, size_t m, size_t n, void *values,
                           int32_t *status, size_t sweeps_for_one, void *scratch)
{
    bool is_wide = m < n;
    struct FN(svd_batch) s = {.rows = is_wide ? n : m,
                              .columns = is_wide ? m : n,
                              .row_step = is_wide ? 1 : n,
                              .column_step = is_wide ? n : 1,
                              .size = m * n};
    struct svd_memory memory = svd_memory(s.rows, s.columns, scratch);
    for (size_t first = 0; first < count; first += GROUPS * LANES) {
        size_t some = count - first < GROUPS * LANES ? count - first : GROUPS * LANES;
        s.x = (const elem *)x + first * s.size;
        FN(svd_some)
        (&s, some, (elem *)values + first * s.columns, status + first, sweeps_for_one, &memory);
    }
}

#include "tmpl_end.h"
