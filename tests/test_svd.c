/* test_svd.c -- singular values against matrices made from known ones, and against numpy.
 *
 * The bound is LAPACK's own ratio test: the error in units of min(m, n) * ulp * the largest value is
 * below 30. */
#include "check.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <unistd.h>

#include <sheaf/svd.h>

#include "kernels.h"
#include "op_tree.h"
#include "ops/lapack.h"
#include "ops/svd.h"

#define RATIO_LIMIT 30.0

static const struct svd_params no_params[1];
static const size_t GUARD = 16; /* bytes before and after what is written */

/* A batch of matrices, and what the operation said of them. */
struct batch {
    sheaf_dtype dtype;
    size_t count, m, n, k;
    size_t element;
    unsigned char *a;
    unsigned char *values; /* points past a guard */
    unsigned char *status; /* points past a guard */
    sheaf_svd_report report;
};

static struct batch make_batch(sheaf_dtype dtype, size_t count, size_t m, size_t n)
{
    struct batch b = {.dtype = dtype, .count = count, .m = m, .n = n, .k = m < n ? m : n};
    b.element = sheaf_dtype_size(dtype);
    b.a = calloc(count * m * n + 1, b.element);
    b.values = malloc(count * b.k * b.element + 2 * GUARD);
    b.status = malloc(count * sizeof(int32_t) + 2 * GUARD);
    CHECK(b.a != NULL && b.values != NULL && b.status != NULL);
    memset(b.values, 0x5a, count * b.k * b.element + 2 * GUARD);
    memset(b.status, 0x5a, count * sizeof(int32_t) + 2 * GUARD);
    b.values += GUARD;
    b.status += GUARD;
    return b;
}

static void free_batch(struct batch *b)
{
    free(b->a);
    free(b->values - GUARD);
    free(b->status - GUARD);
}

static bool guard_is_whole(const unsigned char *guard)
{
    for (size_t i = 0; i < GUARD; i++)
        if (guard[i] != 0x5a)
            return false;
    return true;
}

static double get(const struct batch *b, const unsigned char *x, size_t i)
{
    return b->dtype == SHEAF_F64 ? ((const double *)(const void *)x)[i]
                                 : (double)((const float *)(const void *)x)[i];
}

static void put(const struct batch *b, unsigned char *x, size_t i, double value)
{
    if (b->dtype == SHEAF_F64)
        ((double *)(void *)x)[i] = value;
    else
        ((float *)(void *)x)[i] = (float)value;
}

static int32_t status_of(const struct batch *b, size_t i)
{
    return ((const int32_t *)(const void *)b->status)[i];
}

static double uniform(unsigned long long *seed) /* in [-1, 1) */
{
    return (double)(long long)check_random(seed) * 0x1p-63;
}

/* Runs the operation over the batch as (count, m, n), in tasks, by every instruction set: the same bits. */
static void run_batch(struct batch *b, uint64_t task_leaves)
{
    struct op_array arrays[3] = {
        op_tree_array(b->dtype, 3, (size_t[]){b->count, b->m, b->n}),
        op_tree_array(b->dtype, 2, (size_t[]){b->count, b->k}),
        op_tree_array(SHEAF_I32, 1, (size_t[]){b->count}),
    };
    size_t bytes = b->count * b->k * b->element;
    unsigned char *first = malloc(bytes + 1);
    CHECK(first != NULL);
    for (size_t i = 0; sheaf_kernels_at(i) != NULL; i++) {
        struct op_call call = {.kernels = sheaf_kernels_at(i),
                               .params = no_params,
                               .arrays = arrays,
                               .data = {b->a, b->values, b->status}};
        CHECK_OK(op_tree_run("svd", &call, task_leaves, NULL, &b->report));
        CHECK(b->report.reproducible == (b->k <= KERNEL_SVD_COLUMNS_MAX));
        CHECK(guard_is_whole(b->values - GUARD) && guard_is_whole(b->status - GUARD));
        CHECK(guard_is_whole(b->values + bytes));
        CHECK(guard_is_whole(b->status + b->count * sizeof(int32_t)));
        if (i > 0)
            CHECK(memcmp(first, b->values, bytes) == 0);
        memcpy(first, b->values, bytes);
    }
    free(first);
}

