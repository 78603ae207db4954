/* minmax_tmpl.h -- both extremes of a run of one element type, T, in one pass over it.
 *
 * As extreme_tmpl.h, with half as many accumulators for each of the two. */
#include "tmpl_begin.h"

#define LANES  ((size_t)PASTE(lanes, T))
#define VMAX   PASTE(vmax, T)
#define VMIN   PASTE(vmin, T)
#define BOTTOM 0
#define TOP    1
#define PAIRS  (CHAINS / 2)
#define STEP   (PAIRS * LANES)
#define PIECE  (PIECE_BYTES / sizeof(elem))

struct FN(minmax_state) {
    vec top[PAIRS];
    vec bottom[PAIRS];
#if IS_FLOAT
    nans noted;
#endif
};

/* One register, for accumulators 0. */
static inline void FN(minmax_take_one)(struct FN(minmax_state) * state, const elem *x)
{
    vec v = FN(load)(x);
    state->top[0] = VMAX(v, state->top[0]);
    state->bottom[0] = VMIN(v, state->bottom[0]);
#if IS_FLOAT
    state->noted = FN(note_nan)(state->noted, v, v);
#endif
}

/* STEP elements. */
static inline void FN(minmax_take)(struct FN(minmax_state) * state, const elem *x)
{
    for (size_t c = 0; c < PAIRS; c += 2) {
        vec a = FN(load)(x + c * LANES);
        vec b = FN(load)(x + (c + 1) * LANES);
        state->top[c] = VMAX(a, state->top[c]);
        state->top[c + 1] = VMAX(b, state->top[c + 1]);
        state->bottom[c] = VMIN(a, state->bottom[c]);
        state->bottom[c + 1] = VMIN(b, state->bottom[c + 1]);
#if IS_FLOAT
        state->noted = FN(note_nan)(state->noted, a, b);
#endif
    }
}

/* n is at least LANES. True if all elements were numbers. */
static inline bool FN(minmax_by_registers)(const elem *x, size_t n, elem best[2])
{
    const size_t head = -(uintptr_t)x % sizeof(vec) / sizeof(elem);
    const size_t length = (n - head) / (STREAMS * PIECE) * PIECE;
    const vec first = FN(load)(x);
    struct FN(minmax_state) state;
    for (size_t c = 0; c < PAIRS; c++)
        state.top[c] = state.bottom[c] = first;
#if IS_FLOAT
    state.noted = FN(note_nan)(NO_NAN, first, first);
#endif
    for (size_t i = head; i < head + length; i += PIECE)
        for (size_t s = 0; s < STREAMS; s++)
            for (size_t k = 0; k < PIECE; k += STEP)
                FN(minmax_take)(&state, x + s * length + i + k);
    size_t i = head + STREAMS * length;
    for (; i + STEP <= n; i += STEP)
        FN(minmax_take)(&state, x + i);
    for (; i < n; i += LANES)
        FN(minmax_take_one)(&state, x + (i + LANES <= n ? i : n - LANES));
    elem lane[2][PAIRS * LANES];
    memcpy(lane[BOTTOM], state.bottom, sizeof lane[BOTTOM]);
    memcpy(lane[TOP], state.top, sizeof lane[TOP]);
    best[BOTTOM] = lane[BOTTOM][0];
    best[TOP] = lane[TOP][0];
    for (size_t k = 1; k < PAIRS * LANES; k++) {
        best[BOTTOM] = lane[BOTTOM][k] < best[BOTTOM] ? lane[BOTTOM][k] : best[BOTTOM];
        best[TOP] = lane[TOP][k] > best[TOP] ? lane[TOP][k] : best[TOP];
    }
#if IS_FLOAT
    return !FN(any_nan)(state.noted);
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
#undef PAIRS
#undef STEP
#undef PIECE
#include "tmpl_end.h"
