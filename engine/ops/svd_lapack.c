/* svd_lapack.c -- the SVD by LAPACK, one matrix a call. */
#include "ops/svd.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ops/bidiagonal.h"
#include "ops/lapack.h"

/* What a run of matrices of one shape needs. LAPACK is given the taller of a matrix and its transpose, rows >=
 * columns, and destroys it, so it is copied in any case: turned, if the matrix is tall, as a C-order matrix is its
 * transpose in LAPACK's column-major eyes. Microseconds a matrix, values, OpenBLAS 0.3.21, f64, one core, ?gesdd:
 *
 *              wide    tall
 *  (1000,10)    123      80
 *  (32,32)     47.3    47.7
 *
 * The steps are those of ?gesdd, one by one: a much taller matrix to R, that (or the matrix) to bidiagonal form, whose
 * values are the same whatever is asked for, and its vectors by divide and conquer, multiplied by the reflections. The
 * bidiagonal form of f64 is not LAPACK's but ours (bidiagonal.h). With
 * vectors ?gesdd computes the values otherwise, and small ones can be wrong (LAPACK issue 316); to call it a second time
 * for values takes half as long again. */
struct run {
    struct lapack_routines lapack;
    struct svd_shape shape;
    const struct kernels *kernels;
    size_t threads, shares;       /* for this one matrix, and for its bidiagonal form */
    int rows, columns, u_columns; /* as LAPACK sees it: U has this many */
    int pitch, square_pitch;      /* of `matrix` and `square`: from column to column */
    bool is_turned;               /* the matrix is tall, and its results are to be turned back */
    bool is_much_taller;          /* as ?gesdd decides */
    int work_length;
    void *copy;    /* of a matrix of a view; NULL if a is dense */
    void *matrix;  /* rows x columns: then the reflections */
    void *square;  /* columns x columns: R, then its reflections; if much taller */
    void *vectors; /* of five times `columns`: d, e, tauq, taup, tau */
    void *
        values; /* 2 x columns: LAPACK writes here more than once, and into the array we must not; then e */
    void *u, *vt;         /* rows x u_columns, columns x columns */
    void *u_out, *vt_out; /* as they are in the arrays */
    void *bidiagonal_work;
    void *work;
    double *room; /* of sheaf_bidiagonalise() */
    int *integers;
};

/* Element i of an array of the run's type. */
static void *at(const struct run *run, void *x, size_t i)
{
    return (unsigned char *)x + i * run->shape.element;
}

static void *diagonal(const struct run *run, size_t which)
{
    return at(run, run->vectors, which * (size_t)run->columns);
}

static void free_run(struct run *run)
{
    free(run->copy);
    free(run->matrix);
    free(run->square);
    free(run->vectors);
    free(run->values);
    free(run->u);
    free(run->vt);
    if (run->is_turned) {
        free(run->u_out);
        free(run->vt_out);
    }
    free(run->bidiagonal_work);
    free(run->work);
    free(run->room);
    free(run->integers);
}

/* n times m elements. */
static void *make(const struct run *run, size_t n, size_t m)
{
    enum { LINE = 64 };
    size_t bytes = n * m * run->shape.element;
    return aligned_alloc(LINE, (bytes / LINE + 1) * LINE); /* not cleared: it is warm */
}

/* True if there is memory for all of it. */
static bool make_vectors(struct run *run)
{
    size_t columns = (size_t)run->columns;
    run->u = make(run, (size_t)run->rows, (size_t)run->u_columns);
    run->vt = make(run, columns, columns);
    if (run->is_turned) {
        run->u_out = make(run, (size_t)run->rows, (size_t)run->u_columns);
        run->vt_out = make(run, columns, columns);
    } else { /* what is V' by columns is U by rows, and the other way round */
        run->u_out = run->vt;
        run->vt_out = run->u;
    }
    return run->u != NULL && run->vt != NULL && run->u_out != NULL && run->vt_out != NULL;
}

