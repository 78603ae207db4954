/* svd_ratios.c -- norms in long double, from the definitions. */
#include "svd_ratios.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "check.h"

double svd_ratios_get(const sheaf_array *array, size_t i)
{
    return sheaf_array_dtype(array) == SHEAF_F64
               ? ((const double *)sheaf_array_data(array))[i]
               : (double)((const float *)sheaf_array_data(array))[i];
}

/* What is checked at a time: matrix c of a. */
struct decomposition {
    const sheaf_array *a;
    const sheaf_svd_arrays *out;
    size_t c, m, n, k, u_columns, vt_rows;
    double ulp;
    double quantum; /* the least number: what rounding costs a value that is denormal */
};

static double u_at(const struct decomposition *d, size_t i, size_t j)
{
    return svd_ratios_get(d->out->u, (d->c * d->m + i) * d->u_columns + j);
}

static double vt_at(const struct decomposition *d, size_t i, size_t j)
{
    return svd_ratios_get(d->out->vt, (d->c * d->vt_rows + i) * d->n + j);
}

static double s_at(const struct decomposition *d, size_t i)
{
    return svd_ratios_get(d->out->s, d->c * d->k + i);
}

static void check_ratio(const struct decomposition *d, const char *what, long double ratio)
{
    if (!(ratio <= (long double)SVD_RATIO_LIMIT))
        fprintf(stderr, "matrix %zu of %zu x %zu, u %zu: %s: ratio %Lg\n", d->c, d->m, d->n,
                d->u_columns, what, ratio);
    CHECK(ratio <= (long double)SVD_RATIO_LIMIT);
}

/* long double has the range for all of it. */
static void check_residual(const struct decomposition *d)
{
    long double norm = 0;
    long double residual = 0;
    long double most = 0;
    for (size_t i = 0; i < d->m * d->n; i++)
        most = fmaxl(most, fabsl((long double)svd_ratios_get(d->a, d->c * d->m * d->n + i)));
    for (size_t j = 0; j < d->n; j++) {
        long double of_a = 0;
        long double of_rest = 0;
        for (size_t i = 0; i < d->m; i++) {
            long double x = (long double)svd_ratios_get(d->a, (d->c * d->m + i) * d->n + j);
            of_a += fabsl(x);
            for (size_t l = 0; l < d->k; l++)
                x -= (long double)u_at(d, i, l) * (long double)s_at(d, l) *
                     (long double)vt_at(d, l, j);
            of_rest += fabsl(x);
        }
        norm = fmaxl(norm, of_a);
        residual = fmaxl(residual, of_rest);
    }
    long double longer = (long double)(d->m > d->n ? d->m : d->n);
    if (most == 0)
        CHECK(residual == 0);
    else
        check_ratio(d, "residual",
                    residual / (longer * (norm * (long double)d->ulp + (long double)d->quantum)));
}

/* |I - X'X| for `count` vectors of this length. */
static void check_orthogonal(const struct decomposition *d, bool is_u, size_t count, size_t length)
{
    long double worst = 0;
    for (size_t p = 0; p < count; p++) {
        long double sum = 0;
        for (size_t q = 0; q < count; q++) {
            long double dot = p == q ? -1 : 0;
            for (size_t i = 0; i < length; i++)
                dot += is_u ? (long double)u_at(d, i, p) * (long double)u_at(d, i, q)
                            : (long double)vt_at(d, p, i) * (long double)vt_at(d, q, i);
            sum += fabsl(dot);
        }
        worst = fmaxl(worst, sum);
    }
    check_ratio(d, is_u ? "U'U" : "V'V", worst / ((long double)length * (long double)d->ulp));
}

