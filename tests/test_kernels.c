/* test_kernels.c -- every kernel of every instruction set against an oracle written from the text of
 * <sheaf/reduce.h>, bit for bit.
 *
 * The oracle is a recursion down the tree, one lane at a time; the kernels are loops over registers. */
#include "check.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "golden.h"
#include "kernels.h"

enum { MAX, MIN, SUM, OPS };
static const char *const op_names[OPS] = {"max", "min", "sum"};
static const char *const dtype_names[KERNEL_DTYPES] = {"i32",  "i64", "u64", "f16",
                                                       "bf16", "f32", "f64"};
static const size_t sizes[KERNEL_DTYPES] = {4, 8, 8, 2, 2, 4, 8};

static const double largest[KERNEL_DTYPES] = {0, 0, 0, 6e4, 3e38, 3e38, 1.5e308};

enum { LONGEST = 3 * KERNEL_SUM_LEAF };
/* Page-aligned, so that misaligned starts are what we make them. */
static _Alignas(4096) unsigned char room[LONGEST * 8 + 4096];

static bool is_float(int t)
{
    return t >= KERNEL_F16;
}

/* ---- The oracle ------------------------------------------------------------------------- */

/* By the definition of the formats: 5 bits of exponent and 10 of fraction, or 8 and 7. */
static double half_at(int t, const void *x, size_t i)
{
    const uint16_t bits = ((const uint16_t *)x)[i];
    const int width = t == KERNEL_F16 ? 10 : 7;
    const int most = t == KERNEL_F16 ? 31 : 255;
    const int exponent = (bits & 0x7fff) >> width;
    const int fraction = bits & ((1 << width) - 1);
    double value = fraction != 0 ? (double)NAN : (double)INFINITY;
    if (exponent < most)
        value = ldexp(fraction + (exponent > 0 ? 1 << width : 0),
                      (exponent > 0 ? exponent : 1) - most / 2 - width);
    return bits >> 15 ? -value : value;
}

