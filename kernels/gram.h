/* gram.h -- A'A of a block of rows of doubles.
 *
 * A row gives an outer product: each of its elements, in all lanes, times vectors of its elements. Sums stay in
 * registers over a block; nothing is transposed. Each element of A'A is one chain of fma() down the rows, so how
 * wide registers are and how tiles share the elements shows in no bit.
 *
 *     n = 10, four lanes:         columns 0-3   4-7   8 9
 *     rows 0-3 of A'A               a tile of 4 x 2
 *     rows 4-7                             the last
 *     rows 8 9                      the    last   tile      left of the diagonal for right of it
 *
 * A Zen 4 multiplies two vectors a cycle and loads two, and a product is ready after four cycles: tiles have 8 to
 * 12 sums, and half as many loads and broadcasts. */
#ifndef SHEAF_KERNELS_GRAM_H
#define SHEAF_KERNELS_GRAM_H

#include "gram_layout.h"
#include "svd_lanes.h"

/* The most rows and vectors of a tile. */
enum { GRAM_HIGH = 4, GRAM_WIDE = 3 };

/* A block of rows. With each row a tile asks for a part of the next block, into L2; past the end of the matrix lies most
 * often what is read next. 20 columns from memory take a core of a Zen 4 13.7 ns a row so; 15 if the first tiles ask for
 * all of it, 16 if they ask two blocks ahead, 17 if it goes to L1, or if nothing is asked for; from L2 12.4. */
struct gram_block {
    const double *x;
    size_t rows, step, n;
    uintptr_t ahead;
    size_t ask;
};

static inline void gram_ask(const struct gram_block *b, size_t row)
{
    __builtin_prefetch((const void *)(b->ahead + row * b->ask), 0, 2);
}

static inline vd gram_load(const double *x)
{
    vd v;
    memcpy(&v, x, sizeof v);
    return v;
}

static inline void gram_add(double *g, vd sum)
{
    sum = gram_load(g) + sum;
    memcpy(g, &sum, sizeof sum);
}

/* Adds the block's share of `high` rows of A'A, from i on, and of `wide` vectors of columns, from j on. */
static inline __attribute__((always_inline)) void gram_tile(const struct gram_block *b, double *g,
                                                            size_t i, size_t j, const size_t high,
                                                            const size_t wide)
{
    vd sum[GRAM_HIGH][GRAM_WIDE];
    const double *x = b->x;
    for (size_t h = 0; h < high; h++)
        for (size_t w = 0; w < wide; w++)
            sum[h][w] = all_lanes(0);
    for (size_t row = 0; row < b->rows; row++, x += b->step) {
        vd across[GRAM_WIDE];
        gram_ask(b, row);
        for (size_t w = 0; w < wide; w++)
            across[w] = gram_load(x + j + w * LANES);
        for (size_t h = 0; h < high; h++) {
            vd down = all_lanes(x[i + h]);
            for (size_t w = 0; w < wide; w++)
                sum[h][w] = svd_fma(down, across[w], sum[h][w]);
        }
    }
    for (size_t h = 0; h < high; h++)
        for (size_t w = 0; w < wide; w++)
            gram_add(g + (i + h) * b->n + j + w * LANES, sum[h][w]);
}

#if VBYTES == 32
/* The elements of the last columns, at most 3, in all lanes each, and their products with each other: (0, 0), (1, 1) and
 * (0, 1); (0, 2) and (1, 2); the last one's square. */
static inline __attribute__((always_inline)) void gram_rest(vd tail[3], vd corner[3],
                                                            const double *x, const size_t rest)
{
    if (rest >= 2) {
        __m128d two;
        memcpy(&two, x, sizeof two);
        __m256d pair = _mm256_set_m128d(two, two);
        tail[0] = (vd)_mm256_permute_pd(pair, 0);
        tail[1] = (vd)_mm256_permute_pd(pair, 15);
        corner[0] = svd_fma((vd)pair, (vd)_mm256_permute_pd(pair, 6), corner[0]);
        if (rest == 3) {
            tail[2] = all_lanes(x[2]);
            corner[1] = svd_fma((vd)pair, tail[2], corner[1]);
        }
    } else if (rest == 1) {
        tail[0] = all_lanes(x[0]);
    }
    if (rest % 2 == 1)
        corner[2] = svd_fma(tail[rest - 1], tail[rest - 1], corner[2]);
}

