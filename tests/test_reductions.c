/* test_reductions.c -- every reduction against golden/reductions.txt, which another program computed:
 * with every instruction set, however the tree is cut, on every executor. */
#include "check.h"

#include <inttypes.h>
#include <math.h>

#include <sheaf/sheaf.h>

#include "golden.h"
#include "kernels.h"
#include "op_tree.h"

enum { LEAF = KERNEL_SUM_LEAF };

struct line {
    char op[24];
    char kind[8];
    sheaf_dtype dtype;
    size_t n;
    unsigned long long seed;
    sheaf_status status; /* SHEAF_ERR_EMPTY and SHEAF_ERR_DTYPE may be expected */
    sheaf_scalar expected;
};

static bool next_line(struct line *out, FILE *file)
{
    char text[256];
    char dtype[8];
    char result[8];
    uint64_t value;
    uint64_t second;
    memset(out, 0, sizeof *out);
    if (fgets(text, sizeof text, file) == NULL)
        return false;
    CHECK(sscanf(text, "%23s %7s %7s %zu %llu %7s %" SCNx64 " %" SCNx64 " %" SCNd64, out->op, dtype,
                 out->kind, &out->n, &out->seed, result, &value, &second,
                 &out->expected.index) == 9);
    out->dtype = sheaf_dtype_by_name(dtype);
    out->status = strcmp(result, "empty") == 0     ? SHEAF_ERR_EMPTY
                  : strcmp(result, "refused") == 0 ? SHEAF_ERR_DTYPE
                                                   : SHEAF_OK;
    out->expected.dtype = sheaf_dtype_by_name(result);
    memcpy(&out->expected.value, &value, sizeof value); /* little-endian */
    memcpy(&out->expected.second, &second, sizeof second);
    CHECK(out->dtype != 0 && (out->status != SHEAF_OK || out->expected.dtype != 0));
    return true;
}

/* ---- The data of a line, as golden/make_reductions.py says ---- */

static uint64_t integer_of(const char *kind, sheaf_dtype dtype, uint64_t plain,
                           unsigned long long z)
{
    bool is_signed = sheaf_dtype_kind(dtype) == 'i';
    uint64_t low = is_signed ? UINT64_C(1) << (8 * sheaf_dtype_size(dtype) - 1) : 0;
    if (strcmp(kind, "small") == 0)
        return z % 7 - (is_signed ? 3 : 0);
    if (strcmp(kind, "zeros") == 0)
        return 0;
    if (strcmp(kind, "infs") == 0 && z % 257 == 5)
        return z >> 63 ? low : low - 1;
    return plain;
}

/* What is the exponent's field, and the least number and how much is huge, as powers of 2. */
static const struct format {
    sheaf_dtype dtype;
    int fraction;
    int least;
    int huge;
} formats[] = {{SHEAF_F16, 10, -24, 4},
               {SHEAF_BF16, 7, -133, 112},
               {SHEAF_F32, 23, -149, 112},
               {SHEAF_F64, 52, -1074, 1005}};

static const struct format *format_of(sheaf_dtype dtype)
{
    const struct format *format = formats;
    while (format->dtype != dtype)
        format++;
    return format;
}

static sheaf_scalar wide_of(sheaf_dtype dtype, unsigned long long z)
{
    sheaf_scalar scalar = {.dtype = dtype};
    int width = 8 * (int)sheaf_dtype_size(dtype);
    int fraction = format_of(dtype)->fraction;
    uint64_t ones = (UINT64_C(1) << (width - 1 - fraction)) - 1;
    uint64_t bits = z >> (64 - width);
    if ((bits >> fraction & ones) == ones)
        bits ^= UINT64_C(1) << (width - 2);
    scalar.value.u64 = bits;
    return scalar;
}

static double float_of(const char *kind, sheaf_dtype dtype, double plain, unsigned long long z)
{
    double sign = z >> 63 ? -1 : 1;
    if (strcmp(kind, "small") == 0)
        return (double)(z % 7) - 3;
    if (strcmp(kind, "zeros") == 0)
        return sign * 0.0;
    if (strcmp(kind, "tiny") == 0)
        return ldexp((double)(z % 5) - 2, format_of(dtype)->least);
    if (strcmp(kind, "infs") == 0 && z % 257 == 5)
        return sign * (double)INFINITY;
    if (strcmp(kind, "huge") == 0)
        return ldexp(plain, format_of(dtype)->huge);
    return plain;
}

/* A quiet NaN of either sign. */
static sheaf_scalar nan_of(sheaf_dtype dtype, unsigned long long z)
{
    sheaf_scalar scalar = sheaf_scalar_of_f64(dtype, (double)NAN);
    scalar.value.u64 |= (uint64_t)(z & 1) << (8 * sheaf_dtype_size(dtype) - 1);
    return scalar;
}

