/* svd_values_tmpl.h -- the singular values of a batch of matrices of type T.
 *
 *     matrices of a batch      lanes                     what happens there
 *     LANES at a time          a matrix each             scaled by a power of two, to bidiagonal form
 *                                                        (straight, or by way of R: svd_layout.h)
 *     svd_groups() x LANES of  a matrix each             dqds, sorted, square roots, scaled back
 *     SVD_ORDERED, in the
 *     order of determinants
 *
 * A set of lanes is swept until the last of them is done, and of matrices graded differently some take twice the sweeps
 * of others. The less the determinant of what has been scaled is, the fewer they are: of 32 x 32, some graded
 * over 12 decades and some not, a set took 90 sweeps as they came, 67 in this order, where 53 are the mean.
 *
 * The elements are scaled so that the largest lies in [1, 2): exact, but for what is 2^-1000 of it, so
 * the values of 2^k A are 2^k times those of A to the bit.
 *
 * By reflections, of the 14.9 us that 1000 x 10 takes from memory on one core of a Zen 4 (AVX2, 2.8 GHz; 13.9 in
 * cache), the multiply-adds of the QR cannot take less than 4.6 (26250 of 0.176 ns). Reducing two panels at the same
 * time, to hide the square roots of one behind the other, gains 15 % for three columns, but nothing for ten, and loses
 * 3 % for twenty. */
#include "tmpl_begin.h"

/* Matrices of one shape, the long side first. */
struct FN(svd_batch) {
    const elem *x;
    size_t rows, columns, row_step, column_step, size;
    size_t left; /* matrices from x on, if others are computed after these */
};

/* Where the matrix of each lane of one register lies, and by what it is multiplied. */
struct FN(svd_lanes) {
    const elem *from[LANES];
    vd scale;
    bool is_used[LANES];        /* a finite matrix is there, and its R is not known */
    const unsigned char *ahead; /* the matrices after them */
    size_t ahead_bytes;
};

/* The R of matrices by panels of their rows. panel: where a panel lies; or, kept, all of them. */
static void FN(svd_by_matrix)(const struct FN(svd_batch) * s, const struct FN(svd_lanes) * lanes,
                              vd *r, vd *panel, bool is_kept)
{
    size_t n = s->columns;
    for (size_t row = 0; row < s->rows;) {
        size_t rows = svd_rows_at(row, s->rows, n);
        vd *keep = is_kept ? panel + rows * n : NULL;
        const elem *from[LANES];
        for (size_t lane = 0; lane < LANES; lane++)
            from[lane] = lanes->from[lane] + row * s->row_step;
        FN(svd_load)(panel, rows, from, s->row_step, s->column_step, rows, n, lanes->scale);
        if (row == 0)
            svd_qr_first(r, panel, n, rows, keep);
        else
            svd_qr_panel(r, panel, n, rows, false, keep);
        panel += is_kept ? svd_kept_panel(rows, n) : 0;
        row += rows;
    }
}

/* Rows row to row + rows - 1 of the parts in register k of one matrix. */
static void FN(svd_load_parts)(const struct FN(svd_batch) * s, const elem *x, double scale,
                               vd *panel, size_t row, size_t rows, size_t k)
{
    size_t n = s->columns;
    size_t full = (row + rows) * VIRTUAL <= s->rows ? rows : rows - 1;
    const elem *from[LANES];
    for (size_t lane = 0; lane < LANES; lane++)
        from[lane] = x + (row * VIRTUAL + k * LANES + lane) * s->row_step;
    if (s->row_step == 1)
        FN(svd_load_rows)(panel, rows, from[0], s->column_step, full, n, all_lanes(scale));
    else
        FN(svd_load)(panel, rows, from, VIRTUAL * s->row_step, 1, full, n, all_lanes(scale));
    for (size_t lane = 0; lane < LANES && full < rows; lane++) { /* the last row: by elements */
        bool is_there = (row + full) * VIRTUAL + k * LANES + lane < s->rows;
        for (size_t j = 0; j < n; j++) {
            const elem *at = from[lane] + full * VIRTUAL * s->row_step + j * s->column_step;
            double value = is_there ? (double)*at * scale : 0;
            memcpy((double *)&panel[j * rows + full] + lane, &value, sizeof value);
        }
    }
}

/* The R of each of the eight parts of one matrix: lane = row mod 8. r: REGISTERS of them. panel as above: of
 * one register after the other. */
