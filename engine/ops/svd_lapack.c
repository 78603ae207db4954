/* svd_lapack.c -- the SVD by LAPACK, one matrix a call. */
#include "ops/svd.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ops/lapack.h"

/* What a run of matrices of one shape needs. For values LAPACK is given the matrix or its transpose,
 * which have the same singular values: the one that is tall, rows >= columns. A C-order matrix is its
 * transpose in LAPACK's column-major eyes, so a tall one is transposed as it is copied (LAPACK destroys
 * its input, so it is copied in any case). Microseconds a matrix, OpenBLAS 0.3.21, f64, one core:
 *
 *              wide    tall
 *  (1000,10)    123      80
 *  (32,32)     47.3    47.7
 *  (10,10)      7.2     7.3
 *
 * For vectors it is given the transpose, A' = V S U': its V, by columns, is our V' by rows, and so on, so
 * that nothing else is turned. The values are those of the call without vectors, whatever is asked for:
 * with vectors ?gesdd computes them otherwise, and small ones can be wrong (LAPACK issue 316). */
struct run {
    lapack_gesdd *gesdd;
    struct svd_shape shape;
    int work_length;
    void *copy;      /* of a matrix of a view; NULL if a is dense */
    void *matrix;    /* m * n elements */
    void *values;    /* k: LAPACK writes here more than once, and into the array we must not */
    void *discarded; /* k: the values of the call for vectors */
    void *u, *vt;    /* as they are in the arrays */
    void *work;
    int *integers;
};

static int smaller(size_t a, size_t b)
{
    return (int)(a < b ? a : b);
}

static int larger(size_t a, size_t b)
{
    return (int)(a > b ? a : b);
}

/* One call of ?gesdd for values, on run->matrix. Returns its info. */
static int call_values(const struct run *run, void *work, int work_length)
{
    const int rows = larger(run->shape.m, run->shape.n);
    const int columns = smaller(run->shape.m, run->shape.n);
    const int one = 1;
    double unused[1];
    int info = 0;
    run->gesdd("N", &rows, &columns, run->matrix, &rows, run->values, unused, &one, unused, &one,
               work, &work_length, run->integers, &info, 1);
    return info;
}

/* One for vectors: of n x m, by columns. */
static int call_vectors(const struct run *run, void *work, int work_length)
{
    const int rows = (int)run->shape.n;
    const int columns = (int)run->shape.m;
    const int u_columns = (int)run->shape.u_columns;
    int info = 0;
    bool is_full = run->shape.u_columns == run->shape.m && run->shape.vt_rows == run->shape.n;
    run->gesdd(is_full ? "A" : "S", &rows, &columns, run->matrix, &rows, run->discarded, run->vt,
               &rows, run->u, &u_columns, work, &work_length, run->integers, &info, 1);
    return info;
}

/* Asks LAPACK how much workspace the shape takes. */
static sheaf_status ask_work_length(struct run *run)
{
    int (*const calls[])(const struct run *, void *, int) = {call_values, call_vectors};
    for (size_t i = 0; i < (run->shape.has_vectors ? 2 : 1); i++) {
        union {
            double f64;
            float f32;
        } answer = {.f64 = 0};
        int info = calls[i](run, &answer, -1);
        /* One more, and one part in 2^23: a float rounds lengths above 2^24, perhaps down. */
        double length =
            run->shape.element == sizeof(float) ? (double)answer.f32 * (1 + 0x1p-23) : answer.f64;
        if (info != 0 || !(length >= 1 && length + 1 <= INT_MAX))
            return SHEAF_FAIL(SHEAF_ERR_SHAPE, "svd: LAPACK cannot take matrices of %zu x %zu",
                              run->shape.m, run->shape.n);
        if ((int)length + 1 > run->work_length)
            run->work_length = (int)length + 1;
    }
    return SHEAF_OK;
}

static void free_run(struct run *run)
{
    free(run->copy);
    free(run->matrix);
    free(run->values);
    free(run->discarded);
    free(run->u);
    free(run->vt);
    free(run->work);
    free(run->integers);
}