static void fill(void *x, const struct line *line)
{
    const size_t bytes = sheaf_dtype_size(line->dtype);
    unsigned long long seed = line->seed;
    golden_fill(x, line->dtype, line->n, line->seed);
    for (size_t i = 0; i < line->n; i++) {
        unsigned long long z = check_random(&seed);
        unsigned char *at = (unsigned char *)x + i * bytes;
        sheaf_scalar element = {.dtype = line->dtype};
        memcpy(&element.value, at, bytes);
        if (sheaf_dtype_kind(line->dtype) != 'f')
            element.value.u64 = integer_of(line->kind, line->dtype, element.value.u64, z);
        else if (strcmp(line->kind, "wide") == 0)
            element = wide_of(line->dtype, z);
        else if (strcmp(line->kind, "allnan") == 0 ||
                 (strcmp(line->kind, "nans") == 0 && z % 61 == 0))
            element = nan_of(line->dtype, z);
        else
            element = sheaf_scalar_of_f64(
                line->dtype, float_of(line->kind, line->dtype, sheaf_scalar_f64(&element), z));
        memcpy(at, &element.value, bytes);
    }
}

/* ---- The checks ---- */

static void check_result(const struct line *line, const char *where, const sheaf_scalar *got)
{
    const sheaf_scalar *want = &line->expected;
    bool same = got->dtype == want->dtype && got->index == want->index &&
                memcmp(&got->value, &want->value, sizeof got->value) == 0 &&
                memcmp(&got->second, &want->second, sizeof got->second) == 0;
    if (!same)
        fprintf(stderr,
                "%s of %zu %s %s, %s: %s %016" PRIx64 " %016" PRIx64 " %" PRId64
                ", not %s %016" PRIx64 " %016" PRIx64 " %" PRId64 "\n",
                line->op, line->n, line->kind, sheaf_dtype_name(line->dtype), where,
                sheaf_dtype_name(got->dtype), (uint64_t)got->value.i64, (uint64_t)got->second.i64,
                got->index, sheaf_dtype_name(want->dtype), (uint64_t)want->value.i64,
                (uint64_t)want->second.i64, want->index);
    CHECK(same);
}

/* Every instruction set; all leaves in one map, and tasks of two and of one. */
static void check_tree(const struct line *line, void *x, void *y)
{
    struct op_array arrays[2] = {op_tree_array(line->dtype, 1, &line->n),
                                 op_tree_array(line->dtype, 1, &line->n)};
    for (size_t k = 0; sheaf_kernels_at(k) != NULL; k++) {
        _Alignas(16) unsigned char params[OP_PARAMS_BYTES] = {0};
        struct op_call call = {
            .kernels = sheaf_kernels_at(k), .params = params, .arrays = arrays, .data = {x, y}};
        unsigned char whole[OP_PARTIAL_BYTES_MAX];
        for (uint64_t task = 4; task > 0; task /= 2) {
            unsigned char partial[OP_PARTIAL_BYTES_MAX];
            _Alignas(16) unsigned char result[OP_RESULT_BYTES_MAX];
            sheaf_scalar got;
            sheaf_status status = op_tree_run(line->op, &call, task, partial, result);
            CHECK(status == line->status);
            if (status != SHEAF_OK)
                continue;
            memcpy(&got, result, sizeof got);
            check_result(line, call.kernels->isa, &got);
            size_t bytes = sheaf_ops[sheaf_op_find(line->op)]->partial_bytes;
            if (task == 4)
                memcpy(whole, partial, bytes);
            CHECK(memcmp(whole, partial, bytes) == 0);
        }
    }
}

static void the_golden_results(void)
{
    struct line line;
    size_t lines = 0;
    FILE *file = fopen(REDUCTIONS_FILE, "r");
    double *room = malloc((4 * LEAF + 1) * sizeof *room);
    double *other = malloc(4 * LEAF * sizeof *other);
    CHECK(file != NULL && room != NULL && other != NULL);
    for (; next_line(&line, file); lines++) {
        CHECK(line.n <= 4 * LEAF);
        /* An array of shorter elements may begin in the middle of a double. */
        void *x = (unsigned char *)room + sheaf_dtype_size(line.dtype);
        fill(x, &line);
        line.seed += 500;
        fill(other, &line);
        check_tree(&line, x, strcmp(line.op, "dot") == 0 ? other : NULL);
    }
    CHECK(fclose(file) == 0);
    free(room);
    free(other);
    CHECK(lines >= 500);
}

static sheaf_array *array_of(const struct line *line)
{
    sheaf_array *array;
    CHECK_OK(sheaf_create(&array, check_key("reductions"), line->dtype, 1, &line->n,
                          &(sheaf_create_options){.lifetime = SHEAF_OWNED}));
    fill(sheaf_array_data(array), line);
    return array;
}

