/* exact_table.h -- exact sums of doubles of any size, by their exponents.
 *
 * A double is m * 2^(e - 1075), m of 53 bits. m * 2^(e mod 32) is cut into its lower 31 bits and the at most 53 above
 * them, and both are added to the bucket of the double's sign and e / 32:
 *
 *     bucket   sign, e / 32  ->  {sum of m * 2^(e mod 32), mod 2^64; sum of the upper parts}
 *
 * The sum of the lower parts is what is left of the first if 2^31 times the second is taken away, and fits into 64
 * bits. Nothing is carried before the end, and no element takes longer for its size. Neighbours go into different
 * copies of the table: an element need not wait for the one before it to have been stored, if both fall into the same
 * bucket. Source of the idea: Neal, "Fast Exact Summation Using Small and Large Superaccumulators", 2015, whose large
 * one has a chunk for each exponent. */
#ifndef SHEAF_KERNELS_EXACT_TABLE_H
#define SHEAF_KERNELS_EXACT_TABLE_H

#include "kernels.h"
#include "vec.h"

enum { EXACT_COPIES = 4, EXACT_BUCKETS = 64, EXACT_BLOCK = 2048, EXACT_SOME = 256 };

#define EXACT_EXPONENT (UINT64_C(0x7ff) << 52)

/* A bucket of a copy gets a quarter of a run: 2^11 upper parts, each below 2^53. */
_Static_assert(KERNEL_EXACT_RUN / EXACT_COPIES <= 1 << 11,
               "the sums of upper parts fit into 64 bits");

typedef uint64_t exact_pair[2];

struct exact_table {
    _Alignas(16)
        exact_pair bucket[EXACT_COPIES][2 * EXACT_BUCKETS]; /* second half: negative numbers */
    int64_t
        tiny[2]; /* what denormal numbers and zeros have too much: the lower 32 bits, the others */
    bool is_finite;
};

/* Not 0 where an exponent is the least or the greatest: zeros and denormal numbers, infinities and NaNs. */
#define EXACT_IS_EDGE(exponent) ((((exponent) + 1) & 0x7fe) == 0)

#if VBYTES == 8

typedef uint64_t exact_seen;

static inline void exact_four(struct exact_table *table, const double *x, exact_seen *edge)
{
    for (size_t k = 0; k < 4; k++) {
        uint64_t bits;
        memcpy(&bits, x + k, sizeof bits);
        const uint64_t m = (bits & 0xfffffffffffff) | UINT64_C(1) << 52;
        const unsigned shift = bits >> 52 & 31;
        *edge |= EXACT_IS_EDGE(bits >> 52);
        uint64_t *pair = table->bucket[k][bits >> 57];
        pair[0] += m << shift;
        pair[1] += m >> (31 - shift);
    }
}

#else

typedef uint64_t exact_word __attribute__((vector_size(32)));
typedef uint64_t exact_half __attribute__((vector_size(16)));
typedef exact_word exact_seen;

#if defined(__clang__)
#define EXACT_PAIRS(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define EXACT_PAIRS(a, b, ...) __builtin_shuffle(a, b, (exact_word){__VA_ARGS__})
#endif

static inline exact_half exact_lower(exact_word v)
{
#if defined(__AVX2__)
    return (exact_half)_mm256_castsi256_si128((__m256i)v);
#else
    exact_half half;
    memcpy(&half, &v, sizeof half);
    return half;
#endif
}

static inline exact_half exact_upper(exact_word v)
{
#if defined(__AVX2__)
    return (exact_half)_mm256_extracti128_si256((__m256i)v, 1);
#else
    exact_half half;
    memcpy(&half, (const unsigned char *)&v + sizeof half, sizeof half);
    return half;
#endif
}

/* The bucket is found by the double's last byte in memory, not by moving a lane of a register; the pairs stay in
 * registers. Bare loops over doubles of all exponents, on a Zen 4: 13 GB/s so, 9 with the pairs stored and loaded; a
 * chunk of 64 bits for four exponents, which takes one scalar addition and a look at the carry, 10. */
static inline void exact_add_to(struct exact_table *table, size_t copy, const double *x,
                                exact_half pair)
{
    unsigned char *at = (unsigned char *)table->bucket[copy] +
                        (((const unsigned char *)x)[7] & 0xfeU) * (sizeof(exact_pair) / 2);
    exact_half sum;
    memcpy(&sum, at, sizeof sum);
    sum += pair;
    memcpy(at, &sum, sizeof sum);
}

static inline void exact_four(struct exact_table *table, const double *x, exact_seen *edge)
{
    exact_word bits;
    memcpy(&bits, x, sizeof bits);
    const exact_word m = (bits & 0xfffffffffffff) | UINT64_C(1) << 52;
    const exact_word exponent = bits >> 52;
    *edge |= (exact_word)EXACT_IS_EDGE(exponent);
    const exact_word low = m << (exponent & 31);
    const exact_word high = m >> (~exponent & 31);
    const exact_word even = EXACT_PAIRS(low, high, 0, 4, 2, 6);
    const exact_word odd = EXACT_PAIRS(low, high, 1, 5, 3, 7);
    exact_add_to(table, 0, x, exact_lower(even));
    exact_add_to(table, 1, x + 1, exact_lower(odd));
    exact_add_to(table, 2, x + 2, exact_upper(even));
    exact_add_to(table, 3, x + 3, exact_upper(odd));
}

