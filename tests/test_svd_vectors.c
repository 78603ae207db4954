/* test_svd_vectors.c -- singular vectors through the public interface, by the ratios of LAPACK's own test
 * suite (ddrvbd): residual, orthogonality, order, and that the values do not depend on the mode. */
#include "check.h"

#include <float.h>
#include <math.h>

#include <sheaf/sheaf.h>

#include "svd_ratios.h"

static double uniform(unsigned long long *seed) /* in [-1, 1) */
{
    return (double)(long long)check_random(seed) * 0x1p-63;
}

static void put(sheaf_array *array, size_t i, double value)
{
    if (sheaf_array_dtype(array) == SHEAF_F64)
        ((double *)sheaf_array_data(array))[i] = value;
    else
        ((float *)sheaf_array_data(array))[i] = (float)value;
}

/* count matrices of one kind after another: full rank, graded, rank 1, zero, integers, duplicate columns. */
static void fill(sheaf_array *a, size_t count, size_t m, size_t n, unsigned long long *seed)
{
    for (size_t c = 0; c < count; c++)
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++) {
                double x = uniform(seed);
                if (c % 6 == 1)
                    x *= pow(2, -(double)(3 * j + i) / 2);
                if (c % 6 == 2)
                    x = (double)((i + 1) * (j + 2));
                if (c % 6 == 3)
                    x = 0;
                if (c % 6 == 4)
                    x = (double)(check_random(seed) % 3);
                if (c % 6 == 5 && j % 2 == 1)
                    x = svd_ratios_get(a, (c * m + i) * n + j - 1);
                put(a, (c * m + i) * n + j, x);
            }
}

static const size_t shapes[][2] = {
    {1, 1},   {1, 2},   {2, 1},   {3, 1},   {3, 3},   {2, 5},   {10, 10},
    {10, 16}, {16, 10}, {16, 16}, {30, 30}, {40, 30}, {30, 40}, {40, 40},
    {7, 10},  {100, 9}, {9, 100}, {64, 64}, {60, 33}, {33, 60},
#ifdef HAS_OPENBLAS
    {70, 66},
#endif
};
enum { SHAPES = sizeof shapes / sizeof shapes[0], COUNT = 7 };

static void ratios_of_random_and_deficient_ones(void)
{
    unsigned long long seed = 5;
    for (size_t s = 0; s < SHAPES; s++)
        for (int type = 0; type < 2; type++) {
            sheaf_array *a;
            size_t shape[3] = {COUNT, shapes[s][0], shapes[s][1]};
            CHECK_OK(sheaf_create_anonymous(&a, type == 0 ? SHEAF_F64 : SHEAF_F32, 3, shape));
            fill(a, COUNT, shape[1], shape[2], &seed);
            svd_ratios_check(a, NULL); /* other instruction sets give the same bits */
            sheaf_detach(a);
        }
}

#ifdef HAS_OPENBLAS
/* LAPACK's, turned or not, and through R where it is much taller. */
static void ratios_of_large_ones(void)
{
    static const size_t sizes[][2] = {{66, 130}, {140, 66}, {90, 75}};
    unsigned long long seed = 8;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        sheaf_array *a;
        sheaf_dtype dtype = s == 1 ? SHEAF_F32 : SHEAF_F64;
        CHECK_OK(sheaf_create_anonymous(&a, dtype, 3, (size_t[]){2, sizes[s][0], sizes[s][1]}));
        fill(a, 2, sizes[s][0], sizes[s][1], &seed);
        for (size_t i = 0; i < sizes[s][0] * sizes[s][1]; i++) /* whose squares are not to be had */
            put(a, i, svd_ratios_get(a, i) * (dtype == SHEAF_F64 ? 1e-200 : 1e30));
        svd_ratios_check(a, NULL);
        sheaf_detach(a);
    }
}
#endif

