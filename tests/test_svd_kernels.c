/* test_svd_kernels.c -- the SVD kernels: the same bits from every instruction set, whatever shares the
 * registers with a matrix and however it is scaled; and matrices that break simpler methods. */
#include "check.h"

#include <float.h>
#include <math.h>

#include <sheaf/dtype.h>

#include "kernels.h"
#include "svd_jacobi.h"

enum { MATRIX_MAX = 64 * 80 };

static double uniform(unsigned long long *seed) /* in [-1, 1) */
{
    return (double)(long long)check_random(seed) * 0x1p-63;
}

/* What a kernel is asked for. */
enum what { VALUES, REDUCED, FULL };

struct outputs {
    void *values;
    int32_t *status;
    void *u, *vt;
};

static void run(const struct kernels *kernels, enum kernel_dtype dtype, enum what what,
                struct kernel_svd call, const struct outputs *out)
{
    size_t bytes = sheaf_svd_scratch(call.m, call.n, what != VALUES, what == FULL);
    call.s = out->values;
    call.status = out->status;
    call.u = out->u;
    call.vt = out->vt;
    call.is_full = what == FULL;
    call.scratch = aligned_alloc(64, (bytes + 63) / 64 * 64);
    CHECK(call.scratch != NULL);
    memset(call.scratch, 0xff, bytes); /* NaN: nothing may count on zeros */
    (what == VALUES ? kernels->svd_values : kernels->svd_vectors)[dtype](&call);
    free(call.scratch);
}

static void solve(const struct kernels *kernels, enum kernel_dtype dtype, const void *a,
                  size_t count, size_t m, size_t n, void *values, int32_t *status, size_t sweeps)
{
    run(kernels, dtype, VALUES,
        (struct kernel_svd){.x = a, .count = count, .m = m, .n = n, .sweeps_for_one = sweeps},
        &(struct outputs){values, status, NULL, NULL});
}

static void fill(double *a, size_t count, size_t size, unsigned long long *seed)
{
    for (size_t i = 0; i < count * size; i++) {
        double x = uniform(seed);
        a[i] = i / size % 3 == 0 ? ldexp(x, (int)(check_random(seed) % 40)) : x;
    }
}

static const size_t shapes[][2] = {{1, 1},    {2, 2},   {1, 3},  {3, 1},   {3, 3},    {5, 5},
                                   {10, 10},  {10, 12}, {17, 9}, {9, 17},  {32, 32},  {64, 64},
                                   {64, 80},  {80, 64}, {79, 9}, {300, 7}, {7, 301},  {1001, 4},
                                   {1000, 2}, {33, 4},  {8, 70}, {25, 3},  {4, 1000}, {500, 1}};
enum { SHAPES = sizeof shapes / sizeof shapes[0], COUNT = 37 };

/* ---- The same bits ---------------------------------------------------------------------------- */

/* FNV-1a (Fowler, Noll, Vo). */
static unsigned long long hash_of(unsigned long long hash, const void *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3;
    return hash;
}

/* The hash goes on over the results of `what`; the values must be those given. */
static unsigned long long hash_vectors(unsigned long long hash, const struct kernels *kernels,
                                       enum kernel_dtype dtype, enum what what,
                                       struct kernel_svd call, const void *values)
{
    size_t element = dtype == KERNEL_F64 ? sizeof(double) : sizeof(float);
    size_t k = call.m < call.n ? call.m : call.n;
    size_t u_bytes = call.count * call.m * (what == FULL ? call.m : k) * element;
    size_t vt_bytes = call.count * call.n * (what == FULL ? call.n : k) * element;
    struct outputs out = {malloc(call.count * k * element), malloc(call.count * sizeof(int32_t)),
                          malloc(u_bytes), malloc(vt_bytes)};
    CHECK(out.values != NULL && out.status != NULL && out.u != NULL && out.vt != NULL);
    call.sweeps_for_one = KERNEL_SVD_SWEEPS;
    run(kernels, dtype, what, call, &out);
    CHECK(memcmp(out.values, values, call.count * k * element) == 0);
    hash = hash_of(hash_of(hash, out.u, u_bytes), out.vt, vt_bytes);
    free(out.values);
    free(out.status);
    free(out.u);
    free(out.vt);
    return hash;
}