static inline void gram_add_corner(double *g, size_t n, size_t rest, const vd corner[3])
{
    if (rest >= 2) {
        g[0] += corner[0][0];
        g[n + 1] += corner[0][1];
        g[1] += corner[0][2];
    }
    if (rest == 3) {
        g[2] += corner[1][0];
        g[n + 2] += corner[1][1];
    }
    if (rest % 2 == 1)
        g[(rest - 1) * (n + 1)] += corner[2][0];
}

/* Both are there before either is used: where a Zen 4 gets one broadcast and one product in turn, all products go to
 * one of its two pipes. */
static inline void gram_both(vd *a, vd *b)
{
    __asm__("" : "+x"(*a), "+x"(*b));
}

/* The same where four lanes meet the diagonal: `own` vectors and as many groups of four rows end at column `full`;
 * below them are `rest` rows, with their last `wide` vectors and with each other. */
static inline __attribute__((always_inline)) void gram_last(const struct gram_block *b, double *g,
                                                            size_t full, const size_t own,
                                                            const size_t rest, const size_t wide)
{
    vd sum[2][LANES][2];
    vd below[LANES][2];
    vd corner[3];
    const double *x = b->x + full;
    memset(sum, 0, sizeof sum);
    memset(below, 0, sizeof below);
    memset(corner, 0, sizeof corner);
    for (size_t row = 0; row < b->rows; row++, x += b->step) {
        vd across[2];
        vd tail[LANES];
        gram_ask(b, row);
        for (size_t w = 0; w < 2; w++) /* the last one is the first */
            if (w < wide || w < own)
                across[w] = gram_load(x - (w + 1) * LANES);
        if (wide == 2)
            gram_both(&across[0], &across[1]);
        for (size_t group = 0; group < own; group++)
            for (size_t h = 0; h < LANES; h += 2) {
                vd down = all_lanes(*(x - (group + 1) * LANES + h));
                vd next = all_lanes(*(x - (group + 1) * LANES + h + 1));
                gram_both(&down, &next);
                for (size_t w = 0; w <= group; w++) {
                    sum[group][h][w] = svd_fma(down, across[w], sum[group][h][w]);
                    sum[group][h + 1][w] = svd_fma(next, across[w], sum[group][h + 1][w]);
                }
            }
        gram_rest(tail, corner, x, rest);
        for (size_t h = 0; h < rest; h++)
            for (size_t w = 0; w < wide; w++)
                below[h][w] = svd_fma(tail[h], across[w], below[h][w]);
    }
    for (size_t group = 0; group < own; group++)
        for (size_t h = 0; h < LANES; h++)
            for (size_t w = 0; w <= group; w++)
                gram_add(g + (full - (group + 1) * LANES + h) * b->n + full - (w + 1) * LANES,
                         sum[group][h][w]);
    for (size_t h = 0; h < rest; h++)
        for (size_t w = 0; w < wide; w++)
            gram_add(g + (full + h) * b->n + full - (w + 1) * LANES, below[h][w]);
    gram_add_corner(g + full * (b->n + 1), b->n, rest, corner);
}
#endif

/* A tile of any size. */
static void gram_some(struct gram_block *b, double *g, size_t i, size_t j, size_t high, size_t wide)
{
    switch (high * 4 + wide) {
    case 4 * 4 + 3:
        gram_tile(b, g, i, j, 4, 3);
        break;
    case 4 * 4 + 2:
        gram_tile(b, g, i, j, 4, 2);
        break;
    case 4 * 4 + 1:
        gram_tile(b, g, i, j, 4, 1);
        break;
    case 3 * 4 + 3:
        gram_tile(b, g, i, j, 3, 3);
        break;
    case 3 * 4 + 2:
        gram_tile(b, g, i, j, 3, 2);
        break;
    case 3 * 4 + 1:
        gram_tile(b, g, i, j, 3, 1);
        break;
    case 2 * 4 + 3:
        gram_tile(b, g, i, j, 2, 3);
        break;
    case 2 * 4 + 2:
        gram_tile(b, g, i, j, 2, 2);
        break;
    case 2 * 4 + 1:
        gram_tile(b, g, i, j, 2, 1);
        break;
    case 1 * 4 + 3:
        gram_tile(b, g, i, j, 1, 3);
        break;
    case 1 * 4 + 2:
        gram_tile(b, g, i, j, 1, 2);
        break;
    default:
        gram_tile(b, g, i, j, 1, 1);
        break;
    }
    b->ahead += b->rows * b->ask;
}