static void empty_dimensions_are_as_in_numpy(void)
{
    static const size_t empties[][3] = {{2, 0, 3}, {2, 3, 0}, {2, 0, 0}, {0, 3, 2}, {0, 0, 0}};
    for (size_t i = 0; i < 5; i++)
        for (int mode = SHEAF_SVD_VALUES; mode <= SHEAF_SVD_FULL; mode++) {
            sheaf_array *a;
            sheaf_svd_arrays out = {0};
            sheaf_svd_report report;
            CHECK_OK(sheaf_create_anonymous(&a, SHEAF_F64, 3, empties[i]));
            sheaf_svd_options options = {.mode = (sheaf_svd_mode)mode};
            CHECK_OK(sheaf_svd(&out, &report, a, &options));
            CHECK(report.failures == 0 && report.reproducible);
            size_t m = empties[i][1];
            size_t n = empties[i][2];
            size_t k = m < n ? m : n;
            CHECK(sheaf_array_ndim(out.s) == 2 && sheaf_array_shape(out.s)[1] == k);
            CHECK((out.u == NULL) == (mode == SHEAF_SVD_VALUES));
            if (mode != SHEAF_SVD_VALUES) {
                CHECK(sheaf_array_shape(out.u)[2] == (mode == SHEAF_SVD_FULL ? m : k));
                CHECK(sheaf_array_shape(out.vt)[1] == (mode == SHEAF_SVD_FULL ? n : k));
            }
            if (mode == SHEAF_SVD_FULL && k == 0)
                for (size_t c = 0; c < empties[i][0]; c++)
                    for (size_t row = 0; row < m + n; row++)
                        for (size_t column = 0; column < m + n; column++)
                            CHECK(svd_ratios_get(m > 0 ? out.u : out.vt,
                                                 (c * (m + n) + row) * (m + n) + column) ==
                                  (row == column));
            sheaf_detach(out.u);
            sheaf_detach(out.s);
            sheaf_detach(out.vt);
            sheaf_detach(a);
        }
}

static void one_that_is_not_finite_leaves_the_others_alone(void)
{
    unsigned long long seed = 9;
    for (size_t s = 0; s < SHAPES; s++) {
        size_t shape[3] = {5, shapes[s][0], shapes[s][1]};
        size_t k = shape[1] < shape[2] ? shape[1] : shape[2];
        sheaf_array *a;
        sheaf_array *status;
        sheaf_svd_arrays clean = {0};
        sheaf_svd_arrays out = {0};
        sheaf_svd_report report;
        CHECK_OK(sheaf_create_anonymous(&a, SHEAF_F64, 3, shape));
        CHECK_OK(sheaf_create_anonymous(&status, SHEAF_I32, 1, shape));
        fill(a, 5, shape[1], shape[2], &seed);
        sheaf_svd_options options = {.mode = SHEAF_SVD_REDUCED, .status = status};
        CHECK_OK(sheaf_svd(&clean, NULL, a, &options));
        size_t each = shape[1] * shape[2];
        put(a, each + each / 2, NAN);
        put(a, 3 * each, -INFINITY);
        CHECK_OK(sheaf_svd(&out, &report, a, &options));
        CHECK(report.failures == 2);
        for (size_t c = 0; c < 5; c++) {
            bool is_bad = c == 1 || c == 3;
            CHECK(((const int32_t *)sheaf_array_data(status))[c] == is_bad);
            sheaf_array *const arrays[3][2] = {
                {out.u, clean.u}, {out.s, clean.s}, {out.vt, clean.vt}};
            const size_t sizes[3] = {shape[1] * k, k, k * shape[2]};
            for (size_t x = 0; x < 3; x++)
                for (size_t i = c * sizes[x]; i < (c + 1) * sizes[x]; i++) {
                    double value = svd_ratios_get(arrays[x][0], i);
                    CHECK(is_bad ? isnan(value) : value == svd_ratios_get(arrays[x][1], i));
                }
        }
        sheaf_array *const all[] = {a, status, clean.u, clean.s, clean.vt, out.u, out.s, out.vt};
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
            sheaf_detach(all[i]);
    }
}

/* ---- The same bits ---------------------------------------------------------------------------- */

/* Copies `count` matrices, matrix i from from[order ? order[i] : i], times 2^power. */
static sheaf_array *copied(const sheaf_array *from, size_t count, const size_t *order, int power)
{
    sheaf_array *to;
    const size_t *shape = sheaf_array_shape(from);
    size_t each = shape[1] * shape[2];
    CHECK_OK(sheaf_create_anonymous(&to, sheaf_array_dtype(from), 3,
                                    (size_t[]){count, shape[1], shape[2]}));
    for (size_t c = 0; c < count; c++)
        for (size_t i = 0; i < each; i++)
            put(to, c * each + i, ldexp(svd_ratios_get(from, order[c] * each + i), power));
    return to;
}

static void detach_all(const sheaf_svd_arrays *arrays)
{
    sheaf_detach(arrays->u);
    sheaf_detach(arrays->s);
    sheaf_detach(arrays->vt);
}

