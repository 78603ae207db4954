/* test_bidiagonal.c -- the kernel that takes a large matrix to bidiagonal form: its reflections, applied one by one in long
 * double, must do that; the same bits from every instruction set, and of a multiple by a power of two. */
#include "check.h"

#include <float.h>
#include <math.h>

#include "kernels.h"

enum { ROWS_MAX = 96, COLUMNS_MAX = 80, PANEL_MAX = 12, ALIGNMENT = 64 };

enum { D, E, TAUQ, TAUP, VECTORS };

struct form {
    double a[COLUMNS_MAX * ROWS_MAX]; /* reflections from the left, below the diagonal */
    double u[COLUMNS_MAX][COLUMNS_MAX];
    double vectors[VECTORS][COLUMNS_MAX];
};

static size_t up(size_t n)
{
    return (n + 7) / 8 * 8;
}

static double *make(size_t n)
{
    double *x = aligned_alloc(ALIGNMENT, n * sizeof *x);
    CHECK(x != NULL);
    memset(x, 0xff, n * sizeof *x); /* NaN: nothing may count on zeros */
    return x;
}

/* Panels of `width` columns, and between them the product that is due, in the plainest way. */
static void reduce(struct form *out, const struct kernels *kernels, const double *x, size_t m,
                   size_t n, size_t width, size_t shares)
{
    struct kernel_bidiagonal panel = {
        .columns = n, .pitch = up(m), .row_pitch = up(n), .shares = shares};
    panel.a = make(panel.pitch * n);
    panel.vx = make(2 * width * panel.pitch);
    panel.yu = make(2 * width * panel.row_pitch);
    panel.scratch = make((shares + 1) * panel.pitch + 2 * panel.row_pitch + 4 * (2 * width + 8));
    memset(out, 0, sizeof *out);
    panel.d = out->vectors[D];
    panel.e = out->vectors[E];
    panel.tauq = out->vectors[TAUQ];
    panel.taup = out->vectors[TAUP];
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < panel.pitch; i++)
            panel.a[j * panel.pitch + i] = i < m ? x[j * m + i] : 0;
    for (; panel.first < n; panel.first += panel.count) {
        panel.count = n - panel.first < width ? n - panel.first : width;
        for (size_t k = 0; k < panel.count; k++) {
            kernels->bidiagonal_left(&panel, k);
            for (size_t share = shares; share-- > 0 && panel.first + k + 1 < n;)
                kernels->bidiagonal_share(&panel, k, share);
            if (panel.first + k + 1 < n)
                kernels->bidiagonal_right(&panel, k);
        }
        size_t next = panel.first + panel.count;
        for (size_t k = 0; k < panel.count; k++)
            for (size_t j = panel.first + k + 1; j < n; j++)
                out->u[panel.first + k][j] = panel.yu[(2 * k + 1) * panel.row_pitch + j];
        for (size_t j = next; j < n; j++)
            for (size_t i = next; i < m; i++)
                for (size_t k = 0; k < 2 * panel.count; k++)
                    panel.a[j * panel.pitch + i] -=
                        panel.vx[k * panel.pitch + i] * panel.yu[k * panel.row_pitch + j];
    }
    for (size_t j = 0; j < n; j++)
        for (size_t i = j + 1; i < m; i++)
            out->a[j * m + i] = panel.a[j * panel.pitch + i];
    free(panel.a);
    free(panel.vx);
    free(panel.yu);
    free(panel.scratch);
}

static long double w[COLUMNS_MAX][ROWS_MAX]; /* the matrix, by columns */

/* w = (I - tau v v') w; is_right: w (I - tau v v'). v is 1 at `lead` and what is told behind it. */
static void apply(size_t m, size_t n, const double *v, size_t lead, double tau, bool is_right)
{
    size_t length = is_right ? n : m;
    long double full[ROWS_MAX] = {0};
    long double square = 0;
    for (size_t i = lead; i < length; i++) {
        full[i] = i == lead ? 1 : (long double)v[i];
        square += full[i] * full[i];
    }
    /* orthogonal */
    CHECK(tau == 0 || fabsl((long double)tau * square - 2) <= 64 * DBL_EPSILON);
    for (size_t other = 0; other < (is_right ? m : n); other++) {
        long double dot = 0;
        for (size_t i = lead; i < length; i++)
            dot += full[i] * (is_right ? w[i][other] : w[other][i]);
        for (size_t i = lead; i < length; i++)
            *(is_right ? &w[i][other] : &w[other][i]) -= (long double)tau * dot * full[i];
    }
}

