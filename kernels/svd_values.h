/* svd_values.h -- what the singular values of any element type share: scaling, memory, and the way from
 * eight parts of a matrix to its R, and from the bidiagonal form to sorted values. */
#ifndef SHEAF_KERNELS_SVD_VALUES_H
#define SHEAF_KERNELS_SVD_VALUES_H

#include "svd_bisect.h"
#include "svd_dqds.h"
#include "svd_gram.h"
#include "svd_qr.h"
#include "svd_small.h"

/* What became of the matrices of a register: where they lie, by what they are multiplied, and which have been
 * certified. */
struct svd_scales {
    double scale[LANES], back[LANES];
    unsigned certified;
    double
        more[LANES]; /* by what values are multiplied before back, which might be too large else */
    struct svd_gram_scale gram[LANES]; /* of those */
};

struct svd_memory {
    vd *panel;         /* what is being reduced, by columns */
    vd *parts, *r;     /* VIRTUAL R's each; by rows */
    vd *work;          /* of svd_bidiagonal() */
    vd *forms;         /* d and e of one register after the other */
    vd *d, *e;         /* of one of them */
    vd *all_d, *all_e; /* of svd_groups() registers, as the next two */
    vd *chain;         /* of svd_dqds() */
    vd *values;
    vd *h, *inverse;          /* BY_ROWS: of svd_certified() */
    double *gram, *gram_work; /* of one matrix */
    struct svd_scales scales[SVD_ORDERED / LANES];
};

/* What vectors need beside: the reflections of one register, and what they make. NULL: values alone. */
struct svd_kept {
    vd *core; /* what became bidiagonal: reflections by columns */
    struct svd_bidiagonal_kept bidiagonal;
    vd *panels;  /* BY_MATRIX: one panel after another, with heads and scales */
    vd *merges;  /* BY_ROWS: the same of the seven merges of what is not certified */
    vd *inverse; /* and of svd_certified() */
    vd *u, *v;   /* core rows x n and n x n, by rows */
};

/* Beside that, for all registers: the panels of one matrix BY_ROWS, svd_kept_panels() for each register of its parts;
 * and where the down-sweep and the QR steps work. */
struct svd_sweep_memory {
    struct svd_kept kept[GROUPS];
    vd *parts;
    vd *gram, *w, *out, *turns;
};

static vd *svd_cut(vd **at, size_t registers)
{
    vd *taken = *at;
    *at += registers;
    return taken;
}

static void svd_sweep_memory(struct svd_sweep_memory *m, size_t rows, size_t n, vd *at)
{
    size_t core = svd_core_rows(rows, n);
    enum svd_way way = svd_way(rows, n);
    for (size_t g = 0; g < GROUPS; g++) {
        struct svd_kept *kept = &m->kept[g];
        kept->core = svd_cut(&at, svd_apart(core) * n);
        kept->bidiagonal.rows = svd_cut(&at, n * n);
        kept->bidiagonal.left = svd_cut(&at, n);
        kept->bidiagonal.right = svd_cut(&at, n);
        kept->u = svd_cut(&at, core * n);
        kept->v = svd_cut(&at, n * n);
        kept->panels = way == SVD_BY_MATRIX ? svd_cut(&at, svd_kept_panels(rows, n)) : NULL;
        kept->merges =
            way == SVD_BY_ROWS ? svd_cut(&at, (VIRTUAL - 1) * svd_kept_panel(n, n)) : NULL;
        kept->inverse = way == SVD_BY_ROWS ? svd_cut(&at, n * n) : NULL;
    }
    m->gram = svd_cut(&at, n * n);
    m->w = svd_cut(&at, n * n);
    m->out = svd_cut(&at, svd_rows_at(0, rows, n) * n);
    m->turns = svd_cut(&at, 4 * GROUPS * SVD_SWEEPS * n);
    m->parts = at;
}

static struct svd_memory svd_memory(size_t rows, size_t n, void *scratch)
{
    size_t tall = svd_way(rows, n) == SVD_DIRECT ? rows : svd_panel_rows(n);
    struct svd_memory m;
    tall = tall > n ? tall : n;
    m.panel = scratch;
    m.parts = m.panel + svd_apart(tall) * n;
    m.r = m.parts + VIRTUAL * n * n;
    m.work = m.r + VIRTUAL * n * n;
    m.forms = m.work + tall + 2 * n;
    m.d = m.e = NULL; /* until there is one */
    m.all_d = m.forms + svd_forms_registers(n, LANES);
    m.all_e = m.all_d + MOST_GROUPS * n;
    m.chain = m.all_e + MOST_GROUPS * n;
    m.values = m.chain + 6 * (FRONT + n) * MOST_GROUPS;
    m.h = m.values + MOST_GROUPS * (n + 1);
    m.inverse = m.h + n * n;
    m.gram = (double *)(void *)(m.inverse + n * n);
    m.gram_work = m.gram + n * n;
    return m;
}