/* Whatever it returns, free_run() is due. */
static sheaf_status make_run(struct run *run, const struct lapack *lapack,
                             const struct op_call *call)
{
    enum {
        BLOCK = 64,
        BESIDE = 8192
    }; /* LAPACK's largest block, and what ?ormqr keeps beside it */
    const struct svd_shape shape = svd_shape_of(call);
    const size_t longer = shape.m > shape.n ? shape.m : shape.n;
    const size_t k = shape.k;
    bool is_full = shape.has_vectors && (shape.u_columns > k || shape.vt_rows > k);
    const struct svd_params *params = call->params;
    *run = (struct run){.shape = shape,
                        .kernels = call->kernels,
                        .threads = params->threads > 1 ? params->threads : 1,
                        .is_turned = shape.m > shape.n};
    run->is_much_taller = longer >= 11 * k / 6;
    const size_t square = run->is_much_taller ? 2 * k : longer + k;
    const size_t widest = is_full && longer > square ? longer : square;
    if (widest > (INT_MAX - BESIDE) / BLOCK || longer > INT_MAX - 16)
        return SHEAF_FAIL(SHEAF_ERR_SHAPE, "svd: LAPACK cannot take matrices of %zu x %zu", shape.m,
                          shape.n);
    run->lapack = shape.element == sizeof(double) ? lapack->f64 : lapack->f32;
    /* the same with and without vectors, as the bits of the values depend on it */
    run->shares = shape.m * shape.n >= SVD_SPREAD_SIZE ? run->threads : 1;
    run->rows = (int)longer;
    run->columns = (int)k;
    run->u_columns = is_full ? run->rows : run->columns;
    run->work_length = (int)(BLOCK * widest) + BESIDE;
    run->pitch = (int)bidiagonal_pitch(longer);
    run->square_pitch = (int)bidiagonal_pitch(k);
    run->matrix = make(run, (size_t)run->pitch, k);
    run->square = make(run, run->is_much_taller ? (size_t)run->square_pitch : 0, k);
    run->room =
        make(run, shape.element == sizeof(double) ? bidiagonal_room(longer, k, run->shares) : 0, 1);
    run->vectors = make(run, 5, k);
    run->values = make(run, 2, k);
    run->work = make(run, (size_t)run->work_length, 1);
    run->bidiagonal_work = make(run, shape.has_vectors ? 3 * k + 4 : 4, k);
    run->integers = malloc(8 * k * sizeof(int));
    bool is_whole = run->matrix != NULL && run->square != NULL && run->vectors != NULL &&
                    run->values != NULL && run->work != NULL && run->room != NULL &&
                    run->bidiagonal_work != NULL && run->integers != NULL &&
                    (!shape.has_vectors || make_vectors(run));
    if (call->arrays[SVD_A].is_dense == 0) {
        run->copy = make(run, shape.m, shape.n);
        is_whole = is_whole && run->copy != NULL;
    }
    return is_whole
               ? SHEAF_OK
               : SHEAF_FAIL(SHEAF_ERR_NO_MEMORY,
                            "svd: no memory for a copy of one %zu x %zu matrix", shape.m, shape.n);
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

/* To from's columns by rows: element (i, j) of m x n goes to j * pitch + i. */
static void turn(const struct run *run, void *to, size_t pitch, const void *from, size_t m,
                 size_t n)
{
    enum { TILE = 16 }; /* rows whose elements lie in one line of y, or two */
    for (size_t first = 0; first < m; first += TILE) {
        size_t end = first + TILE < m ? first + TILE : m;
        if (run->shape.element == sizeof(double)) {
            const double *x = from;
            double *y = to;
            for (size_t j = 0; j < n; j++)
                for (size_t i = first; i < end; i++)
                    y[j * pitch + i] = x[i * n + j];
        } else {
            const float *x = from;
            float *y = to;
            for (size_t j = 0; j < n; j++)
                for (size_t i = first; i < end; i++)
                    y[j * pitch + i] = x[i * n + j];
        }
    }
}

static void scale(const struct run *run, void *x, size_t n, int exponent)
{
    for (size_t i = 0; i < n; i++)
        if (run->shape.element == sizeof(double))
            ((double *)x)[i] = __builtin_ldexp(((double *)x)[i], exponent);
        else
            ((float *)x)[i] = __builtin_ldexpf(((float *)x)[i], exponent);
}

static double largest_f64(const double *x, size_t n)
{
    double most[4] = {0}; /* chains side by side */
    for (size_t i = 0; i < n; i++) {
        double size = x[i] < 0 ? -x[i] : x[i];
        most[i % 4] = size > most[i % 4] ? size : most[i % 4];
    }
    most[0] = most[0] > most[1] ? most[0] : most[1];
    most[2] = most[2] > most[3] ? most[2] : most[3];
    return most[0] > most[2] ? most[0] : most[2];
}

static double largest_f32(const float *x, size_t n)
{
    float most = 0;
    for (size_t i = 0; i < n; i++) {
        float size = x[i] < 0 ? -x[i] : x[i];
        most = size > most ? size : most;
    }
    return (double)most;
}

/* The exponent of the largest element, if that is so large or small that squares of it are not to be had; else 0. */
static int exponent_of(const struct run *run, const void *x)
{
    const bool is_double = run->shape.element == sizeof(double);
    const double small = is_double ? 0x1p-440 : 0x1p-30;
    const size_t n = (size_t)run->rows * (size_t)run->columns;
    double most = is_double ? largest_f64(x, n) : largest_f32(x, n);
    int exponent = 0;
    if (most == 0 || (most > small && most < 1 / small))
        return 0;
    (void)__builtin_frexp(most, &exponent);
    return exponent;
}

/* run->matrix to its bidiagonal form, whose diagonals are 0 and 1 of run->vectors; of f64 by our own kernel. */
static void make_bidiagonal(struct run *run)
{
    const struct lapack_routines *lapack = &run->lapack;
    const size_t k = (size_t)run->columns;
    int info;
    int rows = run->rows;
    int pitch = run->pitch;
    void *x = run->matrix;
    if (run->is_much_taller) {
        lapack->geqrf(&run->rows, &run->columns, run->matrix, &run->pitch, diagonal(run, 4),
                      run->work, &run->work_length, &info);
        rows = run->columns;
        pitch = run->square_pitch;
        x = run->square;
        memset(x, 0, (size_t)pitch * k * run->shape.element);
        for (size_t j = 0; j < k; j++)
            memcpy(at(run, x, j * (size_t)pitch), at(run, run->matrix, j * (size_t)run->pitch),
                   (j + 1) * run->shape.element);
    }
    if (run->shape.element == sizeof(double)) {
        double *const vectors[] = {diagonal(run, 0), diagonal(run, 1), diagonal(run, 2),
                                   diagonal(run, 3)};
        const struct bidiagonal matrix = {.kernels = run->kernels,
                                          .lapack = lapack,
                                          .rows = (size_t)rows,
                                          .columns = k,
                                          .a = x,
                                          .keeps_rows = run->shape.has_vectors,
                                          .threads = run->shares};
        sheaf_lapack_use(1);
        sheaf_bidiagonalise(&matrix, vectors, run->room);
        sheaf_lapack_use((uint32_t)run->threads);
    } else
        lapack->gebrd(&rows, &run->columns, x, &pitch, diagonal(run, 0), diagonal(run, 1),
                      diagonal(run, 2), diagonal(run, 3), run->work, &run->work_length, &info);
}

/* The values of the bidiagonal form, into run->values. False: they do not converge. */
static bool find_values(const struct run *run)
{
    const int one = 1;
    const size_t k = (size_t)run->columns;
    double unused[1];
    int info;
    memcpy(run->values, diagonal(run, 0), 2 * k * run->shape.element);
    run->lapack.bdsdc("U", "N", &run->columns, run->values, at(run, run->values, k), unused, &one,
                      unused, &one, unused, run->integers, run->bidiagonal_work, run->integers,
                      &info, 1, 1);
    return info == 0;
}

/* Q of the reflections in x, rows x columns, times run->u; the transpose of P's times run->vt from the right. */
static void multiply_bidiagonal(const struct run *run, int rows, int u_columns, const void *x,
                                int pitch)
{
    const int k = run->columns;
    int info;
    run->lapack.ormbr("Q", "L", "N", &rows, &u_columns, &k, x, &pitch, diagonal(run, 2), run->u,
                      &run->rows, run->work, &run->work_length, &info, 1, 1, 1);
    run->lapack.ormbr("P", "R", "T", &k, &k, &k, x, &pitch, diagonal(run, 3), run->vt, &k,
                      run->work, &run->work_length, &info, 1, 1, 1);
}

/* The vectors, into run->u and run->vt. */
static bool find_vectors(const struct run *run)
{
    const struct lapack_routines *lapack = &run->lapack;
    const size_t rows = (size_t)run->rows;
    const double one_f64 = 1;
    const float one_f32 = 1;
    double unused[1];
    int info;
    if (rows > (size_t)run->columns)
        memset(run->u, 0, rows * (size_t)run->u_columns * run->shape.element);
    lapack->bdsdc("U", "I", &run->columns, diagonal(run, 0), diagonal(run, 1), run->u, &run->rows,
                  run->vt, &run->columns, unused, run->integers, run->bidiagonal_work,
                  run->integers, &info, 1, 1);
    if (info != 0)
        return false;
    for (size_t j = (size_t)run->columns; j < (size_t)run->u_columns; j++)
        memcpy(at(run, run->u, j * rows + j),
               run->shape.element == sizeof one_f64 ? (const void *)&one_f64
                                                    : (const void *)&one_f32,
               run->shape.element);
    if (!run->is_much_taller) {
        multiply_bidiagonal(run, run->rows, run->u_columns, run->matrix, run->pitch);
        return true;
    }
    multiply_bidiagonal(run, run->columns, run->columns, run->square, run->square_pitch);
    lapack->ormqr("L", "N", &run->rows, &run->u_columns, &run->columns, run->matrix, &run->pitch,
                  diagonal(run, 4), run->u, &run->rows, run->work, &run->work_length, &info, 1, 1);
    return true;
}

/* x to run->matrix. */
static void take(const struct run *run, const void *x)
{
    const size_t rows = (size_t)run->rows;
    const size_t pitch = (size_t)run->pitch;
    for (size_t j = 0; j < (size_t)run->columns; j++) {
        void *column = at(run, run->matrix, j * pitch);
        if (!run->is_turned)
            memcpy(column, (const unsigned char *)x + j * rows * run->shape.element,
                   rows * run->shape.element);
        memset(at(run, column, rows), 0, (pitch - rows) * run->shape.element);
    }
    if (run->is_turned)
        turn(run, run->matrix, pitch, x, run->shape.m, run->shape.n);
}

/* One matrix, into run->values, u_out and vt_out. LAPACK never sees what is not finite: it loops for ever over
 * some infinities. */
static enum svd_outcome solve(struct run *run, const void *x)
{
    const struct svd_shape *shape = &run->shape;
    const size_t size = shape->m * shape->n;
    if (!is_finite(x, size, shape->element))
        return SVD_NOT_FINITE;
    int exponent = exponent_of(run, x);
    take(run, x);
    if (exponent != 0)
        scale(run, run->matrix, (size_t)run->pitch * (size_t)run->columns, -exponent);
    make_bidiagonal(run);
    if (!find_values(run))
        return SVD_NOT_CONVERGED;
    if (exponent != 0)
        scale(run, run->values, shape->k, exponent);
    if (!shape->has_vectors)
        return SVD_DONE;
    if (!find_vectors(run))
        return SVD_NOT_CONVERGED;
    if (run->is_turned) {
        turn(run, run->u_out, (size_t)run->u_columns, run->u, (size_t)run->u_columns, shape->m);
        turn(run, run->vt_out, shape->n, run->vt, shape->n, shape->n);
    }
    svd_fix_signs(shape, run->u_out, run->vt_out);
    return SVD_DONE;
}

sheaf_status svd_by_lapack(const struct op_call *call, uint64_t first, uint64_t end,
                           int64_t *failures)
{
    const struct lapack *lapack;
    struct run run;
    const struct svd_params *params = call->params;
    sheaf_status status = sheaf_lapack_enter(&lapack, params->threads > 1 ? params->threads : 1);
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
                memcpy(svd_part(call, SVD_U, i), run.u_out,
                       shape->m * shape->u_columns * shape->element);
                memcpy(svd_part(call, SVD_VT, i), run.vt_out,
                       shape->vt_rows * shape->n * shape->element);
            }
        }
        *failures += svd_note(call, i, outcome);
    }
    free_run(&run);
    sheaf_lapack_leave();
    return status;
}
