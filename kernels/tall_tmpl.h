/* tall_tmpl.h -- a leaf of a tall matrix of type T: its R, and its rows of Q Z; by reflections where tall_gram_tmpl.h
 * does not do. */
#include "tmpl_begin.h"

/* What a leaf is worked on in. */
struct FN(tall_memory) {
    struct FN(tall_gram) gram;
    vd *r;     /* REGISTERS x n^2 */
    vd *panel; /* one; on the way back all, register after register, as svd_kept_panel() has them */
    size_t kept;   /* from one register's panels to the next one's; 0: nothing is kept */
    vd *out;       /* the way back: of one panel, and what svd_down() works in */
    double *parts; /* SVD_VIRTUAL x n^2, as z */
    double *z;
    double *marks; /* SVD_VIRTUAL x 2 n */
    elem *rows;    /* a panel's, one after the other */
};

static struct FN(tall_memory) FN(tall_memory)(size_t n, bool is_back, void *scratch)
{
    size_t panel = tall_first_rows(n) * n;
    struct FN(tall_memory) m = {.kept = is_back ? tall_kept_registers(n) : 0};
    m.r = FN(tall_gram_memory)(&m.gram, n, scratch);
    m.panel = m.r + REGISTERS * n * n;
    m.out = m.panel + (is_back ? REGISTERS * m.kept : panel);
    m.parts = (double *)(void *)(m.out + (is_back ? panel + 2 * n * n : 0));
    m.z = m.parts + SVD_VIRTUAL * n * n;
    m.marks = m.z + SVD_VIRTUAL * n * n;
    m.rows = (elem *)(void *)(m.marks + SVD_VIRTUAL * 2 * n);
    return m;
}

/* Where the panel is that begins at a row of a leaf. */
struct FN(tall_panel) {
    size_t first, rows; /* of the leaf */
    size_t in_lane;     /* rows, with the zeros below the last ones */
    size_t at;          /* of what is kept of it, in a register's */
};

static struct FN(tall_panel)
    FN(tall_next)(const struct tall_rows *t, const struct FN(tall_panel) * p)
{
    size_t n = t->columns;
    size_t most = SVD_VIRTUAL * (p->rows == 0 ? tall_first_rows(n) : tall_panel_rows(n));
    struct FN(tall_panel) next = {.first = p->first + p->rows};
    next.rows = t->rows - next.first < most ? t->rows - next.first : most;
    next.in_lane = (next.rows + SVD_VIRTUAL - 1) / SVD_VIRTUAL;
    next.at = p->at + (p->rows == 0 ? 0 : svd_kept_panel(p->in_lane, n));
    return next;
}

/* Copies a panel's rows, one after the other, and zeros up to a multiple of eight. Returns their number. */
static size_t FN(tall_gather)(elem *to, const struct tall_rows *t, const elem *x, size_t rows)
{
    size_t padded = (rows + SVD_VIRTUAL - 1) / SVD_VIRTUAL * SVD_VIRTUAL;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < t->columns; j++)
            to[i * t->columns + j] = x[i * t->row_step + j * t->column_step];
    memset(to + rows * t->columns, 0, (padded - rows) * t->columns * sizeof *to);
    return padded;
}

/* Elements (i, j .. j + 3) of the lanes, scaled, to out and the columns after it, `stride` apart. */
static inline void FN(tall_tile)(vd *out, size_t stride, const elem *const from[LANES],
                                 size_t offset, vd scale)
{
#if VBYTES == 32 && defined(__AVX2__)
    vd z[4];
    for (size_t h = 0; h < 2;
         h++) { /* halves of rows 0 and 2, and of 1 and 3: half of the shuffles */
        z[2 * h] = FN(svd_halves)(from[0] + offset + 2 * h, from[2] + offset + 2 * h);
        z[2 * h + 1] = FN(svd_halves)(from[1] + offset + 2 * h, from[3] + offset + 2 * h);
    }
    for (size_t h = 0; h < 4; h += 2) {
        out[h * stride] = (vd)_mm256_unpacklo_pd((__m256d)z[h], (__m256d)z[h + 1]) * scale;
        out[(h + 1) * stride] = (vd)_mm256_unpackhi_pd((__m256d)z[h], (__m256d)z[h + 1]) * scale;
    }
#else
    FN(svd_tile)(out, stride, from, offset, 4 < TILE ? 4 : TILE, scale);
#endif
}

/* Register g of a panel of 8 x rows rows, scaled. */
static void FN(tall_load)(vd *panel, const struct tall_rows *t, const elem *x, size_t g,
                          size_t rows, vd scale)
{
    const elem *from[LANES];
    size_t step = SVD_VIRTUAL * t->row_step;
    for (size_t lane = 0; lane < LANES; lane++)
        from[lane] = x + (g * LANES + lane) * t->row_step;
    if (t->column_step != 1) {
        FN(svd_load_rows)(panel, rows, from[0], t->column_step, rows, t->columns, scale);
        return;
    }
    for (size_t i = 0; i < rows; i++) {
        size_t j = 0;
        for (; j + TILE <= t->columns; j += TILE)
            FN(tall_tile)(panel + j * rows + i, rows, from, i * step + j, scale);
        for (; j < t->columns; j++)
            FN(svd_tile)(panel + j * rows + i, rows, from, i * step + j, 1, scale);
    }
}