static void FN(svd_by_rows)(const struct FN(svd_batch) * s, const elem *x, double scale, vd *r,
                            vd *panel, bool is_kept)
{
    size_t n = s->columns;
    size_t in_all = (s->rows + VIRTUAL - 1) / VIRTUAL; /* of lane 0; others may have one less */
    size_t step = is_kept ? svd_kept_panels(in_all, n) : 0;
    for (size_t row = 0; row < in_all;) {
        size_t rows = svd_rows_at(row, in_all, n);
        for (size_t k = 0; k < REGISTERS; k++) {
            vd *b = panel + k * step;
            vd *keep = is_kept ? b + rows * n : NULL;
            FN(svd_load_parts)(s, x, scale, b, row, rows, k);
            if (row == 0)
                svd_qr_first(r + k * n * n, b, n, rows, keep);
            else
                svd_qr_panel(r + k * n * n, b, n, rows, false, keep);
        }
        panel += is_kept ? svd_kept_panel(rows, n) : 0;
        row += rows;
    }
}

/* The R of matrices by rows, lane = matrix: of those that are not certified the eight parts of each, then their merges.
 * merges: where these are kept; NULL for values alone. */
static void FN(svd_tall)(const struct FN(svd_batch) * s, const struct FN(svd_lanes) * lanes,
                         const struct svd_memory *memory, size_t g, vd *merges)
{
    size_t n = s->columns;
    const struct svd_scales *scales = &memory->scales[g];
    bool is_refused = scales->certified == 0;
    for (size_t lane = 0; lane < LANES; lane++)
        is_refused = is_refused || lanes->is_used[lane];
    if (!is_refused) {
        memcpy(memory->parts, memory->h, n * n * sizeof *memory->parts);
        return;
    }
    memset(memory->parts, 0, VIRTUAL * n * n * sizeof *memory->parts);
    for (size_t lane = 0; lane < LANES; lane++) {
        if (!lanes->is_used[lane])
            continue;
        FN(svd_by_rows)
        (s, lanes->from[lane], scales->scale[lane], memory->r, memory->panel, false);
        svd_scatter(memory->parts, memory->r, n, lane);
    }
    svd_merge_parts(memory->parts, n, memory->panel, merges);
    lane_mask certified = svd_lanes_of(scales->certified);
    for (size_t i = 0; i < n * n; i++)
        memory->parts[i] = choose(certified, memory->h[i], memory->parts[i]);
}

/* The bidiagonal form of the matrices of register g: d and e. kept: NULL for values alone. */
static void FN(svd_reduce)(const struct FN(svd_batch) * s, const struct FN(svd_lanes) * lanes,
                           const struct svd_memory *memory, size_t g, const struct svd_kept *kept)
{
    size_t n = s->columns;
    size_t m = svd_core_rows(s->rows, n);
    vd *core = kept != NULL ? kept->core : memory->panel;
    switch (svd_way(s->rows, n)) {
    case SVD_DIRECT:
        FN(svd_load)
        (core, svd_apart(m), lanes->from, s->row_step, s->column_step, m, n, lanes->scale);
        break;
    case SVD_BY_MATRIX:
        FN(svd_by_matrix)
        (s, lanes, memory->parts, kept != NULL ? kept->panels : memory->panel, kept != NULL);
        svd_by_columns(core, svd_apart(n), memory->parts, n);
        break;
    case SVD_BY_ROWS:
        FN(svd_tall)(s, lanes, memory, g, kept != NULL ? kept->merges : NULL);
        svd_by_columns(core, svd_apart(n), memory->parts, n);
        break;
    }
    const struct svd_bidiagonal_kept *keep = kept != NULL ? &kept->bidiagonal : NULL;
    if (m == 3 && n == 3)
        svd_bidiagonal_three(core, memory->d, memory->e, 1, keep);
    else
        svd_bidiagonal(&(struct svd_bidiagonal){.a = core,
                                                .m = m,
                                                .n = n,
                                                .d = memory->d,
                                                .e = memory->e,
                                                .work = memory->work,
                                                .kept = keep,
                                                .ahead = lanes->ahead,
                                                .ahead_bytes = lanes->ahead_bytes});
}

static struct tall_rows FN(svd_rows_of)(const struct FN(svd_batch) * s, size_t i)
{
    return (struct tall_rows){s->x + i * s->size, s->rows, s->columns, s->row_step, s->column_step};
}

/* Where the matrices of a register lie, and, if they have not been certified, how they are scaled; notes which are not
 * finite. Lanes from count on become zeros. */