/* One hash over the values and vectors of many matrices, of all shapes and both types: the same for every instruction
 * set, compiler and machine. It changes only if the algorithm does, which is a new format of the result. */
static unsigned long long hash_of_all(const struct kernels *kernels)
{
    unsigned long long seed = 23;
    unsigned long long hash = 0xcbf29ce484222325;
    for (size_t s = 0; s < SHAPES; s++) {
        size_t m = shapes[s][0];
        size_t n = shapes[s][1];
        size_t k = m < n ? m : n;
        double *a = malloc(COUNT * m * n * sizeof *a);
        float *f = malloc(COUNT * m * n * sizeof *f);
        double *values = malloc(COUNT * k * sizeof *values);
        int32_t status[COUNT];
        CHECK(a != NULL && f != NULL && values != NULL);
        fill(a, COUNT, m * n, &seed);
        for (size_t i = 0; i < COUNT * m * n; i++)
            f[i] = (float)a[i];
        solve(kernels, KERNEL_F64, a, COUNT, m, n, values, status, KERNEL_SVD_SWEEPS);
        hash = hash_of(hash, values, COUNT * k * sizeof *values);
        struct kernel_svd call = {.x = a, .count = COUNT, .m = m, .n = n};
        hash = hash_vectors(hash, kernels, KERNEL_F64, REDUCED, call, values);
        call.count = 5;
        hash = hash_vectors(hash, kernels, KERNEL_F64, FULL, call, values);
        solve(kernels, KERNEL_F32, f, COUNT, m, n, values, status, KERNEL_SVD_SWEEPS);
        hash = hash_of(hash, values, COUNT * k * sizeof *f);
        call.x = f;
        hash = hash_vectors(hash, kernels, KERNEL_F32, FULL, call, values);
        free(a);
        free(f);
        free(values);
    }
    return hash;
}

static void every_instruction_set_gives_the_golden_bits(void)
{
    const unsigned long long golden = 0x68a2cccf7db7a31c;
    for (size_t i = 0; sheaf_kernels_at(i) != NULL; i++) {
        unsigned long long hash = hash_of_all(sheaf_kernels_at(i));
        if (hash != golden)
            fprintf(stderr, "%s: 0x%llx\n", sheaf_kernels_at(i)->isa, hash);
        CHECK(hash == golden);
    }
}

/* Every matrix alone, and all of them in reverse, against the batch. */
static void a_matrix_does_not_feel_its_neighbours(void)
{
    unsigned long long seed = 29;
    for (size_t s = 0; s < SHAPES; s++)
        for (size_t z = 0; sheaf_kernels_at(z) != NULL; z++) {
            const struct kernels *kernels = sheaf_kernels_at(z);
            size_t m = shapes[s][0];
            size_t n = shapes[s][1];
            size_t k = m < n ? m : n;
            double *a = malloc(2 * COUNT * m * n * sizeof *a);
            double *values = malloc(2 * COUNT * k * sizeof *values);
            int32_t status[2 * COUNT];
            double alone[64];
            CHECK(a != NULL && values != NULL);
            double *reversed = a + COUNT * m * n;
            fill(a, COUNT, m * n, &seed);
            a[5 * m * n] = NAN;
            a[22 * m * n + m * n / 2] = -INFINITY;
            memset(a + 9 * m * n, 0, m * n * sizeof *a);
            for (size_t i = 0; i < COUNT; i++)
                memcpy(reversed + (COUNT - 1 - i) * m * n, a + i * m * n, m * n * sizeof *a);
            solve(kernels, KERNEL_F64, a, 2 * COUNT, m, n, values, status, KERNEL_SVD_SWEEPS);
            for (size_t i = 0; i < COUNT; i++) {
                const double *other = values + (2 * COUNT - 1 - i) * k;
                CHECK(memcmp(values + i * k, other, k * sizeof *values) == 0);
                CHECK(status[i] == (i == 5 || i == 22) && status[2 * COUNT - 1 - i] == status[i]);
                if (i % 9 != 4)
                    continue;
                solve(kernels, KERNEL_F64, a + i * m * n, 1, m, n, alone, status + i,
                      KERNEL_SVD_SWEEPS);
                CHECK(memcmp(values + i * k, alone, k * sizeof *values) == 0);
            }
            CHECK(values[9 * k] == 0 && values[9 * k + k - 1] == 0);
            free(a);
            free(values);
        }
}