/* The values of matrix i are expected[0..k), falling, within the bound. */
static void check_values(const struct batch *b, size_t i, const double *expected)
{
    double ulp = b->dtype == SHEAF_F64 ? DBL_EPSILON : (double)FLT_EPSILON;
    double unit = (double)b->k * ulp * expected[0];
    CHECK(status_of(b, i) == 0);
    for (size_t j = 0; j < b->k; j++) {
        double value = get(b, b->values, i * b->k + j);
        double error = fabs(value - expected[j]);
        if (!(error <= RATIO_LIMIT * unit))
            fprintf(stderr, "%s %zu x %zu, value %zu: %.17g, not %.17g: ratio %g\n",
                    sheaf_dtype_name(b->dtype), b->m, b->n, j, value, expected[j], error / unit);
        CHECK(error <= RATIO_LIMIT * unit);
        CHECK(value >= 0 && (j == 0 || value <= get(b, b->values, i * b->k + j - 1)));
    }
}

/* ---- Matrices with known values ------------------------------------------------------------- */

/* x, of rows x columns, times the reflection I - 2 v v' / v'v from the left, for a random v. */
static void reflect_rows(long double *x, size_t rows, size_t columns, size_t row_step,
                         size_t column_step, unsigned long long *seed)
{
    long double v[1100];
    long double norm = 0;
    CHECK(rows <= sizeof v / sizeof v[0]);
    for (size_t i = 0; i < rows; i++) {
        v[i] = (long double)uniform(seed);
        norm += v[i] * v[i];
    }
    for (size_t j = 0; j < columns; j++) {
        long double dot = 0;
        for (size_t i = 0; i < rows; i++)
            dot += v[i] * x[i * row_step + j * column_step];
        for (size_t i = 0; i < rows; i++)
            x[i * row_step + j * column_step] -= 2 * dot / norm * v[i];
    }
}

enum kind { ZERO, IDENTITY, RANK_ONE, GEOMETRIC, EVEN, CLUSTERED, HUGE_ONES, TINY_ONES, KINDS };

static void known_values(double *s, size_t k, enum kind kind, double ulp, double scale)
{
    for (size_t j = 0; j < k; j++) {
        double part = k > 1 ? (double)j / (double)(k - 1) : 0;
        switch (kind) {
        case ZERO:
            s[j] = 0;
            break;
        case RANK_ONE:
            s[j] = j == 0 ? 3 : 0;
            break;
        case GEOMETRIC:
            s[j] = pow(ulp, part);
            break;
        case CLUSTERED:
            s[j] = j == 0 ? 1 : ulp;
            break;
        case EVEN:
            s[j] = 1 - part * (1 - ulp);
            break;
        case HUGE_ONES:
            s[j] = scale * (1 - part / 2);
            break;
        case TINY_ONES:
            s[j] = (1 - part / 2) / scale;
            break;
        case IDENTITY:
        case KINDS:
            s[j] = 1;
            break;
        }
    }
}

/* Matrix i becomes U diag(s) V', U and V products of three reflections, rounded once. */
static void fill_known(struct batch *b, size_t i, const double *s, bool is_diagonal,
                       unsigned long long *seed)
{
    long double *x = calloc(b->m * b->n, sizeof *x);
    CHECK(x != NULL);
    for (size_t j = 0; j < b->k; j++)
        x[j * b->n + j] = (long double)s[j];
    for (int turn = 0; turn < 3 && !is_diagonal; turn++) {
        reflect_rows(x, b->m, b->n, b->n, 1, seed);
        reflect_rows(x, b->n, b->m, 1, b->n, seed);
    }
    for (size_t j = 0; j < b->m * b->n; j++)
        put(b, b->a, i * b->m * b->n + j, (double)x[j]);
    free(x);
}

static void matrices_have_the_values_they_were_made_from(void)
{
    static const size_t shapes[][2] = {{1, 1},   {1, 2},   {2, 1},     {3, 1},    {3, 3},  {10, 10},
                                       {10, 16}, {16, 10}, {30, 30},   {40, 30},  {7, 10}, {32, 32},
                                       {60, 20}, {20, 60}, {1000, 10}, {10, 1001}};
    unsigned long long seed = 7;
    double s[KINDS][40];
    for (size_t shape = 0; shape < sizeof shapes / sizeof shapes[0]; shape++)
        for (int wide = 0; wide < 2; wide++) {
            sheaf_dtype dtype = wide ? SHEAF_F64 : SHEAF_F32;
            struct batch b = make_batch(dtype, KINDS, shapes[shape][0], shapes[shape][1]);
            CHECK(b.k <= 40);
            for (size_t i = 0; i < KINDS; i++) {
                known_values(s[i], b.k, (enum kind)i, wide ? DBL_EPSILON : (double)FLT_EPSILON,
                             wide ? 1e300 : 1e30);
                fill_known(&b, i, s[i], (enum kind)i == IDENTITY, &seed);
            }
            run_batch(&b, 4);
            CHECK(b.report.failures == 0);
            for (size_t i = 0; i < KINDS; i++)
                check_values(&b, i, s[i]);
            free_batch(&b);
        }
}

