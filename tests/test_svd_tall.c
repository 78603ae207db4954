/* test_svd_tall.c -- tall matrices that are cut into leaves: values known by construction, the same
 * bits whatever the batch and the scale, and matrices that are not finite. */
#include "check.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include <sheaf/sheaf.h>

#include "kernels.h"
#include "svd_ratios.h"

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
/* The threads do the same for every width: the thread sanitizer sees three of them, of 1, 5 and 20 columns. */
enum { NEXT_WIDTH = IS_THREAD_SANITIZED ? 3 : 1 };

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
    for (size_t w = 0; w < WIDTHS; w += NEXT_WIDTH)
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

static void batch_scale_and_isa_do_not_show(void)
{
    for (size_t w = 0; w < WIDTHS; w += NEXT_WIDTH) {
        size_t n = widths[w];
        size_t m = rows_of(n, 1);
        double expected[64];
        double found[3 * 64];
        int32_t outcome[3] = {-1, -1, -1};
        sheaf_array *a = make(SHEAF_F64, 1, m, n);
        sheaf_array *batch = make(SHEAF_F64, 3, m, n);
        double *x = sheaf_array_data(a);
        double *b = sheaf_array_data(batch);
        fill_random(x, m, n, n);
        values_of(a, n, expected, NULL, &(sheaf_svd_options){.isa = "scalar"});
        for (size_t i = 0; sheaf_kernels_at(i) != NULL; i++) {
            sheaf_svd_options options = {.isa = sheaf_kernels_at(i)->isa};
            values_of(a, n, found, NULL, &options);
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

/* The ratios (1) to (3) of LAPACK's test suite (TESTING/EIG/ddrvbd.f) below 30, where it asks for 50: of the
 * reduced decomposition of one matrix. */
static void check_ratios(const sheaf_array *a, const sheaf_svd_arrays *of, size_t m, size_t n)
{
    const double *x = sheaf_array_data(a);
    const double *u = sheaf_array_data(of->u);
    const double *s = sheaf_array_data(of->s);
    const double *vt = sheaf_array_data(of->vt);
    double norm = 0;
    double residual = 0;
    double of_u = 0;
    double of_v = 0;
    for (size_t j = 0; j < n; j++) {
        double sums[4] = {0};
        for (size_t i = 0; i < m; i++) {
            double e = x[i * n + j];
            sums[0] += fabs(e);
            for (size_t k = 0; k < n; k++)
                e -= u[i * n + k] * s[k] * vt[k * n + j];
            sums[1] += fabs(e);
        }
        for (size_t k = 0; k < n; k++) {
            double dot_u = j == k ? -1 : 0;
            double dot_v = j == k ? -1 : 0;
            for (size_t i = 0; i < m; i++)
                dot_u += u[i * n + j] * u[i * n + k];
            for (size_t i = 0; i < n; i++)
                dot_v += vt[j * n + i] * vt[k * n + i];
            sums[2] += fabs(dot_u);
            sums[3] += fabs(dot_v);
        }
        norm = fmax(norm, sums[0]);
        residual = fmax(residual, sums[1]);
        of_u = fmax(of_u, sums[2]);
        of_v = fmax(of_v, sums[3]);
    }
    CHECK(residual <= 30 * norm * (double)m * DBL_EPSILON);
    CHECK(of_u <= 30 * (double)m * DBL_EPSILON && of_u < 1e-12 * (double)n);
    CHECK(of_v <= 30 * (double)n * DBL_EPSILON);
    for (size_t k = 0; k < n; k++) {
        size_t largest = 0;
        for (size_t i = 1; i < n; i++)
            if (fabs(vt[k * n + i]) > fabs(vt[k * n + largest]))
                largest = i;
        CHECK(vt[k * n + largest] > 0);
    }
}

static void forget(sheaf_svd_arrays *arrays)
{
    sheaf_detach(arrays->u);
    sheaf_detach(arrays->s);
    sheaf_detach(arrays->vt);
}

static void check_same(const sheaf_array *a, const sheaf_array *b)
{
    CHECK(memcmp(sheaf_array_data(a), sheaf_array_data(b), sheaf_array_bytes(a)) == 0);
}

/* Of known values, of rank 1, of zeros, with two equal columns; the values are those without vectors. */
static void vectors_are_orthonormal_whatever_the_rank(void)
{
    for (size_t w = 0; w < WIDTHS; w += NEXT_WIDTH)
        for (int kind = 0; kind < 4; kind++) {
            size_t n = widths[w];
            size_t m = rows_of(n, (w + (size_t)kind) % 2);
            double s[64];
            double values[64];
            sheaf_svd_arrays out = {NULL, NULL, NULL};
            sheaf_array *a = make(SHEAF_F64, 1, m, n);
            double *x = sheaf_array_data(a);
            spectrum(s, n, kind == 1 ? 1 : 0, kind == 1 ? 400 : 12);
            if (kind != 2)
                fill_known(x, m, n, s);
            for (size_t i = 0; i < m && kind == 3; i++)
                x[i * n + n - 1] = x[i * n];
            CHECK_OK(sheaf_svd(&out, NULL, a, &(sheaf_svd_options){.mode = SHEAF_SVD_REDUCED}));
            check_ratios(a, &out, m, n);
            values_of(a, n, values, NULL, NULL);
            CHECK(memcmp(values, sheaf_array_data(out.s), n * sizeof *values) == 0);
            forget(&out);
            sheaf_detach(a);
        }
}

/* Three matrices, one of them not finite: on every executor and instruction set. */
static void vectors_are_the_same_bits_everywhere(void)
{
    static const sheaf_backend backends[] = {SHEAF_SEQUENTIAL, SHEAF_THREADS, SHEAF_PROCESSES};
    size_t n = 6;
    size_t m = 5 * sheaf_tall_rows(n) + 13;
    sheaf_array *a = make(SHEAF_F64, 3, m, n);
    fill_random(sheaf_array_data(a), 3 * m, n, 3);
    ((double *)sheaf_array_data(a))[m * n + 5] = (double)NAN;
    sheaf_svd_arrays expected = {NULL, NULL, NULL};
    sheaf_svd_arrays out = {NULL, NULL, NULL};
    sheaf_svd_options options = {.mode = SHEAF_SVD_REDUCED, .isa = "scalar"};
    CHECK_OK(sheaf_svd(&expected, NULL, a, &options));
    const double *u = sheaf_array_data(expected.u);
    CHECK(!isnan(u[0]) && isnan(u[m * n]) && isnan(u[2 * m * n - 1]) && !isnan(u[2 * m * n]));
    options.isa = NULL;
    for (size_t backend = 0; backend < 3; backend++)
        for (size_t workers = 1; workers <= (backend > 0 ? 5 : 1); workers += 2) {
            CHECK_OK(sheaf_executor_open(&options.executor, backends[backend],
                                         &(sheaf_executor_options){.workers = workers}));
            for (int round = 0; round < 3; round++) {
                sheaf_svd_report report;
                CHECK_OK(sheaf_svd(&out, &report, a, &options));
                CHECK(report.failures == 1 && report.reproducible);
                check_same(out.u, expected.u);
                check_same(out.s, expected.s);
                check_same(out.vt, expected.vt);
                memset(sheaf_array_data(out.u), 0x5a, sheaf_array_bytes(out.u));
            }
            sheaf_executor_close(options.executor);
        }
    forget(&out);
    forget(&expected);
    sheaf_detach(a);
}

/* Every instruction set has the bits of these. */
static void f32_vectors_are_orthonormal(void)
{
    static const size_t columns[] = {1, 10, 20};
    for (size_t w = 0; w < sizeof columns / sizeof columns[0]; w++) {
        sheaf_array *a = make(SHEAF_F32, 1, rows_of(columns[w], 0) + w, columns[w]);
        float *x = sheaf_array_data(a);
        unsigned long long seed = w;
        for (size_t i = 0; i < sheaf_array_size(a); i++)
            x[i] = (float)((double)(long long)check_random(&seed) * 0x1p-63 *
                           pow(10, -(double)(i % columns[w]) / 3));
        svd_ratios_check_to(a, NULL, SHEAF_SVD_REDUCED);
        for (size_t i = 1; i < sheaf_array_size(a) && columns[w] > 1; i += columns[w])
            x[i] = x[i - 1]; /* two equal columns */
        svd_ratios_check_to(a, NULL, SHEAF_SVD_REDUCED);
        sheaf_detach(a);
    }
}

/* U U' z = z of a square U, of some random z: then all of it is orthogonal, at m^2 steps and not m^3. */
static void check_square(const sheaf_array *u, size_t m, double ulp)
{
    double *z = calloc(2 * m, sizeof *z);
    double *back = z + m;
    unsigned long long seed = 5;
    CHECK(z != NULL);
    for (size_t i = 0; i < m; i++)
        z[i] = (double)(long long)check_random(&seed) * 0x1p-63;
    for (size_t i = 0; i < m; i++) /* U' z, row by row */
        for (size_t j = 0; j < m; j++)
            back[j] += svd_ratios_get(u, i * m + j) * z[i];
    for (size_t i = 0; i < m; i++) {
        double sum = 0;
        for (size_t j = 0; j < m; j++)
            sum += svd_ratios_get(u, i * m + j) * back[j];
        CHECK(fabs(sum - z[i]) <= SVD_RATIO_LIMIT * sqrt((double)m) * ulp);
    }
    free(z);
}

/* The full decomposition of matrices that are cut into leaves otherwise: U is square, its first columns the reduced
 * one's within rounding, and the values the same bits. */
static void full_vectors_of_a_tall_one(void)
{
    const size_t n = 64;
    const size_t m = rows_of(n, 0) + 1;
    /* Half a minute each under the thread sanitizer, and the threads do the same for both. */
    for (int is_f32 = IS_THREAD_SANITIZED ? 1 : 0; is_f32 < 2; is_f32++) {
        const double ulp = is_f32 ? (double)FLT_EPSILON : DBL_EPSILON;
        sheaf_array *a = make(is_f32 ? SHEAF_F32 : SHEAF_F64, 1, m, n);
        sheaf_svd_arrays full = {NULL, NULL, NULL};
        sheaf_svd_arrays reduced = {NULL, NULL, NULL};
        unsigned long long seed = 21;
        for (size_t i = 0; i < m * n; i++) {
            double x = (double)(long long)check_random(&seed) * 0x1p-63 * (1 + (double)(i % n));
            if (is_f32)
                ((float *)sheaf_array_data(a))[i] = (float)x;
            else
                ((double *)sheaf_array_data(a))[i] = x;
        }
        CHECK_OK(sheaf_svd(&full, NULL, a, &(sheaf_svd_options){.mode = SHEAF_SVD_FULL}));
        CHECK_OK(sheaf_svd(&reduced, NULL, a, &(sheaf_svd_options){.mode = SHEAF_SVD_REDUCED}));
        check_same(full.s, reduced.s);
        check_square(full.u, m, ulp);
        check_square(full.vt, n, ulp);
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++)
                CHECK(fabs(svd_ratios_get(full.u, i * m + j) -
                           svd_ratios_get(reduced.u, i * n + j)) <= 1000 * ulp);
        forget(&full);
        forget(&reduced);
        sheaf_detach(a);
    }
}

/* Every second row, from the last column on; and the transpose of a wide one: as copies of them. */
static void views_are_as_their_copies(void)
{
    const size_t n = 20;
    const size_t m = rows_of(n, 0) + 5;
    sheaf_array *a = make(SHEAF_F64, 2, 2 * m, n);
    sheaf_array *wide = make(SHEAF_F32, 1, n, m);
    sheaf_array *views[4];
    sheaf_executor *pool;
    fill_random(sheaf_array_data(a), 4 * m, n, 3);
    for (size_t i = 0; i < n * m; i++)
        ((float *)sheaf_array_data(wide))[i] = (float)((const double *)sheaf_array_data(a))[i];
    CHECK_OK(sheaf_view_slice(&views[0], a, 1, 0, SHEAF_END, 2));
    CHECK_OK(sheaf_view_slice(&views[1], views[0], 2, SHEAF_END, SHEAF_BEGIN, -1));
    CHECK_OK(sheaf_view_transpose(&views[2], wide, (const int64_t[]){0, 2, 1}));
    CHECK_OK(sheaf_view_slice(&views[3], a, 2, 3, 10, 1));
    CHECK_OK(sheaf_executor_open(&pool, SHEAF_PROCESSES, &(sheaf_executor_options){.workers = 2}));
    for (size_t i = 0; i < 4; i++) {
        sheaf_array *copy;
        CHECK_OK(sheaf_copy(&copy, views[i], NULL, NULL));
        for (int mode = SHEAF_SVD_VALUES; mode <= SHEAF_SVD_REDUCED; mode++) {
            sheaf_svd_arrays of_view = {NULL, NULL, NULL};
            sheaf_svd_arrays of_copy = {NULL, NULL, NULL};
            sheaf_svd_options options = {.mode = (sheaf_svd_mode)mode};
            CHECK_OK(sheaf_svd(&of_copy, NULL, copy, &options));
            options.executor = i % 2 == 0 ? NULL : pool;
            CHECK_OK(sheaf_svd(&of_view, NULL, views[i], &options));
            check_same(of_view.s, of_copy.s);
            if (mode == SHEAF_SVD_REDUCED) {
                check_same(of_view.u, of_copy.u);
                check_same(of_view.vt, of_copy.vt);
            }
            forget(&of_view);
            forget(&of_copy);
        }
        sheaf_detach(copy);
    }
    sheaf_executor_close(pool);
    for (size_t i = 4; i > 0; i--)
        sheaf_detach(views[i - 1]);
    sheaf_detach(wide);
    sheaf_detach(a);
}

CHECK_MAIN(CASE(known_values_are_found), CASE(batch_scale_and_isa_do_not_show),
           CASE(f32_is_the_rounded_f64), CASE(zeros_and_tiny_elements_work),
           CASE(vectors_are_orthonormal_whatever_the_rank),
           CASE(vectors_are_the_same_bits_everywhere), CASE(f32_vectors_are_orthonormal),
           CASE(full_vectors_of_a_tall_one), CASE(views_are_as_their_copies))
