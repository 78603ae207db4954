/* tall_most_tmpl.h -- the largest magnitude of rows of type T. */
#include "tmpl_begin.h"

static inline vec FN(tall_magnitude)(const elem *x)
{
    vec v;
#if VBYTES == 8
    v = *x < 0 ? -*x : *x;
#else
    vec_bits bits;
    memcpy(&bits, x, sizeof bits);
    v = (vec)(bits & MAGNITUDE_BITS);
#endif
    return v;
}

/* The largest magnitude of n elements; a NaN if there is one. */
static double FN(tall_most_run)(const elem *x, size_t n)
{
    enum { AT_ONCE = PASTE(lanes, T) };
    vec most[4];
    nans nan = NO_NAN;
    elem of_lane[4 * AT_ONCE];
    elem found = 0;
    elem nothing = 0; /* a NaN after one */
    memset(most, 0, sizeof most);
    size_t i = 0;
    for (; i + 4 * AT_ONCE <= n; i += 4 * AT_ONCE) {
        vec v[4];
        for (size_t k = 0; k < 4; k++) {
            v[k] = FN(tall_magnitude)(x + i + k * AT_ONCE);
            most[k] = FN(vmax)(v[k], most[k]);
        }
        nan = FN(note_nan)(FN(note_nan)(nan, v[0], v[1]), v[2], v[3]);
    }
    memcpy(of_lane, most, sizeof of_lane);
    for (size_t k = 0; k < 4 * AT_ONCE; k++)
        found = of_lane[k] > found ? of_lane[k] : found;
    for (; i < n; i++) {
        elem size = x[i] < 0 ? -x[i] : x[i];
        found = size > found ? size : found;
        nothing += x[i] * 0;
    }
    return FN(any_nan)(nan) || nothing != nothing ? (double)QUIET_NAN : (double)found;
}

/* The largest magnitude of a panel; not finite if any element is not. */
static double FN(tall_most)(const struct tall_rows *t, const elem *x, size_t rows)
{
    bool by_rows = t->column_step == 1;
    bool is_one = by_rows && t->row_step == t->columns;
    size_t runs = is_one ? 1 : by_rows ? rows : t->columns;
    size_t run = is_one ? rows * t->columns : by_rows ? t->columns : rows;
    double most = 0;
    for (size_t i = 0; i < runs; i++) {
        double here = FN(tall_most_run)(x + i * (by_rows ? t->row_step : t->column_step), run);
        most = here <= most ? most : here;
        if (here != here)
            return here;
    }
    return most;
}

#include "tmpl_end.h"