/* A power of two that brings the largest magnitude to [1, 2), or, if that has no leading bit, near it; and its inverse: 0
 * and 0 for 0, 0 and NaN for what is not finite. */
static double svd_scale(double most, double *back)
{
    uint64_t bits;
    memcpy(&bits, &most, sizeof bits);
    int32_t exponent = (int32_t)(bits >> 52) - 1023;
    *back = exponent > 1023 ? QUIET_NAN : 0;
    if (exponent > 1023 || bits == 0)
        return 0;
    *back = svd_power(exponent);
    return svd_power(-exponent);
}

/* The R's of svd_certified() become those of the matrices, which have been multiplied by powers of two, the inverses of
 * back and more: what R's columns are to the largest of them, whatever the scale. */
static void svd_gram_up(vd *r, struct svd_scales *scales, size_t n)
{
    int32_t by[LANES] = {0};
    for (size_t lane = 0; lane < LANES; lane++) {
        const struct svd_gram_scale *scale = &scales->gram[lane];
        if ((scales->certified >> lane & 1) == 0)
            continue;
        int32_t top = scale->top - scale->shift;
        by[lane] = -scale->top;
        scales->more[lane] = svd_power(top > 900 ? CERTIFIED_ROOM : 0);
        scales->back[lane] = svd_power(top > 900 ? top - CERTIFIED_ROOM : top);
    }
    for (size_t j = 0; j < n; j++) {
        double of_lane[LANES];
        vd power;
        for (size_t lane = 0; lane < LANES; lane++)
            of_lane[lane] = (scales->certified >> lane & 1) != 0
                                ? svd_power(scales->gram[lane].exponent[j] + by[lane])
                                : 0;
        memcpy(&power, of_lane, sizeof power);
        for (size_t i = 0; i <= j; i++)
            r[i * n + j] = r[i * n + j] * power;
    }
}

/* The lanes whose bits are set. */
static inline lane_mask svd_lanes_of(unsigned bits)
{
    double is_set[LANES];
    vd set;
    for (size_t lane = 0; lane < LANES; lane++)
        is_set[lane] = (double)(bits >> lane & 1);
    memcpy(&set, is_set, sizeof set);
    return is_less(all_lanes(0), set);
}

/* The upper triangle of the eight R's of one matrix becomes lane `lane` of the parts. */
static void svd_scatter(vd *parts, const vd *r, size_t n, size_t lane)
{
    for (size_t v = 0; v < VIRTUAL; v++) {
        const double *from = (const double *)(const void *)(r + v / LANES * n * n);
        double *to = (double *)(void *)(parts + v * n * n);
        for (size_t i = 0; i < n; i++)
            for (size_t j = i; j < n; j++)
                to[(i * n + j) * LANES + lane] = from[(i * n + j) * LANES + v % LANES];
    }
}

/* An R, by rows, to columns `apart` registers apart, with zeros below the diagonal. */
static void svd_by_columns(vd *columns, size_t apart, const vd *r, size_t n)
{
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < n; i++)
            columns[j * apart + i] = i <= j ? r[i * n + j] : all_lanes(0);
}

/* The R of all eight parts, into the first: four and four, two and two, one and one. kept: the reflections
 * of the seven merges, in that order, or NULL. */
static void svd_merge_parts(vd *parts, size_t n, vd *panel, vd *kept)
{
    for (size_t half = VIRTUAL / 2; half > 0; half /= 2)
        for (size_t v = 0; v < half; v++) {
            vd *b = kept != NULL ? kept : panel;
            svd_by_columns(b, n, parts + (v + half) * n * n, n);
            svd_qr_panel(parts + v * n * n, b, n, n, true, kept != NULL ? kept + n * n : NULL);
            kept = kept != NULL ? kept + svd_kept_panel(n, n) : NULL;
        }
}

/* The exponent of |d[0] ... d[n - 1]| of each matrix, or nearly so. */
static void svd_exponents(int32_t *exponents, const vd *forms, size_t n, size_t count)
{
    const double *d = (const double *)(const void *)forms;
    for (size_t i = 0; i < count; i++) {
        const double *of_one = d + i / LANES * 2 * n * LANES + i % LANES;
        exponents[i] = 0;
        for (size_t k = 0; k < n; k++) {
            uint64_t bits;
            memcpy(&bits, of_one + k * LANES, sizeof bits);
            exponents[i] += (int32_t)(bits >> 52 & 0x7ff);
        }
    }
}

/* Registers of a set of `count` matrices: a power of two. GROUPS where svd_diagonalise(), svd_of_three() or
 * svd_of_two() read them. */
static size_t svd_groups(size_t n, size_t count, bool has_vectors)
{
    size_t groups = 1;
    if (has_vectors || n <= SVD_SMALL)
        return GROUPS;
    while (groups < MOST_GROUPS && groups * LANES < count)
        groups *= 2;
    return groups;
}

