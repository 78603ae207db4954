/* test_ops.c -- the table of operations, and the reductions over every cut of their tree. */
#include "check.h"

#include <math.h>

#include <sheaf/op.h>

#include "kernels.h"
#include "op_tree.h"

enum { LEAF = 8192, MOST_ELEMENTS = 70 * LEAF, MOST_TASK = 128 };

static void operations_go_by_name(void)
{
    CHECK(sheaf_op_find("max") == 0 && sheaf_op_find("svd") < sheaf_op_count);
    for (uint32_t i = 0; i < sheaf_op_count; i++) {
        CHECK(sheaf_op_find(sheaf_ops[i]->name) == i);
        CHECK(sheaf_ops[i]->partial_bytes <= OP_PARTIAL_BYTES_MAX);
        CHECK(sheaf_ops[i]->result_bytes <= OP_RESULT_BYTES_MAX);
    }
    CHECK(sheaf_op_find("maximum") == UINT32_MAX && sheaf_op_find(NULL) == UINT32_MAX);
    CHECK(strcmp(sheaf_op_name(SHEAF_MAX), "max") == 0);
    CHECK(strcmp(sheaf_op_name(SHEAF_MIN), "min") == 0);
    CHECK(strcmp(sheaf_op_name(SHEAF_SUM), "sum") == 0);
    CHECK(strcmp(sheaf_op_name((sheaf_op)0), "?") == 0);
    CHECK(strcmp(sheaf_op_name((sheaf_op)99), "?") == 0);
    CHECK(sheaf_op_by_name("min") == SHEAF_MIN && sheaf_op_by_name("max") == SHEAF_MAX);
    CHECK(sheaf_op_by_name("sum") == SHEAF_SUM);
    CHECK(sheaf_op_by_name("blake3") == 0 && sheaf_op_by_name("?") == 0);
    CHECK(sheaf_op_by_name(NULL) == 0);
}

/* ---- Oracles --------------------------------------------------------------------------------- */

/* The order of a sum, as <sheaf/reduce.h> tells it, level by level and with no counter. Each of these
 * trees is left-complete: the left half is the largest power of two that leaves something. */
static size_t left_half(size_t n)
{
    size_t half = 1;
    while (2 * half < n)
        half *= 2;
    return half;
}

