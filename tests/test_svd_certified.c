/* test_svd_certified.c -- tall matrices whose R is that of A'A where a certificate allows it: as accurate on both sides of
 * its bound, and the same bits however they are scaled, turned, or put together. */
#include "check.h"

#include <fenv.h>
#include <float.h>
#include <math.h>

#include "kernels.h"
#include "svd_jacobi.h"

static double uniform(unsigned long long *seed) /* in [-1, 1) */
{
    return (double)(long long)check_random(seed) * 0x1p-63;
}

struct result {
    double *s, *u, *vt;
    int32_t *status;
};

static struct result result_of(size_t count, size_t m, size_t n)
{
    size_t k = m < n ? m : n;
    struct result r = {malloc(count * k * sizeof *r.s), malloc(count * m * k * sizeof *r.u),
                       malloc(count * k * n * sizeof *r.vt), malloc(count * sizeof *r.status)};
    CHECK(r.s != NULL && r.u != NULL && r.vt != NULL && r.status != NULL);
    return r;
}

static void free_result(struct result *r)
{
    free(r->s);
    free(r->u);
    free(r->vt);
    free(r->status);
}

static void solve(const struct kernels *kernels, const double *a, size_t count, size_t m, size_t n,
                  bool has_vectors, const struct result *r)
{
    size_t bytes = (sheaf_svd_scratch(m, n, has_vectors, false) + 63) / 64 * 64;
    struct kernel_svd call = {.x = a,
                              .count = count,
                              .m = m,
                              .n = n,
                              .s = r->s,
                              .u = r->u,
                              .vt = r->vt,
                              .status = r->status,
                              .sweeps_for_one = KERNEL_SVD_SWEEPS,
                              .scratch = aligned_alloc(64, bytes)};
    CHECK(call.scratch != NULL);
    memset(call.scratch, 0xff, bytes); /* NaN: nothing may count on zeros */
    (has_vectors ? kernels->svd_vectors : kernels->svd_values)[KERNEL_F64](&call);
    free(call.scratch);
}

/* Of the tables, the last is that of the widest registers. */
static const struct kernels *widest(void)
{
    size_t i = 0;
    while (sheaf_kernels_at(i + 1) != NULL)
        i++;
    return sheaf_kernels_at(i);
}

/* Ways to make columns depend on each other, the more the less `part` is. */
enum family { COMMON, POSITIVE, GRADED, ONE_SMALL, COLUMNS, FAMILIES };

/* A random matrix, its columns mixed by a reflection I - 2 v v'. */
static void make(double *a, size_t m, size_t n, enum family family, double part,
                 unsigned long long *seed)
{
    double v[64];
    double squares = 0;
    for (size_t j = 0; j < n; j++) {
        v[j] = uniform(seed);
        squares += v[j] * v[j];
    }
    for (size_t i = 0; i < m; i++) {
        double *row = a + i * n;
        double common = family == COMMON ? uniform(seed) : 1;
        double dot = 0;
        for (size_t j = 0; j < n; j++) {
            row[j] = uniform(seed);
            if (family == COMMON || family == POSITIVE)
                row[j] = common + part * row[j];
            if (family == GRADED)
                row[j] *= pow(part, (double)j / (double)n);
            if (family == ONE_SMALL && j == n - 1)
                row[j] *= part;
            dot += v[j] * row[j];
        }
        for (size_t j = 0; j < n && (family == GRADED || family == ONE_SMALL); j++)
            row[j] -= 2 * dot / squares * v[j];
        for (size_t j = 0; j < n && family == COLUMNS; j++)
            row[j] = ldexp(j == n - 1 ? row[0] + part * row[j] : row[j], 40 - (int)(7 * j % 80));
    }
}

