/* load_tmpl.h -- unaligned loads of one element type, T, and the search for a zero by its sign. */
#include "tmpl_begin.h"

static inline vec FN(load)(const elem *x)
{
    vec v;
    memcpy(&v, x, sizeof v);
#if IS_FLOAT && HOLD_LOADS
    /* v has two uses, max and the NaN test. Left alone, GCC 12 loads it once for each: max of f64 with
     * AVX-512 runs at 153 GB/s in L1 instead of 206, and at 14.5 from memory instead of 15.4. */
    __asm__("" : "+v"(v));
#endif
    return v;
}

static inline vacc FN(load_wide)(const elem *x)
{
    part v;
    memcpy(&v, x, sizeof v);
    return FN(widen)(v);
}

/* One as a double, rounded. Of an unsigned 64-bit number Clang makes packed instructions, which the scalar
 * table must not have: here its halves are exact, and their sum is rounded once. */
static inline double FN(as_double)(elem x)
{
#if !IS_FLOAT
    if (sizeof x == 8 && (elem)-1 > 0)
        return (double)(int64_t)((uint64_t)x >> 32) * 0x1p32 +
               (double)(int64_t)((uint64_t)x & UINT32_MAX);
#endif
    return (double)x;
}

/* A register of them as doubles: what has 64 bits is rounded. */
static inline vwide FN(load_double)(const elem *x)
{
#if IS_FLOAT
    return FN(load_wide)(x);
#elif VBYTES == 8
    return FN(as_double)(*x);
#else
    part v;
    memcpy(&v, x, sizeof v);
    return __builtin_convertvector(v, vwide);
#endif
}

/* Register k of a row of 32, as doubles. */
static inline vwide FN(load_of_row)(const elem *row, size_t k)
{
    return FN(load_double)(row + k * PASTE(sums, T));
}

static inline bool FN(is_number)(elem x)
{
#if IS_FLOAT
    return x == x;
#else
    (void)x;
    return true;
#endif
}

static inline bool FN(equals)(elem x, elem y)
{
    return x == y;
}

#if IS_FLOAT
/* Whether one of n elements is this very zero, of its sign. */
static bool FN(has_zero)(const elem *x, size_t n, elem zero)
{
    FN(bits) wanted, bits;
    memcpy(&wanted, &zero, sizeof wanted);
    for (size_t i = 0; i < n;) {
        size_t end = n - i > 512 ? i + 512 : n; /* a look at what was found, now and then */
        FN(bits) found = 0;
        for (; i < end; i++) {
            memcpy(&bits, x + i, sizeof bits);
            found |= bits == wanted;
        }
        if (found)
            return true;
    }
    return false;
}
#endif

#include "tmpl_end.h"