/* `high` rows, as many vectors of columns as there are from j to end: threes, and twos where a one would be left. */
static void gram_strip(struct gram_block *b, double *g, size_t i, size_t high, size_t j, size_t end)
{
    while (j < end) {
        size_t left = (end - j) / LANES;
        size_t wide = left == 4 || left < GRAM_WIDE ? (left < 2 ? left : 2) : GRAM_WIDE;
        gram_some(b, g, i, j, high, wide);
        j += wide * LANES;
    }
}

/* The columns that a block of n has: whole vectors, but where gram_end() takes the rest. */
static inline size_t gram_padded(size_t n)
{
    return LANES == 4 ? n : (n + LANES - 1) / LANES * LANES;
}

/* The row of A'A that gram_end() begins at, but for its last rows, which it does from the first column on. */
static inline size_t gram_end_row(size_t full, size_t rest)
{
    size_t own = LANES != 4 || rest == 3 ? 0 : rest > 0 ? 1 : 2;
    return full < own * LANES ? 0 : full - own * LANES;
}

#if VBYTES == 32
static void gram_end(struct gram_block *b, double *g, size_t full, size_t rest)
{
    size_t vectors = full / LANES < 2 ? full / LANES : 2;
    switch (rest * 4 + vectors) {
    case 0 * 4 + 1:
        gram_last(b, g, full, 1, 0, 0);
        break;
    case 0 * 4 + 2:
        gram_last(b, g, full, 2, 0, 0);
        break;
    case 1 * 4 + 0:
        gram_last(b, g, full, 0, 1, 0);
        break;
    case 1 * 4 + 1:
        gram_last(b, g, full, 1, 1, 1);
        break;
    case 1 * 4 + 2:
        gram_last(b, g, full, 1, 1, 2);
        break;
    case 2 * 4 + 0:
        gram_last(b, g, full, 0, 2, 0);
        break;
    case 2 * 4 + 1:
        gram_last(b, g, full, 1, 2, 1);
        break;
    case 2 * 4 + 2:
        gram_last(b, g, full, 1, 2, 2);
        break;
    case 3 * 4 + 0:
        gram_last(b, g, full, 0, 3, 0);
        break;
    case 3 * 4 + 1:
        gram_last(b, g, full, 0, 3, 1);
        break;
    default:
        gram_last(b, g, full, 0, 3, 2);
        break;
    }
    b->ahead += b->rows * b->ask;
    if (rest > 0 && vectors == 2)
        gram_strip(b, g, full, rest, 0, full - 2 * LANES);
}
#else
static void gram_end(struct gram_block *b, double *g, size_t full, size_t rest)
{
    (void)b;
    (void)g;
    (void)full;
    (void)rest;
}
#endif

/* Of a block of n columns. */
static inline size_t gram_tiles(size_t n)
{
    size_t full = n / LANES * LANES;
    size_t tiles = LANES != 4 ? 0 : n > full ? 1 + full / LANES / GRAM_WIDE : 1;
    for (size_t i = 0; i < gram_end_row(full, n - full); i += GRAM_HIGH)
        tiles += ((full - i / LANES * LANES) / LANES + GRAM_WIDE - 1) / GRAM_WIDE;
    return tiles;
}

/* Adds the block's share to g, n x n by rows: right of the diagonal, but of the last n mod 4 columns what is below it
 * where there are four lanes. */
static void gram_block_add(struct gram_block *b, double *g)
{
    size_t full = b->n / LANES * LANES;
    size_t end = gram_end_row(full, b->n - full);
    gram_end(b, g, full, b->n - full);
    for (size_t i = 0; i < end; i += GRAM_HIGH)
        gram_strip(b, g, i, end - i < GRAM_HIGH ? end - i : GRAM_HIGH, i / LANES * LANES, full);
}

/* Adds sums of gram_block_add(), by rows of gram_padded(), to g, n x n. */
static void gram_gather(double *g, const double *sums, size_t n)
{
    size_t stride = gram_padded(n);
    size_t full = LANES == 4 ? n / LANES * LANES : n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++)
            g[i * n + j] += i < full && j >= full ? sums[j * stride + i] : sums[i * stride + j];
}

#endif