/* Whatever it returns, free_run() is due. */
static sheaf_status make_run(struct run *run, const struct lapack *lapack,
                             const struct op_call *call)
{
    const struct svd_shape shape = svd_shape_of(call);
    *run = (struct run){
        .gesdd = shape.element == sizeof(double) ? lapack->dgesdd : lapack->sgesdd,
        .shape = shape,
        .matrix = malloc(shape.m * shape.n * shape.element),
        .values = malloc(shape.k * shape.element),
        .integers = malloc(8 * shape.k * sizeof(int)),
    };
    bool is_whole = run->matrix != NULL && run->values != NULL && run->integers != NULL;
    if (shape.has_vectors) {
        run->discarded = malloc(shape.k * shape.element);
        run->u = malloc(shape.m * shape.u_columns * shape.element);
        run->vt = malloc(shape.vt_rows * shape.n * shape.element);
        is_whole = is_whole && run->discarded != NULL && run->u != NULL && run->vt != NULL;
    }
    if (call->arrays[SVD_A].is_dense == 0) {
        run->copy = malloc(shape.m * shape.n * shape.element);
        is_whole = is_whole && run->copy != NULL;
    }
    if (is_whole) {
        sheaf_status status = ask_work_length(run);
        if (status != SHEAF_OK)
            return status;
        run->work = malloc((size_t)run->work_length * shape.element);
    }
    if (run->work == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "svd: no memory for a copy of one %zu x %zu matrix",
                          shape.m, shape.n);
    return SHEAF_OK;
}

/* Finite: no exponent is all ones. Integers are compared, so this is right in any floating-point mode. */
static bool is_finite(const void *x, size_t n, size_t element)
{
    const unsigned char *bytes = x;
    unsigned found = 0;
    if (element == sizeof(double)) {
        for (size_t i = 0; i < n; i++) {
            uint64_t bits;
            memcpy(&bits, bytes + sizeof bits * i, sizeof bits);
            found |= (bits & 0x7ff0000000000000) == 0x7ff0000000000000;
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            uint32_t bits;
            memcpy(&bits, bytes + sizeof bits * i, sizeof bits);
            found |= (bits & 0x7f800000) == 0x7f800000;
        }
    }
    return found == 0;
}

/* The matrix in LAPACK's order, as the tall one of it and its transpose. */
static void copy_tall(const struct run *run, const void *x)
{
    size_t m = run->shape.m;
    size_t n = run->shape.n;
    if (m <= n) {
        memcpy(run->matrix, x, m * n * run->shape.element);
    } else if (run->shape.element == sizeof(double)) {
        const double *from = x;
        double *to = run->matrix;
        for (size_t row = 0; row < m; row++)
            for (size_t column = 0; column < n; column++)
                to[column * m + row] = from[row * n + column];
    } else {
        const float *from = x;
        float *to = run->matrix;
        for (size_t row = 0; row < m; row++)
            for (size_t column = 0; column < n; column++)
                to[column * m + row] = from[row * n + column];
    }
}

/* One matrix, into run->values, u and vt. LAPACK never sees what is not finite: ?gesdd loops for ever over
 * some infinities. */
static enum svd_outcome solve(const struct run *run, const void *x)
{
    const struct svd_shape *shape = &run->shape;
    if (!is_finite(x, shape->m * shape->n, shape->element))
        return SVD_NOT_FINITE;
    copy_tall(run, x);
    if (call_values(run, run->work, run->work_length) != 0)
        return SVD_NOT_CONVERGED;
    if (!shape->has_vectors)
        return SVD_DONE;
    memcpy(run->matrix, x, shape->m * shape->n * shape->element);
    if (call_vectors(run, run->work, run->work_length) != 0)
        return SVD_NOT_CONVERGED;
    svd_fix_signs(shape, run->u, run->vt);
    return SVD_DONE;
}

sheaf_status svd_by_lapack(const struct op_call *call, uint64_t first, uint64_t end,
                           int64_t *failures)
{
    const struct lapack *lapack;
    struct run run;
    sheaf_status status = sheaf_lapack_enter(&lapack, 1);
    if (status != SHEAF_OK)
        return status;
    status = make_run(&run, lapack, call);
    for (uint64_t i = first; status == SHEAF_OK && i < end; i++) {
        const struct svd_shape *shape = &run.shape;
        if (run.copy != NULL)
            svd_gather(call, run.copy, i, 1);
        enum svd_outcome outcome =
            solve(&run, run.copy != NULL ? run.copy : svd_part(call, SVD_A, i));
        if (outcome == SVD_DONE) {
            memcpy(svd_part(call, SVD_S, i), run.values, shape->k * shape->element);
            if (shape->has_vectors) {
                memcpy(svd_part(call, SVD_U, i), run.u,
                       shape->m * shape->u_columns * shape->element);
                memcpy(svd_part(call, SVD_VT, i), run.vt,
                       shape->vt_rows * shape->n * shape->element);
            }
        }
        *failures += svd_note(call, i, outcome);
    }
    free_run(&run);
    sheaf_lapack_leave();
    return status;
}
