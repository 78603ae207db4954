/* test_tall_leaves.c -- a leaf of a tall matrix, by its Gram matrix or by reflections: R and Q against sums in long
 * double, the same bits from every instruction set and from both types, and at every scale. */
#include "check.h"

#include <float.h>
#include <math.h>

#include "kernels.h"

static double uniform(unsigned long long *seed) /* in [-1, 1) */
{
    return (double)(long long)check_random(seed) * 0x1p-63;
}

enum family {
    RANDOM,
    POSITIVE,
    CORRELATED,
    GRADED,
    FAR_APART,
    REPEATED,
    ZERO_COLUMN,
    TINY_ROWS,
    FAMILIES
};

/* Elements are floats if the family's scales are theirs. */
static void fill(double *a, size_t rows, size_t n, enum family family, unsigned long long *seed)
{
    for (size_t i = 0; i < rows; i++) {
        double shared = uniform(seed);
        double *row = a + i * n;
        for (size_t j = 0; j < n; j++) {
            double x = uniform(seed);
            row[j] = (double)(float)x;
            if (family == POSITIVE)
                row[j] = fabs(row[j]);
            if (family == CORRELATED)
                row[j] = (double)(float)(shared + 0x1p-12 * x);
            if (family == GRADED)
                row[j] = ldexp(row[j], -(int)(4 * j));
            if (family == FAR_APART)
                row[j] = ldexp(row[j], j % 2 == 0 ? 300 : -330);
            if (family == REPEATED)
                row[j] = row[j % 2];
            if (family == ZERO_COLUMN && j == n / 2)
                row[j] = 0;
            if (family == TINY_ROWS) /* of all bits, and denormal beside the others */
                row[j] = ldexp(x, i % 16 == 5 ? -745 : 290);
        }
    }
}

struct leaf {
    double *r, *q;
    int32_t exponent;
};

static struct leaf solve(const struct kernels *kernels, enum kernel_dtype dtype,
                         const struct tall_rows *rows)
{
    size_t n = rows->columns;
    size_t element = dtype == KERNEL_F32 ? sizeof(float) : sizeof(double);
    size_t bytes = (sheaf_tall_scratch(n, true) + 63) / 64 * 64;
    void *scratch = aligned_alloc(64, bytes);
    double *identity = calloc(n * n, sizeof *identity);
    struct leaf leaf = {.r = malloc(n * n * sizeof *leaf.r),
                        .q = malloc(rows->rows * n * sizeof *leaf.q)};
    CHECK(scratch != NULL && identity != NULL && leaf.r != NULL && leaf.q != NULL);
    struct tall_rows q = {leaf.q, rows->rows, n, n, 1};
    for (size_t i = 0; i < n; i++)
        identity[i * n + i] = 1;
    memset(scratch, 0xff, bytes); /* NaN: nothing may count on zeros */
    memset(leaf.q, 0xff, rows->rows * n * element);
    CHECK(kernels->tall_factor[dtype](rows, leaf.r, &leaf.exponent, scratch) == 0);
    memset(scratch, 0xff, bytes);
    kernels->tall_expand[dtype](rows, identity, &q, scratch);
    free(identity);
    free(scratch);
    return leaf;
}

static void forget(struct leaf *leaf)
{
    free(leaf->r);
    free(leaf->q);
}

/* Q'Q is the identity, and column by column Q R is A, to a few ulps. */
static void check_factors(const struct leaf *leaf, const double *a, size_t rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++) {
            long double dot = i == j ? -1 : 0;
            for (size_t k = 0; k < rows; k++)
                dot += (long double)leaf->q[k * n + i] * (long double)leaf->q[k * n + j];
            CHECK(fabsl(dot) <= 30 * DBL_EPSILON * sqrtl((long double)n));
        }
    for (size_t j = 0; j < n; j++) {
        long double off = 0;
        long double norm = 0;
        for (size_t k = 0; k < rows; k++) {
            long double element = (long double)a[k * n + j];
            long double sum = -element;
            for (size_t i = 0; i <= j; i++)
                sum += (long double)leaf->q[k * n + i] *
                       ldexpl((long double)leaf->r[i * n + j], leaf->exponent);
            off += sum * sum;
            norm += element * element;
        }
        CHECK(sqrtl(off) <= 30 * DBL_EPSILON * sqrtl((long double)n) * sqrtl(norm));
    }
}

