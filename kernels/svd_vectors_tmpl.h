/* svd_vectors_tmpl.h -- the singular vectors of a batch of matrices of type T.
 *
 *     up      svd_values_tmpl.h, which keeps its reflections                       d, e, values
 *     there   Q and P of the bidiagonal form, turned until d is all there is       u, v
 *     down    u, in order, through the merges and panels to the rows of the matrix
 *
 * Long vectors are those of the longer side: U of a tall matrix, V of a wide one. */
#include "tmpl_begin.h"

/* Where element (i, j) of the vectors of a matrix goes: to[i * row_step + j * column_step]. */
struct FN(svd_out) {
    elem *to;
    size_t row_step, column_step, size; /* size: from matrix to matrix */
};

/* As T would hold it. */
static inline vd FN(svd_rounded)(vd x)
{
#if VBYTES == 8
    return (double)(elem)x;
#else
    return __builtin_convertvector(__builtin_convertvector(x, part), vd);
#endif
}

/* Of each column of x the sign of its first largest element, as T would hold it. */
static void FN(svd_signs)(vd *sign, const vd *x, size_t rows, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        vd largest = FN(svd_rounded)(x[j]);
        for (size_t i = 1; i < rows; i++) {
            vd value = FN(svd_rounded)(x[i * n + j]);
            largest = choose(is_less(magnitude(largest), magnitude(value)), value, largest);
        }
        sign[j] = with_sign(all_lanes(1), largest);
    }
}

/* The vectors of `count` lanes of x, rows x n, in order. */
static void FN(svd_write)(const struct FN(svd_out) * out, size_t first, size_t count, const vd *x,
                          size_t rows, size_t n, const struct svd_order *order)
{
    const double *from = (const double *)(const void *)x;
    for (size_t lane = 0; lane < count; lane++) {
        elem *to = out->to + (first + lane) * out->size;
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < n; j++)
                to[i * out->row_step + j * out->column_step] =
                    (elem)from[(i * n + order->of[lane][j]) * LANES + lane];
    }
}

/* The inverse of svd_tile(): z[t] is element t, of count, of every lane. */
static inline __attribute__((always_inline)) void
FN(svd_untile)(elem *const to[LANES], size_t offset, vd z[TILE], const size_t count)
{
#if VBYTES >= 32
    svd_turn(z);
    for (size_t k = 0; k < LANES; k++) {
        part narrow = __builtin_convertvector(z[k % 4], part);
        memcpy(to[k] + offset, (const char *)&narrow + k / 4 * 4 * sizeof(elem),
               count * sizeof(elem));
    }
#else
    (void)count;
    double of_lane[LANES];
    memcpy(of_lane, z, sizeof of_lane);
    for (size_t k = 0; k < LANES; k++)
        to[k][offset] = (elem)of_lane[k];
#endif
}

/* `length` vectors z, step apart, to consecutive elements from offset on. */
static inline __attribute__((always_inline)) void
FN(svd_store_line)(elem *const to[LANES], size_t offset, const vd *x, size_t step, size_t length)
{
    vd z[TILE];
    size_t i = 0;
    for (; i + TILE <= length; i += TILE) {
        for (size_t t = 0; t < TILE; t++)
            z[t] = x[(i + t) * step];
        FN(svd_untile)(to, offset + i, z, TILE);
    }
    if (TILE > 2 && i + 2 <= length) {
        for (size_t t = 0; t < TILE; t++)
            z[t] = x[(i + t % 2) * step];
        FN(svd_untile)(to, offset + i, z, TILE / 2);
        i += 2;
    }
    if (i < length) {
        for (size_t t = 0; t < TILE; t++)
            z[t] = x[i * step];
        FN(svd_untile)(to, offset + i, z, 1);
    }
}

/* Rows of out, by rows n apart, to the places of each lane; where one of the steps is 1. */
static void FN(svd_store)(elem *const to[LANES], size_t row_step, size_t column_step, const vd *out,
                          size_t rows, size_t n)
{
    if (column_step == 1)
        for (size_t i = 0; i < rows; i++)
            FN(svd_store_line)(to, i * row_step, out + i * n, 1, n);
    else
        for (size_t j = 0; j < n; j++)
            FN(svd_store_line)(to, j * column_step, out + j, n, rows);
}

