/* test_svd_tall.c -- tall and wide matrices that are cut into leaves: values known by construction, the same
 * bits whatever the layout, the batch and the scale, and matrices that are not finite. */
#include "check.h"

#include <float.h>
#include <math.h>

#include <sheaf/sheaf.h>

#include "kernels.h"

/* Column j of the orthonormal cosine transform of length n (DCT-II, Ahmed, Natarajan, Rao 1974). */
static double cosine(size_t n, size_t i, size_t j)
{
    double angle = 3.14159265358979323846 * (double)((2 * i + 1) * j % (4 * n)) / (double)(2 * n);
    return sqrt((j == 0 ? 1.0 : 2.0) / (double)n) * cos(angle);
}

static sheaf_array *make(sheaf_dtype dtype, size_t count, size_t m, size_t n)
{
    sheaf_array *a;
    CHECK_OK(sheaf_create_anonymous(&a, dtype, 3, (size_t[]){count, m, n}));
    return a;
}

/* a = U diag(s) V' of cosine transforms: its singular values are s, but for rounding. */
static void fill_known(double *a, size_t m, size_t n, const double *s)
{
    double v[64 * 64];
    for (size_t j = 0; j < n; j++)
        for (size_t k = 0; k < n; k++)
            v[k * n + j] = s[k] * cosine(n, j, k);
    for (size_t i = 0; i < m; i++) {
        double u[64];
        for (size_t k = 0; k < n; k++)
            u[k] = cosine(m, i, (k * 7 + 3) % m);
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t k = 0; k < n; k++)
                sum += u[k] * v[k * n + j];
            a[i * n + j] = sum;
        }
    }
}

static void values_of(const sheaf_array *a, size_t k, void *out, int32_t *outcome,
                      const sheaf_svd_options *options)
{
    sheaf_array *s;
    sheaf_array *status;
    size_t count = sheaf_array_shape(a)[0];
    sheaf_svd_options with = options != NULL ? *options : (sheaf_svd_options){.isa = NULL};
    CHECK_OK(sheaf_create_anonymous(&s, sheaf_array_dtype(a), 2, (size_t[]){count, k}));
    CHECK_OK(sheaf_create_anonymous(&status, SHEAF_I32, 1, (size_t[]){count}));
    memset(sheaf_array_data(s), 0x5a, sheaf_array_bytes(s));
    with.status = status;
    with.reproducible = true;
    sheaf_svd_report report;
    CHECK_OK(sheaf_svd_values(s, &report, a, &with));
    int64_t failures = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t of = ((const int32_t *)sheaf_array_data(status))[i];
        failures += of != 0;
        if (outcome != NULL)
            outcome[i] = of;
    }
    CHECK(report.failures == failures && report.reproducible);
    memcpy(out, sheaf_array_data(s), sheaf_array_bytes(s));
    sheaf_detach(s);
    sheaf_detach(status);
}

static const size_t widths[] = {1, 2, 3, 5, 7, 10, 20, 33, 64};
enum { WIDTHS = sizeof widths / sizeof widths[0] };

/* Two leaves exactly, and then a few rows more than 5. */
static size_t rows_of(size_t n, size_t which)
{
    return which == 0 ? 2 * sheaf_tall_rows(n) : 5 * sheaf_tall_rows(n) + 13;
}

/* Falling values of condition 10^digits: geometric, or one large and the rest small, or equal but the last. */
static void spectrum(double *s, size_t n, int mode, double digits)
{
    for (size_t k = 0; k < n; k++) {
        double at = n > 1 ? (double)k / (double)(n - 1) : 0;
        s[k] = mode == 0   ? pow(10, -digits * at)
               : mode == 1 ? (k == 0 ? 1 : pow(10, -digits))
                           : (k + 1 < n ? 1 : pow(10, -digits));
    }
}

static void known_values_are_found(void)
{
    for (size_t w = 0; w < WIDTHS; w++)
        for (int mode = 0; mode < 3; mode++) {
            size_t n = widths[w];
            size_t m = rows_of(n, (w + (size_t)mode) % 2);
            double s[64];
            double found[64];
            sheaf_array *a = make(SHEAF_F64, 1, m, n);
            spectrum(s, n, mode, 14);
            fill_known(sheaf_array_data(a), m, n, s);
            values_of(a, n, found, NULL, NULL);
            double frobenius = 0;
            const double *x = sheaf_array_data(a);
            for (size_t i = 0; i < m * n; i++)
                frobenius += x[i] * x[i];
            double squares = 0;
            for (size_t k = 0; k < n; k++) {
                CHECK(fabs(found[k] - s[k]) <= 30 * (double)n * DBL_EPSILON * s[0]);
                CHECK(k == 0 || found[k] <= found[k - 1]);
                squares += found[k] * found[k];
            }
            CHECK(fabs(squares - frobenius) <= 1e-11 * frobenius);
            sheaf_detach(a);
        }
}

