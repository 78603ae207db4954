/* lapack.h -- the two LAPACK routines that we call, from OpenBLAS, which is loaded at the first call.
 *
 * The build finds it (SHEAF_OPENBLAS, engine/cmake/FindOpenBLAS.cmake) and keeps its name; linking it would take the
 * start of every process from 0.4 to 3.4 ms, so nobody links it. */
#ifndef SHEAF_OPS_LAPACK_H
#define SHEAF_OPS_LAPACK_H

#include <stddef.h>
#include <stdint.h>

#include <sheaf/status.h>

/* ?gesdd: singular values (and vectors) of a column-major m x n matrix, which it destroys. The matrices
 * and numbers are of its type, s and d; jobz_length is Fortran's hidden length of a string. */
typedef void lapack_gesdd(const char *jobz, const int *m, const int *n, void *a, const int *lda,
                          void *s, void *u, const int *ldu, void *vt, const int *ldvt, void *work,
                          const int *lwork, int *iwork, int *info, size_t jobz_length);

struct lapack {
    lapack_gesdd *sgesdd;
    lapack_gesdd *dgesdd;
};

/* Loads LAPACK if nobody has, and begins its use: OpenBLAS uses this many threads for each call while nobody else is
 * inside, and one for each call while several are. What it was set to before comes back with the last
 * sheaf_lapack_leave(). Thread-safe. Errors: UNSUPPORTED (no such library). */
sheaf_status sheaf_lapack_enter(const struct lapack **out, uint32_t threads);

/* Once for each sheaf_lapack_enter() that succeeded. */
void sheaf_lapack_leave(void);

#endif
