/* lapack.h -- the two LAPACK routines that we call, from a library that is loaded at the first call.
 *
 * Linking OpenBLAS takes the start of every process from 0.4 to 3.4 ms, so nobody links it. */
#ifndef SHEAF_OPS_LAPACK_H
#define SHEAF_OPS_LAPACK_H

#include <stddef.h>

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

/* Loads LAPACK if nobody has, and begins its use: between the first sheaf_lapack_enter() of all threads
 * and the last sheaf_lapack_leave(), OpenBLAS uses one thread for each call. Thread-safe.
 * Errors: UNSUPPORTED (no such library). */
sheaf_status sheaf_lapack_enter(const struct lapack **out);

/* Once for each sheaf_lapack_enter() that succeeded. */
void sheaf_lapack_leave(void);

#endif