static double float_at(int t, const void *x, size_t i)
{
    if (sizes[t] == 2)
        return half_at(t, x, i);
    return t == KERNEL_F32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

static int64_t int_at(int t, const void *x, size_t i)
{
    return t == KERNEL_I32 ? ((const int32_t *)x)[i]
                           : ((const int64_t *)x)[i]; /* of u64 the bits */
}

struct leaf {
    int t;
    const void *x;
    size_t n;
};

/* One lane of sub-blocks [first, first + count). */
static double lane_sum(const struct leaf *leaf, size_t lane, size_t first, size_t count)
{
    if (count == 1) {
        double sum = -0.0;
        for (size_t i = first * 512 + lane; i < (first + 1) * 512 && i < leaf->n; i += 32)
            sum += float_at(leaf->t, leaf->x, i);
        return sum;
    }
    size_t left = 1;
    while (left * 2 < count)
        left *= 2;
    return lane_sum(leaf, lane, first, left) + lane_sum(leaf, lane, first + left, count - left);
}

/* Lane `lane` when `width` lanes are left. */
static double folded(const struct leaf *leaf, size_t lane, size_t width)
{
    if (width == 32)
        return lane_sum(leaf, lane, 0, (leaf->n + 511) / 512);
    return folded(leaf, lane, width * 2) + folded(leaf, lane + width, width * 2);
}

static double leaf_sum(int t, const void *x, size_t n)
{
    struct leaf leaf = {t, x, n};
    double sum = n == 0 ? -0.0 : folded(&leaf, 0, 1);
    return isnan(sum) ? (double)NAN : sum;
}

/* IEEE 754-2019 maximum, and minimum as the maximum of the negated. */
static double maximum(double a, double b)
{
    if (isnan(a) || isnan(b))
        return (double)NAN;
    if (a == b)
        return signbit(a) ? b : a;
    return a > b ? a : b;
}

static double float_extreme(int op, int t, const void *x, size_t n)
{
    double sign = op == MAX ? 1 : -1;
    double best = sign * float_at(t, x, n - 1);
    for (size_t i = n; i-- > 0;)
        best = maximum(sign * float_at(t, x, i), best);
    return isnan(best) ? (double)NAN : sign * best;
}

/* Numbers without a sign are compared by what they are above INT64_MIN. */
static uint64_t int_result(int op, int t, const void *x, size_t n)
{
    const uint64_t bias = t == KERNEL_U64 ? UINT64_C(1) << 63 : 0;
    uint64_t sum = 0;
    int64_t top = op == MAX ? INT64_MIN : INT64_MAX;
    for (size_t i = n; i-- > 0;) {
        uint64_t bits = (uint64_t)int_at(t, x, i);
        int64_t v = (int64_t)(bits ^ bias);
        sum += bits;
        if (op == MAX ? v > top : v < top)
            top = v;
    }
    return op == SUM ? sum : (uint64_t)top ^ bias;
}

/* A float by its double: exact, or of f16 and bf16 the nearest. */
static void put_float(int t, void *x, size_t i, double v)
{
    const sheaf_scalar rounded = sheaf_scalar_of_f64(sheaf_dtype_by_name(dtype_names[t]), v);
    if (t == KERNEL_F64)
        ((double *)x)[i] = v;
    else if (t == KERNEL_F32)
        ((float *)x)[i] = (float)v;
    else
        ((uint16_t *)x)[i] = rounded.value.u16;
}

/* Writes the bytes that a kernel must write; returns how many. */
static size_t oracle(unsigned char out[8], int op, int t, const void *x, size_t n)
{
    if (is_float(t)) {
        double v = op == SUM ? leaf_sum(t, x, n) : float_extreme(op, t, x, n);
        if (op == SUM)
            memcpy(out, &v, 8);
        else
            put_float(t, out, 0, v);
        return op == SUM ? 8 : sizes[t];
    }
    uint64_t v = int_result(op, t, x, n); /* little-endian: the low half comes first */
    memcpy(out, &v, 8);
    return op == SUM ? 8 : sizes[t];
}

static void run_kernel(const struct kernels *table, int op, int t, const void *x, size_t n,
                       void *out)
{
    if (op == SUM)
        table->sum[t](x, x, 0, n, out);
    else if (op == MAX)
        table->max[t](x, n, out);
    else
        table->min[t](x, n, out);
}

static void print_bytes(const char *who, const unsigned char *bytes, size_t count)
{
    fprintf(stderr, "  %-8s ", who);
    while (count-- > 0)
        fprintf(stderr, "%02x", bytes[count]);
    fputc('\n', stderr);
}

/* All operations on n elements of type t, by all tables, equal the oracle's bits. */
static void check_run(int t, const void *x, size_t n)
{
    for (int op = 0; op < OPS; op++) {
        if ((op != SUM && n == 0) || (op == SUM && is_float(t) && n > KERNEL_SUM_LEAF))
            continue;
        unsigned char expected[8];
        size_t bytes = oracle(expected, op, t, x, n);
        const struct kernels *table;
        for (size_t i = 0; (table = sheaf_kernels_at(i)) != NULL; i++) {
            unsigned char got[8];
            memset(got, 0x5a, sizeof got);
            run_kernel(table, op, t, x, n, got);
            if (memcmp(got, expected, bytes) == 0)
                continue;
            fprintf(stderr, "%s of %zu %s:\n", op_names[op], n, dtype_names[t]);
            print_bytes("oracle", expected, bytes);
            print_bytes(table->isa, got, bytes);
            CHECK(memcmp(got, expected, bytes) == 0);
        }
    }
}

/* ---- Data ------------------------------------------------------------------------------- */

/* Position-dependent: drawn from splitmix64, floats spread over 32 exponents and both signs. */
static void fill(int t, void *x, size_t n, unsigned long long seed)
{
    golden_fill(x, sheaf_dtype_by_name(dtype_names[t]), n, seed);
}

static void put_int(int t, void *x, size_t i, int64_t v)
{
    if (t == KERNEL_I32)
        ((int32_t *)x)[i] = (int32_t)v;
    else
        ((int64_t *)x)[i] = v;
}

/* NaNs of both signs, quiet and signalling, with payloads. */
static void put_nan(int t, void *x, size_t i, size_t which)
{
    static const uint16_t half[] = {0x7e00, 0xfe00, 0x7e77, 0x7c01, 0xfd07};
    static const uint32_t narrow[] = {0x7fc00000, 0xffc00000, 0x7fc12345, 0x7f800001, 0xffa00007};
    static const uint64_t wide[] = {0x7ff8000000000000, 0xfff8000000000000, 0x7ff8dead0000beef,
                                    0x7ff0000000000001, 0xfff4000000000007};
    if (sizes[t] == 2)
        ((uint16_t *)x)[i] =
            t == KERNEL_F16 ? half[which % 5] : (uint16_t)(narrow[which % 5] >> 16 | 1);
    else if (t == KERNEL_F32)
        memcpy((float *)x + i, &narrow[which % 5], 4);
    else
        memcpy((double *)x + i, &wide[which % 5], 8);
}

/* Lengths around every register, lane, row, sub-block and leaf. */
static size_t lengths(size_t out[], size_t longest)
{
    static const size_t around[] = {0,   64,  96,   128,  192,  256,  320,  384,  448,  512,
                                    640, 768, 1024, 1536, 2048, 3584, 4096, 7680, 8192, 16384};
    size_t count = 0;
    for (size_t n = 0; n <= 40; n++)
        out[count++] = n;
    for (size_t i = 1; i < sizeof around / sizeof around[0]; i++)
        for (size_t n = around[i] - 2; n <= around[i] + 2; n++)
            if (n <= longest)
                out[count++] = n;
    return count;
}

enum { MANY = 160 }; /* more than lengths() gives */

/* ---- The cases -------------------------------------------------------------------------- */

static void *count_tables(void *count)
{
    size_t *n = count;
    for (*n = 0; sheaf_kernels_at(*n) != NULL;)
        ++*n;
    return NULL;
}

/* The first to ask are many at once. */
static void tables_are_found_once(void)
{
    enum { THREADS = 8 };
    pthread_t thread[THREADS];
    size_t counts[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&thread[i], NULL, count_tables, &counts[i]) == 0);
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
    for (size_t i = 0; i < THREADS; i++)
        CHECK(counts[i] == counts[0] && counts[i] >= 1);
}