static void squares_of_the_values_sum_to_those_of_the_elements(void)
{
    unsigned long long seed = 11;
    struct batch b = make_batch(SHEAF_F64, 5, 50, 33);
    for (size_t i = 0; i < b.count * b.m * b.n; i++)
        put(&b, b.a, i, uniform(&seed));
    run_batch(&b, 1);
    for (size_t i = 0; i < b.count; i++) {
        long double elements = 0;
        long double values = 0;
        for (size_t j = 0; j < b.m * b.n; j++)
            elements += powl((long double)get(&b, b.a, i * b.m * b.n + j), 2);
        for (size_t j = 0; j < b.k; j++)
            values += powl((long double)get(&b, b.values, i * b.k + j), 2);
        CHECK(fabsl(elements - values) <= 1e-13L * elements);
    }
    free_batch(&b);
}

/* ---- What fails, and what is next to it ------------------------------------------------------ */

static void a_matrix_that_is_not_finite_fails_alone(void)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    unsigned long long seed = 13;
    for (int wide = 0; wide < 2; wide++) {
        const uint64_t nan_f64 = 0x7ff8000000000000;
        const uint32_t nan_f32 = 0x7fc00000;
        struct batch good = make_batch(wide ? SHEAF_F64 : SHEAF_F32, 7, 12, 9);
        struct batch b = make_batch(good.dtype, 7, 12, 9);
        size_t row = good.k * good.element;
        for (size_t i = 0; i < good.count * good.m * good.n; i++)
            put(&good, good.a, i, uniform(&seed));
        memcpy(b.a, good.a, b.element * 7 * 12 * 9);
        for (size_t i = 0; i < 3; i++) /* in matrices 1, 3 and 5: first, middle, last element */
            put(&b, b.a, (2 * i + 1) * 108 + i * 107 / 2, bad[i]);
        run_batch(&good, 1024);
        for (uint64_t task = 1; task <= 8; task *= 2) {
            run_batch(&b, task);
            CHECK(good.report.failures == 0 && b.report.failures == 3);
            for (size_t i = 0; i < 7; i++) {
                CHECK(status_of(&b, i) == (i % 2 == 1 ? 1 : 0));
                if (i % 2 == 0)
                    CHECK(memcmp(b.values + i * row, good.values + i * row, row) == 0);
                for (size_t j = 0; j < b.k && i % 2 == 1; j++)
                    CHECK(memcmp(b.values + i * row + j * b.element,
                                 wide ? (const void *)&nan_f64 : (const void *)&nan_f32,
                                 b.element) == 0);
            }
        }
        free_batch(&good);
        free_batch(&b);
    }
}

static void empty_dimensions_are_as_in_numpy(void)
{
    static const size_t shapes[][3] = {{0, 3, 4}, {3, 0, 4}, {3, 4, 0}, {2, 0, 0}, {0, 0, 5}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct batch b = make_batch(SHEAF_F32, shapes[i][0], shapes[i][1], shapes[i][2]);
        run_batch(&b, 2);
        CHECK(b.report.failures == 0);
        for (size_t j = 0; j < b.count; j++)
            CHECK(status_of(&b, j) == 0);
        free_batch(&b);
    }
}

static void a_status_is_not_needed_and_a_batch_may_have_any_dimensions(void)
{
    double a[2][3][2][2] = {{{{3, 0}, {0, 4}}}};
    double values[2][3][2];
    sheaf_svd_report report;
    struct op_array arrays[3] = {op_tree_array(SHEAF_F64, 4, (size_t[]){2, 3, 2, 2}),
                                 op_tree_array(SHEAF_F64, 3, (size_t[]){2, 3, 2}),
                                 {.dtype = 0}};
    struct op_call call = {
        .kernels = sheaf_kernels_at(0), .params = no_params, .arrays = arrays, .data = {a, values}};
    CHECK_OK(op_tree_run("svd", &call, 2, NULL, &report));
    CHECK(report.failures == 0 && values[0][0][0] == 4 && values[0][0][1] == 3);
    CHECK(values[1][2][0] == 0 && values[1][2][1] == 0);

    double one[2][2] = {{1, 1}, {1, 1}}; /* no batch dimensions: one matrix */
    double its[2];
    int32_t status = 7;
    struct op_array single[3] = {op_tree_array(SHEAF_F64, 2, (size_t[]){2, 2}),
                                 op_tree_array(SHEAF_F64, 1, (size_t[]){2}),
                                 op_tree_array(SHEAF_I32, 0, NULL)};
    struct op_call single_call = {.kernels = sheaf_kernels_at(0),
                                  .params = no_params,
                                  .arrays = single,
                                  .data = {one, its, &status}};
    CHECK_OK(op_tree_run("svd", &single_call, 1, NULL, &report));
    CHECK(status == 0 && fabs(its[0] - 2) < 1e-14 && fabs(its[1]) < 1e-14);
}

