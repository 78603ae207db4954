/* half_tmpl.h -- the extremes of f16 and bf16, T, on their bits.
 *
 * A key is the bits, the 15 below the sign inverted where that is set: as signed integers keys are ordered as the
 * numbers are, -0 below +0, with the NaNs past the infinities of either sign. So a NaN shows in the two extreme keys.
 * Where NaNs do not count, keys are moved by so much that those of one sign wrap to the other end: past everything,
 * when it is the other extreme that is wanted.
 *
 * Loops of 16-bit integers, which compilers turn into registers: 16 elements take six instructions with AVX2. */
#include "tmpl_begin.h"

#define INFINITE PASTE(HALF_INFINITE, T)
#define NANS     (0x7fff - INFINITE) /* keys of NaNs of one sign */

enum { FN(WIDTH) = 64 };

static inline int16_t FN(key)(elem x)
{
    return (int16_t)(x ^ ((uint16_t)((int16_t)x >> 15) & 0x7fff));
}

/* A key moved by so much, round the ends. */
static inline int16_t FN(moved)(int16_t key, int by)
{
    return (int16_t)(uint16_t)((uint16_t)key + (unsigned)by);
}

static inline elem FN(of_key)(int16_t key)
{
    return (elem)(key < 0 ? key ^ 0x7fff : key);
}

/* The elements that two extreme keys stand for. */
static inline void FN(settle)(elem best[2], int16_t low, int16_t high, bool skips_nans)
{
    bool has_low = true;
    bool has_high = true;
    if (skips_nans) {
        has_low = low <= INFINITE - NANS;
        has_high = high >= -INFINITE - 1 + NANS;
        low = FN(moved)(low, NANS);
        high = FN(moved)(high, -NANS);
    } else {
        has_low = has_high = low >= -INFINITE - 1 && high <= INFINITE;
    }
    best[0] = has_low ? FN(of_key)(low) : PASTE(HALF_NAN, T);
    best[1] = has_high ? FN(of_key)(high) : PASTE(HALF_NAN, T);
}

/* The least and the greatest of a run. */
static inline __attribute__((always_inline)) void FN(extremes)(const elem *x, size_t n,
                                                               elem best[2], bool skips_nans)
{
    const int skipped = skips_nans ? NANS : 0;
    int16_t low = INT16_MAX;
    int16_t high = INT16_MIN;
    for (size_t i = 0; i < n; i++) {
        const int16_t key = FN(key)(x[i]);
        const int16_t down = FN(moved)(key, -skipped);
        const int16_t up = FN(moved)(key, skipped);
        low = (int16_t)(down < low ? down : low);
        high = (int16_t)(up > high ? up : high);
    }
    FN(settle)(best, low, high, skips_nans);
}

static void FN(minmax_kernel)(const void *x, size_t n, void *out)
{
    elem best[2];
    FN(extremes)(x, n, best, false);
    memcpy(out, best, sizeof best);
}

/* A key that is the same for both zeros. */
static inline int16_t FN(rank)(elem x)
{
    const int16_t key = FN(key)(x);
    return (int16_t)(key + (key == -1));
}

/* Notes the place of what is new in a column: `top`, which was `before`. */
static inline void FN(note_place)(const struct extreme_columns *in, size_t i, const elem change[2],
                                  bool wants_greatest, bool skips_nans)
{
    const elem before = change[0];
    const elem top = change[1];
    const bool is_above =
        wants_greatest ? FN(rank)(top) > FN(rank)(before) : FN(rank)(top) < FN(rank)(before);
    const bool was = FN(is_number)(before);
    const bool is = FN(is_number)(top);
    uint16_t *places = in->places;
    if (!in->is_begun || is_above || (skips_nans ? !was && is : was && !is))
        places[i] = (uint16_t)in->place;
}

/* `count` columns, at most WIDTH, from number i on; a constant where that is so. */
static inline __attribute__((always_inline)) void
FN(columns_some)(elem *out, const struct extreme_columns *in, size_t i, size_t count,
                 bool wants_greatest, bool skips_nans)
{
    const int skipped = skips_nans ? NANS : 0;
    int16_t low[FN(WIDTH)];
    int16_t high[FN(WIDTH)];
    for (size_t c = 0; c < count; c++) {
        low[c] = INT16_MAX;
        high[c] = INT16_MIN;
    }
    for (size_t r = 0; r < in->rows + in->is_begun; r++) {
        const uintptr_t row = r * (uintptr_t)in->stride + i * sizeof(elem);
        const elem *x = r < in->rows ? (const elem *)((uintptr_t)in->x + row) : out + i;
        if (in->next != NULL && r < in->rows)
            for (size_t b = 0; b < count * sizeof(elem); b += 64)
                __builtin_prefetch((const void *)((uintptr_t)in->next + row + b), 0, 2);
        for (size_t c = 0; c < count; c++) {
            const int16_t key = FN(key)(x[c]);
            const int16_t down = FN(moved)(key, -skipped);
            const int16_t up = FN(moved)(key, skipped);
            low[c] = (int16_t)(down < low[c] ? down : low[c]);
            high[c] = (int16_t)(up > high[c] ? up : high[c]);
        }
    }
    for (size_t c = 0; c < count; c++) {
        elem best[2];
        FN(settle)(best, low[c], high[c], skips_nans);
        const elem change[2] = {in->is_begun ? out[i + c] : 0, best[wants_greatest]};
        if (in->places != NULL)
            FN(note_place)(in, i + c, change, wants_greatest, skips_nans);
        out[i + c] = change[1];
    }
}

static inline __attribute__((always_inline)) void
FN(columns)(const struct extreme_columns *in, void *best, bool wants_greatest, bool skips_nans)
{
    size_t i = 0;
    for (; i + FN(WIDTH) <= in->columns; i += FN(WIDTH))
        FN(columns_some)(best, in, i, FN(WIDTH), wants_greatest, skips_nans);
    if (i < in->columns)
        FN(columns_some)(best, in, i, in->columns - i, wants_greatest, skips_nans);
}

#define EXTREME(name, wants_greatest, skips_nans)                                                  \
    static void PASTE(PASTE(name, T), kernel)(const void *x, size_t n, void *out)                  \
    {                                                                                              \
        elem best[2];                                                                              \
        FN(extremes)(x, n, best, skips_nans);                                                      \
        memcpy(out, &best[wants_greatest], sizeof(elem));                                          \
    }                                                                                              \
    static void PASTE(PASTE(name, T), columns)(const struct extreme_columns *in, void *best)       \
    {                                                                                              \
        FN(columns)(in, best, wants_greatest, skips_nans);                                         \
    }
EXTREME(max, true, false)
EXTREME(min, false, false)
EXTREME(nanmax, true, true)
EXTREME(nanmin, false, true)
#undef EXTREME

#undef INFINITE
#undef NANS
#include "tmpl_end.h"
