/* fold_tmpl.h -- one leaf of a type, T, folded in doubles, in the order of <sheaf/reduce.h>.
 *
 *     FOLD           its name
 *     COMBINE        + or *; NEUTRAL: -0.0 or 1.0
 *     TERM(x, y, c)  what is folded: of registers of doubles that hold elements, those of a second
 *                    run, and a constant
 *
 *     row        32 elements, one for each lane; a lane is a double
 *     sub-block  512 elements: 16 rows are combined with lanes that start from the neutral element
 *     leaf       16 sub-blocks: their lanes are merged by a binary counter, and then folded
 *
 * A lane's own order is all that counts, so which lanes lie in a register, and which are folded at the same
 * time, change no bit. Of f16 and bf16 a sub-block is taken to be free of infinities and NaNs first, and folded again if it
 * is not. There, where LINEAR, TERM(x * s) is TERM(x) * s, and TAKES_TWO, where it has a y. */
#include "tmpl_begin.h"

#define LANES      ((size_t)PASTE(sums, T))
#define REGS       (ROW / LANES) /* that hold a row's lanes */
#define THIS(name) PASTE(PASTE(FOLD, T), name)
#if IS_HALF && VBYTES > 8
#define APART ((size_t)4) /* from one lane of a register to its next; see half_load_tmpl.h */
#else
#define APART ((size_t)1)
#endif
#define FIRST(k) ((k) / APART * APART * LANES + (k) % APART) /* the first lane of register k */

/* What the terms are made of. */
struct THIS(input) {
    const elem *x;
    const elem *y;
    vwide c;
    vwide one; /* 1 */
};

/* Of register k of the row that begins with element i. */
static inline vwide THIS(term)(const struct THIS(input) * in, size_t i, size_t k)
{
    vwide x = FN(load_of_row)(in->x + i, k);
    vwide y = FN(load_of_row)(in->y + i, k);
    (void)x;
    (void)y;
    return TERM(x, y, in->c);
}

#if IS_HALF && VBYTES > 8
/* The lanes of a sub-block of this many whole rows. False, and nothing is of use, if there is an infinity or a
 * NaN. */
static inline bool THIS(finite_rows)(vwide *sum, const struct THIS(input) * in, size_t begin,
                                     size_t rows)
{
    const vwide zero = {0};
    const double scale = PASTE(HALF_SCALE, T);
    vwide s[REGS];
    vec top = {0};
    for (size_t k = 0; k < REGS; k++)
        s[k] = NEUTRAL - zero;
    for (size_t r = 0; r < rows; r++) {
        const elem *from = in->x + begin + r * ROW;
        for (size_t k = 0; k < REGS; k++) {
            const vwide x = FN(place)(from, k);
            if (k % APART == 0)
                top = FN(note)(top, from, k / APART);
#if defined(TAKES_TWO)
            const elem *other = in->y + begin + r * ROW;
            if (k % APART == 0)
                top = FN(note)(top, other, k / APART);
            s[k] = s[k] COMBINE(TERM(x * scale, FN(place)(other, k) * scale, in->c));
#elif defined(LINEAR)
            s[k] = add_exact_product(TERM(x, x, in->c), scale, s[k]);
#else
            s[k] = s[k] COMBINE(TERM(x * scale, x, in->c));
#endif
        }
    }
    memcpy(sum, s, sizeof s);
    return FN(all_finite)(top);
}
#endif

static inline vwide THIS(take)(const struct THIS(input) * in, vwide sum, vwide term)
{
#if ADDS_BESIDE_CONVERSIONS
    const bool adds = 1 COMBINE 1 == 2;
    if (adds && sizeof(elem) == sizeof(float))
        return add_product(sum, term, in->one);
#endif
    (void)in;
    return sum COMBINE term;
}

/* The lanes of a sub-block of this many whole rows. */
static inline void THIS(rows)(vwide *sum, const struct THIS(input) * in, size_t begin, size_t rows)
{
    const vwide zero = {0};
#if IS_HALF && VBYTES > 8
    if (THIS(finite_rows)(sum, in, begin, rows))
        return;
#endif
    for (size_t g = 0; g < REGS; g += GROUP) {
        vwide s[GROUP];
        for (size_t k = 0; k < GROUP; k++)
            s[k] = NEUTRAL - zero;
        for (size_t r = 0; r < rows; r++) {
            for (size_t k = 0; k < GROUP; k++)
                s[k] = THIS(take)(in, s[k], THIS(term)(in, begin + r * ROW, g + k));
        }
        for (size_t k = 0; k < GROUP; k++)
            sum[g + k] = s[k];
    }
}