static sheaf_status plan_of(struct op_array a, struct op_array values, struct op_array status)
{
    struct op_array arrays[3] = {a, values, status};
    struct op_call call = {.arrays = arrays, .params = no_params};
    struct op_plan plan;
    return sheaf_ops[sheaf_op_find("svd")]->plan(&plan, &call);
}

static void what_does_not_fit_is_refused(void)
{
    struct op_array none = {.dtype = 0};
    struct op_array a = op_tree_array(SHEAF_F64, 3, (size_t[]){5, 4, 3});
    struct op_array values = op_tree_array(SHEAF_F64, 2, (size_t[]){5, 3});
    struct op_array status = op_tree_array(SHEAF_I32, 1, (size_t[]){5});
    CHECK_OK(plan_of(a, values, none));
    CHECK_OK(plan_of(a, values, status));
    CHECK_STATUS(SHEAF_ERR_DTYPE,
                 plan_of(op_tree_array(SHEAF_I64, 3, (size_t[]){5, 4, 3}), values, none));
    CHECK_ERROR_SAYS("a is i64; it must be f32 or f64");
    CHECK_STATUS(SHEAF_ERR_DTYPE, plan_of(a, op_tree_array(SHEAF_F32, 2, (size_t[]){5, 3}), none));
    CHECK_ERROR_SAYS("the values are f32; they must be f64");
    CHECK_STATUS(SHEAF_ERR_DTYPE, plan_of(a, values, op_tree_array(SHEAF_I64, 1, (size_t[]){5})));
    CHECK_STATUS(SHEAF_ERR_SHAPE, plan_of(values, a, none));
    CHECK_STATUS(SHEAF_ERR_SHAPE, plan_of(op_tree_array(SHEAF_F64, 1, (size_t[]){5}), a, none));
    CHECK_ERROR_SAYS("1 dimensions");
    CHECK_STATUS(SHEAF_ERR_SHAPE, plan_of(a, op_tree_array(SHEAF_F64, 2, (size_t[]){5, 4}), none));
    CHECK_ERROR_SAYS("4 x 3");
    CHECK_STATUS(SHEAF_ERR_SHAPE, plan_of(a, op_tree_array(SHEAF_F64, 2, (size_t[]){6, 3}), none));
    CHECK_STATUS(SHEAF_ERR_SHAPE, plan_of(a, values, op_tree_array(SHEAF_I32, 1, (size_t[]){4})));
    CHECK_STATUS(SHEAF_ERR_SHAPE,
                 plan_of(op_tree_array(SHEAF_F64, 2, (size_t[]){(size_t)1 << 31, 65}),
                         op_tree_array(SHEAF_F64, 1, (size_t[]){65}), none));
    CHECK_ERROR_SAYS("2147483648 x 65");
    CHECK_OK(plan_of(op_tree_array(SHEAF_F64, 2, (size_t[]){(size_t)1 << 31, 64}),
                     op_tree_array(SHEAF_F64, 1, (size_t[]){64}), none));
}

static void what_lapack_computes_can_be_refused(void)
{
    const struct svd_params strict = {.reproducible = 1};
    struct op_plan plan;
    for (size_t n = 64; n <= 65; n++) {
        struct op_array arrays[3] = {op_tree_array(SHEAF_F64, 3, (size_t[]){2, 99, n}),
                                     op_tree_array(SHEAF_F64, 2, (size_t[]){2, n}),
                                     {.dtype = 0}};
        struct op_call call = {.arrays = arrays, .params = &strict};
        CHECK_STATUS(n == 64 ? SHEAF_OK : SHEAF_ERR_UNSUPPORTED,
                     sheaf_ops[sheaf_op_find("svd")]->plan(&plan, &call));
    }
    CHECK_ERROR_SAYS("99 x 65 is for LAPACK");
}

#ifdef HAS_OPENBLAS
/* ---- OpenBLAS's threads ---------------------------------------------------------------------- */

