/* lapack.c -- loads OpenBLAS, and keeps its threads to as many as we want while we call it. */
#include "ops/lapack.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "kernels.h"

/* What it is called; found as ld.so finds libraries. It takes 32-bit integers. NULL: the build is to do without. */
#ifdef SHEAF_OPENBLAS
static const char *const library = SHEAF_OPENBLAS;
#else
static const char *const library = NULL;
#endif

/* Written by load(), once; read after pthread_once() only. */
static struct lapack lapack;
static int (*get_threads)(void);
static void (*set_threads)(int);
static char load_error[300]; /* why there is none; empty if it was loaded */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* OpenBLAS's thread count belongs to the process: the first of us in remembers it and sets its own, whoever
 * joins sets 1 (a call that runs then goes on with 1 from its next step on), and the last one out sets it back.
 * All under the lock, so that nobody computes before it is right. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t inside;
static int threads_before;
static int threads_now;

/* Who was given more than one thread. fork() waits for that call's end: OpenBLAS stops its threads before a fork, and
 * a call that has handed work to them then waits for ever. */
static bool is_spread;
static pthread_t spreader;
static pthread_cond_t spread_ended = PTHREAD_COND_INITIALIZER;

/* Under the lock. More threads than before are started here. */
static void set(int threads)
{
    if (threads != threads_now)
        set_threads(threads);
    threads_now = threads;
}

/* Before OpenBLAS's own, as handlers of a fork are called in the reverse order. */
static void before_fork(void)
{
    pthread_mutex_lock(&lock);
    while (is_spread)
        pthread_cond_wait(&spread_ended, &lock);
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&lock);
}

/* Those who were inside do not exist here. The thread count stays 1 if it was: setting it would make
 * OpenBLAS start its threads in the middle of a fork. */
static void after_fork_in_child(void)
{
    inside = 0;
    spread_ended = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    pthread_mutex_unlock(&lock);
}

/* The address of a function. ISO C has no cast from the void * of dlsym(); POSIX promises that the
 * representation is the same. */
static void find(void *handle, const char *name, void *function)
{
    *(void **)function = dlsym(handle, name);
}

/* True if they are all there. */
static bool find_all(void *handle)
{
    struct lapack_routines *const all[] = {&lapack.f32, &lapack.f64};
    static const char *const names[][6] = {
        {"sgeqrf_", "sgebrd_", "sbdsdc_", "sormbr_", "sormqr_", "sgemm_"},
        {"dgeqrf_", "dgebrd_", "dbdsdc_", "dormbr_", "dormqr_", "dgemm_"},
    };
    bool is_whole = true;
    for (size_t i = 0; i < 2; i++) {
        find(handle, names[i][0], &all[i]->geqrf);
        find(handle, names[i][1], &all[i]->gebrd);
        find(handle, names[i][2], &all[i]->bdsdc);
        find(handle, names[i][3], &all[i]->ormbr);
        find(handle, names[i][4], &all[i]->ormqr);
        find(handle, names[i][5], &all[i]->gemm);
        is_whole = is_whole && all[i]->geqrf != NULL && all[i]->gebrd != NULL &&
                   all[i]->bdsdc != NULL && all[i]->ormbr != NULL && all[i]->ormqr != NULL &&
                   all[i]->gemm != NULL;
    }
    return is_whole;
}

static void load(void)
{
    void *handle = library != NULL ? dlopen(library, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (handle == NULL) {
        snprintf(load_error, sizeof load_error, "%s",
                 library != NULL ? dlerror() : "this libsheaf was built with SHEAF_OPENBLAS=OFF");
        return;
    }
    find(handle, "openblas_get_num_threads", &get_threads);
    find(handle, "openblas_set_num_threads", &set_threads);
    if (find_all(handle) && get_threads != NULL && set_threads != NULL) {
        load_error[0] = '\0';
        pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
        return; /* never closed: OpenBLAS has threads of its own */
    }
    snprintf(load_error, sizeof load_error, "%s is not OpenBLAS with LAPACK", library);
    dlclose(handle);
}

static sheaf_status no_lapack(void)
{
    if (library == NULL)
        return SHEAF_FAIL(SHEAF_ERR_UNSUPPORTED,
                          "no LAPACK, which matrices with more than %d rows and columns need: %s; "
                          "build with it ON, where OpenBLAS is",
                          KERNEL_SVD_COLUMNS_MAX, load_error);
    return SHEAF_FAIL(SHEAF_ERR_UNSUPPORTED,
                      "no LAPACK, which matrices with more than %d rows and columns need: install "
                      "the package libopenblas0-pthread (Debian, Ubuntu) or OpenBLAS of another "
                      "system; %s",
                      KERNEL_SVD_COLUMNS_MAX, load_error);
}

sheaf_status sheaf_lapack_enter(const struct lapack **out, uint32_t threads)
{
    pthread_once(&once, load);
    if (load_error[0] != '\0')
        return no_lapack();
    pthread_mutex_lock(&lock);
    if (inside++ == 0)
        threads_before = threads_now = get_threads();
    /* Whoever is alone has all that it asks for; with company everybody has one, at once. */
    set(inside == 1 ? (int)threads : 1);
    if (threads_now > 1) {
        is_spread = true;
        spreader = pthread_self();
    }
    pthread_mutex_unlock(&lock);
    *out = &lapack;
    return SHEAF_OK;
}

void sheaf_lapack_use(uint32_t threads)
{
    pthread_mutex_lock(&lock);
    set(inside == 1 ? (int)threads : 1);
    pthread_mutex_unlock(&lock);
}

void sheaf_lapack_leave(void)
{
    pthread_mutex_lock(&lock);
    if (--inside == 0)
        set(threads_before);
    if (is_spread && pthread_equal(spreader, pthread_self())) {
        is_spread = false;
        pthread_cond_broadcast(&spread_ended);
    }
    pthread_mutex_unlock(&lock);
}