/* Random, with columns of very different sizes. */
static void fill_random(double *a, size_t m, size_t n, unsigned long long seed)
{
    for (size_t i = 0; i < m * n; i++)
        a[i] = ldexp((double)(long long)check_random(&seed), -63 - (int)(i % n * 40));
}

static void layout_batch_scale_and_isa_do_not_show(void)
{
    for (size_t w = 0; w < WIDTHS; w++) {
        size_t n = widths[w];
        size_t m = rows_of(n, 1);
        double expected[64];
        double found[3 * 64];
        int32_t outcome[3] = {-1, -1, -1};
        sheaf_array *a = make(SHEAF_F64, 1, m, n);
        sheaf_array *wide = make(SHEAF_F64, 1, n, m);
        sheaf_array *batch = make(SHEAF_F64, 3, m, n);
        double *x = sheaf_array_data(a);
        double *b = sheaf_array_data(batch);
        double *t = sheaf_array_data(wide);
        fill_random(x, m, n, n);
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++)
                t[j * m + i] = x[i * n + j];
        values_of(a, n, expected, NULL, &(sheaf_svd_options){.isa = "scalar"});
        for (size_t i = 0; sheaf_kernels_at(i) != NULL; i++) {
            sheaf_svd_options options = {.isa = sheaf_kernels_at(i)->isa};
            values_of(a, n, found, NULL, &options);
            CHECK(memcmp(found, expected, n * sizeof *found) == 0);
            values_of(wide, n, found, NULL, &options);
            CHECK(memcmp(found, expected, n * sizeof *found) == 0);
        }
        fill_random(b, m, n, 77); /* a neighbour is not finite, and one is scaled */
        b[m * n / 2] = w % 2 == 0 ? (double)NAN : (double)INFINITY;
        memcpy(b + m * n, x, m * n * sizeof *x);
        for (size_t i = 0; i < m * n; i++)
            b[2 * m * n + i] = ldexp(x[i], w % 2 == 0 ? 1020 : -150);
        values_of(batch, n, found, outcome, NULL);
        CHECK(outcome[0] == 1 && outcome[1] == 0 && outcome[2] == 0);
        CHECK(memcmp(found + n, expected, n * sizeof *found) == 0);
        for (size_t k = 0; k < n; k++) {
            CHECK(isnan(found[k]));
            CHECK(found[2 * n + k] == ldexp(expected[k], w % 2 == 0 ? 1020 : -150));
        }
        sheaf_detach(a);
        sheaf_detach(wide);
        sheaf_detach(batch);
    }
}

/* The f32 matrix is exact in f64, and both are computed there. */
static void f32_is_the_rounded_f64(void)
{
    size_t n = 9;
    size_t m = rows_of(n, 1);
    double exact[9];
    float found[9];
    sheaf_array *a = make(SHEAF_F64, 1, m, n);
    sheaf_array *f = make(SHEAF_F32, 1, m, n);
    unsigned long long seed = 5;
    for (size_t i = 0; i < m * n; i++) {
        float x = (float)(long long)check_random(&seed);
        ((float *)sheaf_array_data(f))[i] = x;
        ((double *)sheaf_array_data(a))[i] = (double)x;
    }
    values_of(a, n, exact, NULL, NULL);
    values_of(f, n, found, NULL, NULL);
    for (size_t k = 0; k < n; k++)
        CHECK(found[k] == (float)exact[k]);
    sheaf_detach(a);
    sheaf_detach(f);
}

static void zeros_and_tiny_elements_work(void)
{
    size_t n = 6;
    size_t m = rows_of(n, 1);
    double found[6] = {-1};
    int32_t outcome[1] = {-1};
    sheaf_array *a = make(SHEAF_F64, 1, m, n);
    double *x = sheaf_array_data(a);
    memset(x, 0, sheaf_array_bytes(a));
    values_of(a, n, found, outcome, NULL);
    for (size_t k = 0; k < n; k++)
        CHECK(found[k] == 0 && !signbit(found[k]) && outcome[0] == 0);
    x[(m - 1) * n + 2] = -DBL_TRUE_MIN;
    values_of(a, n, found, outcome, NULL);
    CHECK(found[0] == DBL_TRUE_MIN && found[1] == 0 && outcome[0] == 0);
    for (size_t i = 0; i < m; i++) /* rank 1 but for one element, 1e-300 and 1e300 in one matrix */
        for (size_t j = 0; j < n; j++)
            x[i * n + j] = i == m / 2 && j == 0 ? 1e300 : 1e-300;
    values_of(a, n, found, outcome, NULL);
    CHECK(fabs(found[0] - 1e300) <= 1e286 && found[1] < 1e286 && outcome[0] == 0);
    x[m * n - 1] = (double)NAN;
    values_of(a, n, found, outcome, NULL);
    CHECK(isnan(found[0]) && isnan(found[n - 1]) && outcome[0] == 1);
    sheaf_detach(a);
}

CHECK_MAIN(CASE(known_values_are_found), CASE(layout_batch_scale_and_isa_do_not_show),
           CASE(f32_is_the_rounded_f64), CASE(zeros_and_tiny_elements_work))