/* The same of one lane. */
static void FN(svd_store_lane)(elem *to, size_t row_step, size_t column_step, const vd *out,
                               size_t rows, size_t n, size_t lane)
{
    const double *from = (const double *)(const void *)out + lane;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < n; j++)
            to[i * row_step + j * column_step] = (elem)from[(i * n + j) * LANES];
}

/* Long vectors BY_MATRIX: x, those of R, through the panels from the last to the first. */
static void FN(svd_down_by_matrix)(const struct FN(svd_out) * out, size_t first, size_t count,
                                   size_t all_rows, const struct svd_down *down, vd *x,
                                   const vd *panels, vd *lower)
{
    size_t n = down->n;
    size_t row = all_rows;
    panels += svd_kept_panels(all_rows, n);
    while (row > 0) {
        size_t before = svd_rows_at(0, all_rows, n);
        size_t rows = row;
        if (row > before) {
            rows = (row - before) % svd_panel_rows(n);
            rows = rows == 0 ? svd_panel_rows(n) : rows;
        }
        row -= rows;
        panels -= svd_kept_panel(rows, n);
        svd_down(down, x, lower, panels, rows, row == 0);
        elem *to[LANES];
        for (size_t lane = 0; lane < count; lane++)
            to[lane] = out->to + (first + lane) * out->size + row * out->row_step;
        if (count == LANES)
            FN(svd_store)(to, out->row_step, out->column_step, lower, rows, n);
        for (size_t lane = 0; lane < count && count < LANES; lane++)
            FN(svd_store_lane)(to[lane], out->row_step, out->column_step, lower, rows, n, lane);
    }
}

/* Rows row .. of the parts in register k of one matrix: see svd_load_parts(). */
static void FN(svd_store_parts)(const struct FN(svd_out) * out, elem *matrix, size_t all_rows,
                                const vd *lower, size_t row, size_t rows, size_t k, size_t n)
{
    size_t full = (row + rows) * VIRTUAL <= all_rows ? rows : rows - 1;
    elem *to[LANES];
    size_t at = row * VIRTUAL + k * LANES;
    if (out->row_step == 1) {
        for (size_t i = 0; i < full; i++)
            for (size_t j = 0; j < n; j++) {
                elem *place = matrix + j * out->column_step + at + i * VIRTUAL;
#if VBYTES == 8
                *place = (elem)lower[i * n + j];
#else
                part narrow = __builtin_convertvector(lower[i * n + j], part);
                memcpy(place, &narrow, sizeof narrow);
#endif
            }
    } else {
        for (size_t lane = 0; lane < LANES; lane++)
            to[lane] = matrix + (at + lane) * out->row_step;
        FN(svd_store)(to, VIRTUAL * out->row_step, 1, lower, full, n);
    }
    if (full == rows)
        return;
    at += full * VIRTUAL;
    for (size_t lane = 0; lane < LANES && at + lane < all_rows; lane++)
        FN(svd_store_lane)
    (matrix + (at + lane) * out->row_step, out->row_step, out->column_step, lower + full * n, 1, n,
     lane);
}

/* Asks for the lines that rows row .. of a tall matrix go to, before they are computed: (600, 1000, 10) took 150
 * thousand cycles a matrix without it, 105 with it (Zen 4, AVX2). */
static void FN(svd_expect)(const struct FN(svd_out) * out, elem *matrix, size_t all_rows,
                           size_t row, size_t rows, size_t n)
{
    enum { LINE = 64 / sizeof(elem) };
    size_t end = row + rows < all_rows ? row + rows : all_rows;
    if (out->row_step != n)
        return;
    for (size_t i = row * n; i < end * n; i += LINE)
        __builtin_prefetch(matrix + i, 1, 2);
}

