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
    double *g;       /* n^2: of the rows; then of the way back */
    double *work;    /* gram_doubles() */
};

/* The memory begins at `at`. Returns where it ends. */
static vd *FN(tall_gram_memory)(struct FN(tall_gram) * c, size_t n, vd *at)
{
    c->r = at;
    c->inverse = c->r + n * n;
    c->g = (double *)(void *)(c->inverse + n * n);
    c->work = c->g + n * n;
    return at + tall_gram_doubles(n) / LANES;
}

/* True if R and its inverse, of columns scaled by 2^-exponent, are there and can be trusted. */
static bool FN(tall_certify)(const struct tall_rows *t, struct FN(tall_gram) * c)
{
    size_t n = t->columns;
    if (!FN(svd_gram_of)(t, c->work, c->g, &c->scale))
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

/* Rows of Q Z. */
static void FN(tall_gram_expand)(const struct tall_rows *t, struct FN(tall_gram) * c,
                                 const double *z, const struct tall_rows *q)
{
    size_t n = t->columns;
    const double *inverse = (const double *)(const void *)c->inverse;
    memset(c->g, 0, n * n * sizeof *c->g);
    for (size_t k = 0; k < n; k++) {
        for (size_t l = k; l < n; l++)
            tall_add(c->g + k * n, inverse[(k * n + l) * LANES], z + l * n, n);
        for (size_t j = 0; j < n; j++)
            c->g[k * n + j] = svd_gram_weight(c->g[k * n + j], c->scale.exponent[k]);
    }
    FN(times)(t, svd_power(c->scale.shift), c->g, q, c->work);
}

#include "tmpl_end.h"
