/* minmax_tmpl.h -- both extremes of a run of one element type, T, in one pass over it.
 *
 * As extreme_tmpl.h, with two accumulators for each of STREAMS parts of the run. */
#include "tmpl_begin.h"

#define LANES  ((size_t)PASTE(lanes, T))
#define VMAX   PASTE(vmax, T)
#define VMIN   PASTE(vmin, T)
#define BOTTOM 0
#define TOP    1

/* n is at least LANES. True if all elements were numbers. */
static inline bool FN(minmax_by_registers)(const elem *x, size_t n, elem best[2])
{
    const size_t head = -(uintptr_t)x % sizeof(vec) / sizeof(elem);
    const size_t length = (n - head) / (STREAMS * LANES) * LANES;
    const vec first = FN(load)(x);
    vec top[STREAMS];
    vec bottom[STREAMS];
    for (size_t s = 0; s < STREAMS; s++)
        top[s] = bottom[s] = first;
#if IS_FLOAT
    nans noted = FN(note_nan)(NO_NAN, first, first);
#endif
    for (size_t i = 0; i < length; i += LANES)
        for (size_t s = 0; s < STREAMS; s += 2) {
            const elem *from = x + head + s * length + i;
            vec a = FN(load)(from);
            vec b = FN(load)(from + length);
            top[s] = VMAX(top[s], a);
            top[s + 1] = VMAX(top[s + 1], b);
            bottom[s] = VMIN(bottom[s], a);
            bottom[s + 1] = VMIN(bottom[s + 1], b);
#if IS_FLOAT
            noted = FN(note_nan)(noted, a, b);
#endif
        }
    for (size_t i = head + STREAMS * length; i < n; i += LANES) {
        vec v = FN(load)(x + (i + LANES <= n ? i : n - LANES));
        top[0] = VMAX(top[0], v);
        bottom[0] = VMIN(bottom[0], v);
#if IS_FLOAT
        noted = FN(note_nan)(noted, v, v);
#endif
    }
    elem lane[2][STREAMS * LANES];
    memcpy(lane[BOTTOM], bottom, sizeof lane[BOTTOM]);
    memcpy(lane[TOP], top, sizeof lane[TOP]);
    best[BOTTOM] = lane[BOTTOM][0];
    best[TOP] = lane[TOP][0];
    for (size_t k = 1; k < STREAMS * LANES; k++) {
        best[BOTTOM] = lane[BOTTOM][k] < best[BOTTOM] ? lane[BOTTOM][k] : best[BOTTOM];
        best[TOP] = lane[TOP][k] > best[TOP] ? lane[TOP][k] : best[TOP];
    }
#if IS_FLOAT
    return !FN(any_nan)(noted);
#else
    return true;
#endif
}

/* The same for any n but 0. */
static inline bool FN(minmax_one_by_one)(const elem *x, size_t n, elem best[2])
{
    bool numbers = true;
    best[BOTTOM] = best[TOP] = x[0];
    for (size_t i = 0; i < n; i++) {
        numbers &= FN(is_number)(x[i]);
        best[BOTTOM] = x[i] < best[BOTTOM] ? x[i] : best[BOTTOM];
        best[TOP] = x[i] > best[TOP] ? x[i] : best[TOP];
    }
    return numbers;
}

static void FN(minmax_kernel)(const void *data, size_t n, void *out)
{
    const elem *x = data;
    elem best[2];
    bool numbers =
        n < LANES ? FN(minmax_one_by_one)(x, n, best) : FN(minmax_by_registers)(x, n, best);
#if IS_FLOAT
    const elem zero = 0;
    if (!numbers) {
        best[BOTTOM] = best[TOP] = QUIET_NAN;
    } else {
        if (best[BOTTOM] == 0)
            best[BOTTOM] = FN(has_zero)(x, n, -zero) ? -zero : zero;
        if (best[TOP] == 0)
            best[TOP] = FN(has_zero)(x, n, zero) ? zero : -zero;
    }
#else
    (void)numbers;
#endif
    memcpy(out, best, sizeof best);
}

#undef LANES
#undef VMAX
#undef VMIN
#undef BOTTOM
#undef TOP
#include "tmpl_end.h"