static void *hammer(void *argument)
{
    unsigned long long seed = (unsigned long long)(size_t)argument;
    for (int turn = 0; turn < 6; turn++) {
        double s[66];
        struct batch b = make_batch(turn % 2 ? SHEAF_F64 : SHEAF_F32, 8, 66, 70);
        known_values(s, 66, EVEN, b.dtype == SHEAF_F64 ? DBL_EPSILON : (double)FLT_EPSILON, 1);
        for (size_t i = 0; i < b.count; i++)
            fill_known(&b, i, s, false, &seed);
        run_batch(&b, 1);
        for (size_t i = 0; i < b.count; i++)
            check_values(&b, i, s);
        free_batch(&b);
    }
    return NULL;
}

static void openblas_keeps_its_thread_count(void)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    const struct lapack *lapack;
    int (*get_threads)(void);
    void (*set_threads)(int);
    void *openblas = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (openblas == NULL) {
        printf("no libopenblas.so.0: %s\n", dlerror());
        return;
    }
    *(void **)&get_threads = dlsym(openblas, "openblas_get_num_threads");
    *(void **)&set_threads = dlsym(openblas, "openblas_set_num_threads");
    set_threads(3);
    for (uint32_t asked = 1; asked <= 2; asked++) { /* with company everybody has one thread */
        CHECK_OK(sheaf_lapack_enter(&lapack, asked));
        CHECK(get_threads() == (int)asked);
        CHECK_OK(sheaf_lapack_enter(&lapack, 2));
        CHECK(get_threads() == 1);
        sheaf_lapack_leave();
        CHECK(get_threads() == 1);
        sheaf_lapack_leave();
        CHECK(get_threads() == 3);
    }
    CHECK(get_threads() == 3);
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, hammer, (void *)(i + 1)) == 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(get_threads() == 3);
    dlclose(openblas);
}
#endif

/* ---- numpy ----------------------------------------------------------------------------------- */

/* Runs numpy over one file of matrices: its values, in f64, replace the file. */
static bool ask_numpy(const char *path, const struct batch *b)
{
    char command[600];
    snprintf(command, sizeof command,
             "/usr/bin/python3 -c \"import numpy as np; a = np.fromfile('%s', '%s').reshape(%zu, "
             "%zu, %zu); np.linalg.svd(a.astype('f8'), compute_uv=False).tofile('%s')\"",
             path, b->dtype == SHEAF_F64 ? "f8" : "f4", b->count, b->m, b->n, path);
    return system(command) == 0;
}

static void values_are_those_of_numpy(void)
{
    static const size_t shapes[][2] = {{10, 10},
                                       {32, 32},
                                       {100, 3},
                                       {5, 64},
#ifdef HAS_OPENBLAS
                                       {120, 90}
#endif
    };
    char path[] = "/tmp/sheaf-test-svd-XXXXXX";
    unsigned long long seed = 17;
    if (system("/usr/bin/python3 -c 'import numpy' 2>/dev/null") != 0)
        check_skip("no numpy: install the package python3-numpy");
    int file = mkostemp(path, O_CLOEXEC);
    CHECK(file >= 0);
    for (size_t shape = 0; shape < sizeof shapes / sizeof shapes[0]; shape++)
        for (int wide = 0; wide < 2; wide++) {
            double theirs[128];
            struct batch b =
                make_batch(wide ? SHEAF_F64 : SHEAF_F32, 6, shapes[shape][0], shapes[shape][1]);
            size_t bytes = b.count * b.m * b.n * b.element;
            for (size_t i = 0; i < b.count * b.m * b.n; i++)
                put(&b, b.a, i, uniform(&seed));
            CHECK(ftruncate(file, 0) == 0 && pwrite(file, b.a, bytes, 0) == (ssize_t)bytes);
            CHECK(ask_numpy(path, &b));
            run_batch(&b, 2);
            for (size_t i = 0; i < b.count; i++) {
                size_t row = b.k * sizeof theirs[0];
                CHECK(pread(file, theirs, row, (off_t)(i * row)) == (ssize_t)row);
                check_values(&b, i, theirs);
            }
            free_batch(&b);
        }
    close(file);
    unlink(path);
}

CHECK_MAIN(CASE(matrices_have_the_values_they_were_made_from),
           CASE(squares_of_the_values_sum_to_those_of_the_elements),
           CASE(a_matrix_that_is_not_finite_fails_alone), CASE(empty_dimensions_are_as_in_numpy),
           CASE(a_status_is_not_needed_and_a_batch_may_have_any_dimensions),
           CASE(what_does_not_fit_is_refused), CASE(what_lapack_computes_can_be_refused),
#ifdef HAS_OPENBLAS
           CASE(openblas_keeps_its_thread_count),
#endif
           CASE(values_are_those_of_numpy))
