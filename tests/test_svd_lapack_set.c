/* test_svd_lapack_set.c -- the matrices that LAPACK tests its own SVD with, by the ratios that it judges it by.
 *
 * Sizes and types are those of ddrvbd and dchkbd (Reference LAPACK, TESTING/svd.in, TESTING/EIG/ddrvbd.f, dchkbd.f), and
 * the spectra those of dlatms (TESTING/MATGEN), modes 1 to 6 and reversed, with the condition number 1 / ulp; the threshold
 * is 30 where LAPACK has 50. Every instruction set and executor must give the bits of the sequential scalar result,
 * which is judged. */
#include "check.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "svd_ratios.h"

/* How a matrix is made: of values between random orthogonal ones, of values on its diagonal, or in its own way. */
enum form { PRODUCT, DIAGONAL, RANDOM, BIDIAGONAL };

/* dlatms's modes, EVEN falling from 1 to ulp as dchkbd has it. */
enum spectrum { ZERO, IDENTITY, ONE_LARGE, ONE_SMALL, GEOMETRIC, EVEN, LOG_RANDOM, ANY, NONE };

/* By what it is multiplied. */
enum size { PLAIN, LEAST, MOST, ROOT_LEAST, ROOT_MOST };

static const struct type {
    enum form form;
    enum spectrum spectrum;
    enum size size;
    bool is_reversed;
} types[] = {
    {DIAGONAL, ZERO, PLAIN, false},      {DIAGONAL, IDENTITY, PLAIN, false},
    {PRODUCT, EVEN, PLAIN, false},       {PRODUCT, EVEN, LEAST, false},
    {PRODUCT, EVEN, MOST, false},        {DIAGONAL, EVEN, PLAIN, false},
    {DIAGONAL, GEOMETRIC, PLAIN, false}, {DIAGONAL, ONE_LARGE, PLAIN, false},
    {DIAGONAL, EVEN, ROOT_MOST, false},  {DIAGONAL, EVEN, ROOT_LEAST, false},
    {PRODUCT, GEOMETRIC, PLAIN, false},  {PRODUCT, ONE_LARGE, PLAIN, false},
    {PRODUCT, EVEN, ROOT_MOST, false},   {PRODUCT, EVEN, ROOT_LEAST, false},
    {RANDOM, NONE, PLAIN, false},        {RANDOM, NONE, ROOT_MOST, false},
    {RANDOM, NONE, ROOT_LEAST, false},   {BIDIAGONAL, NONE, PLAIN, false},
    {PRODUCT, ONE_SMALL, PLAIN, false},  {PRODUCT, LOG_RANDOM, PLAIN, false},
    {PRODUCT, ANY, PLAIN, false},        {DIAGONAL, ONE_LARGE, PLAIN, true},
    {DIAGONAL, ONE_SMALL, PLAIN, true},  {DIAGONAL, GEOMETRIC, PLAIN, true},
    {DIAGONAL, EVEN, PLAIN, true},       {DIAGONAL, LOG_RANDOM, PLAIN, true},
};
enum { TYPES = sizeof types / sizeof types[0], SIDE_MAX = 64, ROWS_MAX = 1001 };

static long double x[ROWS_MAX][SIDE_MAX]; /* the matrix that is being made */

static long double uniform(unsigned long long *seed) /* in [0, 1) */
{
    return (long double)(check_random(seed) >> 11) * 0x1p-53L;
}

static void find_spectrum(long double *d, size_t k, const struct type *type, long double ulp,
                          unsigned long long *seed)
{
    for (size_t i = 0; i < k; i++) {
        long double at = k > 1 ? (long double)i / (long double)(k - 1) : 0;
        switch (type->spectrum) {
        case IDENTITY:
            d[i] = 1;
            break;
        case ONE_LARGE:
            d[i] = i == 0 ? 1 : ulp;
            break;
        case ONE_SMALL:
            d[i] = i + 1 < k ? 1 : ulp;
            break;
        case GEOMETRIC:
            d[i] = powl(ulp, at);
            break;
        case EVEN:
            d[i] = 1 - at * (1 - ulp);
            break;
        case LOG_RANDOM:
            d[i] = powl(ulp, uniform(seed));
            break;
        case ANY:
            d[i] = uniform(seed);
            break;
        default:
            d[i] = 0;
        }
    }
    for (size_t i = 0; type->is_reversed && 2 * i + 1 < k; i++) {
        long double other = d[k - 1 - i];
        d[k - 1 - i] = d[i];
        d[i] = other;
    }
}

