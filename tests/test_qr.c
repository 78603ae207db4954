/* test_qr.c -- the QR factorisation of tall matrices: A = Q R with orthonormal Q whatever the rank, R upper
 * triangular with a diagonal that is not negative, the same bits everywhere; and what is refused. */
#include "check.h"

#include <float.h>
#include <math.h>

#include <sheaf/sheaf.h>

#include "kernels.h"

static sheaf_array *make(sheaf_dtype dtype, size_t count, size_t m, size_t n)
{
    sheaf_array *a;
    CHECK_OK(sheaf_create_anonymous(&a, dtype, 3, (size_t[]){count, m, n}));
    return a;
}

/* kind 0: random; 1: columns of very different sizes; 2: one column twice; 3: zeros. */
static void fill(double *a, size_t m, size_t n, int kind)
{
    unsigned long long seed = m + n;
    for (size_t i = 0; i < m * n; i++) {
        double x = ldexp((double)(long long)check_random(&seed), -63);
        a[i] = kind == 3 ? 0 : kind == 1 ? ldexp(x, -20 * (int)(i % n)) : x;
    }
    for (size_t i = 0; i < m && kind == 2; i++)
        a[i * n + n - 1] = a[i * n];
}

static void check_factors(const double *a, const double *q, const double *r, size_t m, size_t n)
{
    double norm = 0;
    double residual = 0;
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t k = 0; k <= j; k++)
                sum += q[i * n + k] * r[k * n + j];
            residual += (sum - a[i * n + j]) * (sum - a[i * n + j]);
            norm += a[i * n + j] * a[i * n + j];
        }
    CHECK(sqrt(residual) <= 30 * (double)n * DBL_EPSILON * sqrt(norm));
    for (size_t j = 0; j < n; j++) {
        CHECK(r[j * n + j] >= 0);
        for (size_t k = 0; k < j; k++)
            CHECK(r[j * n + k] == 0 && !signbit(r[j * n + k]));
        for (size_t k = 0; k <= j; k++) {
            double dot = j == k ? -1 : 0;
            for (size_t i = 0; i < m; i++)
                dot += q[i * n + j] * q[i * n + k];
            CHECK(fabs(dot) <= 30 * (double)n * DBL_EPSILON);
        }
    }
}

static const size_t shapes[][2] = {{8, 1},    {16, 2},    {100, 3},   {1000, 10},
                                   {600, 64}, {9000, 20}, {50000, 7}, {7000, 64}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static void factors_are_right(void)
{
    for (size_t s = 0; s < SHAPES; s++)
        for (int kind = 0; kind < 4; kind++) {
            size_t m = shapes[s][0];
            size_t n = shapes[s][1];
            sheaf_array *a = make(SHEAF_F64, 1, m, n);
            sheaf_qr_arrays out = {NULL, NULL};
            fill(sheaf_array_data(a), m, n, kind);
            CHECK_OK(sheaf_qr(&out, a, NULL));
            check_factors(sheaf_array_data(a), sheaf_array_data(out.q), sheaf_array_data(out.r), m,
                          n);
            sheaf_detach(out.q);
            sheaf_detach(out.r);
            sheaf_detach(a);
        }
}

static void bits_are_the_same_everywhere(void)
{
    static const sheaf_backend backends[] = {SHEAF_SEQUENTIAL, SHEAF_THREADS, SHEAF_PROCESSES};
    for (size_t s = 4; s < SHAPES; s++) {
        size_t m = shapes[s][0];
        size_t n = shapes[s][1];
        sheaf_array *a = make(SHEAF_F64, 2, m, n);
        double *x = sheaf_array_data(a);
        sheaf_qr_arrays expected = {NULL, NULL};
        sheaf_qr_arrays out = {NULL, NULL};
        fill(x, m, n, 0);
        for (size_t i = 0; i < m * n; i++)
            x[m * n + i] = ldexp(x[i], 300);
        CHECK_OK(sheaf_qr(&expected, a, &(sheaf_qr_options){.isa = "scalar"}));
        const double *q = sheaf_array_data(expected.q);
        const double *r = sheaf_array_data(expected.r);
        CHECK(memcmp(q, q + m * n, m * n * sizeof *q) == 0);
        for (size_t i = 0; i < n * n; i++)
            CHECK(r[n * n + i] == ldexp(r[i], 300));
        for (size_t i = 0; i < 3; i++) {
            sheaf_qr_options options = {.isa = NULL};
            CHECK_OK(sheaf_executor_open(&options.executor, backends[i],
                                         &(sheaf_executor_options){.workers = i > 0 ? 3 : 1}));
            CHECK_OK(sheaf_qr(&out, a, &options));
            CHECK(memcmp(sheaf_array_data(out.q), q, sheaf_array_bytes(out.q)) == 0);
            CHECK(memcmp(sheaf_array_data(out.r), r, sheaf_array_bytes(out.r)) == 0);
            sheaf_executor_close(options.executor);
        }
        sheaf_detach(out.q);
        sheaf_detach(out.r);
        sheaf_detach(expected.q);
        sheaf_detach(expected.r);
        sheaf_detach(a);
    }
}

static void what_is_not_finite_is_nan_and_what_does_not_fit_is_refused(void)
{
    sheaf_array *a = make(SHEAF_F32, 2, 9000, 20);
    sheaf_array *small = make(SHEAF_F64, 1, 79, 10);
    sheaf_array *of_i64 = make(SHEAF_I64, 1, 80, 10);
    sheaf_qr_arrays out = {NULL, NULL};
    float *x = sheaf_array_data(a);
    for (size_t i = 0; i < sheaf_array_size(a); i++)
        x[i] = (float)(i % 101) - 50;
    x[77] = (float)INFINITY;
    CHECK_OK(sheaf_qr(&out, a, NULL));
    const float *q = sheaf_array_data(out.q);
    const float *r = sheaf_array_data(out.r);
    CHECK(isnan(q[0]) && isnan(q[9000 * 20 - 1]) && isnan(r[0]));
    CHECK(!isnan(q[9000 * 20]) && !isnan(r[400]));
    sheaf_qr_arrays wrong = {a, NULL};
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_qr(&wrong, a, NULL));
    CHECK_ERROR_SAYS("share memory");
    wrong = (sheaf_qr_arrays){out.r, NULL};
    CHECK_STATUS(SHEAF_ERR_SHAPE, sheaf_qr(&wrong, a, NULL));
    wrong = (sheaf_qr_arrays){NULL, NULL};
    CHECK_STATUS(SHEAF_ERR_UNSUPPORTED, sheaf_qr(&wrong, small, NULL));
    CHECK_ERROR_SAYS("at least 8 times as many rows");
    CHECK_STATUS(SHEAF_ERR_DTYPE, sheaf_qr(&wrong, of_i64, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_qr(NULL, a, NULL));
    CHECK(wrong.q == NULL && wrong.r == NULL);
    sheaf_detach(out.q);
    sheaf_detach(out.r);
    sheaf_detach(a);
    sheaf_detach(small);
    sheaf_detach(of_i64);
}

CHECK_MAIN(CASE(factors_are_right), CASE(bits_are_the_same_everywhere),
           CASE(what_is_not_finite_is_nan_and_what_does_not_fit_is_refused))
