/* lapack.c -- loads LAPACK, and keeps OpenBLAS to one thread while we call it. */
#include "ops/lapack.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#include "base/error.h"

/* Where LAPACK is, best first; found as ld.so finds libraries. All take 32-bit integers. */
static const char *const libraries[] = {"libopenblas.so.0", "liblapack.so.3"};

/* Written by load(), once; read after pthread_once() only. */
static struct lapack lapack;
static int (*get_threads)(void); /* NULL where LAPACK is not OpenBLAS's */
static void (*set_threads)(int);
static char load_error[300]; /* what the last library said; empty if one was loaded */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* OpenBLAS's thread count belongs to the process: the first of us in remembers it and sets 1, the last
 * one out sets it back. All under the lock, so that nobody computes before it is 1. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t inside;
static int threads_before;

static void before_fork(void)
{
    pthread_mutex_lock(&lock);
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
    pthread_mutex_unlock(&lock);
}

/* The address of a function. ISO C has no cast from the void * of dlsym(); POSIX promises that the
 * representation is the same. */
static void find(void *handle, const char *name, void *function)
{
    *(void **)function = dlsym(handle, name);
}

static void load(void)
{
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        void *handle = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
        if (handle == NULL) {
            snprintf(load_error, sizeof load_error, "%s", dlerror());
            continue;
        }
        find(handle, "sgesdd_", &lapack.sgesdd);
        find(handle, "dgesdd_", &lapack.dgesdd);
        if (lapack.sgesdd != NULL && lapack.dgesdd != NULL) {
            find(handle, "openblas_get_num_threads", &get_threads);
            find(handle, "openblas_set_num_threads", &set_threads);
            load_error[0] = '\0';
            pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
            return; /* never closed: OpenBLAS has threads of its own */
        }
        snprintf(load_error, sizeof load_error, "%s has no dgesdd", libraries[i]);
        dlclose(handle);
    }
}

sheaf_status sheaf_lapack_enter(const struct lapack **out)
{
    pthread_once(&once, load);
    if (load_error[0] != '\0')
        return SHEAF_FAIL(SHEAF_ERR_UNSUPPORTED,
                          "no LAPACK: install the package libopenblas0-pthread (Debian, Ubuntu) or "
                          "OpenBLAS of another system; tried %s, %s: %s",
                          libraries[0], libraries[1], load_error);
    pthread_mutex_lock(&lock);
    if (inside++ == 0 && get_threads != NULL && set_threads != NULL) {
        threads_before = get_threads();
        if (threads_before != 1)
            set_threads(1);
    }
    pthread_mutex_unlock(&lock);
    *out = &lapack;
    return SHEAF_OK;
}

void sheaf_lapack_leave(void)
{
    pthread_mutex_lock(&lock);
    if (--inside == 0 && get_threads != NULL && set_threads != NULL && threads_before != 1)
        set_threads(threads_before);
    pthread_mutex_unlock(&lock);
}