/* Long vectors BY_ROWS of one matrix: r, those of its eight R's, down the panels. */
static void FN(svd_down_by_rows)(const struct FN(svd_out) * out, elem *matrix, size_t all_rows,
                                 const struct svd_down *down, vd *r, const vd *panels, vd *lower)
{
    size_t n = down->n;
    size_t in_all = (all_rows + VIRTUAL - 1) / VIRTUAL;
    size_t before = svd_rows_at(0, in_all, n);
    size_t step = svd_kept_panels(in_all, n);
    size_t row = in_all;
    panels += step;
    while (row > 0) {
        size_t rows = row;
        if (row > before) {
            rows = (row - before) % svd_panel_rows(n);
            rows = rows == 0 ? svd_panel_rows(n) : rows;
        }
        row -= rows;
        panels -= svd_kept_panel(rows, n);
        FN(svd_expect)(out, matrix, all_rows, row * VIRTUAL, rows * VIRTUAL, n);
        for (size_t k = 0; k < REGISTERS; k++) {
            svd_down(down, r + k * n * n, lower, panels + k * step, rows, row == 0);
            FN(svd_store_parts)(out, matrix, all_rows, lower, row, rows, k, n);
        }
    }
}

/* Element i of a line of vectors. */
static void FN(svd_flip)(elem *x, size_t count, size_t step)
{
    for (size_t i = 0; i < count; i++)
        x[i * step] = 0 - x[i * step];
}

/* True if the first largest of x is negative. */
static bool FN(svd_is_negative)(const elem *x, size_t count)
{
    elem largest = 0;
    bool is_negative = false;
    for (size_t i = 0; i < count; i++) {
        elem size = x[i] < 0 ? -x[i] : x[i];
        is_negative = size > largest ? x[i] < 0 : is_negative;
        largest = size > largest ? size : largest;
    }
    return is_negative;
}

/* What is missing of a square matrix whose first n columns (of out) are there. */
static void FN(svd_fill_up)(const struct FN(svd_out) * out, elem *matrix, struct svd_complement *c)
{
    size_t n = c->n;
    size_t more = c->rows - n;
    for (size_t i = 0; i < c->rows; i++)
        for (size_t j = 0; j < n; j++)
            c->v[i * n + j] = (double)matrix[i * out->row_step + j * out->column_step];
    svd_complement_reflections(c);
    svd_complement_weights(c);
    bool by_columns = out->row_step == 1;
    size_t lines = by_columns ? more : c->rows;
    size_t length = by_columns ? c->rows : more;
    const double *along = by_columns ? c->turned : c->w;
    for (size_t line = 0; line < lines; line++) {
        memset(c->row, 0, length * sizeof *c->row);
        if (by_columns)
            c->row[n + line] = 1;
        else if (line >= n)
            c->row[line - n] = 1;
        for (size_t k = 0; k < n; k++) {
            double of_line = by_columns ? c->w[k * more + line] : c->v[line * n + k];
            for (size_t x = 0; x < length; x++)
                c->row[x] -= of_line * along[k * length + x];
        }
        elem *to = matrix + (by_columns ? (n + line) * c->rows : line * c->rows + n);
        for (size_t x = 0; x < length; x++)
            to[x] = (elem)c->row[x];
        if (by_columns && FN(svd_is_negative)(to, length))
            FN(svd_flip)(to, length, 1);
    }
}

/* The outputs of a call: long and short vectors. */
struct FN(svd_outs) {
    struct FN(svd_out) of_long, of_short;
    bool is_wide, is_full;
};

/* Long vectors BY_ROWS: memory->parts, those of the R's of register g, to the rows of its matrices. A certified R is
 * so well conditioned that A R^-1 is orthonormal (svd_gram.h); the reflections of others are made again, as keeping them for
 * many matrices takes more time. */