static void a_power_of_two_scales_the_values_to_the_bit(void)
{
    static const int powers[] = {-1000, -300, -77, 1, 2, 401, 1000};
    const struct kernels *kernels = sheaf_kernels_at(0);
    unsigned long long seed = 31;
    while (sheaf_kernels_at(1) != NULL && kernels == sheaf_kernels_at(0))
        kernels = sheaf_kernels_at(1);
    for (size_t s = 0; s < SHAPES; s++) {
        size_t m = shapes[s][0];
        size_t n = shapes[s][1];
        size_t k = m < n ? m : n;
        double *a = malloc(2 * m * n * sizeof *a);
        double values[64];
        double scaled[64];
        int32_t status;
        CHECK(a != NULL);
        for (size_t i = 0; i < m * n; i++)
            a[i] = uniform(&seed);
        solve(kernels, KERNEL_F64, a, 1, m, n, values, &status, KERNEL_SVD_SWEEPS);
        for (size_t p = 0; p < sizeof powers / sizeof powers[0]; p++) {
            for (size_t i = 0; i < m * n; i++)
                a[m * n + i] = ldexp(a[i], powers[p]);
            solve(kernels, KERNEL_F64, a + m * n, 1, m, n, scaled, &status, KERNEL_SVD_SWEEPS);
            for (size_t i = 0; i < k; i++)
                CHECK(scaled[i] == ldexp(values[i], powers[p]));
        }
        free(a);
    }
}

/* ---- Hard matrices ---------------------------------------------------------------------------- */

/* In units of n eps times the largest; dqds and bisection, which share nothing, agree too. */
static void check_against(const double *a, size_t m, size_t n, const double *expected,
                          const char *name)
{
    size_t k = m < n ? m : n;
    for (size_t z = 0; sheaf_kernels_at(z) != NULL; z++)
        for (size_t sweeps = 0; sweeps <= KERNEL_SVD_SWEEPS; sweeps += KERNEL_SVD_SWEEPS) {
            double values[64];
            int32_t status;
            solve(sheaf_kernels_at(z), KERNEL_F64, a, 1, m, n, values, &status, sweeps);
            CHECK(status == 0);
            for (size_t i = 0; i < k; i++) {
                double error = fabs(values[i] - expected[i]);
                double unit = DBL_EPSILON * (double)k * expected[0] + DBL_TRUE_MIN;
                if (!(error <= 30 * unit))
                    fprintf(stderr, "%s, value %zu of %zu, %zu sweeps: %.17g, not %.17g\n", name, i,
                            k, sweeps, values[i], expected[i]);
                CHECK(error <= 30 * unit);
                CHECK(values[i] >= 0 && (i == 0 || values[i] <= values[i - 1]));
            }
        }
}

static void check_by_jacobi(const double *a, size_t m, size_t n, const char *name)
{
    double expected[64];
    svd_jacobi(a, m, n, expected);
    check_against(a, m, n, expected, name);
}