static long double factor(enum size size, bool is_f64, long double ulp)
{
    const long double least = is_f64 ? (long double)DBL_MIN : (long double)FLT_MIN;
    switch (size) {
    case LEAST:
        return least / ulp;
    case MOST:
        return ulp / least;
    case ROOT_LEAST:
        return sqrtl(least);
    case ROOT_MOST:
        return sqrtl(1 / least);
    default:
        return 1;
    }
}

/* x times a random reflection: of its columns from the left, or of its rows from the right. */
static void reflect(size_t m, size_t n, bool is_left, unsigned long long *seed)
{
    static long double v[ROWS_MAX];
    const size_t length = is_left ? m : n;
    long double norm = 0;
    for (size_t i = 0; i < length; i++) {
        v[i] = uniform(seed) - 0.5L;
        norm += v[i] * v[i];
    }
    for (size_t j = 0; j < (is_left ? n : m); j++) {
        long double dot = 0;
        for (size_t i = 0; i < length; i++)
            dot += v[i] * (is_left ? x[i][j] : x[j][i]);
        for (size_t i = 0; i < length; i++)
            *(is_left ? &x[i][j] : &x[j][i]) -= 2 * dot / norm * v[i];
    }
}

/* Into x; d is its values, if they are known. */
static void make(size_t m, size_t n, const struct type *type, const long double *d, long double ulp,
                 unsigned long long *seed)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            x[i][j] = type->form == RANDOM ? 2 * uniform(seed) - 1
                      : type->form == BIDIAGONAL
                          ? (j == i || j == i + 1 ? expl((4 * uniform(seed) - 2) * logl(ulp)) : 0)
                      : i == j ? d[i]
                               : 0;
    for (int turn = 0; turn < 12 && type->form == PRODUCT; turn++) {
        reflect(m, n, true, seed);
        reflect(m, n, false, seed);
    }
}

static int falling(const void *a, const void *b)
{
    long double left = *(const long double *)a;
    long double right = *(const long double *)b;
    return (left < right) - (left > right);
}

/* Makes matrix c of the type, and keeps its values in falling order; d[0] = -1: they are not known. */
static void put_matrix(sheaf_array *a, size_t c, const struct type *type, long double *d,
                       unsigned long long *seed)
{
    const bool is_f64 = sheaf_array_dtype(a) == SHEAF_F64;
    const long double ulp = is_f64 ? (long double)DBL_EPSILON : (long double)FLT_EPSILON;
    const long double scale = factor(type->size, is_f64, ulp);
    const size_t m = sheaf_array_shape(a)[1];
    const size_t n = sheaf_array_shape(a)[2];
    const size_t k = m < n ? m : n;
    find_spectrum(d, k, type, ulp, seed);
    make(m, n, type, d, ulp, seed);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            if (is_f64)
                ((double *)sheaf_array_data(a))[(c * m + i) * n + j] = (double)(x[i][j] * scale);
            else
                ((float *)sheaf_array_data(a))[(c * m + i) * n + j] = (float)(x[i][j] * scale);
    for (size_t i = 0; i < k; i++)
        d[i] *= scale;
    qsort(d, k, sizeof *d, falling);
    if (type->spectrum == NONE)
        d[0] = -1;
}

/* The values that it was made of are found. Rounding its elements has moved them by half a quantum each. */
static void check_values(const sheaf_array *s, size_t c, size_t k, const long double *d)
{
    const bool is_f64 = sheaf_array_dtype(s) == SHEAF_F64;
    const long double ulp = is_f64 ? (long double)DBL_EPSILON : (long double)FLT_EPSILON;
    for (size_t i = 0; i < k && d[0] >= 0; i++) {
        long double off = fabsl((long double)svd_ratios_get(s, c * k + i) - d[i]);
        CHECK(off <= (long double)SVD_RATIO_LIMIT * (long double)k * ulp * d[0]);
    }
}