/* Panel p of the leaf, into r. */
static void FN(tall_add_panel)(const struct tall_rows *t, const struct FN(tall_panel) * p,
                               const struct FN(tall_memory) * m, vd scale)
{
    size_t n = t->columns;
    struct tall_rows here = *t;
    const elem *x = (const elem *)t->x + p->first * t->row_step;
    if (p->rows % SVD_VIRTUAL != 0 || (t->column_step != 1 && t->row_step != 1)) {
        FN(tall_gather)(m->rows, t, x, p->rows);
        here.row_step = n;
        here.column_step = 1;
        x = m->rows;
    }
    for (size_t g = 0; g < REGISTERS; g++) {
        vd *panel = m->panel + (m->kept > 0 ? g * m->kept + p->at : 0);
        vd *keep = m->kept > 0 ? panel + p->in_lane * n : NULL;
        FN(tall_load)(panel, &here, x, g, p->in_lane, scale);
        if (p->first == 0)
            svd_qr_first(m->r + g * n * n, panel, n, p->in_lane, keep);
        else
            svd_qr_panel(m->r + g * n * n, panel, n, p->in_lane, false, keep);
    }
}

enum { FN(TALL_PANELS_MOST) = TALL_PANELS + 5 };

/* R of the rows, scaled by 2^-*exponent, into m->parts; false if any element is not finite. Panels are
 * scaled by the largest element so far: R follows when that grows. panels: all, with one of no rows after them;
 * in_lane of those that are zeros, and not the first, is 0: nothing is kept of them. */
static bool FN(tall_up)(const struct tall_rows *t, const struct FN(tall_memory) * m,
                        int32_t *exponent, struct FN(tall_panel) * panels)
{
    size_t n = t->columns;
    struct FN(tall_panel) p = {0};
    *exponent = KERNEL_TALL_ZERO;
    memset(m->r, 0, REGISTERS * n * n * sizeof *m->r);
    while ((p = FN(tall_next)(t, &p)).rows > 0) {
        double most = FN(tall_most)(t, (const elem *)t->x + p.first * t->row_step, p.rows);
        if (!(most - most == 0))
            return false;
        *panels = p;
        if (most > 0)
            tall_follow(m->r, n, exponent, most);
        if (most > 0 || p.first == 0)
            FN(tall_add_panel)(t, &p, m, all_lanes(most > 0 ? tall_power(-*exponent) : 1));
        else
            panels->in_lane = 0;
        panels++;
    }
    panels->rows = 0;
    for (size_t lane = 0; lane < SVD_VIRTUAL; lane++)
        tall_from_lane(m->parts + lane * n * n, m->r, n, lane);
    tall_fold(m->parts, m->marks, n);
    return true;
}

static int32_t FN(tall_factor)(const struct tall_rows *t, double *r, int32_t *exponent,
                               void *scratch)
{
    struct FN(tall_panel) panels[FN(TALL_PANELS_MOST) + 1];
    struct FN(tall_memory) m = FN(tall_memory)(t->columns, false, scratch);
    if (FN(tall_certify)(t, &m.gram)) {
        FN(tall_gram_r)(&m.gram, t->columns, r, exponent);
        return 0;
    }
    bool is_finite = FN(tall_up)(t, &m, exponent, panels);
    memcpy(r, m.parts, t->columns * t->columns * sizeof *r);
    return is_finite ? 0 : 1;
}

/* Register g of a panel, by rows, to rows of type T. */
static void FN(tall_store)(const struct tall_rows *q, const struct FN(tall_panel) * p, size_t g,
                           const vd *out)
{
    size_t n = q->columns;
    for (size_t i = 0; i * SVD_VIRTUAL + g * LANES < p->rows; i++) {
        const double *from = (const double *)(const void *)(out + i * n);
        for (size_t lane = 0; lane < LANES; lane++) {
            size_t row = i * SVD_VIRTUAL + g * LANES + lane;
            elem *to = (elem *)(uintptr_t)q->x + (p->first + row) * q->row_step;
            for (size_t j = 0; row < p->rows && j < n; j++)
                to[j * q->column_step] = (elem)from[j * LANES + lane];
        }
    }
}

static void FN(tall_expand)(const struct tall_rows *t, const double *z, const struct tall_rows *q,
                            void *scratch)
{
    struct FN(tall_panel) panels[FN(TALL_PANELS_MOST) + 1];
    size_t n = t->columns;
    int32_t exponent;
    struct FN(tall_memory) m = FN(tall_memory)(n, true, scratch);
    vd *work = m.out + tall_first_rows(n) * n;
    struct svd_down down = {.gram = work, .w = work + n * n, .n = n};
    if (FN(tall_certify)(t, &m.gram)) {
        FN(tall_gram_expand)(t, &m.gram, z, q);
        return;
    }
    if (!FN(tall_up)(t, &m, &exponent, panels))
        return;
    memcpy(m.z, z, n * n * sizeof *z);
    tall_unfold(m.z, m.parts, m.marks, n);
    for (size_t lane = 0; lane < SVD_VIRTUAL; lane++)
        tall_to_lane(m.r, m.z + lane * n * n, n, lane);
    size_t count = 0;
    while (panels[count].rows > 0)
        count++;
    for (const struct FN(tall_panel) *p = panels + count; p-- > panels;)
        for (size_t g = 0; g < REGISTERS; g++) {
            if (p->in_lane > 0)
                svd_down(&down, m.r + g * n * n, m.out, m.panel + g * m.kept + p->at, p->in_lane,
                         p->first == 0);
            else
                memset(m.out, 0, (p->rows + SVD_VIRTUAL - 1) / SVD_VIRTUAL * n * sizeof *m.out);
            FN(tall_store)(q, p, g, m.out);
        }
}

#include "tmpl_end.h"
