/* interrupt.c -- the thread that waits for Ctrl-C. */
#include "cli/interrupt.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/progress.h"

enum { GUARDED_MAX = 4 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *guarded[GUARDED_MAX]; /* written under the lock */
static const char *command_name;         /* set before the thread starts */
static sigset_t awaited;                 /* likewise */

static void *await_signal(void *unused)
{
    struct timespec deadline;
    int number = 0;
    (void)unused;
    while (sigwait(&awaited, &number) != 0)
        ; /* EINTR of old systems */
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 1;
    pthread_mutex_timedlock(&lock, &deadline); /* kept: the holder must not create anything more */
    progress_clear();
    for (int i = 0; i < GUARDED_MAX; i++) {
        if (guarded[i] != NULL)
            sheaf_unlink(guarded[i]);
    }
    failure(command_name, "ended by %s; what it had begun is removed",
            number == SIGINT    ? "SIGINT"
            : number == SIGTERM ? "SIGTERM"
                                : "SIGHUP");
    _exit(128 + number);
}

int interrupt_start(const char *command)
{
    struct sigaction hangup;
    pthread_t thread;
    command_name = command;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGINT);
    sigaddset(&awaited, SIGTERM);
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
        sigaddset(&awaited, SIGHUP);
    int error = pthread_sigmask(SIG_BLOCK, &awaited, NULL);
    if (error == 0)
        error = pthread_create(&thread, NULL, await_signal, NULL);
    if (error != 0)
        return failure(command, "cannot start a thread for signals: %s", strerror(error));
    pthread_detach(thread);
    return DONE;
}

void interrupt_lock(void)
{
    pthread_mutex_lock(&lock);
}

void interrupt_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

void interrupt_guard(const char *key)
{
    for (int i = 0; i < GUARDED_MAX; i++) {
        if (guarded[i] == NULL) {
            guarded[i] = key;
            return;
        }
    }
}

void interrupt_release(const char *key)
{
    interrupt_lock();
    for (int i = 0; i < GUARDED_MAX; i++) {
        if (guarded[i] == key)
            guarded[i] = NULL;
    }
    interrupt_unlock();
}

sheaf_status interrupt_create(sheaf_array **out, const char *key, sheaf_dtype dtype, size_t ndim,
                              const size_t *shape, const sheaf_create_options *options)
{
    interrupt_lock();
    sheaf_status status = sheaf_create(out, key, dtype, ndim, shape, options);
    if (status == SHEAF_OK)
        interrupt_guard(key);
    interrupt_unlock();
    return status;
}
