/* extreme_tmpl.h -- max or min of a run of one element type, T. OP is max or min, and x BEATS y says
 * which of two is kept. Where SKIPS_NANS, EXTREME is nanmax or nanmin and NaNs do not count: VOP gives
 * its second operand where the first is one, and LEAST is what nothing is beaten by.
 *
 * The order is free, since max of numbers is associative but for NaNs and the sign of zero. Those are
 * settled apart: one unordered compare notes the NaNs of two registers, and the elements are looked
 * through again for a zero of the preferred sign only when the result is a zero. */
#include "tmpl_begin.h"

#define LANES      ((size_t)PASTE(lanes, T))
#define VOP        PASTE(CAT(v, OP), T)
#define THIS(name) PASTE(PASTE(EXTREME, T), name)

#define STEP     (CHAINS * LANES)
#define PIECE    (PIECE_BYTES / sizeof(elem))
#define HAS_NANS (IS_FLOAT && !SKIPS_NANS)

struct THIS(state) {
    vec top[CHAINS];
#if HAS_NANS
    nans noted[2];
#endif
};

/* One register, for accumulator 0. */
static inline void THIS(take_one)(struct THIS(state) * state, const elem *x)
{
    vec v = FN(load)(x);
    state->top[0] = VOP(v, state->top[0]);
#if HAS_NANS
    state->noted[0] = FN(note_nan)(state->noted[0], v, v);
#endif
}

/* STEP elements. */
static inline void THIS(take)(struct THIS(state) * state, const elem *x)
{
    for (size_t c = 0; c < CHAINS; c += 2) {
        vec a = FN(load)(x + c * LANES);
        vec b = FN(load)(x + (c + 1) * LANES);
        state->top[c] = VOP(a, state->top[c]);
        state->top[c + 1] = VOP(b, state->top[c + 1]);
#if HAS_NANS
        state->noted[c / 2 % 2] = FN(note_nan)(state->noted[c / 2 % 2], a, b);
#endif
    }
}

/* n is at least LANES. True if all elements were numbers. After the first register the loads are aligned,
 * since a load across two lines costs two; and the run is walked in STREAMS equal parts at the same time,
 * a piece of each in turn. */
static inline bool THIS(by_registers)(const elem *x, size_t n, elem *best)
{
    const size_t head = -(uintptr_t)x % sizeof(vec) / sizeof(elem);
    const size_t length = (n - head) / (STREAMS * PIECE) * PIECE;
#if SKIPS_NANS
    const vec first = VOP(FN(load)(x), (elem)LEAST - (vec){0});
#else
    const vec first = FN(load)(x);
#endif
    struct THIS(state) state;
    for (size_t c = 0; c < CHAINS; c++)
        state.top[c] = first;
#if HAS_NANS
    state.noted[0] = FN(note_nan)(NO_NAN, first, first);
    state.noted[1] = NO_NAN;
#endif
    for (size_t i = head; i < head + length; i += PIECE)
        for (size_t s = 0; s < STREAMS; s++)
            for (size_t k = 0; k < PIECE; k += STEP)
                THIS(take)(&state, x + s * length + i + k);
    size_t i = head + STREAMS * length;
    for (; i + STEP <= n; i += STEP)
        THIS(take)(&state, x + i);
    /* The last register may read again what others have read: that changes no maximum. */
    for (; i < n; i += LANES)
        THIS(take_one)(&state, x + (i + LANES <= n ? i : n - LANES));
    for (size_t half = CHAINS / 2; half > 0; half /= 2)
        for (size_t k = 0; k < half; k++)
            state.top[k] = VOP(state.top[k], state.top[k + half]);
    elem lane[LANES];
    memcpy(lane, &state.top[0], sizeof lane);
    elem kept = lane[0];
    for (size_t k = 1; k < LANES; k++)
        kept = lane[k] BEATS kept ? lane[k] : kept;
    *best = kept;
#if HAS_NANS
    return !FN(any_nan)(state.noted[0]) && !FN(any_nan)(state.noted[1]);
#else
    return true;
#endif
}

/* The same for any n but 0. */
static inline bool THIS(one_by_one)(const elem *x, size_t n, elem *best)
{
    bool numbers = true;
#if SKIPS_NANS
    elem kept = (elem)LEAST;
#else
    elem kept = x[0];
#endif
    for (size_t i = 0; i < n; i++) {
        numbers &= FN(is_number)(x[i]);
        kept = x[i] BEATS kept ? x[i] : kept;
    }
    *best = kept;
    return numbers;
}

static void THIS(kernel)(const void *data, size_t n, void *out)
{
    const elem *x = data;
    elem best;
    bool numbers = n < LANES ? THIS(one_by_one)(x, n, &best) : THIS(by_registers)(x, n, &best);
#if SKIPS_NANS
    uint64_t count = 1;
    numbers = true;
    if (best == (elem)LEAST)
        FN(numbers_kernel)(x, n, &count);
    if (count == 0)
        numbers = false;
#endif
#if IS_FLOAT
    if (!numbers)
        best = QUIET_NAN;
    else if (best == 0)
        best = FN(has_zero)(x, n, PREFERRED_ZERO) ? (elem)PREFERRED_ZERO : -(elem)PREFERRED_ZERO;
#else
    (void)numbers;
#endif
    memcpy(out, &best, sizeof best);
}

#undef LANES
#undef VOP
#undef THIS
#undef STEP
#undef PIECE
#undef HAS_NANS
#include "tmpl_end.h"