static void tables_are_listed_slowest_first(void)
{
    CHECK(strcmp(sheaf_kernels_at(0)->isa, "scalar") == 0);
    size_t count = 0;
    for (; sheaf_kernels_at(count) != NULL; count++) {
        printf("    %s\n", sheaf_kernels_at(count)->isa);
        for (size_t i = 0; i < count; i++)
            CHECK(strcmp(sheaf_kernels_at(i)->isa, sheaf_kernels_at(count)->isa) != 0);
    }
    CHECK(sheaf_kernels_at(count + 1) == NULL && sheaf_kernels_at(SIZE_MAX) == NULL);
}

static void every_length_and_alignment(void)
{
    size_t length[MANY];
    size_t count = lengths(length, LONGEST - 64);
    for (int t = 0; t < KERNEL_DTYPES; t++) {
        fill(t, room, LONGEST, 7 + (unsigned)t);
        for (size_t i = 0; i < count; i++)
            for (size_t start = 0; start<64 / sizes[t]; start += length[i]> 600 ? 5 : 1)
                check_run(t, room + start * sizes[t], length[i]);
    }
}

static void the_extreme_at_every_place(void)
{
    for (int t = 0; t < KERNEL_DTYPES; t++)
        for (size_t n = 1; n <= 300; n += n < 70 ? 1 : 23) {
            fill(t, room, n, n);
            for (size_t i = 0; i < n; i++) {
                unsigned char kept[8];
                memcpy(kept, room + i * sizes[t], sizes[t]);
                for (int sign = -1; sign <= 1; sign += 2) {
                    if (is_float(t))
                        put_float(t, room, i, sign * largest[t] / 2);
                    else
                        put_int(t, room, i, sign * (int64_t)INT32_MAX - (sign < 0));
                    check_run(t, room, n);
                }
                memcpy(room + i * sizes[t], kept, sizes[t]);
            }
        }
}