/* Which matrix is swept in which place: those that are swept together are alike. Up to a set stays as it is. */
static void svd_order_forms(unsigned order[SVD_ORDERED], const vd *forms, size_t n, size_t count)
{
    int32_t keys[SVD_ORDERED];
    for (unsigned i = 0; i < count; i++)
        order[i] = i;
    if (count <= MOST_GROUPS * LANES || n <= SVD_SMALL)
        return;
    svd_exponents(keys, forms, n, count);
    for (size_t i = 0; i < count; i++)
        keys[i] = keys[i] * SVD_ORDERED + (int32_t)i; /* no two are the same */
    for (unsigned i = 0; i < count; i++) {
        uint32_t place = 0;
        for (size_t j = 0; j < count; j++)
            place += keys[j] < keys[i];
        order[place] = i;
    }
}

/* all_d and all_e of the matrices of one set. Lanes from count on become zeros. */
static void svd_gather_forms(struct svd_memory *m, size_t n, size_t groups, const unsigned *order,
                             size_t count)
{
    const double *forms = (const double *)(const void *)m->forms;
    double *d = (double *)(void *)m->all_d;
    double *e = (double *)(void *)m->all_e;
    if (count < groups * LANES) {
        memset(d, 0, n * groups * sizeof(vd));
        memset(e, 0, n * groups * sizeof(vd));
    }
    for (size_t i = 0; i < count; i++) {
        const double *of_one = forms + order[i] / LANES * 2 * n * LANES + order[i] % LANES;
        for (size_t k = 0; k < n; k++) {
            d[k * groups * LANES + i] = of_one[k * LANES];
            e[k * groups * LANES + i] = of_one[(n + k) * LANES];
        }
    }
}

/* Puts the values of each lane in falling order: n passes over neighbours at most. */
static void svd_sort(vd *x, size_t n, size_t groups)
{
    unsigned swapped = 1;
    unsigned swapped_before = 1;
    for (size_t pass = 0; (swapped | swapped_before) != 0; pass++) {
        swapped_before = swapped;
        swapped = 0;
        for (size_t i = pass % 2; i + 1 < n; i += 2)
            for (size_t g = 0; g < groups; g++) {
                vd *a = &x[i * groups + g];
                vd *b = a + groups;
                lane_mask wrong = is_less(*a, *b);
                vd most = choose(wrong, *b, *a);
                swapped |= mask_bits(wrong);
                *b = choose(wrong, *a, *b);
                *a = most;
            }
    }
}

/* From all_d and all_e to the squares of the values. */
static void svd_squares(struct svd_memory *m, size_t n, size_t groups, size_t sweeps_for_one)
{
    unsigned unfinished[MOST_GROUPS];
    svd_dqds(m->all_d, m->all_e, n, groups, (double *)(void *)m->values, m->chain, sweeps_for_one,
             unfinished);
    for (size_t g = 0; g < groups; g++)
        if (unfinished[g] != 0)
            svd_bisect(m->all_d + g, m->all_e + g, n, groups, unfinished[g],
                       (double *)(void *)(m->values + g));
    for (size_t i = 0; i < n / 2; i++) /* they were found from the smallest on, or nearly so */
        for (size_t g = 0; g < groups; g++) {
            vd low = m->values[i * groups + g];
            m->values[i * groups + g] = m->values[(n - 1 - i) * groups + g];
            m->values[(n - 1 - i) * groups + g] = low;
        }
    svd_sort(m->values, n, groups);
}

/* The same of three columns: svd_squares() for the lanes that need it. */
static inline void svd_squares_of_three(struct svd_memory *m, size_t sweeps_for_one)
{
    lane_mask done[GROUPS];
    vd found[SVD_SMALL * GROUPS];
    size_t sweeps = sweeps_for_one * SVD_SMALL;
    if (svd_of_three(m->all_d, m->all_e, m->values,
                     sweeps < SVD_SMALL_SWEEPS ? sweeps : SVD_SMALL_SWEEPS, done) == 0)
        return;
    memcpy(found, m->values, sizeof found);
    svd_squares(m, SVD_SMALL, GROUPS, sweeps_for_one);
    for (size_t i = 0; i < SVD_SMALL * GROUPS; i++)
        m->values[i] = choose(done[i % GROUPS], found[i], m->values[i]);
}

/* From all_d and all_e to values: n rows of `groups` registers. */
static void svd_bidiagonal_values(struct svd_memory *m, size_t n, size_t groups,
                                  size_t sweeps_for_one)
{
    if (n > SVD_SMALL)
        svd_squares(m, n, groups, sweeps_for_one);
    else if (n == SVD_SMALL)
        svd_squares_of_three(m, sweeps_for_one);
    else
        svd_of_two(m->all_d, m->all_e, n, m->values);
    for (size_t i = 0; i < n * groups; i++)
        m->values[i] = svd_sqrt(m->values[i]);
}

#endif