static void lauchli_kahan_hilbert_and_their_like(void)
{
    static double a[MATRIX_MAX];
    static const size_t sizes[] = {2, 3, 10, 26, 32};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        size_t n = sizes[s];
        for (size_t i = 0; i <= n; i++)
            for (size_t j = 0; j < n; j++)
                a[i * n + j] = i == 0 ? 1 : i == j + 1 ? 1e-9 : 0;
        check_by_jacobi(a, n + 1, n, "Lauchli");
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                a[i * n + j] = pow(0.6, (double)i) * (i == j ? 1 : j > i ? -0.8 : 0);
        check_by_jacobi(a, n, n, "Kahan");
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                a[i * n + j] = 1 / (double)(i + j + 1);
        check_by_jacobi(a, n, n, "Hilbert");
        memset(a, 0, n * n * sizeof *a);
        for (size_t i = 0; i + 1 < n; i++)
            a[(i + 1) * n + i] = 1;
        for (size_t i = 0; i < n; i++)
            a[i * n + n - 1] = -(double)(i + 1);
        check_by_jacobi(a, n, n, "companion");
        for (size_t i = 0; i < n * n; i++)
            a[i] = 1;
        check_by_jacobi(a, n, n, "ones");
        for (size_t i = 0; i < n * n; i++)
            a[i] = i / n == i % n ? 1 : i / n + 1 == i % n ? 1 : 0;
        check_by_jacobi(a, n, n, "bidiagonal of ones");
        for (size_t i = 0; i < n * n; i++)
            a[i] = i / n == i % n       ? (i / n % 2 ? 1 : 3)
                   : i / n + 1 == i % n ? (i / n % 3 ? 1 : 0)
                                        : 0;
        check_by_jacobi(a, n, n, "blocks");
    }
}

static void badly_scaled_and_deficient_ones(void)
{
    static double a[MATRIX_MAX];
    unsigned long long seed = 37;
    static const size_t sizes[][2] = {{3, 3}, {10, 10}, {30, 20}, {100, 9}, {32, 32}};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        size_t m = sizes[s][0];
        size_t n = sizes[s][1];
        for (size_t i = 0; i < m * n; i++)
            a[i] = uniform(&seed) * (i % n % 2 ? 1e-300 : 1e300);
        check_by_jacobi(a, m, n, "mixed columns");
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++)
                a[i * n + j] = uniform(&seed) * pow(10, -15.0 * (double)i);
        check_by_jacobi(a, m, n, "graded rows");
        for (size_t i = 0; i < m * n; i++)
            a[i] = uniform(&seed) * pow(10, 9.0 * (double)(i % n));
        check_by_jacobi(a, m, n, "rising columns");
        for (size_t i = 0; i < m * n; i++)
            a[i] = ldexp((double)(check_random(&seed) % 1024), -1074);
        check_by_jacobi(a, m, n, "denormals");
        for (size_t i = 0; i < m * n; i++)
            a[i] = i % n == 1 ? a[i - 1] : uniform(&seed);
        check_by_jacobi(a, m, n, "a duplicate column");
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++)
                a[i * n + j] = (double)(i + 1) * (double)(j + 2);
        check_by_jacobi(a, m, n, "rank 1");
        for (size_t i = 0; i < m * n; i++)
            a[i] = i == m * n - 1 ? -7.5 : 0;
        check_by_jacobi(a, m, n, "one element");
        for (size_t i = 0; i < m * n; i++)
            a[i] = uniform(&seed) * 0x1p1018;
        check_by_jacobi(a, m, n, "huge");
    }
}

/* LAPACK's bidiagonal test (dchkbd): entries e^x, x uniform between 2 log(ulp) and -2 log(ulp). */
static void bidiagonals_of_all_magnitudes(void)
{
    static double a[MATRIX_MAX];
    unsigned long long seed = 41;
    for (int turn = 0; turn < 60; turn++) {
        size_t n = 2 + check_random(&seed) % 30;
        memset(a, 0, n * n * sizeof *a);
        for (size_t i = 0; i < n; i++) {
            a[i * n + i] = exp(72 * uniform(&seed));
            if (i + 1 < n)
                a[i * n + i + 1] = exp(72 * uniform(&seed));
        }
        check_by_jacobi(a, n, n, "bidiagonal");
    }
}