static void a_nan_at_every_place(void)
{
    for (int t = KERNEL_F16; t <= KERNEL_F64; t++)
        for (size_t n = 1; n <= 600; n += n < 36 ? 1 : 47) {
            fill(t, room, n, n);
            for (size_t i = 0; i < n; i++) {
                unsigned char kept[8];
                memcpy(kept, room + i * sizes[t], sizes[t]);
                put_nan(t, room, i, i);
                check_run(t, room, n);
                memcpy(room + i * sizes[t], kept, sizes[t]);
            }
        }
    for (int t = KERNEL_F16; t <= KERNEL_F64; t++) {
        for (size_t i = 0; i < 700; i++)
            put_nan(t, room, i, i);
        check_run(t, room, 700);
        check_run(t, room, 3);
    }
}

/* One zero among those of the other sign, and among numbers below and above. */
static void zeros_of_both_signs_at_every_place(void)
{
    for (int t = KERNEL_F16; t <= KERNEL_F64; t++)
        for (size_t n = 1; n <= 600; n += n < 36 ? 1 : 47)
            for (int sign = -1; sign <= 1; sign += 2) {
                for (int rest = 0; rest < 3; rest++) {
                    for (size_t i = 0; i < n; i++)
                        put_float(t, room, i, rest == 0 ? sign * -0.0 : (rest == 1 ? -1.5 : 2.5));
                    check_run(t, room, n);
                    for (size_t i = 0; i < n; i++) {
                        double kept = float_at(t, room, i);
                        put_float(t, room, i, sign * 0.0);
                        check_run(t, room, n);
                        put_float(t, room, (i + 1) % n, -sign * 0.0);
                        check_run(t, room, n);
                        put_float(t, room, i, kept);
                        put_float(t, room, (i + 1) % n, kept);
                    }
                }
            }
}

static void infinities_and_denormals(void)
{
    for (int t = KERNEL_F16; t <= KERNEL_F64; t++) {
        const double least = (double[]){0x1p-24, 0x1p-133, 0x1p-149, 0x1p-1074}[t - KERNEL_F16];
        for (size_t n = 1; n <= 600; n += n < 70 ? 1 : 59) {
            for (int sign = -1; sign <= 1; sign += 2) {
                for (size_t i = 0; i < n; i++)
                    put_float(t, room, i, sign * (double)INFINITY);
                check_run(t, room, n);
                put_float(t, room, n / 2, -sign * (double)INFINITY); /* inf - inf */
                check_run(t, room, n);
                put_float(t, room, n / 2, sign * 1.5);
                check_run(t, room, n);
                for (size_t i = 0; i < n; i++)
                    put_float(t, room, i, sign * least * (double)(1 + i % 7));
                check_run(t, room, n);
                put_float(t, room, n - 1, -sign * least);
                check_run(t, room, n);
            }
        }
        for (size_t i = 0; i < 700; i++) /* overflows on the way */
            put_float(t, room, i, (i % 64 < 32 ? 1 : -1) * largest[t]);
        check_run(t, room, 700);
    }
}

static void integers_at_their_limits(void)
{
    for (size_t n = 0; n <= 700; n += n < 70 ? 1 : 59) {
        for (size_t i = 0; i < n; i++)
            ((int32_t *)room)[i] = i % 3 == 0 ? INT32_MIN : INT32_MAX;
        check_run(KERNEL_I32, room, n);
        for (size_t i = 0; i < n; i++)
            ((int32_t *)room)[i] = INT32_MIN;
        check_run(KERNEL_I32, room, n);
        for (size_t i = 0; i < n; i++)
            ((int64_t *)room)[i] = i % 3 == 0 ? INT64_MIN : INT64_MAX - (int64_t)i;
        check_run(KERNEL_I64, room, n);
        for (size_t i = 0; i < n; i++)
            ((int64_t *)room)[i] = INT64_MAX;
        check_run(KERNEL_I64, room, n);
    }
}