/* Large enough to be cut into tasks. What is expected comes from the caller and the scalar table. */
static void every_executor_gives_the_same_result(void)
{
    static const char *const kinds[] = {"plain", "small", "nans", "zeros", "wide"};
    static const sheaf_dtype dtypes[] = {SHEAF_I32, SHEAF_I64, SHEAF_F32, SHEAF_F64};
    sheaf_executor *executors[3];
    CHECK_OK(sheaf_executor_open(&executors[0], SHEAF_SEQUENTIAL, NULL));
    CHECK_OK(
        sheaf_executor_open(&executors[1], SHEAF_THREADS, &(sheaf_executor_options){.workers = 3}));
    CHECK_OK(sheaf_executor_open(&executors[2], SHEAF_PROCESSES,
                                 &(sheaf_executor_options){.workers = 3}));
    for (size_t d = 0; d < 4; d++)
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            struct line line = {.dtype = dtypes[d], .n = 300007, .seed = 7 * d + k};
            snprintf(line.kind, sizeof line.kind, "%s", kinds[k]);
            sheaf_array *array = array_of(&line);
            for (sheaf_op op = SHEAF_MAX; strcmp(sheaf_op_name(op), "?") != 0; op++) {
                sheaf_reduce_options options = {.executor = executors[0], .isa = "scalar"};
                options.second = op == SHEAF_DOT ? array : NULL;
                snprintf(line.op, sizeof line.op, "%s", sheaf_op_name(op));
                CHECK_OK(sheaf_reduce(&line.expected, array, op, &options));
                for (size_t e = 0; e < 3; e++)
                    for (size_t i = 0; sheaf_isa_name(i) != NULL; i++) {
                        sheaf_scalar got;
                        options.executor = executors[e];
                        options.isa = sheaf_isa_name(i);
                        CHECK_OK(sheaf_reduce(&got, array, op, &options));
                        check_result(&line, sheaf_isa_name(i), &got);
                    }
            }
            sheaf_detach(array);
        }
    for (size_t e = 0; e < 3; e++)
        sheaf_executor_close(executors[e]);
}

/* One element that decides, at places around every block and leaf, among those that do not. */
static void any_and_all_find_the_one(void)
{
    enum { N = 3 * LEAF + 5 };
    double *x = calloc(N, sizeof *x);
    CHECK(x != NULL);
    for (int wanted = 0; wanted < 2; wanted++)
        for (size_t at = 0; at < N; at += at % 2048 < 2 || at % 2048 > 2045 ? 1 : 97) {
            for (size_t i = 0; i < N; i++)
                x[i] = wanted ? -0.0 : (double)NAN;
            x[at] = wanted ? 0x1p-1074 : 0;
            struct op_array array = op_tree_array(SHEAF_F64, 1, &(size_t){N});
            for (size_t k = 0; sheaf_kernels_at(k) != NULL; k++) {
                struct op_call call = {
                    .kernels = sheaf_kernels_at(k), .arrays = &array, .data = {x}};
                sheaf_scalar any;
                sheaf_scalar all;
                CHECK_OK(op_tree_run("any", &call, 4, NULL, &any));
                CHECK_OK(op_tree_run("all", &call, 4, NULL, &all));
                CHECK(any.dtype == SHEAF_BOOL && any.value.boolean == 1 && all.value.boolean == 0);
            }
        }
    free(x);
}

/* One element that matters, at every place of a run that begins at every alignment: no kernel leaves
 * one out, wherever its registers begin. The others are 1, so that every result is known. */