/* Matrix x of one result and y of another are the same bits. */
static void check_same(const sheaf_svd_arrays *of_x, size_t x, const sheaf_svd_arrays *of_y,
                       size_t y, bool with_values)
{
    sheaf_array *const pairs[3][2] = {{of_x->u, of_y->u}, {of_x->vt, of_y->vt}, {of_x->s, of_y->s}};
    for (size_t i = 0; i < (with_values ? 3 : 2); i++) {
        size_t each = sheaf_array_bytes(pairs[i][0]) / sheaf_array_shape(pairs[i][0])[0];
        CHECK(memcmp((char *)sheaf_array_data(pairs[i][0]) + x * each,
                     (char *)sheaf_array_data(pairs[i][1]) + y * each, each) == 0);
    }
}

static void the_batch_does_not_matter_nor_the_instruction_set(void)
{
    unsigned long long seed = 13;
    for (size_t s = 0; s < SHAPES; s++) {
        size_t m = shapes[s][0];
        size_t n = shapes[s][1];
        if (m > 64 && n > 64)
            continue;
        sheaf_array *a;
        size_t reversed[COUNT];
        CHECK_OK(sheaf_create_anonymous(&a, SHEAF_F64, 3, (size_t[]){COUNT, m, n}));
        fill(a, COUNT, m, n, &seed);
        put(a, 4 * m * n, NAN);
        for (size_t c = 0; c < COUNT; c++)
            reversed[c] = COUNT - 1 - c;
        sheaf_array *other = copied(a, COUNT, reversed, 0);
        sheaf_svd_arrays first = {0};
        for (size_t i = 0; sheaf_isa_name(i) != NULL; i++) {
            sheaf_svd_arrays out = {0};
            sheaf_svd_arrays turned = {0};
            sheaf_svd_options options = {.mode = SHEAF_SVD_FULL, .isa = sheaf_isa_name(i)};
            CHECK_OK(sheaf_svd(&out, NULL, a, &options));
            CHECK_OK(sheaf_svd(&turned, NULL, other, &options));
            if (i == 0)
                first = out;
            for (size_t c = 0; c < COUNT; c++) {
                check_same(&out, c, &first, c, true);
                check_same(&out, c, &turned, COUNT - 1 - c, true);
                sheaf_array *alone = copied(a, 1, &c, 0);
                sheaf_svd_arrays single = {0};
                CHECK_OK(sheaf_svd(&single, NULL, alone, &options));
                check_same(&out, c, &single, 0, true);
                detach_all(&single);
                sheaf_detach(alone);
            }
            detach_all(&turned);
            if (i > 0)
                detach_all(&out);
        }
        detach_all(&first);
        sheaf_detach(other);
        sheaf_detach(a);
    }
}

static void a_power_of_two_changes_no_vector(void)
{
    static const int powers[] = {-900, -1, 1, 300, 1000};
    static const size_t in_order[COUNT] = {0, 1, 2, 3, 4, 5, 6};
    unsigned long long seed = 17;
    for (size_t s = 0; s < SHAPES; s++) {
        sheaf_array *a;
        sheaf_svd_arrays out = {0};
        size_t shape[3] = {COUNT, shapes[s][0], shapes[s][1]};
        const sheaf_svd_options options = {.mode = SHEAF_SVD_REDUCED};
        if (shape[1] > 64 && shape[2] > 64)
            continue;
        CHECK_OK(sheaf_create_anonymous(&a, SHEAF_F64, 3, shape));
        for (size_t i = 0; i < sheaf_array_size(a); i++)
            put(a, i, uniform(&seed));
        CHECK_OK(sheaf_svd(&out, NULL, a, &options));
        for (size_t p = 0; p < sizeof powers / sizeof powers[0]; p++) {
            sheaf_array *scaled = copied(a, COUNT, in_order, powers[p]);
            sheaf_svd_arrays of_scaled = {0};
            CHECK_OK(sheaf_svd(&of_scaled, NULL, scaled, &options));
            for (size_t c = 0; c < COUNT; c++)
                check_same(&out, c, &of_scaled, c, false);
            for (size_t i = 0; i < sheaf_array_size(out.s); i++)
                CHECK(svd_ratios_get(of_scaled.s, i) == ldexp(svd_ratios_get(out.s, i), powers[p]));
            detach_all(&of_scaled);
            sheaf_detach(scaled);
        }
        detach_all(&out);
        sheaf_detach(a);
    }
}

/* ---- Hard matrices ---------------------------------------------------------------------------- */