static void FN(svd_finish_by_rows)(const struct FN(svd_batch) * s, const struct FN(svd_out) * out,
                                   size_t first, size_t count, const int32_t *status,
                                   struct svd_memory *memory, const struct svd_sweep_memory *sweep,
                                   size_t g)
{
    size_t n = s->columns;
    const struct svd_kept *kept = &sweep->kept[g];
    const struct svd_scales *scales = &memory->scales[g];
    const struct svd_down down = {.gram = sweep->gram, .w = sweep->w, .n = n};
    if (scales->certified != 0)
        svd_inverse_times(memory->h, kept->inverse, memory->parts, n);
    if (scales->certified + 1 != 1U << count)
        svd_split_parts(&down, memory->parts, kept->merges);
    for (size_t lane = count; lane-- > 0;) {
        elem *to = out->to + (first + lane) * out->size;
        struct tall_rows a = FN(svd_rows_of)(s, g * LANES + lane);
        if (status[lane] != 0)
            continue;
        if ((scales->certified >> lane & 1) != 0) {
            const struct tall_rows q = {to, s->rows, n, out->row_step, out->column_step};
            svd_weights(memory->gram, memory->h, &scales->gram[lane], n, lane);
            FN(times)
            (&a, svd_power(scales->gram[lane].shift), memory->gram, &q, memory->gram_work);
            continue;
        }
        FN(svd_by_rows)(s, a.x, scales->scale[lane], memory->r, sweep->parts, true);
        svd_collect(memory->r, memory->parts, n, lane);
        FN(svd_down_by_rows)(out, to, s->rows, &down, memory->r, sweep->parts, sweep->out);
    }
}

/* The vectors of one register's matrices, `count` of them from `first` on; status: of the first. */
static void FN(svd_finish)(const struct FN(svd_batch) * s, const struct FN(svd_outs) * outs,
                           size_t first, size_t count, const int32_t *status,
                           struct svd_memory *memory, const struct svd_sweep_memory *sweep,
                           size_t g)
{
    size_t n = s->columns;
    size_t core = svd_core_rows(s->rows, n);
    enum svd_way way = svd_way(s->rows, n);
    const struct svd_kept *kept = &sweep->kept[g];
    const struct svd_down down = {.gram = sweep->gram, .w = sweep->w, .n = n};
    struct svd_order order;
    vd *sign = sweep->w;
    bool is_known = !outs->is_wide || way == SVD_DIRECT; /* the right vectors are here */
    svd_order(&order, memory->all_d, n, g);
    if (is_known)
        FN(svd_signs)(sign, outs->is_wide ? kept->u : kept->v, outs->is_wide ? core : n, n);
    /* A v = d u: d's own sign goes to the left vectors, and so to those that decide as well */
    if (is_known && outs->is_wide) {
        svd_negate(kept->u, core, n, NULL, g, sign);
        svd_negate(kept->v, n, n, memory->all_d, g, sign);
    } else {
        svd_negate(kept->v, n, n, NULL, g, is_known ? sign : NULL);
        svd_negate(kept->u, core, n, memory->all_d, g, is_known ? sign : NULL);
    }
    FN(svd_write)(&outs->of_short, first, count, kept->v, n, n, &order);
    if (way == SVD_DIRECT) {
        FN(svd_write)(&outs->of_long, first, count, kept->u, core, n, &order);
        return;
    }
    svd_reorder(memory->parts, kept->u, n, n, &order);
    if (way == SVD_BY_MATRIX) {
        FN(svd_down_by_matrix)
        (&outs->of_long, first, count, s->rows, &down, memory->parts, kept->panels, sweep->out);
        return;
    }
    FN(svd_finish_by_rows)(s, &outs->of_long, first, count, status, memory, sweep, g);
}

/* The signs of a wide matrix whose right vectors came down the panels, and what full ones lack. */
static void FN(svd_complete)(const struct FN(svd_batch) * s, const struct FN(svd_outs) * outs,
                             size_t i, double *work)
{
    size_t n = s->columns;
    elem *of_long = outs->of_long.to + i * outs->of_long.size;
    elem *of_short = outs->of_short.to + i * outs->of_short.size;
    for (size_t j = 0; j < n && outs->is_wide && svd_way(s->rows, n) != SVD_DIRECT; j++)
        if (FN(svd_is_negative)(of_long + j * outs->of_long.column_step, s->rows)) {
            FN(svd_flip)(of_long + j * outs->of_long.column_step, s->rows, 1);
            FN(svd_flip)(of_short + j * outs->of_short.column_step, n, outs->of_short.row_step);
        }
    if (outs->is_full && s->rows > n) {
        struct svd_complement c = svd_complement_memory(s->rows, n, work);
        FN(svd_fill_up)(&outs->of_long, of_long, &c);
    }
}