static bool is_same(const sheaf_array *left, const sheaf_array *right)
{
    return left == right ||
           (sheaf_array_bytes(left) == sheaf_array_bytes(right) &&
            memcmp(sheaf_array_data(left), sheaf_array_data(right), sheaf_array_bytes(left)) == 0);
}

static void check_same(const sheaf_array *a, const sheaf_svd_arrays *first,
                       const sheaf_svd_options *options)
{
    sheaf_svd_arrays out = {0};
    CHECK_OK(sheaf_svd(&out, NULL, a, options));
    CHECK(is_same(out.s, first->s) && is_same(out.u, first->u) && is_same(out.vt, first->vt));
    sheaf_detach(out.u);
    sheaf_detach(out.s);
    sheaf_detach(out.vt);
}

/* Every instruction set, and every executor, has the bits of the first. */
static void check_all_ways(const sheaf_array *a, sheaf_svd_mode mode, sheaf_executor *const *pools,
                           const long double (*d)[SIDE_MAX])
{
    sheaf_svd_arrays first = {0};
    sheaf_svd_options options = {.executor = pools[0], .isa = "scalar", .mode = mode};
    CHECK_OK(sheaf_svd(&first, NULL, a, &options));
    for (size_t c = 0; c < TYPES; c++)
        check_values(first.s, c, sheaf_array_shape(first.s)[1], d[c]);
    for (size_t i = 1; (options.isa = sheaf_isa_name(i)) != NULL; i++)
        check_same(a, &first, &options);
    for (size_t i = 1; i < 3; i++) {
        options.executor = pools[i];
        check_same(a, &first, &options);
    }
    sheaf_detach(first.u);
    sheaf_detach(first.s);
    sheaf_detach(first.vt);
}

static void run_sizes(const size_t (*sizes)[2], size_t count, sheaf_svd_mode last)
{
    static const sheaf_backend backends[] = {SHEAF_SEQUENTIAL, SHEAF_THREADS, SHEAF_PROCESSES};
    static long double d[TYPES][SIDE_MAX];
    sheaf_executor *pools[3];
    unsigned long long seed = 101;
    for (size_t i = 0; i < 3; i++)
        CHECK_OK(sheaf_executor_open(&pools[i], backends[i],
                                     &(sheaf_executor_options){.workers = i > 0 ? 2 : 0}));
    for (size_t i = 0; i < count; i++)
        for (int is_f32 = 0; is_f32 < 2; is_f32++) {
            sheaf_array *a;
            const size_t shape[3] = {TYPES, sizes[i][0], sizes[i][1]};
            CHECK_OK(sheaf_create_anonymous(&a, is_f32 ? SHEAF_F32 : SHEAF_F64, 3, shape));
            for (size_t c = 0; c < TYPES; c++)
                put_matrix(a, c, &types[c], d[c], &seed);
            svd_ratios_check_to(a, &(sheaf_svd_options){.executor = pools[0], .isa = "scalar"},
                                last);
            for (int mode = SHEAF_SVD_VALUES; mode <= (int)last; mode++)
                check_all_ways(a, (sheaf_svd_mode)mode, pools, d);
            sheaf_detach(a);
        }
    for (size_t i = 0; i < 3; i++)
        sheaf_executor_close(pools[i]);
}

static void sizes_of_lapack(void)
{
    static const size_t sizes[][2] = {{1, 1},   {1, 2},   {2, 1},   {3, 1},   {3, 3},
                                      {10, 10}, {10, 16}, {16, 10}, {16, 16}, {30, 30},
                                      {30, 40}, {40, 30}, {40, 40}, {7, 10},  {32, 32}};
    run_sizes(sizes, sizeof sizes / sizeof sizes[0], SHEAF_SVD_FULL);
}

static void longer_ones(void)
{
    run_sizes((const size_t[][2]){{1000, 10}, {1001, 10}}, 2, SHEAF_SVD_REDUCED);
}

CHECK_MAIN(CASE(sizes_of_lapack), CASE(longer_ones))