enum hard {
    LAUCHLI,
    KAHAN,
    HILBERT,
    COMPANION,
    ONES,
    TRIDIAGONAL,
    MIXED_COLUMNS,
    GRADED_DOWN,
    GRADED_UP,
    DENORMAL,
    HUGE_ONES,
    LAST_ONLY,
    BIDIAGONAL,
    CLUSTERED,
    HARD
};

static double hard_at(enum hard kind, size_t i, size_t j, size_t n, unsigned long long *seed)
{
    double x = uniform(seed);
    switch (kind) {
    case LAUCHLI:
        return i == 0 ? 1 : i == j + 1 ? 1e-9 : 0;
    case KAHAN:
        return pow(0.6, (double)i) * (i == j ? 1 : j > i ? -0.8 : 0);
    case HILBERT:
        return 1 / (double)(i + j + 1);
    case COMPANION:
        return i == j + 1 ? 1 : j == n - 1 ? -(double)(i + 1) : 0;
    case ONES:
        return 1;
    case TRIDIAGONAL:
        return i == j ? 2 : i == j + 1 || j == i + 1 ? -1 : 0;
    case MIXED_COLUMNS:
        return x * (j % 2 ? 1e-300 : 1e300);
    case GRADED_DOWN:
        return x * pow(10, -15.0 * (double)i);
    case GRADED_UP:
        return x * pow(10, 3.0 * (double)j);
    case DENORMAL:
        return ldexp((double)(check_random(seed) % 1024), -1074);
    case HUGE_ONES:
        return x * 0x1p1018;
    case LAST_ONLY:
        return j == n - 1 && i == n - 1 ? -7.5 : 0;
    case BIDIAGONAL: /* as LAPACK's dchkbd has it */
        return i == j || j == i + 1 ? exp(72 * x) : 0;
    case CLUSTERED:
        return i == j ? (i == 0 ? 1 : DBL_EPSILON) : i < j && i == 0 ? 1e-8 * x : 0;
    case HARD:
        break;
    }
    return 0;
}

static void hard_matrices(void)
{
    static const size_t sizes[][2] = {{2, 2},   {3, 3},   {10, 10}, {26, 26}, {33, 32}, {32, 33},
                                      {64, 64}, {30, 20}, {20, 30}, {100, 9}, {9, 100}, {65, 5}};
    unsigned long long seed = 37;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        sheaf_array *a;
        size_t m = sizes[s][0];
        size_t n = sizes[s][1];
        CHECK_OK(sheaf_create_anonymous(&a, SHEAF_F64, 3, (size_t[]){HARD, m, n}));
        for (size_t c = 0; c < HARD; c++)
            for (size_t i = 0; i < m * n; i++)
                put(a, c * m * n + i, hard_at((enum hard)c, i / n, i % n, n, &seed));
        svd_ratios_check(a, NULL);
        sheaf_detach(a);
    }
}

/* ---- The interface ---------------------------------------------------------------------------- */

static void submitted_into_given_arrays(void)
{
    sheaf_array *a;
    sheaf_array *u;
    sheaf_future *future;
    sheaf_svd_report report;
    unsigned long long seed = 3;
    CHECK_OK(sheaf_create_anonymous(&a, SHEAF_F64, 3, (size_t[]){COUNT, 6, 4}));
    CHECK_OK(sheaf_create_anonymous(&u, SHEAF_F64, 3, (size_t[]){COUNT, 6, 6}));
    fill(a, COUNT, 6, 4, &seed);
    sheaf_svd_arrays arrays = {.u = u};
    sheaf_svd_arrays waited = {0};
    sheaf_svd_options options = {.mode = SHEAF_SVD_FULL};
    CHECK_OK(sheaf_svd(&waited, NULL, a, &options));
    CHECK_OK(sheaf_svd_submit(&future, &arrays, a, &options));
    CHECK(arrays.u == u && arrays.s != NULL && arrays.vt != NULL);
    CHECK_OK(sheaf_future_result(&report, sizeof report, future, SHEAF_FOREVER));
    CHECK(report.failures == 0);
    CHECK(memcmp(sheaf_array_data(u), sheaf_array_data(waited.u), sheaf_array_bytes(u)) == 0);
    CHECK(memcmp(sheaf_array_data(arrays.vt), sheaf_array_data(waited.vt),
                 sheaf_array_bytes(arrays.vt)) == 0);
    sheaf_future_release(future);
    sheaf_array *const all[] = {a, u, arrays.s, arrays.vt, waited.u, waited.s, waited.vt};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        sheaf_detach(all[i]);
}

