/* svd_vectors.h -- what the singular vectors of any element type share: from the bidiagonal form to vectors of
 * it, their order, and the way down from R to the parts of a matrix. */
#ifndef SHEAF_KERNELS_SVD_VECTORS_H
#define SHEAF_KERNELS_SVD_VECTORS_H

#include "svd_reflect.h"
#include "svd_rotate.h"
#include "svd_values.h"

/* Which column of the vectors comes first, second, ... in each lane of one register. */
struct svd_order {
    uint8_t of[LANES][KERNEL_SVD_COLUMNS_MAX];
};

/* By falling magnitude of d; columns of equal ones stay in order. */
static void svd_order(struct svd_order *order, const vd *d, size_t n, size_t g)
{
    for (size_t lane = 0; lane < LANES; lane++) {
        double sorted[KERNEL_SVD_COLUMNS_MAX];
        for (size_t j = 0; j < n; j++) {
            double of_lane[LANES];
            memcpy(of_lane, &d[j * GROUPS + g], sizeof of_lane);
            double value = of_lane[lane] < 0 ? -of_lane[lane] : of_lane[lane];
            size_t at = j;
            for (; at > 0 && sorted[at - 1] < value; at--) {
                sorted[at] = sorted[at - 1];
                order->of[lane][at] = order->of[lane][at - 1];
            }
            sorted[at] = value;
            order->of[lane][at] = (uint8_t)j;
        }
    }
}

/* Negates the columns of x where `which` says so; zeros become +0. */
static void svd_negate(vd *x, size_t rows, size_t n, const vd *d, size_t g, const vd *sign)
{
    vd zero = all_lanes(0);
    for (size_t j = 0; j < n; j++) {
        vd with = d != NULL ? with_sign(all_lanes(1), d[j * GROUPS + g]) : all_lanes(1);
        vd other = sign != NULL ? sign[j] : all_lanes(1);
        lane_mask negative = is_less(with * other, zero);
        for (size_t i = 0; i < rows; i++)
            x[i * n + j] = choose(negative, zero - x[i * n + j], x[i * n + j] + zero);
    }
}

/* The columns of x in order, by rows again. */
static void svd_reorder(vd *to, const vd *x, size_t rows, size_t n, const struct svd_order *order)
{
    const double *from = (const double *)(const void *)x;
    double *at = (double *)(void *)to;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < n; j++)
            for (size_t lane = 0; lane < LANES; lane++)
                at[(i * n + j) * LANES + lane] = from[(i * n + order->of[lane][j]) * LANES + lane];
}

/* What svd_merge_parts() has done, undone: x, the vectors of the last R in its place in parts, becomes those of
 * the eight parts. */
static void svd_split_parts(const struct svd_down *down, vd *parts, const vd *merges)
{
    size_t n = down->n;
    const vd *merge = merges + (VIRTUAL - 1) * svd_kept_panel(n, n);
    for (size_t half = 1; half < VIRTUAL; half *= 2)
        for (size_t v = half; v-- > 0;) {
            merge -= svd_kept_panel(n, n);
            svd_down(down, parts + v * n * n, parts + (v + half) * n * n, merge, n, false);
        }
}

/* Lane `lane` of the parts becomes the eight parts of one matrix: the inverse of svd_scatter(). */
static void svd_collect(vd *r, const vd *parts, size_t n, size_t lane)
{
    for (size_t v = 0; v < VIRTUAL; v++) {
        const double *from = (const double *)(const void *)(parts + v * n * n);
        double *to = (double *)(void *)(r + v / LANES * n * n);
        for (size_t i = 0; i < n * n; i++)
            to[i * LANES + v % LANES] = from[i * LANES + lane];
    }
}

/* w = the inverse of R times x, vectors of R. What is 2^-500 of an orthonormal one's largest becomes 0, so that no scale of
 * the columns shows. */
