/* half_load_tmpl.h -- f16 and bf16, T, as doubles, by integer instructions alone.
 *
 *     bits of a word    s eeeee mmmmmmmmmm            f16
 *                       s eeeeeeee mmmmmmm            bf16
 *     of a double       s eeeeeeeeeee mmmm..          the exponent and the fraction some bits further to the right
 *
 * An arithmetic shift puts them there, a mask takes away the copies of the sign, and a product with a power of two
 * mends the exponent: exact, denormal numbers too. What had the greatest exponent, infinities and NaNs, needs all of
 * the double's.
 *
 * A row of 32 is taken apart by words: register 4 i + k has word k of each 64 bits that load number i brought, so the
 * lanes of one register are elements that lie 4 apart (fold_tmpl.h). On a Zen 4, sum from L1: 22 GB/s so, 14 by
 * vcvtph2ps and vcvtps2pd, of which the second alone, bare, gives 36. */
#include "tmpl_begin.h"

#define SHIFT    PASTE(HALF_SHIFT, T)
#define INFINITE PASTE(HALF_INFINITE, T)
#define MASK                                                                                       \
    ((int64_t)((UINT64_C(1) << 63) |                                                               \
               ((UINT64_C(1) << (63 - SHIFT)) - (UINT64_C(1) << (48 - SHIFT)))))
#define SCALE PASTE(HALF_SCALE, T)

static inline double FN(as_double)(elem x)
{
    return (double)PASTE(from, T)(x);
}

static inline bool FN(is_number)(elem x)
{
    return (x & 0x7fff) <= INFINITE;
}

/* As numbers, neither of which is a NaN: zeros are equal. */
static inline bool FN(equals)(elem x, elem y)
{
    return ((x ^ y) & ((y & 0x7fff) == 0 ? 0x7fff : 0xffff)) == 0;
}

#if VBYTES == 8

static inline vwide FN(load_double)(const elem *x)
{
    return FN(as_double)(*x);
}

static inline vwide FN(load_of_row)(const elem *row, size_t k)
{
    return FN(as_double)(row[k]);
}

#else

typedef int16_t FN(signed_part) REGISTER(sums_f64 * sizeof(int16_t));
typedef int32_t FN(places) REGISTER(VBYTES);
typedef uint32_t FN(pairs) REGISTER(VBYTES);

/* Word k % 4 of the 64 bits of load k / 4, in place. */
static inline vwide FN(place)(const elem *row, size_t k)
{
    FN(pairs) v;
    memcpy(&v, row + k / 4 * (sizeof v / sizeof *row), sizeof v);
    v = k % 2 == 0 ? v << 16 : v;
    v = (FN(pairs))((FN(places))v >> SHIFT);
    const vec_u64 wide = k % 4 < 2 ? (vec_u64)v << 32 : (vec_u64)v;
    return (vwide)((vbits)wide & MASK);
}

/* The double of what is in place. */
static inline vwide FN(of_place)(vwide place)
{
    const vbits is_special = ((vbits)place & INT64_MAX) > ((int64_t)INFINITE << (48 - SHIFT)) - 1;
    const int64_t exponent = INT64_C(0x7ff) << 52;
    return (vwide)((vbits)(place * SCALE) | (is_special & exponent));
}

static inline vwide FN(load_of_row)(const elem *row, size_t k)
{
    return FN(of_place)(FN(place)(row, k));
}

/* Neighbours. */
static inline vwide FN(load_double)(const elem *x)
{
    FN(signed_part) v;
    memcpy(&v, x, sizeof v);
    const vbits wide = __builtin_convertvector(v, vbits);
    return FN(of_place)((vwide)((vbits)((vec_u64)wide << (48 - SHIFT)) & MASK));
}

/* The greatest magnitudes so far, times 2, of load number i of a row. */
static inline vec FN(note)(vec top, const elem *row, size_t i)
{
    vec v;
    memcpy(&v, row + i * (sizeof v / sizeof *row), sizeof v);
    return vmax_u16(v + v, top);
}

/* Whether they are all below infinity. */
static inline bool FN(all_finite)(vec top)
{
    const vec is_special = (vec)(top > 2 * INFINITE - 1);
    uint64_t word[VBYTES / sizeof(uint64_t)];
    uint64_t any = 0;
    memcpy(word, &is_special, sizeof word);
    for (size_t i = 0; i < VBYTES / sizeof *word; i++)
        any |= word[i];
    return any == 0;
}

#endif

#undef SHIFT
#undef INFINITE
#undef MASK
#undef SCALE
#include "tmpl_end.h"
