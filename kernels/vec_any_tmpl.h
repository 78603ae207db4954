/* vec_any_tmpl.h -- vmax, vmin, widen and the NaN test of one element type, T, for any compiler that
 * has the vector extension (VBYTES 16), and for plain scalars (VBYTES 8). */
#include "tmpl_begin.h"

#if VBYTES == 8

static inline vec FN(vmax)(vec a, vec b)
{
    return a > b ? a : b;
}

static inline vec FN(vmin)(vec a, vec b)
{
    return a < b ? a : b;
}

static inline vacc FN(widen)(part v)
{
    return (vacc)v;
}

#else

static inline vec FN(vmax)(vec a, vec b)
{
    PASTE(mask, T) is_a = a > b;
    return (vec)(((PASTE(mask, T))a & is_a) | ((PASTE(mask, T))b & ~is_a));
}

static inline vec FN(vmin)(vec a, vec b)
{
    PASTE(mask, T) is_a = a < b;
    return (vec)(((PASTE(mask, T))a & is_a) | ((PASTE(mask, T))b & ~is_a));
}

static inline vacc FN(widen)(part v)
{
    return __builtin_convertvector(v, vacc);
}

#endif

#if IS_FLOAT && VBYTES == 8

typedef int nans;
#define NO_NAN_f32 0
#define NO_NAN_f64 0

static inline nans FN(note_nan)(nans so_far, vec a, vec b)
{
    return so_far | __builtin_isunordered(a, b);
}

static inline bool FN(any_nan)(nans noted)
{
    return noted != 0;
}

#elif IS_FLOAT

/* All ones in the lanes that have met a NaN. */
typedef PASTE(mask, T) nans;
#define NO_NAN_f32 ((nan_f32){0})
#define NO_NAN_f64 ((nan_f64){0})

static inline nans FN(note_nan)(nans so_far, vec a, vec b)
{
    return so_far | (a != a) | (b != b);
}

static inline bool FN(any_nan)(nans noted)
{
    bool any = false;
    for (size_t k = 0; k < PASTE(lanes, T); k++)
        any |= noted[k] != 0;
    return any;
}

#endif

#include "tmpl_end.h"
