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
    {1, 1},   {1, 2},   {2, 1},   {3, 1},   {3, 3},   {2, 5},  {10, 10}, {10, 16}, {16, 10},
    {16, 16}, {30, 30}, {40, 30}, {30, 40}, {40, 40}, {7, 10}, {100, 9}, {9, 100}, {70, 66},
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
            svd_ratios_check(a, NULL);
            sheaf_detach(a);
        }
}

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

CHECK_MAIN(CASE(ratios_of_random_and_deficient_ones), CASE(empty_dimensions_are_as_in_numpy),
           CASE(one_that_is_not_finite_leaves_the_others_alone), CASE(submitted_into_given_arrays),
           CASE(mistakes_are_told))