static double element_of(const void *x, sheaf_dtype dtype, size_t i)
{
    return dtype == SHEAF_F64 ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

/* The lane vector over sub-blocks [first, first + blocks) of the elements [begin, end). */
static void oracle_lanes(double lanes[32], const void *x, sheaf_dtype dtype, size_t begin,
                         size_t end, size_t blocks)
{
    if (blocks == 1) {
        for (size_t lane = 0; lane < 32; lane++)
            lanes[lane] = -0.0;
        for (size_t i = begin; i < end && i < begin + 512; i++)
            lanes[i % 32] += element_of(x, dtype, i);
        return;
    }
    double right[32];
    size_t half = left_half(blocks);
    oracle_lanes(lanes, x, dtype, begin, end, half);
    oracle_lanes(right, x, dtype, begin + 512 * half, end, blocks - half);
    for (size_t lane = 0; lane < 32; lane++)
        lanes[lane] += right[lane];
}

static double oracle_sum(const void *x, sheaf_dtype dtype, size_t begin, size_t end)
{
    if (end - begin > LEAF) {
        size_t leaves = (end - begin + LEAF - 1) / LEAF;
        size_t middle = begin + left_half(leaves) * LEAF;
        return oracle_sum(x, dtype, begin, middle) + oracle_sum(x, dtype, middle, end);
    }
    double lanes[32] = {0};
    oracle_lanes(lanes, x, dtype, begin, end, (end - begin + 511) / 512);
    for (size_t width = 16; width > 0; width /= 2)
        for (size_t lane = 0; lane < width; lane++)
            lanes[lane] += lanes[lane + width];
    return lanes[0];
}

static double canonical(double x)
{
    const uint64_t nan = 0x7ff8000000000000;
    if (isnan(x))
        memcpy(&x, &nan, sizeof x);
    return x;
}

/* IEEE 754-2019 maximum (sign 1) and minimum (sign -1), in the plainest way. */
static double oracle_extreme(const void *x, sheaf_dtype dtype, size_t n, int sign)
{
    double best = sign > 0 ? -INFINITY : INFINITY;
    for (size_t i = 0; i < n; i++) {
        double e = element_of(x, dtype, i);
        if (isnan(e))
            return canonical(e);
        if (sign > 0 ? e > best : e < best)
            best = e;
        if (e == 0 && best == 0 && (sign > 0) == !signbit(e))
            best = e;
    }
    return best;
}

static int64_t integer_of(const void *x, sheaf_dtype dtype, size_t i)
{
    return dtype == SHEAF_I64 ? ((const int64_t *)x)[i] : ((const int32_t *)x)[i];
}

static int64_t oracle_integer(const void *x, sheaf_dtype dtype, size_t n, sheaf_op op)
{
    int64_t best = op == SHEAF_SUM ? 0 : integer_of(x, dtype, 0);
    for (size_t i = 0; i < n; i++) {
        int64_t e = integer_of(x, dtype, i);
        if (op == SHEAF_SUM)
            best = (int64_t)((uint64_t)best + (uint64_t)e);
        else if (op == SHEAF_MAX ? e > best : e < best)
            best = e;
    }
    return best;
}

static sheaf_scalar oracle(const void *x, sheaf_dtype dtype, size_t n, sheaf_op op)
{
    sheaf_scalar scalar;
    memset(&scalar, 0, sizeof scalar);
    scalar.dtype = dtype;
    if (dtype == SHEAF_I32 && op != SHEAF_SUM) {
        scalar.value.i32 = (int32_t)oracle_integer(x, dtype, n, op);
    } else if (dtype == SHEAF_I32 || dtype == SHEAF_I64) {
        scalar.dtype = SHEAF_I64;
        scalar.value.i64 = oracle_integer(x, dtype, n, op);
    } else {
        double value = op == SHEAF_SUM ? (n == 0 ? 0.0 : oracle_sum(x, dtype, 0, n))
                                       : oracle_extreme(x, dtype, n, op == SHEAF_MAX ? 1 : -1);
        const uint32_t nan_f32 = 0x7fc00000;
        if (dtype == SHEAF_F64)
            scalar.value.f64 = canonical(value);
        else if (isnan((float)value))
            memcpy(&scalar.value.f32, &nan_f32, sizeof nan_f32);
        else
            scalar.value.f32 = (float)value;
    }
    return scalar;
}

/* ---- Data ------------------------------------------------------------------------------------ */

enum data { ORDINARY, WIDE_RANGE, WITH_A_NAN, WITH_INFINITIES, ZEROS, NEGATIVE_ZEROS, DATA };

static double element(enum data data, unsigned long long *seed)
{
    unsigned long long random = check_random(seed);
    double uniform = (double)(long long)random * 0x1p-63;
    switch (data) {
    case WIDE_RANGE:
        return ldexp(uniform, (int)(random % 60));
    case ZEROS:
        return random & 1 ? 0.0 : -0.0;
    case NEGATIVE_ZEROS:
        return -0.0;
    case ORDINARY:
    case WITH_A_NAN:
    case WITH_INFINITIES:
    case DATA:
        break;
    }
    return uniform;
}

static void fill(void *x, sheaf_dtype dtype, size_t n, enum data data, unsigned long long *seed)
{
    for (size_t i = 0; i < n; i++) {
        if (dtype == SHEAF_F64)
            ((double *)x)[i] = element(data, seed);
        else if (dtype == SHEAF_F32)
            ((float *)x)[i] = (float)element(data, seed);
        else if (dtype == SHEAF_I64)
            ((int64_t *)x)[i] = (int64_t)check_random(seed);
        else
            ((int32_t *)x)[i] = (int32_t)check_random(seed);
    }
    if (n == 0 || dtype == SHEAF_I32 || dtype == SHEAF_I64)
        return;
    double odd[2] = {INFINITY, -INFINITY};
    if (data == WITH_A_NAN)
        odd[0] = odd[1] = -NAN; /* a sign, which the canonical one has not */
    for (size_t i = 0; i < 2 && (data == WITH_A_NAN || data == WITH_INFINITIES); i++) {
        size_t at = (size_t)(check_random(seed) % n);
        if (dtype == SHEAF_F64)
            ((double *)x)[at] = odd[i];
        else
            ((float *)x)[at] = (float)odd[i];
    }
}

static size_t random_length(unsigned long long *seed)
{
    static const size_t around[] = {1, 31, 32, 33, 511, 512, 513, LEAF - 1, LEAF, LEAF + 1};
    unsigned long long random = check_random(seed);
    if (random % 4 == 0) /* around a boundary inside, or at the end of, some number of leaves */
        return around[random / 4 % 10] + LEAF * (random / 64 % 64);
    return 1 + (size_t)(random / 4 % (random & 16 ? MOST_ELEMENTS - 1 : 3 * LEAF));
}

/* ---- The tests ------------------------------------------------------------------------------- */

static bool is_same(const sheaf_scalar *a, const sheaf_scalar *b)
{
    return a->dtype == b->dtype && memcmp(a->value.bytes, b->value.bytes, sizeof a->value) == 0;
}

/* Every task size, and the one map of all leaves, with every instruction set: equal to the oracle. */
static void check_reduction(sheaf_op op, sheaf_dtype dtype, void *x, size_t n)
{
    sheaf_scalar expected = oracle(x, dtype, n, op);
    struct op_array array = op_tree_array(dtype, 1, &n);
    for (size_t k = 0; sheaf_kernels_at(k) != NULL; k++) {
        struct op_call call = {.kernels = sheaf_kernels_at(k), .arrays = &array, .data = {x}};
        unsigned char whole[OP_PARTIAL_BYTES_MAX];
        unsigned char parts[OP_PARTIAL_BYTES_MAX];
        size_t bytes = sheaf_ops[sheaf_op_find(sheaf_op_name(op))]->partial_bytes;
        sheaf_scalar got;
        CHECK_OK(op_tree_run(sheaf_op_name(op), &call, MOST_TASK, whole, &got));
        for (uint64_t task = MOST_TASK; task > 0; task /= 2) {
            CHECK_OK(op_tree_run(sheaf_op_name(op), &call, task, parts, &got));
            if (!is_same(&got, &expected))
                fprintf(stderr, "%s of %zu %s, %s, tasks of %llu leaves\n", sheaf_op_name(op), n,
                        sheaf_dtype_name(dtype), call.kernels->isa, (unsigned long long)task);
            CHECK(is_same(&got, &expected));
            CHECK(memcmp(whole, parts, bytes) == 0);
        }
    }
}

static void reductions_have_the_bits_of_the_oracle_however_they_are_cut(void)
{
    static const sheaf_dtype dtypes[] = {SHEAF_I32, SHEAF_I64, SHEAF_F32, SHEAF_F64};
    unsigned long long seed = 3;
    void *x = calloc(MOST_ELEMENTS, sizeof(double));
    CHECK(x != NULL);
    for (int turn = 0; turn < 8; turn++)
        for (size_t d = 0; d < 4; d++)
            for (int data = 0; data < (d < 2 ? 1 : DATA); data++) {
                size_t n = random_length(&seed);
                fill(x, dtypes[d], n, (enum data)data, &seed);
                check_reduction(SHEAF_MAX, dtypes[d], x, n);
                check_reduction(SHEAF_MIN, dtypes[d], x, n);
                check_reduction(SHEAF_SUM, dtypes[d], x, n);
            }
    free(x);
}

static double sum_of_leaves(const double *first_elements, size_t leaves)
{
    double *x = calloc(leaves * LEAF, sizeof *x);
    sheaf_scalar sum;
    CHECK(x != NULL);
    for (size_t i = 0; i < leaves; i++)
        x[i * LEAF] = first_elements[i];
    struct op_array array = op_tree_array(SHEAF_F64, 1, &(size_t){leaves * LEAF});
    struct op_call call = {.kernels = sheaf_kernels_at(0), .arrays = &array, .data = {x}};
    CHECK_OK(op_tree_run("sum", &call, 8, NULL, &sum));
    free(x);
    return sum.value.f64;
}

static void leaves_are_summed_up_the_left_complete_tree(void)
{
    /* (2^53 + 1) + (1 - 2^53); from left to right it is 0. */
    static const double four[] = {0x1p53, 1, 1, -0x1p53};
    CHECK(sum_of_leaves(four, 4) == 1);
    /* ((0 + 0) + (2^53 + 1)) + (1 - 2^53); split in the middle it is 2. */
    static const double six[] = {0, 0, 0x1p53, 1, 1, -0x1p53};
    CHECK(sum_of_leaves(six, 6) == 1);
}

static void of_nothing(void)
{
    static const sheaf_dtype dtypes[] = {SHEAF_I32, SHEAF_I64, SHEAF_F32, SHEAF_F64};
    static const unsigned char zeros[8] = {0};
    for (size_t d = 0; d < 4; d++)
        for (size_t k = 0; sheaf_kernels_at(k) != NULL; k++) {
            struct op_array array = op_tree_array(dtypes[d], 2, (size_t[]){5, 0});
            struct op_call call = {.kernels = sheaf_kernels_at(k), .arrays = &array};
            sheaf_scalar got;
            CHECK_STATUS(SHEAF_ERR_EMPTY, op_tree_run("max", &call, 1, NULL, &got));
            CHECK_ERROR_SAYS("max");
            CHECK_STATUS(SHEAF_ERR_EMPTY, op_tree_run("min", &call, 1, NULL, &got));
            CHECK_ERROR_SAYS("min");
            CHECK_OK(op_tree_run("sum", &call, 1, NULL, &got));
            CHECK(got.dtype == (d < 2 ? SHEAF_I64 : dtypes[d]));
            CHECK(memcmp(got.value.bytes, zeros, sizeof zeros) == 0);
        }
}

static void one_element_of_an_array_without_dimensions(void)
{
    double x = -0.0;
    struct op_array array = op_tree_array(SHEAF_F64, 0, NULL);
    struct op_call call = {.kernels = sheaf_kernels_at(0), .arrays = &array, .data = {&x}};
    static const char *const ops[] = {"max", "min", "sum"};
    for (size_t i = 0; i < 3; i++) {
        sheaf_scalar got;
        CHECK_OK(op_tree_run(ops[i], &call, 1, NULL, &got));
        CHECK(got.value.f64 == 0 && signbit(got.value.f64));
    }
}

static void a_dtype_that_is_none_is_refused(void)
{
    struct op_array array = {.dtype = 99, .ndim = 1, .size = 3, .shape = {3}};
    struct op_call call = {.arrays = &array};
    sheaf_scalar got;
    CHECK_STATUS(SHEAF_ERR_DTYPE, op_tree_run("sum", &call, 1, NULL, &got));
    CHECK_STATUS(SHEAF_ERR_DTYPE, op_tree_run("max", &call, 1, NULL, &got));
}

CHECK_MAIN(CASE(operations_go_by_name),
           CASE(reductions_have_the_bits_of_the_oracle_however_they_are_cut),
           CASE(leaves_are_summed_up_the_left_complete_tree), CASE(of_nothing),
           CASE(one_element_of_an_array_without_dimensions), CASE(a_dtype_that_is_none_is_refused))