/* Two or three of three values ever closer to each other, in a product with reflections on both sides. */
static void close_values_of_small_matrices(void)
{
    static const double others[] = {1e-9, 0.01, 0.9, 1};
    unsigned long long seed = 43;
    for (size_t turn = 0; turn < 4 * 54; turn++)
        for (size_t n = 2; n <= 3; n++) {
            double near = turn % 3 == 0 ? 1 : others[turn % 4];
            double values[3] = {1, near, near * (1 - ldexp(1, -(int)(turn / 4)))};
            double u[3], v[3], uu = 0, vv = 0, a[9];
            for (size_t i = 0; i < n; i++) {
                u[i] = uniform(&seed);
                v[i] = uniform(&seed);
                uu += u[i] * u[i];
                vv += v[i] * v[i];
            }
            for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < n; j++) {
                    a[i * n + j] = 0;
                    for (size_t k = 0; k < n; k++)
                        a[i * n + j] += values[k] * ((i == k) - 2 * u[i] * u[k] / uu) *
                                        ((k == j) - 2 * v[k] * v[j] / vv);
                }
            check_by_jacobi(a, n, n, "close values");
        }
}

/* A small value among nearly equal ones, in the middle. Dqds finds them with half the sweeps it has: with those
 * that it has, the bits are the same, which bisection would not give. */
static void a_small_value_takes_few_sweeps(void)
{
    enum { SIZE = 32 };
    static double a[SIZE * SIZE];
    unsigned long long seed = 53;
    for (int turn = 30; turn < 60; turn++) {
        double values[SIZE], few[SIZE];
        int32_t status;
        for (size_t i = 0; i < SIZE; i++) {
            a[i * SIZE + i] = i == SIZE / 2 ? ldexp(1, -turn) : 1;
            if (i + 1 < SIZE)
                a[i * SIZE + i + 1] = exp2(25 * uniform(&seed) - 25);
        }
        check_by_jacobi(a, SIZE, SIZE, "a small value in the middle");
        solve(sheaf_kernels_at(0), KERNEL_F64, a, 1, SIZE, SIZE, values, &status,
              KERNEL_SVD_SWEEPS);
        solve(sheaf_kernels_at(0), KERNEL_F64, a, 1, SIZE, SIZE, few, &status,
              KERNEL_SVD_SWEEPS / 2);
        CHECK(memcmp(values, few, sizeof few) == 0);
    }
}

/* Blocks that fall apart after a shift was too large: what bounds the shifts of the whole need not bound those of the
 * part. Half the sweeps are enough, as above. */
static void blocks_that_fall_apart_take_few_sweeps(void)
{
    enum { SIZE = 32, MANY = 160 };
    static double a[MANY][SIZE * SIZE];
    double values[MANY * SIZE], few[MANY * SIZE];
    int32_t status[MANY];
    unsigned long long seed = 59;
    for (size_t i = 0; i < MANY; i++)
        for (size_t k = 0; k < SIZE; k++) {
            bool is_tiny = uniform(&seed) < -0.6 && i % 2 == 0;
            a[i][k * SIZE + k] = is_tiny ? 1e-14 * fabs(uniform(&seed)) : 1;
            is_tiny = i % 2 == 0 ? uniform(&seed) < -0.6 : true;
            if (k + 1 < SIZE)
                a[i][k * SIZE + k + 1] = is_tiny ? exp2(13 * uniform(&seed) - 14) : 1;
        }
    solve(sheaf_kernels_at(0), KERNEL_F64, a, MANY, SIZE, SIZE, values, status, KERNEL_SVD_SWEEPS);
    solve(sheaf_kernels_at(0), KERNEL_F64, a, MANY, SIZE, SIZE, few, status, KERNEL_SVD_SWEEPS / 2);
    CHECK(memcmp(values, few, sizeof few) == 0);
    for (size_t i = 0; i < MANY; i += 8)
        check_by_jacobi(a[i], SIZE, SIZE, "a block that falls apart");
}