/* A run that begins and ends at pages that cannot be read: reading one byte more is a SIGSEGV. */
static void nothing_beside_the_run_is_read(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t bytes = page * 2;
    unsigned char *map =
        mmap(NULL, bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(map != MAP_FAILED);
    unsigned char *run = map + page;
    CHECK(mprotect(run, bytes, PROT_READ | PROT_WRITE) == 0);
    for (int t = 0; t < KERNEL_DTYPES; t++) {
        fill(t, run, bytes / sizes[t], 99);
        for (size_t n = 1; n <= bytes / sizes[t]; n += n < 600 ? 1 : 61) {
            check_run(t, run, n);
            check_run(t, run + bytes - n * sizes[t], n);
        }
        check_run(t, run, bytes / sizes[t]);
    }
    CHECK(munmap(map, bytes + 2 * page) == 0);
}

/* ---- The golden bits -------------------------------------------------------------------- */

static double sum_leaves(const struct kernels *table, int t, const unsigned char *x, size_t n)
{
    double sum;
    if (n <= KERNEL_SUM_LEAF) {
        table->sum[t](x, x, 0, n, &sum);
        return sum;
    }
    size_t left = KERNEL_SUM_LEAF;
    while (left * 2 < n)
        left *= 2;
    return sum_leaves(table, t, x, left) + sum_leaves(table, t, x + left * sizes[t], n - left);
}

static uint64_t result_bits(const struct kernels *table, const struct golden *line, int op, int t,
                            const unsigned char *x)
{
    union {
        uint64_t u64;
        uint32_t u32;
    } out = {.u64 = 0};
    if (op != SUM || !is_float(t))
        run_kernel(table, op, t, x, line->n, &out);
    else
        put_float(t, &out, 0, line->n == 0 ? 0.0 : sum_leaves(table, t, x, line->n));
    return op == SUM || sizes[t] == 8 ? out.u64 : out.u32;
}

static void the_golden_bits(void)
{
    FILE *file = fopen(GOLDEN_FILE, "r");
    CHECK(file != NULL);
    struct golden line;
    size_t lines = 0;
    for (; golden_next(&line, file); lines++) {
        int op = 0;
        int t = 0;
        while (op < OPS && strcmp(op_names[op], line.op) != 0)
            op++;
        while (t < KERNEL_DTYPES && strcmp(dtype_names[t], sheaf_dtype_name(line.dtype)) != 0)
            t++;
        CHECK(op < OPS && t < KERNEL_DTYPES);
        unsigned char *x = malloc(line.n * 8 + 1);
        CHECK(x != NULL);
        golden_fill(x, line.dtype, line.n, line.seed);
        const struct kernels *table;
        for (size_t i = 0; (table = sheaf_kernels_at(i)) != NULL; i++) {
            uint64_t got = result_bits(table, &line, op, t, x);
            if (got != line.bits)
                fprintf(stderr, "%s: %s %s %zu: %016" PRIx64 ", not %016" PRIx64 "\n", table->isa,
                        line.op, sheaf_dtype_name(line.dtype), line.n, got, line.bits);
            CHECK(got == line.bits);
        }
        free(x);
    }
    CHECK(fclose(file) == 0);
    CHECK(lines >= 100);
}

CHECK_MAIN(CASE(tables_are_found_once), CASE(tables_are_listed_slowest_first),
           CASE(every_length_and_alignment), CASE(the_extreme_at_every_place),
           CASE(a_nan_at_every_place), CASE(zeros_of_both_signs_at_every_place),
           CASE(infinities_and_denormals), CASE(integers_at_their_limits),
           CASE(nothing_beside_the_run_is_read), CASE(the_golden_bits))