static void FN(svd_scale_lanes)(const struct FN(svd_batch) * s, struct FN(svd_lanes) * lanes,
                                size_t first, size_t count, struct svd_scales *scales,
                                int32_t *status)
{
    for (size_t lane = 0; lane < LANES; lane++) {
        size_t i = first + lane;
        double *back = &scales->back[lane];
        bool is_certified = (scales->certified >> lane & 1) != 0;
        lanes->from[lane] = i < count ? s->x + i * s->size : s->x;
        scales->scale[lane] = 0;
        if (!is_certified) {
            scales->more[lane] = 1;
            double most = i < count ? FN(svd_most)(s->x + i * s->size, s->size) : 0;
            scales->scale[lane] = svd_scale(most, back);
        }
        lanes->is_used[lane] = i < count && *back == *back && !is_certified;
        if (i < count)
            status[i] = *back != *back;
    }
    memcpy(&lanes->scale, scales->scale, sizeof lanes->scale);
    size_t after = first + LANES < s->left ? s->left - first - LANES : 0;
    lanes->ahead = (const unsigned char *)(s->x + (after > 0 ? first + LANES : 0) * s->size);
    lanes->ahead_bytes = (after < LANES ? after : LANES) * s->size * sizeof *s->x;
    if (svd_way(s->rows, s->columns) != SVD_DIRECT)
        lanes->ahead_bytes = 0;
}

/* The bidiagonal forms of `count` matrices. sweep: NULL for values alone. */
static void FN(svd_forms)(const struct FN(svd_batch) * s, size_t count, int32_t *status,
                          struct svd_memory *memory, const struct svd_sweep_memory *sweep)
{
    size_t n = s->columns;
    size_t registers = sweep != NULL ? GROUPS : (count + LANES - 1) / LANES;
    for (size_t g = 0; g < registers; g++) {
        struct FN(svd_lanes) lanes;
        struct svd_scales *scales = &memory->scales[g];
        const struct svd_kept *kept = sweep != NULL ? &sweep->kept[g] : NULL;
        size_t first = g * LANES;
        memory->d = memory->forms + g * 2 * n;
        memory->e = memory->d + n;
        scales->certified = 0;
        if (svd_way(s->rows, n) == SVD_BY_ROWS && first < count) {
            struct tall_rows a = FN(svd_rows_of)(s, first);
            FN(svd_certify)
            (scales, &a, s->size, count - first, memory,
             kept != NULL ? kept->inverse : memory->inverse);
        }
        FN(svd_scale_lanes)(s, &lanes, first, count, scales, status);
        FN(svd_reduce)(s, &lanes, memory, g, kept);
    }
}

/* The values of up to SVD_ORDERED matrices, or, with vectors, of GROUPS * LANES. sweep: NULL for values alone. */
static void FN(svd_some)(const struct FN(svd_batch) * s, size_t count, elem *values,
                         int32_t *status, size_t sweeps_for_one, struct svd_memory *memory,
                         const struct svd_sweep_memory *sweep)
{
    size_t n = s->columns;
    size_t most = svd_groups(n, count, sweep != NULL) * LANES;
    unsigned order[SVD_ORDERED];
    FN(svd_forms)
    (s, count, status, memory, sweep);
    svd_order_forms(order, memory->forms, n, count);
    for (size_t set = 0; set < count; set += most) {
        size_t some = count - set < most ? count - set : most;
        size_t groups = svd_groups(n, some, sweep != NULL);
        svd_gather_forms(memory, n, groups, order + set, some);
        svd_bidiagonal_values(memory, n, groups, sweeps_for_one);
        const double *found = (const double *)memory->values;
        for (size_t i = 0; i < some; i++)
            for (size_t k = 0; k < n; k++) {
                size_t matrix = order[set + i];
                const struct svd_scales *scales = &memory->scales[matrix / LANES];
                double value = found[k * groups * LANES + i] * scales->more[matrix % LANES];
                value *= scales->back[matrix % LANES];
                values[matrix * n + k] = value == value ? (elem)value : (elem)QUIET_NAN;
            }
    }
}

static struct FN(svd_batch) FN(svd_batch_of)(const struct kernel_svd *call)
{
    bool is_wide = call->m < call->n;
    return (struct FN(svd_batch)){.x = call->x,
                                  .rows = is_wide ? call->n : call->m,
                                  .columns = is_wide ? call->m : call->n,
                                  .row_step = is_wide ? 1 : call->n,
                                  .column_step = is_wide ? call->n : 1,
                                  .size = call->m * call->n};
}

static void FN(svd_values)(const struct kernel_svd *call)
{
    struct FN(svd_batch) s = FN(svd_batch_of)(call);
    struct svd_memory memory = svd_memory(s.rows, s.columns, call->scratch);
    if (s.rows == 3 && s.columns == 3) {
        FN(svd_values_of_three)(call, &memory);
        return;
    }
    for (size_t first = 0; first < call->count; first += SVD_ORDERED) {
        size_t left = call->count - first;
        s.x = (const elem *)call->x + first * s.size;
        s.left = left;
        FN(svd_some)
        (&s, left < SVD_ORDERED ? left : SVD_ORDERED, (elem *)call->s + first * s.columns,
         call->status + first, call->sweeps_for_one, &memory, NULL);
    }
}

#include "tmpl_end.h"