/* Bidiagonals of powers of two, whose squares come to just what counts as 0 in a sweep: whether a block ends there is not to
 * depend on whether one ends in a neighbour. */
static void blocks_end_whatever_the_neighbours_do(void)
{
    enum { SIZE = 24, MANY = 96 };
    static double a[MANY][SIZE * SIZE];
    double values[MANY * SIZE], alone[SIZE];
    int32_t status[MANY];
    unsigned long long seed = 61;
    for (size_t i = 0; i < MANY; i++) {
        int down[SIZE] = {0}; /* the first is 1 */
        for (size_t k = 1; k < SIZE; k++)
            down[k] = (int)(9 * (1 + uniform(&seed)));
        for (size_t k = 0; k < SIZE; k++) {
            bool comes_to_it = k + 1 < SIZE && down[k + 1] > down[k] && uniform(&seed) < 0.6;
            a[i][k * SIZE + k] = ldexp(1, -down[k]);
            if (k + 1 < SIZE)
                a[i][k * SIZE + k + 1] = comes_to_it ? ldexp(1, down[k + 1] - down[k] - 51)
                                                     : ldexp(1, (int)(26 * uniform(&seed) - 26));
        }
    }
    for (size_t z = 0; sheaf_kernels_at(z) != NULL; z++) {
        const struct kernels *kernels = sheaf_kernels_at(z);
        solve(kernels, KERNEL_F64, a, MANY, SIZE, SIZE, values, status, KERNEL_SVD_SWEEPS);
        for (size_t i = 0; i < MANY; i++) {
            solve(kernels, KERNEL_F64, a[i], 1, SIZE, SIZE, alone, status, KERNEL_SVD_SWEEPS);
            CHECK(memcmp(values + i * SIZE, alone, sizeof alone) == 0);
        }
    }
}

/* Some that three columns' own sweeps leave to dqds, for all lanes: the others keep their values. */
static void three_columns_that_go_to_dqds(void)
{
    static const int hard[][3] = {{27, 49, 49}, {14, 43, 37}, {23, 46, 43}, {12, 53, 35}};
    unsigned long long seed = 47;
    double a[COUNT * 9], values[COUNT * 3], alone[3];
    int32_t status[COUNT];
    fill(a, COUNT, 9, &seed);
    for (size_t h = 0; h < sizeof hard / sizeof hard[0]; h++) {
        const double e0 = ldexp(1, -hard[h][1]);
        const double e1 = ldexp(1, -hard[h][2]);
        const double is_hard[9] = {1, e0, 0, 0, 1 + ldexp(1, -hard[h][0]), e1, 0, 0, 1};
        memcpy(a + (3 + 9 * h) * 9, is_hard, sizeof is_hard);
        check_by_jacobi(is_hard, 3, 3, "left to dqds");
    }
    for (size_t z = 0; sheaf_kernels_at(z) != NULL; z++) {
        const struct kernels *kernels = sheaf_kernels_at(z);
        solve(kernels, KERNEL_F64, a, COUNT, 3, 3, values, status, KERNEL_SVD_SWEEPS);
        for (size_t i = 0; i < COUNT; i++) {
            solve(kernels, KERNEL_F64, a + i * 9, 1, 3, 3, alone, status, KERNEL_SVD_SWEEPS);
            CHECK(memcmp(values + i * 3, alone, sizeof alone) == 0);
        }
    }
}

CHECK_MAIN(CASE(every_instruction_set_gives_the_golden_bits),
           CASE(a_matrix_does_not_feel_its_neighbours),
           CASE(a_power_of_two_scales_the_values_to_the_bit),
           CASE(lauchli_kahan_hilbert_and_their_like), CASE(badly_scaled_and_deficient_ones),
           CASE(bidiagonals_of_all_magnitudes), CASE(close_values_of_small_matrices),
           CASE(three_columns_that_go_to_dqds), CASE(a_small_value_takes_few_sweeps),
           CASE(blocks_that_fall_apart_take_few_sweeps),
           CASE(blocks_end_whatever_the_neighbours_do))
