/* tall_gram_tmpl.h -- a leaf of a tall matrix of type T by way of its Gram matrix, where svd_gram.h allows it: its R,
 * and its rows of Q Z.
 *
 * Q = A R^-1 loses orthogonality with the condition of A, which is why it is not to be had in general. Here the
 * certificate bounds that loss by a few units in the last place, and Q Z is A (R^-1 Z). */
#include "tmpl_begin.h"

/* What it is worked on in: beside what the reflections need, as those may have to follow. */
struct FN(tall_gram) {
    struct svd_gram_scale scale;
    vd *r, *inverse; /* n^2 each; the first lane counts */
    double *g, *w;   /* n^2 each */
    double *work;    /* gram_doubles() */
};

/* The memory begins at `at`. Returns where it ends. */
static vd *FN(tall_gram_memory)(struct FN(tall_gram) * c, size_t n, vd *at)
{
    c->r = at;
    c->inverse = c->r + n * n;
    c->g = (double *)(void *)(c->inverse + n * n);
    c->w = c->g + n * n;
    c->work = c->w + n * n;
    return at + tall_gram_doubles(n) / LANES;
}

/* A'A of the rows, or of 2^shift of them; see svd_gram.h. False if it is no good. */
static bool FN(tall_gram_of)(const struct tall_rows *t, struct FN(tall_gram) * c)
{
    size_t n = t->columns;
    unsigned flags = svd_gram_watch();
    FN(gram)(t, 1, c->work, c->g);
    bool is_exact = !svd_gram_underflowed(flags);
    bool is_good = svd_gram_exponents(&c->scale, c->g, n);
    c->scale.shift = 0;
    if (is_exact && is_good && c->scale.top <= CANONICAL)
        return true;
    if (is_exact && svd_gram_has_zero(c->g, n))
        return false;
    double most = FN(tall_most)(t, t->x, t->rows);
    if (!(most > 0 && most - most == 0))
        return false;
    c->scale.shift = svd_gram_shift(most);
    FN(gram)(t, svd_power(c->scale.shift), c->work, c->g);
    return svd_gram_exponents(&c->scale, c->g, n);
}

/* True if R and its inverse, of columns scaled by 2^-exponent, are there and can be trusted. */
static bool FN(tall_certify)(const struct tall_rows *t, struct FN(tall_gram) * c)
{
    size_t n = t->columns;
    if (!FN(tall_gram_of)(t, c))
        return false;
    for (size_t lane = 0; lane < LANES; lane++)
        svd_gram_to_lane(c->r, lane == 0 ? c->g : NULL, &c->scale, n, lane);
    return (mask_bits(svd_certified(c->r, c->inverse, n)) & 1) != 0;
}

/* R of the rows times 2^-*exponent. */
static void FN(tall_gram_r)(const struct FN(tall_gram) * c, size_t n, double *r, int32_t *exponent)
{
    const double *from = (const double *)(const void *)c->r;
    *exponent = c->scale.top - c->scale.shift;
    for (size_t j = 0; j < n; j++) {
        double power = svd_power(c->scale.exponent[j] - c->scale.top);
        for (size_t i = 0; i < n; i++)
            r[i * n + j] = i <= j ? from[(i * n + j) * LANES] * power : 0;
    }
}

/* Rows of Q Z. R^-1 is scaled like the rows as they lie, if it has no bits to lose there; else the rows are scaled,
 * too. */
static void FN(tall_gram_expand)(const struct tall_rows *t, struct FN(tall_gram) * c,
                                 const double *z, const struct tall_rows *q)
{
    size_t n = t->columns;
    int32_t up = c->scale.top - c->scale.shift; /* the rows are about 2^up */
    int32_t scale = up < -1023 ? 1023 : -up;
    const double *inverse = (const double *)(const void *)c->inverse;
    memset(c->g, 0, n * n * sizeof *c->g);
    for (size_t k = 0; k < n; k++)
        for (size_t l = k; l < n; l++)
            tall_add(c->g + k * n, inverse[(k * n + l) * LANES], z + l * n, n);
    unsigned flags = svd_gram_watch();
    for (size_t k = 0; k < n; k++)
        for (size_t j = 0; j < n; j++)
            c->w[k * n + j] = c->g[k * n + j] * svd_power(-c->scale.exponent[k]);
    if (!svd_gram_underflowed(flags) && c->scale.shift == 0) {
        FN(times)(t, 1, c->w, q, c->work);
        return;
    }
    for (size_t k = 0; k < n; k++)
        for (size_t j = 0; j < n; j++)
            c->w[k * n + j] =
                c->g[k * n + j] * svd_power(c->scale.shift - c->scale.exponent[k] - scale);
    FN(times)(t, svd_power(scale), c->w, q, c->work);
}

#include "tmpl_end.h"