/* The terms of register k, or, of lanes from `count` on, the neutral element. */
static inline vwide THIS(kept)(vwide term, size_t k, size_t count)
{
    const vwide zero = {0};
    const vwide neutral = NEUTRAL - zero;
#if VBYTES == 8
    return k < count ? term : neutral;
#else
    vbits number;
    memcpy(&number, lane_indices, sizeof number);
    const vbits keeps = number * (int64_t)APART < (int64_t)count - (int64_t)FIRST(k);
    return (vwide)(((vbits)term & keeps) | ((vbits)neutral & ~keeps));
#endif
}

/* A row whose first n elements are these, and the others 0. */
static inline void THIS(fill)(elem *row, const elem *x, size_t n)
{
    memset(row, 0, ROW * sizeof(elem));
    memcpy(row, x, n * sizeof(elem));
}

/* The same for the sub-block at the end of a leaf: n elements. The last row is filled up with zeros,
 * in place of whose terms the neutral element is combined, which changes nothing. */
static inline void THIS(last)(vwide *sum, const struct THIS(input) * in, size_t begin, size_t n)
{
    const size_t whole = n / ROW * ROW;
    THIS(rows)(sum, in, begin, n / ROW);
    if (whole == n)
        return;
    elem x[ROW];
    elem y[ROW];
    const struct THIS(input) filled = {x, in->y == in->x ? x : y, in->c, in->one};
    THIS(fill)(x, in->x + begin + whole, n - whole);
    if (in->y != in->x)
        THIS(fill)(y, in->y + begin + whole, n - whole);
    for (size_t k = 0; k < REGS; k++) {
        vwide term = THIS(kept)(THIS(term)(&filled, 0, k), k, n - whole);
        sum[k] = sum[k] COMBINE term;
    }
}

/* One step of the binary counter: takes in the lanes of the next sub-block. Where bit l of count is
 * set, level[l] holds the lanes of 2^l sub-blocks. */
static inline void THIS(count_in)(vwide level[][REGS], size_t count, vwide *sum)
{
    size_t l = 0;
    for (; count >> l & 1; l++)
        for (size_t k = 0; k < REGS; k++)
            sum[k] = level[l][k] COMBINE sum[k];
    for (size_t k = 0; k < REGS; k++) /* from registers: a memcpy() would take it from memory */
        level[l][k] = sum[k];
}

/* 32 lanes are combined to 16, those to 8, and so on: registers first, then what lies in one. */
static inline double THIS(fold)(vwide *sum)
{
    for (size_t half = REGS / 2; half >= APART; half /= 2)
        for (size_t k = 0; k < half; k++)
            sum[k] = sum[k] COMBINE sum[k + half];
    double in_registers[APART * LANES];
    double lane[APART * LANES];
    memcpy(in_registers, sum, sizeof lane);
    for (size_t k = 0; k < APART; k++)
        for (size_t i = 0; i < LANES; i++)
            lane[k + i * APART] = in_registers[k * LANES + i];
    for (size_t half = APART * LANES / 2; half > 0; half /= 2)
        for (size_t k = 0; k < half; k++)
            lane[k] = lane[k] COMBINE lane[k + half];
    return lane[0];
}

static void THIS(kernel)(const void *x, const void *y, double c, size_t n, void *out)
{
    const vwide zero = {0};
    vwide one = 1.0 - zero;
#if ADDS_BESIDE_CONVERSIONS
    __asm__("" : "+x"(one));
#endif
    const struct THIS(input) in = {x, y, c - zero, one};
    vwide level[LEVELS][REGS];
    vwide sum[REGS];
    size_t count = 0; /* sub-blocks taken in */
    for (; (count + 1) * SUB_BLOCK <= n; count++) {
        THIS(rows)(sum, &in, count * SUB_BLOCK, SUB_BLOCK / ROW);
        THIS(count_in)(level, count, sum);
    }
    if (n % SUB_BLOCK != 0) {
        THIS(last)(sum, &in, count * SUB_BLOCK, n % SUB_BLOCK);
        THIS(count_in)(level, count, sum);
        count++;
    }

    /* What is left in the counter, from the right; the first is combined with the neutral
     * element. */
    for (size_t k = 0; k < REGS; k++)
        sum[k] = NEUTRAL - zero;
    for (size_t l = 0; count >> l != 0; l++)
        for (size_t k = 0; k < REGS && (count >> l & 1); k++)
            sum[k] = level[l][k] COMBINE sum[k];
    double total = THIS(fold)(sum);
    if (total != total)
        total = QUIET_NAN;
    memcpy(out, &total, sizeof total);
}

#undef LANES
#undef REGS
#undef THIS
#undef APART
#undef FIRST
#include "tmpl_end.h"