static void check_same(const struct leaf *x, const struct leaf *y, int32_t shift, size_t rows,
                       size_t n)
{
    if (x->exponent == KERNEL_TALL_ZERO)
        CHECK(y->exponent == x->exponent && memcmp(x->r, y->r, n * n * sizeof *x->r) == 0);
    else
        for (size_t i = 0; i < n * n; i++)
            CHECK(ldexp(x->r[i], x->exponent + shift - y->exponent) == y->r[i]);
    CHECK(memcmp(x->q, y->q, rows * n * sizeof *x->q) == 0);
}

/* Every table, and the first one at other scales, by columns, and of floats if they are. */
static void check_leaf(const double *a, size_t rows, size_t n, bool is_float)
{
    static const int shifts[] = {-1000, -400, 330, 660};
    size_t size = rows * n;
    const struct tall_rows dense = {a, rows, n, n, 1};
    struct leaf leaf = solve(sheaf_kernels_at(0), KERNEL_F64, &dense);
    double *other = malloc(size * sizeof *other);
    float *narrow = malloc(size * sizeof *narrow);
    CHECK(other != NULL && narrow != NULL);
    check_factors(&leaf, a, rows, n);
    for (size_t z = 1; sheaf_kernels_at(z) != NULL; z++) {
        struct leaf again = solve(sheaf_kernels_at(z), KERNEL_F64, &dense);
        check_same(&leaf, &again, 0, rows, n);
        forget(&again);
    }
    const struct kernels *last = sheaf_kernels_at(0);
    for (size_t z = 1; sheaf_kernels_at(z) != NULL; z++)
        last = sheaf_kernels_at(z);
    for (size_t s = 0; s < sizeof shifts / sizeof shifts[0]; s++) {
        bool is_exact = true;
        for (size_t i = 0; i < size; i++) {
            other[i] = ldexp(a[i], shifts[s]);
            is_exact = is_exact && ldexp(other[i], -shifts[s]) == a[i];
        }
        struct tall_rows scaled = {other, rows, n, n, 1};
        struct leaf again = solve(last, KERNEL_F64, &scaled);
        if (is_exact)
            check_same(&leaf, &again, shifts[s], rows, n);
        forget(&again);
    }
    for (size_t i = 0; i < size; i++) {
        other[i % n * rows + i / n] = a[i];
        narrow[i] = (float)a[i];
    }
    struct tall_rows turned = {other, rows, n, 1, rows};
    struct leaf again = solve(last, KERNEL_F64, &turned);
    check_same(&leaf, &again, 0, rows, n);
    forget(&again);
    if (is_float) {
        struct tall_rows floats = {narrow, rows, n, n, 1};
        again = solve(last, KERNEL_F32, &floats);
        CHECK(leaf.exponent == again.exponent);
        CHECK(memcmp(leaf.r, again.r, n * n * sizeof *leaf.r) == 0);
        for (size_t i = 0; i < size; i++) {
            float q;
            memcpy(&q, (const char *)again.q + i * sizeof q, sizeof q);
            CHECK(q == (float)leaf.q[i]);
        }
        forget(&again);
    }
    free(other);
    free(narrow);
    forget(&leaf);
}

static void factors_are_right_and_the_same_everywhere(void)
{
    static const size_t columns[] = {1, 2, 3, 4, 7, 10, 20, 33};
    unsigned long long seed = 43;
    for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
        for (enum family family = RANDOM; family < FAMILIES; family++) {
            size_t n = columns[c];
            size_t rows = family % 2 == 0 ? 8 * n + 5 : 400 + n;
            double *a = malloc(rows * n * sizeof *a);
            CHECK(a != NULL);
            fill(a, rows, n, family, &seed);
            check_leaf(a, rows, n, family != GRADED && family != FAR_APART && family != TINY_ROWS);
            free(a);
        }
}

/* Neighbouring columns c and c + d: what the certificate says lets every condition pass from one way to the other. */
static void all_conditions_are_right(void)
{
    enum { ROWS = 200, COLUMNS = 6 };
    unsigned long long seed = 47;
    double a[ROWS * COLUMNS];
    for (int digits = 0; digits < 50; digits++) {
        for (size_t i = 0; i < ROWS; i++) {
            double shared = uniform(&seed);
            for (size_t j = 0; j < COLUMNS; j++)
                a[i * COLUMNS + j] = shared + ldexp(uniform(&seed), 3 - digits);
        }
        check_leaf(a, ROWS, COLUMNS, false);
    }
}

CHECK_MAIN(CASE(factors_are_right_and_the_same_everywhere), CASE(all_conditions_are_right))
