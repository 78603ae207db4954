/* lapack.h -- the LAPACK routines that we call, from OpenBLAS, which is loaded at the first call.
 *
 * The build finds it (SHEAF_OPENBLAS, engine/cmake/FindOpenBLAS.cmake) and keeps its name; linking it would take the
 * start of every process from 0.4 to 3.4 ms, so nobody links it. */
#ifndef SHEAF_OPS_LAPACK_H
#define SHEAF_OPS_LAPACK_H

#include <stddef.h>
#include <stdint.h>

#include <sheaf/status.h>

/* By their names in LAPACK, whose documentation says what they do. Matrices are column-major; all of what is void is of
 * the type, s or d; the lengths at the end are Fortran's hidden ones of strings. */
struct lapack_routines {
    void (*geqrf)(const int *m, const int *n, void *a, const int *lda, void *tau, void *work,
                  const int *lwork, int *info);
    void (*gebrd)(const int *m, const int *n, void *a, const int *lda, void *d, void *e, void *tauq,
                  void *taup, void *work, const int *lwork, int *info);
    void (*bdsdc)(const char *uplo, const char *compq, const int *n, void *d, void *e, void *u,
                  const int *ldu, void *vt, const int *ldvt, void *q, int *iq, void *work,
                  int *iwork, int *info, size_t, size_t);
    void (*ormbr)(const char *vect, const char *side, const char *trans, const int *m, const int *n,
                  const int *k, const void *a, const int *lda, const void *tau, void *c,
                  const int *ldc, void *work, const int *lwork, int *info, size_t, size_t, size_t);
    void (*ormqr)(const char *side, const char *trans, const int *m, const int *n, const int *k,
                  const void *a, const int *lda, const void *tau, void *c, const int *ldc,
                  void *work, const int *lwork, int *info, size_t, size_t);
    void (*gemm)(const char *transa, const char *transb, const int *m, const int *n, const int *k,
                 const void *alpha, const void *a, const int *lda, const void *b, const int *ldb,
                 const void *beta, void *c, const int *ldc, size_t, size_t);
};

struct lapack {
    struct lapack_routines f32, f64;
};

/* Loads LAPACK if nobody has, and begins its use: OpenBLAS uses this many threads for each call while nobody else is
 * inside, and one for each call while several are. What it was set to before comes back with the last
 * sheaf_lapack_leave(). Thread-safe. Errors: UNSUPPORTED (no such library). */
sheaf_status sheaf_lapack_enter(const struct lapack **out, uint32_t threads);

/* While nobody else is inside, so many threads for each call from now on: as many as were told, or 1. */
void sheaf_lapack_use(uint32_t threads);

/* Once for each sheaf_lapack_enter() that succeeded. */
void sheaf_lapack_leave(void);

#endif