static struct FN(svd_outs) FN(svd_outs_of)(const struct kernel_svd *call)
{
    bool is_wide = call->m < call->n;
    size_t rows = is_wide ? call->n : call->m;
    size_t n = is_wide ? call->m : call->n;
    size_t u_columns = call->is_full ? call->m : n;
    struct FN(svd_out)
        u = {.to = call->u, .row_step = u_columns, .column_step = 1, .size = call->m * u_columns};
    struct FN(svd_out) vt = {.to = call->vt,
                             .row_step = 1,
                             .column_step = call->n,
                             .size = (call->is_full ? call->n : n) * call->n};
    (void)rows;
    return (struct FN(svd_outs)){.of_long = is_wide ? vt : u,
                                 .of_short = is_wide ? u : vt,
                                 .is_wide = is_wide,
                                 .is_full = call->is_full};
}

/* Matrices first to first + some - 1 of a call, which fit into the registers. */
static void FN(svd_vectors_some)(const struct kernel_svd *call, struct FN(svd_batch) * s,
                                 const struct FN(svd_outs) * outs, struct svd_memory *memory,
                                 const struct svd_sweep_memory *sweep, size_t first, size_t some)
{
    size_t n = s->columns;
    size_t core = svd_core_rows(s->rows, n);
    int32_t *status = call->status + first;
    vd *u[GROUPS];
    vd *v[GROUPS];
    unsigned unfinished[GROUPS];
    s->x = (const elem *)call->x + first * s->size;
    FN(svd_some)
    (s, some, (elem *)call->s + first * n, status, call->sweeps_for_one, memory, sweep);
    for (size_t g = 0; g < GROUPS; g++) {
        const struct svd_kept *kept = &sweep->kept[g];
        u[g] = kept->u;
        v[g] = kept->v;
        svd_form(u[g], core, n, kept->core, svd_apart(core), kept->bidiagonal.left, n, 0);
        svd_form(v[g], n, n, kept->bidiagonal.rows, n, kept->bidiagonal.right, n - 1, 1);
    }
    svd_diagonalise(memory->all_d, memory->all_e, n, u, core, v, sweep->turns, unfinished);
    for (size_t i = 0; i < some; i++)
        if ((unfinished[i / LANES] >> i % LANES & 1) != 0 && status[i] == 0)
            status[i] = 2;
    for (size_t g = (some + LANES - 1) / LANES; g-- > 0;) {
        size_t count = some - g * LANES < LANES ? some - g * LANES : LANES;
        FN(svd_finish)(s, outs, first + g * LANES, count, status + g * LANES, memory, sweep, g);
    }
}

static void FN(svd_vectors)(const struct kernel_svd *call)
{
    struct FN(svd_batch) s = FN(svd_batch_of)(call);
    struct FN(svd_outs) outs = FN(svd_outs_of)(call);
    struct svd_memory memory = svd_memory(s.rows, s.columns, call->scratch);
    struct svd_sweep_memory sweep;
    vd *after = (vd *)call->scratch + svd_scratch_registers(s.rows, s.columns, MOST_GROUPS, LANES);
    double *work = (double *)(after + svd_vectors_registers(s.rows, s.columns, GROUPS, LANES));
    size_t at_once = svd_at_once(s.rows, s.columns);
    svd_sweep_memory(&sweep, s.rows, s.columns, after);
    at_once = at_once < GROUPS * LANES ? at_once : GROUPS * LANES;
    for (size_t first = 0; first < call->count; first += at_once) {
        size_t some = call->count - first < at_once ? call->count - first : at_once;
        FN(svd_vectors_some)(call, &s, &outs, &memory, &sweep, first, some);
        for (size_t i = first; i < first + some; i++)
            if (call->status[i] == 0)
                FN(svd_complete)(&s, &outs, i, work);
    }
}

#include "tmpl_end.h"
