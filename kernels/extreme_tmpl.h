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

/* n is at least LANES. True if all elements were numbers. After the first register the loads are aligned,
 * since a load across two lines costs two; and the run is walked in STREAMS equal parts at the same time,
 * each with its own accumulators. */
static inline bool THIS(by_registers)(const elem *x, size_t n, elem *best)
{
    const size_t step = EACH * LANES;
    const size_t head = -(uintptr_t)x % sizeof(vec) / sizeof(elem);
    const size_t length = (n - head) / (STREAMS * step) * step;
#if SKIPS_NANS
    const vec first = VOP(FN(load)(x), (elem)LEAST - (vec){0});
#else
    const vec first = FN(load)(x);
#endif
    vec top[CHAINS];
    for (size_t c = 0; c < CHAINS; c++)
        top[c] = first;
#if IS_FLOAT && !SKIPS_NANS
    nans noted[2] = {FN(note_nan)(NO_NAN, first, first), NO_NAN};
#endif
    for (size_t i = 0; i < length; i += step)
        for (size_t c = 0; c < CHAINS; c += 2) {
            const elem *from = x + head + c / EACH * length + i + c % EACH * LANES;
            vec a = FN(load)(from);
            vec b = FN(load)(from + LANES);
            top[c] = VOP(a, top[c]);
            top[c + 1] = VOP(b, top[c + 1]);
#if IS_FLOAT && !SKIPS_NANS
            noted[c / 2 % 2] = FN(note_nan)(noted[c / 2 % 2], a, b);
#endif
        }
    size_t i = head + STREAMS * length;
    /* The last register may read again what others have read: that changes no maximum. */
    while (i < n) {
        vec v = FN(load)(x + (i + LANES <= n ? i : n - LANES));
        top[0] = VOP(v, top[0]);
#if IS_FLOAT && !SKIPS_NANS
        noted[0] = FN(note_nan)(noted[0], v, v);
#endif
        i += LANES;
    }
    for (size_t half = CHAINS / 2; half > 0; half /= 2)
        for (size_t k = 0; k < half; k++)
            top[k] = VOP(top[k], top[k + half]);
    elem lane[LANES];
    memcpy(lane, &top[0], sizeof lane);
    elem kept = lane[0];
    for (size_t k = 1; k < LANES; k++)
        kept = lane[k] BEATS kept ? lane[k] : kept;
    *best = kept;
#if IS_FLOAT && !SKIPS_NANS
    return !FN(any_nan)(noted[0]) && !FN(any_nan)(noted[1]);
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
#include "tmpl_end.h"
