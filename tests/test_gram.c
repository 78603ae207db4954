/* test_gram.c -- A'A of rows: the bits of plain loops in the order that is promised, from every instruction set, of
 * any type and steps. */
#include "check.h"

#include <math.h>

#include "kernels.h"

enum { COLUMNS_MAX = KERNEL_SVD_COLUMNS_MAX, ROWS_MAX = 2200 };

static double uniform(unsigned long long *seed) /* in [-1, 1) */
{
    return (double)(long long)check_random(seed) * 0x1p-63;
}

/* Chains of fma() down 64 rows (of more than 32 columns, 32), sums of 32 of those in order, and the sum of those. */
static double element_of(const double *a, size_t rows, size_t n, size_t i, size_t j)
{
    size_t block = n <= 32 ? 64 : 32;
    double total = 0;
    for (size_t row = 0; row < rows;) {
        double sum = 0;
        for (size_t k = 0; k < 32 && row < rows; k++) {
            double chain = 0;
            for (size_t end = row + block; row < end && row < rows; row++)
                chain = fma(a[row * n + i], a[row * n + j], chain);
            sum += chain;
        }
        total += sum;
    }
    return total;
}

static void expect(const struct kernels *kernels, enum kernel_dtype dtype,
                   const struct tall_rows *rows, double scale, const double *expected)
{
    size_t n = rows->columns;
    size_t bytes = (sheaf_gram_scratch(n) + 63) / 64 * 64;
    double *work = aligned_alloc(64, bytes);
    double *g = malloc(n * n * sizeof *g);
    CHECK(work != NULL && g != NULL);
    memset(work, 0xff, bytes); /* NaN: nothing may count on zeros */
    memset(g, 0xff, n * n * sizeof *g);
    kernels->gram[dtype](rows, scale, work, g);
    for (size_t i = 0; i < n; i++)
        CHECK(memcmp(g + i * n + i, expected + i * n + i, (n - i) * sizeof *g) == 0);
    free(work);
    free(g);
}

/* As they lie, with a gap after each row, by columns, and at another scale; of both types. */
static void expect_all(size_t rows, size_t n, unsigned long long *seed)
{
    size_t size = rows * n;
    double *a = malloc(size * sizeof *a); /* floats, so that both types have the same sums */
    double *gaps = malloc((size + 3 * rows) * sizeof *gaps);
    double *turned = malloc(size * sizeof *turned);
    float *narrow = malloc(size * sizeof *narrow);
    double *expected = malloc(n * n * sizeof *expected);
    CHECK(a != NULL && gaps != NULL && turned != NULL && narrow != NULL && expected != NULL);
    memset(gaps, 0xff, (size + 3 * rows) * sizeof *gaps);
    for (size_t i = 0; i < size; i++) {
        narrow[i] = (float)uniform(seed);
        a[i] = (double)narrow[i];
        gaps[i / n * (n + 3) + i % n] = a[i];
        turned[i % n * rows + i / n] = 0x1p-20 * a[i];
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            expected[i * n + j] = element_of(a, rows, n, i, j);
    for (size_t z = 0; sheaf_kernels_at(z) != NULL; z++) {
        const struct kernels *kernels = sheaf_kernels_at(z);
        expect(kernels, KERNEL_F64, &(struct tall_rows){a, rows, n, n, 1}, 1, expected);
        expect(kernels, KERNEL_F64, &(struct tall_rows){gaps, rows, n, n + 3, 1}, 1, expected);
        expect(kernels, KERNEL_F64, &(struct tall_rows){turned, rows, n, 1, rows}, 0x1p20,
               expected);
        expect(kernels, KERNEL_F32, &(struct tall_rows){narrow, rows, n, n, 1}, 1, expected);
    }
    free(a);
    free(gaps);
    free(turned);
    free(narrow);
    free(expected);
}

static void each_element_is_its_chains(void)
{
    static const size_t rows[] = {1, 7, 32, 65, 130};
    static const size_t wider[] = {3, 10, 20, 33};
    unsigned long long seed = 41;
    for (size_t n = 1; n <= COLUMNS_MAX; n++)
        expect_all(rows[n % 5], n, &seed);
    for (size_t n = 1; n < 24; n++)
        expect_all(130, n, &seed);
    for (size_t i = 0; i < 4; i++)
        expect_all(ROWS_MAX, wider[i], &seed);
}

CHECK_MAIN(CASE(each_element_is_its_chains))