/* The largest element by which the reflections miss the bidiagonal form, against the norm of the matrix. */
static long double error_of(const struct form *form, const double *x, size_t m, size_t n)
{
    long double norm = 0;
    long double worst = 0;
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < m; i++) {
            w[j][i] = (long double)x[j * m + i];
            norm += w[j][i] * w[j][i];
        }
    for (size_t i = 0; i < n; i++) {
        apply(m, n, form->a + i * m, i, form->vectors[TAUQ][i], false);
        if (i + 1 < n)
            apply(m, n, form->u[i], i + 1, form->vectors[TAUP][i], true);
    }
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < m; i++) {
            long double is = i == j       ? (long double)form->vectors[D][j]
                             : i + 1 == j ? (long double)form->vectors[E][i]
                                          : 0;
            worst = fmaxl(worst, fabsl(w[j][i] - is));
        }
    return norm > 0 ? worst / sqrtl(norm) : worst;
}

enum kind { RANDOM, GRADED, TINY, RANK_ONE, ZERO_COLUMNS, ZERO, DIAGONAL, KINDS };

static void fill(double *x, size_t m, size_t n, enum kind kind)
{
    unsigned long long seed = 5 + (unsigned long long)kind;
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < m; i++) {
            double r = (double)(long long)check_random(&seed) * 0x1p-63;
            double column = 1 + (double)j;
            x[j * m + i] = kind == GRADED         ? ldexp(r, -8 * (int)j)
                           : kind == TINY         ? ldexp(r, j < n / 2 ? 0 : -700)
                           : kind == RANK_ONE     ? column * (1 + (double)i)
                           : kind == ZERO_COLUMNS ? (j % 3 == 0 ? 0 : r)
                           : kind == ZERO         ? 0
                           : kind == DIAGONAL     ? (i == j ? r : 0)
                                                  : r;
        }
}

static const size_t shapes[][3] = {{1, 1, 1},   {2, 2, 1},   {9, 9, 4},    {17, 5, 3},
                                   {40, 40, 8}, {65, 65, 8}, {96, 80, 12}, {72, 72, 12},
                                   {71, 67, 5}, {90, 1, 4}};
static double x[COLUMNS_MAX * ROWS_MAX];

static void reflections_lead_to_the_form(void)
{
    static struct form form;
    static struct form other;
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
        for (int kind = 0; kind < KINDS; kind++) {
            size_t m = shapes[s][0];
            size_t n = shapes[s][1];
            fill(x, m, n, (enum kind)kind);
            reduce(&form, sheaf_kernels_at(0), x, m, n, shapes[s][2], 1 + s % 3);
            long double error = error_of(&form, x, m, n);
            if (!(error <= 30 * DBL_EPSILON))
                fprintf(stderr, "%zu x %zu, kind %d: %Lg eps\n", m, n, kind, error / DBL_EPSILON);
            CHECK(error <= 30 * DBL_EPSILON);
            for (size_t i = 1; sheaf_kernels_at(i) != NULL; i++) {
                reduce(&other, sheaf_kernels_at(i), x, m, n, shapes[s][2], 1 + s % 3);
                CHECK(memcmp(&form, &other, sizeof form) == 0);
            }
        }
}

static void a_power_of_two_scales_the_form_to_the_bit(void)
{
    static struct form form;
    static struct form other;
    const size_t m = 50;
    const size_t n = 45;
    fill(x, m, n, RANDOM);
    reduce(&form, sheaf_kernels_at(0), x, m, n, 8, 1);
    for (int power = -600; power <= 440; power += 130) {
        fill(x, m, n, RANDOM);
        for (size_t i = 0; i < m * n; i++)
            x[i] = ldexp(x[i], power);
        reduce(&other, sheaf_kernels_at(0), x, m, n, 8, 1);
        for (size_t i = 0; i < n; i++) {
            CHECK(other.vectors[D][i] == ldexp(form.vectors[D][i], power));
            CHECK(other.vectors[E][i] == ldexp(form.vectors[E][i], power));
        }
        CHECK(memcmp(form.vectors[TAUQ], other.vectors[TAUQ], sizeof form.vectors[TAUQ]) == 0);
        CHECK(memcmp(form.a, other.a, sizeof form.a) == 0);
        CHECK(memcmp(form.u, other.u, sizeof form.u) == 0);
    }
}

CHECK_MAIN(CASE(reflections_lead_to_the_form), CASE(a_power_of_two_scales_the_form_to_the_bit))