/* Values in units of eps times the largest (reflections alone leave 6 at most, of thousands of such matrices), U in eps. */
static void check_accuracy(const double *a, size_t m, size_t n, const struct result *r)
{
    double expected[64];
    svd_jacobi(a, m, n, expected);
    for (size_t i = 0; i < n; i++) {
        double error = fabs(r->s[i] - expected[i]) / (DBL_EPSILON * expected[0]);
        if (!(error <= 8))
            fprintf(stderr, "%zu x %zu, value %zu: off by %g\n", m, n, i, error);
        CHECK(error <= 8);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++) {
            long double dot = i == j ? -1 : 0;
            for (size_t row = 0; row < m; row++)
                dot += (long double)r->u[row * n + i] * (long double)r->u[row * n + j];
            if (!(fabsl(dot) <= 100 * (long double)DBL_EPSILON))
                fprintf(stderr, "%zu x %zu, u' u (%zu, %zu): off by %Lg\n", m, n, i, j, dot);
            CHECK(fabsl(dot) <= 100 * (long double)DBL_EPSILON);
        }
}

/* From well conditioned to hardly of full rank, with most steps where the bound is. */
static void both_sides_of_the_bound_are_as_accurate(void)
{
    static const size_t shapes[][2] = {{60, 3}, {110, 10}, {500, 10}, {190, 21}};
    static double a[500 * 21];
    unsigned long long seed = 43;
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
        for (enum family family = COMMON; family < FAMILIES; family++)
            for (int step = (int)s / 2; step < 10; step += 1 + (int)s / 2) {
                size_t m = shapes[s][0];
                size_t n = shapes[s][1];
                struct result r = result_of(1, m, n);
                make(a, m, n, family, step < 8 ? exp2(-0.5 * step) : exp2(-8 * (step - 7)), &seed);
                solve(widest(), a, 1, m, n, true, &r);
                CHECK(r.status[0] == 0);
                check_accuracy(a, m, n, &r);
                free_result(&r);
            }
}

/* Certified ones, others, and such as are neither, side by side: as each alone, by every table, with vectors and
 * without, and turned. */
static void the_bits_are_those_of_the_matrix(void)
{
    enum { M = 130, N = 7, COUNT = 21 };
    static double a[COUNT * M * N];
    static double turned[COUNT * M * N];
    unsigned long long seed = 47;
    struct result all = result_of(COUNT, M, N);
    struct result other = result_of(COUNT, M, N);
    for (size_t i = 0; i < COUNT; i++)
        make(a + i * M * N, M, N, (enum family)(i % FAMILIES), exp2(-(double)(i * i % 23)), &seed);
    for (size_t i = 0; i < M; i++) /* a column of zeros, and one that is there twice */
        a[3 * M * N + i * N + 2] = 0;
    for (size_t i = 0; i < M; i++)
        a[8 * M * N + i * N + 6] = a[8 * M * N + i * N + 1];
    a[11 * M * N + 5] = NAN;
    a[12 * M * N + M * N - 1] = INFINITY;
    memset(a + 13 * M * N, 0, M * N * sizeof *a);
    for (size_t i = 0; i < COUNT * M * N; i++)
        turned[i / (M * N) * M * N + i % N * M + i / N % M] = a[i];
    solve(sheaf_kernels_at(0), a, COUNT, M, N, true, &all);
    for (size_t z = 0; sheaf_kernels_at(z) != NULL; z++) {
        const struct kernels *kernels = sheaf_kernels_at(z);
        solve(kernels, a, COUNT, M, N, true, &other);
        for (size_t i = 0; i < COUNT; i++) {
            CHECK(all.status[i] == (i == 11 || i == 12) && other.status[i] == all.status[i]);
            if (all.status[i] != 0)
                continue;
            CHECK(memcmp(other.u + i * M * N, all.u + i * M * N, M * N * sizeof *a) == 0);
            CHECK(memcmp(other.vt + i * N * N, all.vt + i * N * N, N * N * sizeof *a) == 0);
        }
        CHECK(memcmp(other.s, all.s, COUNT * N * sizeof *a) == 0);
        solve(kernels, a, COUNT, M, N, false, &other);
        CHECK(memcmp(other.s, all.s, COUNT * N * sizeof *a) == 0);
        solve(kernels, turned, COUNT, N, M, false, &other);
        CHECK(memcmp(other.s, all.s, COUNT * N * sizeof *a) == 0);
        for (size_t i = 0; i < COUNT; i++) {
            solve(kernels, a + i * M * N, 1, M, N, true, &other);
            CHECK(memcmp(other.s, all.s + i * N, N * sizeof *a) == 0);
            CHECK(all.status[i] != 0 || memcmp(other.u, all.u + i * M * N, M * N * sizeof *a) == 0);
        }
    }
    free_result(&all);
    free_result(&other);
}

