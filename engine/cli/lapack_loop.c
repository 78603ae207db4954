/* lapack_loop.c -- loads OpenBLAS, and calls dgesdd matrix by matrix. */
#include "cli/lapack_loop.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "cli/team.h"

typedef void dgesdd_function(const char *jobz, const int *m, const int *n, double *a,
                             const int *lda, double *s, double *u, const int *ldu, double *vt,
                             const int *ldvt, double *work, const int *lwork, int *iwork, int *info,
                             size_t jobz_length);

static dgesdd_function *dgesdd;
static void (*set_threads)(int);

struct lapack_loop {
    size_t rows,
        columns;    /* of the taller of a matrix and its transpose: dgesdd is faster with it */
    bool is_turned; /* which is not the one that lies there in column-major eyes */
    size_t workers;
    int work_length;
    double *copies; /* one for each worker, as all that follows: dgesdd overwrites its input */
    double *work;
    int *integers;
    /* of a run, written before its threads begin */
    const double *matrices;
    double *values;
    size_t count;
    size_t parts;
    _Atomic size_t finished;
    _Atomic size_t failures;
};

/* The loop that runs. OpenMP's hand-overs are not seen by the thread sanitizer, so threads get at it by acquire,
 * which pairs with the release in lapack_loop_run(), and tell their end by `finished`. */
static _Atomic(struct lapack_loop *) running;

const char *lapack_loop_missing(void)
{
#ifdef SHEAF_OPENBLAS
    void *library =
        dlopen(SHEAF_OPENBLAS, RTLD_NOW | RTLD_LOCAL); /* never closed: it has threads */
    if (library == NULL)
        return "no " SHEAF_OPENBLAS " (Debian, Ubuntu: package libopenblas0-pthread)";
    *(void **)(void *)&dgesdd = dlsym(library, "dgesdd_");
    *(void **)(void *)&set_threads = dlsym(library, "openblas_set_num_threads");
    return dgesdd != NULL && set_threads != NULL ? NULL : SHEAF_OPENBLAS " is not OpenBLAS";
#else
    return "built without OpenBLAS (SHEAF_OPENBLAS=OFF)";
#endif
}

/* One call for values; the work space is worker `index`'s. Returns its info. */
static int call(const struct lapack_loop *loop, size_t index, double *values, int work_length)
{
    const int rows = (int)loop->rows;
    const int columns = (int)loop->columns;
    const int one = 1;
    double unused[1];
    int info = 0;
    dgesdd("N", &rows, &columns, loop->copies + index * loop->rows * loop->columns, &rows, values,
           unused, &one, unused, &one, loop->work + index * (size_t)loop->work_length, &work_length,
           loop->integers + index * 8 * loop->columns, &info, 1);
    return info;
}

struct lapack_loop *lapack_loop_open(const char **why, size_t m, size_t n, size_t workers)
{
    *why = lapack_loop_missing();
    if (*why == NULL && (m > INT_MAX || n > INT_MAX))
        *why = "LAPACK takes no such matrices";
    struct lapack_loop *loop = *why == NULL ? calloc(1, sizeof *loop) : NULL;
    if (loop == NULL) {
        *why = *why == NULL ? "no memory" : *why;
        return NULL;
    }
    loop->rows = m > n ? m : n;
    loop->columns = m > n ? n : m;
    loop->is_turned = m > n;
    loop->workers = workers;
    loop->copies = malloc(workers * m * n * sizeof *loop->copies);
    loop->integers = malloc(workers * 8 * loop->columns * sizeof *loop->integers);
    loop->work = malloc(sizeof *loop->work);
    if (loop->copies != NULL && loop->integers != NULL && loop->work != NULL) {
        double length = 0;
        loop->work[0] = 0;
        if (call(loop, 0, &length, -1) == 0 && loop->work[0] < INT_MAX) {
            loop->work_length = (int)loop->work[0];
            free(loop->work);
            loop->work = malloc(workers * (size_t)loop->work_length * sizeof *loop->work);
        }
    }
    if (loop->work_length > 0 && loop->work != NULL)
        return loop;
    *why = "no memory for copies of the matrices";
    lapack_loop_close(loop);
    return NULL;
}

void lapack_loop_close(struct lapack_loop *loop)
{
    if (loop == NULL)
        return;
    free(loop->copies);
    free(loop->work);
    free(loop->integers);
    free(loop);
}

static void copy(const struct lapack_loop *loop, double *to, const double *from)
{
    if (!loop->is_turned) {
        memcpy(to, from, loop->rows * loop->columns * sizeof *to);
        return;
    }
    for (size_t i = 0; i < loop->rows; i++)
        for (size_t j = 0; j < loop->columns; j++)
            to[j * loop->rows + i] = from[i * loop->columns + j];
}

/* The index-th part of all matrices. */
static void run_part(size_t index)
{
    struct lapack_loop *loop = atomic_load_explicit(&running, memory_order_acquire);
    size_t each = loop->rows * loop->columns;
    size_t end = team_cut(loop->count, index + 1, loop->parts);
    for (size_t i = team_cut(loop->count, index, loop->parts); i < end; i++) {
        copy(loop, loop->copies + index * each, loop->matrices + i * each);
        if (call(loop, index, loop->values + i * loop->columns, loop->work_length) != 0)
            atomic_fetch_add(&loop->failures, 1);
    }
    /* release, pairs with the acquire at the end of lapack_loop_run() */
    atomic_fetch_add_explicit(&loop->finished, 1, memory_order_release);
}

bool lapack_loop_run(struct lapack_loop *loop, double *values, const double *matrices, size_t count,
                     size_t workers)
{
#ifndef _OPENMP
    workers = 1;
#endif
    set_threads(count == 1 ? (int)workers : 1);
    loop->matrices = matrices;
    loop->values = values;
    loop->count = count;
    loop->parts = count < workers ? count : workers;
    atomic_store(&loop->finished, 0);
    atomic_store(&loop->failures, 0);
    atomic_store_explicit(&running, loop, memory_order_release);
    if (loop->parts == 1) {
        run_part(0);
    } else {
#ifdef _OPENMP
#pragma omp parallel num_threads((int)loop->parts)
        {
            /* Not from outside: the thread sanitizer does not see libgomp hand it over. */
            int all = (int)atomic_load_explicit(&running, memory_order_acquire)->parts;
#pragma omp for schedule(static, 1)
            for (int i = 0; i < all; i++) // also if there are fewer threads than were asked for
                run_part((size_t)i);
        }
#endif
    }
    while (atomic_load_explicit(&loop->finished, memory_order_acquire) < loop->parts)
        continue;
    if (count == 1)
        set_threads(1);
    return atomic_load(&loop->failures) == 0;
}