/* Every second matrix, turned, from the last column on: as a copy of it. */
static void views_are_as_their_copies(void)
{
    static const size_t sizes[][2] = {{10, 10},
                                      {9, 100},
                                      {300, 7},
#ifdef HAS_OPENBLAS
                                      {66, 70}
#endif
    };
    unsigned long long seed = 19;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        sheaf_array *a;
        sheaf_array *views[3];
        sheaf_array *copy;
        CHECK_OK(
            sheaf_create_anonymous(&a, SHEAF_F64, 3, (size_t[]){COUNT, sizes[s][0], sizes[s][1]}));
        fill(a, COUNT, sizes[s][0], sizes[s][1], &seed);
        CHECK_OK(sheaf_view_slice(&views[0], a, 0, 0, SHEAF_END, 2));
        CHECK_OK(sheaf_view_slice(&views[1], views[0], 2, SHEAF_END, SHEAF_BEGIN, -1));
        CHECK_OK(sheaf_view_transpose(&views[2], views[1], (const int64_t[]){0, 2, 1}));
        CHECK_OK(sheaf_copy(&copy, views[2], NULL, NULL));
        for (int mode = SHEAF_SVD_REDUCED; mode <= SHEAF_SVD_FULL; mode++) {
            sheaf_svd_arrays of_view = {0};
            sheaf_svd_arrays of_copy = {0};
            sheaf_svd_options options = {.mode = (sheaf_svd_mode)mode};
            CHECK_OK(sheaf_svd(&of_view, NULL, views[2], &options));
            CHECK_OK(sheaf_svd(&of_copy, NULL, copy, &options));
            for (size_t c = 0; c < sheaf_array_shape(copy)[0]; c++)
                check_same(&of_view, c, &of_copy, c, true);
            detach_all(&of_view);
            detach_all(&of_copy);
        }
        sheaf_array *const all[] = {copy, views[2], views[1], views[0], a};
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
            sheaf_detach(all[i]);
    }
}

static void mistakes_are_told(void)
{
    sheaf_array *a;
    sheaf_array *wrong;
    sheaf_array *single;
    CHECK_OK(sheaf_create_anonymous(&a, SHEAF_F64, 3, (size_t[]){2, 6, 4}));
    CHECK_OK(sheaf_create_anonymous(&wrong, SHEAF_F64, 3, (size_t[]){2, 6, 5}));
    CHECK_OK(sheaf_create_anonymous(&single, SHEAF_F32, 3, (size_t[]){2, 6, 4}));
    const sheaf_svd_options reduced = {.mode = SHEAF_SVD_REDUCED};
    CHECK_STATUS(SHEAF_ERR_SHAPE, sheaf_svd(&(sheaf_svd_arrays){.u = wrong}, NULL, a, &reduced));
    CHECK_ERROR_SAYS("u must have the shape of a with 6 x 4");
    CHECK_STATUS(SHEAF_ERR_SHAPE, sheaf_svd(&(sheaf_svd_arrays){.vt = wrong}, NULL, a, &reduced));
    CHECK_ERROR_SAYS("vt must have the shape of a with 4 x 4");
    CHECK_STATUS(SHEAF_ERR_DTYPE, sheaf_svd(&(sheaf_svd_arrays){.u = single}, NULL, a, &reduced));
    CHECK_ERROR_SAYS("u is f32; it must be f64");
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_svd(&(sheaf_svd_arrays){.u = a}, NULL, a, &reduced));
    CHECK_ERROR_SAYS("share memory");
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_svd(&(sheaf_svd_arrays){.u = wrong}, NULL, a, NULL));
    CHECK_ERROR_SAYS("SHEAF_SVD_REDUCED");
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_svd(NULL, NULL, a, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_svd(&(sheaf_svd_arrays){0}, NULL, NULL, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT,
                 sheaf_svd(&(sheaf_svd_arrays){0}, NULL, a, &(sheaf_svd_options){.mode = 7}));
    CHECK_ERROR_SAYS("unknown mode 7");
    sheaf_detach(a);
    sheaf_detach(wrong);
    sheaf_detach(single);
}

CHECK_MAIN(CASE(ratios_of_random_and_deficient_ones),
#ifdef HAS_OPENBLAS
           CASE(ratios_of_large_ones),
#endif
           CASE(empty_dimensions_are_as_in_numpy),
           CASE(one_that_is_not_finite_leaves_the_others_alone),
           CASE(the_batch_does_not_matter_nor_the_instruction_set),
           CASE(a_power_of_two_changes_no_vector), CASE(hard_matrices),
           CASE(submitted_into_given_arrays), CASE(views_are_as_their_copies),
           CASE(mistakes_are_told))