/* The same at all scales. range: how many powers of two there are below the largest element. */
static void expect_no_scale(const double *a, size_t m, size_t n, int range)
{
    double *scaled = malloc(m * n * sizeof *scaled);
    struct result r = result_of(1, m, n);
    struct result other = result_of(1, m, n);
    CHECK(scaled != NULL);
    solve(widest(), a, 1, m, n, true, &r);
    for (int power = range - 1021; power <= 1023; power += power < 950 ? 73 : 1) {
        for (size_t i = 0; i < m * n; i++)
            scaled[i] = ldexp(a[i], power);
        solve(widest(), scaled, 1, m, n, true, &other);
        for (size_t i = 0; i < n; i++)
            CHECK(other.s[i] == ldexp(r.s[i], power));
        CHECK(memcmp(other.u, r.u, m * n * sizeof *a) == 0);
        CHECK(memcmp(other.vt, r.vt, n * n * sizeof *a) == 0);
    }
    free_result(&r);
    free_result(&other);
    free(scaled);
}

/* Elements of all magnitudes, so that squares underflow at some scales, or overflow: everything is the same but for the
 * scale, as far as the elements can be scaled. */
static void no_scale_shows_in_a_bit(void)
{
    enum { M = 90, N = 6 };
    static double a[M * N];
    unsigned long long seed = 53;
    for (int range = 0; range <= 800; range += 100) {
        for (size_t i = 0; i < M * N; i++) {
            int down = range > 0 ? (int)(check_random(&seed) % (unsigned long long)range) : 0;
            a[i] = ldexp(0.5 + fabs(uniform(&seed)) / 2, i < 20 ? 0 : -down);
        }
        expect_no_scale(a, M, N, range);
    }
}

/* Nor of columns of all magnitudes that have next to nothing in common, so that what there is underflows on the way. */
static void no_scale_shows_in_what_is_next_to_nothing(void)
{
    enum { M = 90, N = 6, RANGE = 400 };
    static double a[M * N];
    unsigned long long seed = 61;
    for (size_t round = 0; round < 60; round++) {
        int column[N];
        for (size_t j = 0; j < N; j++)
            column[j] = j == 0 ? 0 : (int)(check_random(&seed) % RANGE);
        for (size_t i = 0; i < M * N; i++) {
            bool is_own = i / N % N == i % N;
            bool is_there = is_own || check_random(&seed) % 16 == 0;
            int down = is_own ? 0 : (int)(check_random(&seed) % (2 * RANGE));
            a[i] = is_there ? ldexp(uniform(&seed), -down - column[i % N]) : 0;
        }
        expect_no_scale(a, M, N, 3 * RANGE + 70);
    }
}

/* The CPU's flag for underflow is asked, and is the caller's. */
static void flags_stay_raised(void)
{
    enum { M = 50, N = 4 };
    static double a[M * N];
    unsigned long long seed = 59;
    struct result r = result_of(1, M, N);
    for (size_t z = 0; sheaf_kernels_at(z) != NULL; z++) {
        for (size_t i = 0; i < M * N; i++)
            a[i] = uniform(&seed);
        feraiseexcept(FE_UNDERFLOW);
        solve(sheaf_kernels_at(z), a, 1, M, N, false, &r);
        CHECK(fetestexcept(FE_UNDERFLOW) != 0);
    }
    free_result(&r);
}

CHECK_MAIN(CASE(both_sides_of_the_bound_are_as_accurate), CASE(the_bits_are_those_of_the_matrix),
           CASE(no_scale_shows_in_a_bit), CASE(no_scale_shows_in_what_is_next_to_nothing),
           CASE(flags_stay_raised))
