/* extreme_columns_tmpl.h -- max or min of each of many neighbouring columns of a type, T, down some rows; the macros
 * are those of extreme_tmpl.h.
 *
 * What a column has so far goes in as one more row, so that its bits need no state beside it. A NaN is noted
 * for each column. If a maximum is a zero, no number of its column is above it, so that +0 is the one number
 * without a sign there: the signs' AND is that of the zero; for a minimum it is their OR. */
#include "tmpl_begin.h"

#define LANES      ((size_t)PASTE(lanes, T))
#define VOP        PASTE(CAT(v, OP), T)
#define THIS(name) PASTE(PASTE(EXTREME, T), name)
#define ABREAST    2 /* registers of columns */
#define LINE       64
#define IS_MAX     (1 BEATS 0)

#if VBYTES == 8
#define WHERE(is)    (-(THIS(word))(is))
#define EACH_LANE(n) ((THIS(word))(n))
typedef FN(bits) THIS(word);
#else
#define WHERE(is)    (is)
#define EACH_LANE(n) (n)
typedef __typeof__((vec){0} == (vec){0}) THIS(word);
#endif

/* Of a register of columns so far. */
struct THIS(columns_so_far) {
    vec top;
    THIS(word) noted; /* all ones: a NaN was met; where they do not count, a number */
    THIS(word) signs;
};

static inline void THIS(meet)(struct THIS(columns_so_far) * all, vec v)
{
    all->top = VOP(v, all->top);
#if IS_FLOAT
    const THIS(word) number = (THIS(word))WHERE(v == v);
    THIS(word) bits;
    memcpy(&bits, &v, sizeof bits);
    all->noted |= SKIPS_NANS ? number : ~number;
    if (IS_MAX)
        all->signs &= SKIPS_NANS ? bits | ~number : bits;
    else
        all->signs |= SKIPS_NANS ? bits & number : bits;
#endif
}

/* The bits of a register with the rules for NaNs and zeros. */
static inline vec THIS(settled)(const struct THIS(columns_so_far) * all)
{
    vec top = all->top;
#if IS_FLOAT
    const vec zero = {0};
    const vec minus_zero = -(elem)0 - zero;
    const vec nan = (elem)QUIET_NAN - zero;
    const THIS(word) is_zero = (THIS(word))WHERE(top == zero);
    const THIS(word) is_number = SKIPS_NANS ? all->noted : ~all->noted;
    THIS(word) bits, sign, nan_bits;
    memcpy(&bits, &top, sizeof bits);
    memcpy(&sign, &minus_zero, sizeof sign);
    memcpy(&nan_bits, &nan, sizeof nan_bits);
    bits = (bits & ~is_zero) | (all->signs & sign & is_zero);
    bits = (bits & is_number) | (nan_bits & ~is_number);
    memcpy(&top, &bits, sizeof top);
#endif
    return top;
}

/* Notes the place of what is new in a register of columns: `top`, which was `before`. */
static inline void THIS(note_place)(const struct extreme_columns *in, size_t i, vec before, vec top)
{
    unsigned char *at = (unsigned char *)in->places + i * sizeof(elem);
    THIS(word) places;
    THIS(word) is_new = (THIS(word))WHERE(top BEATS before);
#if IS_FLOAT && SKIPS_NANS
    is_new |= (THIS(word))WHERE(before != before) & (THIS(word))WHERE(top == top);
#elif IS_FLOAT
    is_new |= (THIS(word))WHERE(before == before) & (THIS(word))WHERE(top != top);
#endif
    if (!in->is_begun)
        is_new |= ~is_new;
    memcpy(&places, at, sizeof places);
    places = (places & ~is_new) | (EACH_LANE(in->place) & is_new);
    memcpy(at, &places, sizeof places);
}

/* `count` registers of columns from number i on; a constant where this is called. */
static inline void THIS(columns_some)(elem *out, const struct extreme_columns *in, size_t i,
                                      const size_t count, const bool asks)
{
    struct THIS(columns_so_far) all[ABREAST];
    const elem *first = in->is_begun ? out + i : (const elem *)in->x + i;
    memset(all, 0, sizeof all);
    for (size_t k = 0; k < count; k++) {
#if SKIPS_NANS
        all[k].top = (elem)LEAST - (vec){0};
#else
        memcpy(&all[k].top, first + k * LANES, sizeof all[k].top);
#endif
        if (IS_MAX)
            all[k].signs = ~all[k].signs;
    }
    for (size_t k = 0; k < count; k++) {
        vec v;
        memcpy(&v, first + k * LANES, sizeof v);
        THIS(meet)(&all[k], v);
    }
    for (size_t r = 0; r < in->rows; r++) {
        const uintptr_t row = r * (uintptr_t)in->stride + i * sizeof(elem);
        for (size_t b = 0; asks && b < count * sizeof(vec); b += LINE)
            __builtin_prefetch((const void *)((uintptr_t)in->next + row + b), 0, 2);
        for (size_t k = 0; k < count; k++) {
            vec v;
            memcpy(&v, (const elem *)((uintptr_t)in->x + row) + k * LANES, sizeof v);
            THIS(meet)(&all[k], v);
        }
    }
    for (size_t k = 0; k < count; k++) {
        const vec v = THIS(settled)(&all[k]);
        if (in->places != NULL) {
            vec before;
            memcpy(&before, first + k * LANES, sizeof before);
            THIS(note_place)(in, i + k * LANES, before, v);
        }
        memcpy(out + i + k * LANES, &v, sizeof v);
    }
}

/* The same of what does not fill a register. */
static inline void THIS(columns_one)(elem *out, const struct extreme_columns *in, size_t i)
{
    elem x[LANES];
    elem best[LANES];
    FN(bits) places[LANES];
    struct extreme_columns filled = {.x = x, .rows = 1, .columns = LANES, .place = in->place};
    memset(x, 0, sizeof x);
    memset(places, 0, sizeof places);
    if (in->places != NULL) {
        filled.places = places;
        memcpy(places, (elem *)in->places + i, sizeof places[0]);
    }
    memset(best, 0, sizeof best);
    best[0] = out[i];
    for (size_t r = 0; r < in->rows; r++) {
        x[0] = ((const elem *)((uintptr_t)in->x + r * (uintptr_t)in->stride))[i];
        filled.is_begun = in->is_begun || r > 0;
        THIS(columns_some)(best, &filled, 0, 1, false);
    }
    out[i] = best[0];
    if (in->places != NULL)
        memcpy((elem *)in->places + i, places, sizeof places[0]);
}

static void THIS(columns)(const struct extreme_columns *in, void *best)
{
    elem *out = best;
    size_t i = 0;
    if (in->next != NULL)
        for (; i + ABREAST * LANES <= in->columns; i += ABREAST * LANES)
            THIS(columns_some)(out, in, i, ABREAST, true);
    for (; i + LANES <= in->columns; i += LANES)
        THIS(columns_some)(out, in, i, 1, false);
    for (; i < in->columns; i++)
        THIS(columns_one)(out, in, i);
}

#undef LANES
#undef VOP
#undef THIS
#undef ABREAST
#undef LINE
#undef IS_MAX
#undef WHERE
#undef EACH_LANE
#include "tmpl_end.h"