static void no_element_is_left_out_at_any_alignment(void)
{
    enum { MOST = 300 };
    static _Alignas(64) double room[MOST + 8];
    static const char *const ops[] = {"max",    "nanmax", "sum",    "nansum",    "fsum",
                                      "minmax", "argmax", "prod",   "nanargmax", "norm_inf",
                                      "dot",    "norm1",  "norm2",  "var",       "nanvar",
                                      "mean",   "min",    "nanmin", "argmin",    "nanargmin"};
    for (size_t start = 0; start < 8; start++)
        for (size_t n = 1; n <= MOST; n += n < 70 ? 1 : 41)
            for (size_t at = 0; at < n; at += n < 70 ? 1 : 7)
                for (size_t k = 0; sheaf_kernels_at(k) != NULL; k++)
                    for (size_t o = 0; o < sizeof ops / sizeof ops[0]; o++) {
                        _Alignas(16) unsigned char params[OP_PARAMS_BYTES] = {0};
                        double *x = room + start;
                        bool is_least = strstr(ops[o], "min") != NULL && o != 5;
                        double odd = is_least ? 0 : 2;
                        struct op_array arrays[2] = {op_tree_array(SHEAF_F64, 1, &n),
                                                     op_tree_array(SHEAF_F64, 1, &n)};
                        struct op_call call = {.kernels = sheaf_kernels_at(k),
                                               .params = params,
                                               .arrays = arrays,
                                               .data = {x, x}};
                        double m = (double)n;
                        double expected[] = {
                            2,     2,     m + 1,       m + 1, m + 1, n > 1 ? 1 : 2, 2, 2, 2, 2,
                            m + 3, m + 1, sqrt(m + 3), -1,    -1,    (m + 1) / m,   0, 0, 0, 0};
                        sheaf_scalar got;
                        for (size_t i = 0; i < n; i++)
                            x[i] = i == at ? odd : 1;
                        CHECK_OK(op_tree_run(ops[o], &call, 1, NULL, &got));
                        if (expected[o] < 0) /* 1, one 2: (n - 1) / n^2 */
                            CHECK(fabs(got.value.f64 - (m - 1) / (m * m)) <= 1e-15);
                        else
                            CHECK(got.value.f64 == expected[o]);
                        if (strstr(ops[o], "arg") != NULL)
                            CHECK(got.index == (int64_t)at);
                        if (o == 5)
                            CHECK(got.second.f64 == 2);
                    }
}

static sheaf_scalar reduced(double *x, size_t n, sheaf_op op, double ddof)
{
    sheaf_array *array;
    sheaf_scalar value;
    CHECK_OK(sheaf_wrap(&array, x, SHEAF_F64, 1, &n));
    CHECK_OK(sheaf_reduce(&value, array, op, &(sheaf_reduce_options){.ddof = ddof}));
    sheaf_detach(array);
    return value;
}

/* As numpy.var: what is left of the count is 0 at least. */
static void ddof_is_taken_from_the_count(void)
{
    double x[4] = {1, 2, 4, 1};
    CHECK(reduced(x, 4, SHEAF_VAR, 0).value.f64 == 1.5);
    CHECK(reduced(x, 4, SHEAF_VAR, 1).value.f64 == 2);
    CHECK(reduced(x, 4, SHEAF_VAR, 2.5).value.f64 == 4);
    CHECK(reduced(x, 4, SHEAF_STD, 2.5).value.f64 == 2);
    CHECK(isinf(reduced(x, 4, SHEAF_VAR, 4).value.f64));
    CHECK(isinf(reduced(x, 4, SHEAF_VAR, 9).value.f64));
    CHECK(isnan(reduced(x, 1, SHEAF_VAR, 1).value.f64));
    x[1] = (double)NAN;
    CHECK(reduced(x, 4, SHEAF_NANVAR, 0).value.f64 == 2);
    CHECK(reduced(x, 4, SHEAF_NANVAR, 1).value.f64 == 3);
    CHECK(reduced(x, 4, SHEAF_NANSTD, -3).value.f64 == 1);
    CHECK(isnan(reduced(x, 4, SHEAF_VAR, 0).value.f64));
}

static void bad_arguments_are_errors(void)
{
    double x[4] = {1, 2, 4, 1};
    size_t n = 4;
    size_t two[2] = {2, 2};
    sheaf_array *array;
    sheaf_array *square;
    sheaf_array *other;
    sheaf_scalar value;
    CHECK_OK(sheaf_wrap(&array, x, SHEAF_F64, 1, &n));
    CHECK_OK(sheaf_wrap(&square, x, SHEAF_F64, 2, two));
    CHECK_OK(sheaf_wrap(&other, x, SHEAF_I64, 1, &n));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_reduce(&value, array, SHEAF_DOT, NULL));
    CHECK_STATUS(SHEAF_ERR_SHAPE,
                 sheaf_reduce(&value, array, SHEAF_DOT, &(sheaf_reduce_options){.second = square}));
    CHECK_STATUS(SHEAF_ERR_DTYPE,
                 sheaf_reduce(&value, array, SHEAF_DOT, &(sheaf_reduce_options){.second = other}));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT,
                 sheaf_reduce(&value, array, SHEAF_SUM, &(sheaf_reduce_options){.second = array}));
    CHECK_ERROR_SAYS("sum has no second array");
    CHECK_OK(sheaf_reduce(&value, array, SHEAF_DOT, &(sheaf_reduce_options){.second = array}));
    CHECK(value.value.f64 == 22);
    sheaf_detach(other);
    sheaf_detach(square);
    sheaf_detach(array);
}

CHECK_MAIN(CASE(no_element_is_left_out_at_any_alignment), CASE(ddof_is_taken_from_the_count),
           CASE(bad_arguments_are_errors), CASE(the_golden_results),
           CASE(every_executor_gives_the_same_result), CASE(any_and_all_find_the_one))