#endif

/* Denormal numbers and zeros have been taken for m = 2^52 + their fraction, times 2^0: it is their fraction, times
 * 2^1. */
static void exact_correct(struct exact_table *table, const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, x + i, sizeof bits);
        if ((bits & EXACT_EXPONENT) != 0)
            continue;
        int64_t low = (int64_t)(bits & 0xffffffff);
        int64_t high = (int64_t)(bits >> 32 & 0xfffff) - (1 << 20);
        table->tiny[0] += bits >> 63 ? -low : low;
        table->tiny[1] += bits >> 63 ? -high : high;
    }
}

/* Looks for what the table cannot tell from others. */
static void exact_look(struct exact_table *table, const double *x, size_t n)
{
    enum { TOGETHER = 64 };
    for (size_t i = 0; i < n; i += TOGETHER) {
        size_t end = n - i < TOGETHER ? n : i + TOGETHER;
        uint64_t tiny = 0;
        uint64_t special = 0;
        for (size_t k = i; k < end; k++) {
            uint64_t bits;
            memcpy(&bits, x + k, sizeof bits);
            tiny |= (uint64_t)((bits & EXACT_EXPONENT) == 0);
            special |= (uint64_t)((bits & EXACT_EXPONENT) == EXACT_EXPONENT);
        }
        if (tiny != 0)
            exact_correct(table, x + i, end - i);
        if (special != 0)
            table->is_finite = false;
    }
}

/* Adds n numbers. table: zeroes, or what this has filled. */
static void exact_fill(struct exact_table *table, const double *x, size_t n)
{
    const exact_seen none = {0};
    exact_seen edge = none;
    exact_seen others = none;
    double rest[4] = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        exact_four(table, x + i, &edge);
    if (memcmp(&edge, &none, sizeof edge) != 0)
        exact_look(table, x, i);
    if (i < n) {
        memcpy(rest, x + i, (n - i) * sizeof *x);
        exact_four(table, rest, &others);
        exact_look(table, rest, 4);
    }
}

/* Adds the table to the digits; that of bucket b is the first. The copies' upper sums, which need 66 bits together, are
 * added by halves; what is left of the lower ones fits into 64 bits, so it may be found modulo 2^64. */
static void exact_drain(int64_t *digit, const struct exact_table *table)
{
    for (size_t b = 0; b < 2 * EXACT_BUCKETS; b++) {
        uint64_t all = 0;
        uint64_t low = 0;
        uint64_t high = 0;
        for (size_t c = 0; c < EXACT_COPIES; c++) {
            const uint64_t upper = table->bucket[c][b][1];
            all += table->bucket[c][b][0];
            low += upper & 0xffffffff;
            high += upper >> 32;
        }
        const uint64_t lower = all - (low << 31) - (high << 63);
        const int64_t sum[3] = {(int64_t)(lower + ((low & 1) << 31)),
                                (int64_t)((low >> 1) + ((high & 1) << 31)), (int64_t)(high >> 1)};
        for (size_t k = 0; k < 3; k++)
            digit[b % EXACT_BUCKETS + k] += b < EXACT_BUCKETS ? sum[k] : -sum[k];
    }
    digit[0] += table->tiny[0];
    digit[1] += table->tiny[1];
}

/* ---- For blocks without a table ---- */

/* The sum of the doubles in bytes, exact if they are so. */
static inline double exact_lanes(const void *lanes, size_t bytes)
{
    double total = 0;
    for (size_t b = 0; b < bytes; b += sizeof(double)) {
        double lane;
        memcpy(&lane, (const char *)lanes + b, sizeof lane);
        total += lane;
    }
    return total;
}

/* A power of 2 some bits above a magnitude, for there may be greater ones; 0 if it is no good as a bound. */
static inline double exact_bound(double most)
{
    uint64_t bits;
    memcpy(&bits, &most, sizeof bits);
    uint64_t exponent = bits >> 52;
    if (most == 0)
        return 1;
    if (exponent < 1023 - 900 || exponent > 1023 + 900)
        return 0;
    bits = (exponent + 4) << 52;
    memcpy(&most, &bits, sizeof most);
    return most;
}

/* Adds a finite double. */
static inline void exact_put(int64_t *digit, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint64_t exponent = bits >> 52 & 0x7ff;
    const uint64_t m = (bits & 0xfffffffffffff) | (uint64_t)(exponent > 0) << 52;
    const uint64_t place = exponent > 0 ? exponent : 1;
    const int64_t parts[3] = {(int64_t)((m & 0xffffffff) << place % 32 & 0xffffffff),
                              (int64_t)(m >> (32 - place % 32) & 0xffffffff),
                              (int64_t)(m >> 32 >> (32 - place % 32))};
    for (size_t k = 0; k < 3; k++)
        digit[place / 32 + k] += bits >> 63 ? -parts[k] : parts[k];
}

#endif