static void check_signs_and_order(const struct decomposition *d)
{
    for (size_t row = 0; row < d->vt_rows; row++) {
        size_t largest = 0;
        for (size_t j = 1; j < d->n; j++)
            if (fabs(vt_at(d, row, j)) > fabs(vt_at(d, row, largest)))
                largest = j;
        CHECK(vt_at(d, row, largest) > 0);
    }
    for (size_t i = 0; i < d->k; i++)
        CHECK(s_at(d, i) >= 0 && (i == 0 || s_at(d, i) <= s_at(d, i - 1)));
}

/* Those of the reduced mode are the first of the full one. */
static void check_partial(const struct decomposition *full, const sheaf_svd_arrays *reduced)
{
    const struct decomposition partial = {.a = full->a,
                                          .out = reduced,
                                          .c = full->c,
                                          .m = full->m,
                                          .n = full->n,
                                          .k = full->k,
                                          .u_columns = full->k,
                                          .vt_rows = full->k,
                                          .ulp = full->ulp};
    double u_worst = 0;
    double vt_worst = 0;
    for (size_t l = 0; l < full->k; l++) {
        for (size_t i = 0; i < full->m; i++)
            u_worst = fmax(u_worst, fabs(u_at(full, i, l) - u_at(&partial, i, l)));
        for (size_t j = 0; j < full->n; j++)
            vt_worst = fmax(vt_worst, fabs(vt_at(full, l, j) - vt_at(&partial, l, j)));
    }
    check_ratio(full, "full U against reduced",
                (long double)u_worst / ((long double)full->m * (long double)full->ulp));
    check_ratio(full, "full V against reduced",
                (long double)vt_worst / ((long double)full->n * (long double)full->ulp));
}

static void release(sheaf_svd_arrays *out)
{
    sheaf_detach(out->u);
    sheaf_detach(out->s);
    sheaf_detach(out->vt);
}

void svd_ratios_check_to(const sheaf_array *a, const sheaf_svd_options *options,
                         sheaf_svd_mode last)
{
    sheaf_svd_options with_mode = options != NULL ? *options : (sheaf_svd_options){0};
    sheaf_svd_arrays of[3] = {{0}};
    const size_t *shape = sheaf_array_shape(a);
    CHECK(sheaf_array_ndim(a) == 3);
    for (int mode = SHEAF_SVD_VALUES; mode <= (int)last; mode++) {
        struct decomposition d = {.a = a, .out = &of[mode], .m = shape[1], .n = shape[2]};
        with_mode.mode = (sheaf_svd_mode)mode;
        CHECK_OK(sheaf_svd(&of[mode], NULL, a, &with_mode));
        if (mode == SHEAF_SVD_VALUES)
            continue;
        d.k = d.m < d.n ? d.m : d.n;
        d.u_columns = mode == SHEAF_SVD_FULL ? d.m : d.k;
        d.vt_rows = mode == SHEAF_SVD_FULL ? d.n : d.k;
        d.ulp = sheaf_array_dtype(a) == SHEAF_F64 ? DBL_EPSILON : (double)FLT_EPSILON;
        d.quantum = sheaf_array_dtype(a) == SHEAF_F64 ? 0x1p-1074 : 0x1p-149;
        CHECK(memcmp(sheaf_array_data(of[mode].s), sheaf_array_data(of[0].s),
                     sheaf_array_bytes(of[0].s)) == 0);
        for (d.c = 0; d.c < shape[0]; d.c++) {
            check_residual(&d);
            check_orthogonal(&d, true, d.u_columns, d.m);
            check_orthogonal(&d, false, d.vt_rows, d.n);
            check_signs_and_order(&d);
            if (mode == SHEAF_SVD_FULL)
                check_partial(&d, &of[SHEAF_SVD_REDUCED]);
        }
    }
    for (int mode = SHEAF_SVD_VALUES; mode <= (int)last; mode++)
        release(&of[mode]);
}

void svd_ratios_check(const sheaf_array *a, const sheaf_svd_options *options)
{
    svd_ratios_check_to(a, options, SHEAF_SVD_FULL);
}
