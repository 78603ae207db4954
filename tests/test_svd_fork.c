/* test_svd_fork.c -- fork() while a matrix has LAPACK's threads: OpenBLAS stops them, so the fork waits for its end. */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ops/lapack.h"

static _Atomic int is_inside;
static _Atomic int is_over;
static _Atomic int has_left;

static void *spread(void *unused)
{
    const struct lapack *lapack;
    (void)unused;
    CHECK_OK(sheaf_lapack_enter(&lapack, 2));
    atomic_store(&is_inside, 1);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    atomic_store(&is_over, 1);
    sheaf_lapack_leave();
    atomic_store(&has_left, 1);
    return NULL;
}

static void a_fork_waits_for_a_matrix_on_several_threads(void)
{
    pthread_t thread;
    int status;
    CHECK(pthread_create(&thread, NULL, spread, NULL) == 0);
    CHECK(pthread_detach(thread) ==
          0); /* the child cannot join it, which the thread sanitizer would call a leak */
    while (atomic_load(&is_inside) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(atomic_load(&is_over) == 1 ? 0 : 1);
    CHECK(child > 0 && atomic_load(&is_over) == 1);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    while (atomic_load(&has_left) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

CHECK_MAIN(CASE(a_fork_waits_for_a_matrix_on_several_threads))