static void svd_inverse_times(vd *restrict w, const vd *restrict inverse, const vd *restrict x,
                              size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            vd sum = all_lanes(0);
            for (size_t k = i; k < n; k++)
                sum = svd_fma(inverse[i * n + k], x[k * n + j], sum);
            w[i * n + j] = choose(is_less(all_lanes(0x1p-500), magnitude(sum)), sum, all_lanes(0));
        }
}

/* Lane `lane` of W, for the rows of 2^shift A. */
static void svd_weights(double *to, const vd *w, const struct svd_gram_scale *scale, size_t n,
                        size_t lane)
{
    const double *from = (const double *)(const void *)w + lane;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            to[i * n + j] = svd_gram_weight(from[(i * n + j) * LANES], scale->exponent[i]);
}

/* Where svd_complement() works. */
struct svd_complement {
    double *v, *turned, *w, *gram, *scale, *head, *row;
    size_t rows, n;
};

static struct svd_complement svd_complement_memory(size_t rows, size_t n, double *at)
{
    struct svd_complement c = {.v = at, .rows = rows, .n = n};
    c.turned = c.v + rows * n;
    c.w = c.turned + rows * n;
    c.gram = c.w + (rows - n) * n;
    c.scale = c.gram + n * n;
    c.head = c.scale + n;
    c.row = c.head + n;
    return c;
}

/* Orthonormal columns v, by rows, become the reflections' columns that take them to those of the identity. Element
 * by element in C's order: the same bits whatever the compiler makes of the loops over j. */
static void svd_complement_reflections(struct svd_complement *c)
{
    size_t n = c->n;
    for (size_t k = 0; k < n; k++) {
        double *w = c->row;
        double first = c->v[k * n + k];
        double squares = 0;
        for (size_t i = k + 1; i < c->rows; i++)
            squares += c->v[i * n + k] * c->v[i * n + k];
        double norm = __builtin_sqrt(first * first + squares);
        double sum = norm + __builtin_fabs(first);
        double head = first < 0 ? -sum : sum;
        double scale = norm > 0 ? 1 / (norm * sum) : 0;
        for (size_t j = k + 1; j < n; j++)
            w[j] = head * c->v[k * n + j];
        for (size_t i = k + 1; i < c->rows; i++)
            for (size_t j = k + 1; j < n; j++)
                w[j] += c->v[i * n + k] * c->v[i * n + j];
        for (size_t j = k + 1; j < n; j++)
            w[j] *= scale;
        for (size_t i = k + 1; i < c->rows; i++)
            for (size_t j = k + 1; j < n; j++)
                c->v[i * n + j] -= c->v[i * n + k] * w[j];
        c->scale[k] = scale;
        c->head[k] = head;
    }
    for (size_t k = 0; k < n; k++)
        for (size_t j = k; j < n; j++)
            c->v[k * n + j] = j == k ? c->head[k] : 0;
}

/* w, n x (rows - n), and turned, the transpose of v: column n + i of the reflections' product is that of the
 * identity less v times column i of w. */
static void svd_complement_weights(struct svd_complement *c)
{
    size_t n = c->n;
    size_t more = c->rows - n;
    memset(c->gram, 0, n * n * sizeof *c->gram);
    for (size_t i = 0; i < c->rows; i++)
        for (size_t k = 0; k < n; k++)
            for (size_t j = k + 1; j < n; j++)
                c->gram[k * n + j] += c->v[i * n + k] * c->v[i * n + j];
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < c->rows; i++)
            c->turned[k * c->rows + i] = c->v[i * n + k];
    for (size_t k = n; k-- > 0;) {
        double *w = c->w + k * more;
        for (size_t i = 0; i < more; i++)
            w[i] = c->turned[k * c->rows + n + i];
        for (size_t j = k + 1; j < n; j++)
            for (size_t i = 0; i < more; i++)
                w[i] -= c->gram[k * n + j] * c->w[j * more + i];
        for (size_t i = 0; i < more; i++)
            w[i] *= c->scale[k];
    }
}

#endif
