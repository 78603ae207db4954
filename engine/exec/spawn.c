/* spawn.c -- posix_spawn of a worker. Never fork() alone: glibc's posix_spawn is clone(CLONE_VFORK) with all
 * signals blocked and runs no atfork handler, so it is safe whatever OpenMP or BLAS did in this process. */
#include "exec/spawn.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Each worker is one of many: its libraries must not start a team of threads each. */
static const char *const settings[] = {
    "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", "OMP_WAIT_POLICY=passive",
    "OMP_PROC_BIND=false", /* else libgomp binds every worker to the first CPU */
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };

static bool is_replaced(const char *variable)
{
    for (size_t i = 0; i < SETTINGS; i++)
        if (strncmp(variable, settings[i], strcspn(settings[i], "=") + 1) == 0)
            return true;
    return false;
}

char **spawn_environment(void)
{
    size_t count = 0;
    size_t bytes = 0;
    for (; environ != NULL && environ[count] != NULL; count++)
        bytes += strlen(environ[count]) + 1;
    char **variables = malloc((count + SETTINGS + 1) * sizeof *variables + bytes);
    if (variables == NULL)
        return NULL;
    char *text = (char *)(variables + count + SETTINGS + 1);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_replaced(environ[i])) {
            variables[kept++] = text;
            text = stpcpy(text, environ[i]) + 1;
        }
    for (size_t i = 0; i < SETTINGS; i++)
        variables[kept++] = (char *)settings[i];
    variables[kept] = NULL;
    return variables;
}

int spawn_worker(pid_t *pid, const struct spawn *how, uint32_t row, uint64_t incarnation,
                 int socket_fd)
{
    char row_text[24];
    char incarnation_text[24];
    char owner_text[24];
    char *arguments[] = {"sheaf-worker",   SPAWN_ARGUMENT, row_text,
                         incarnation_text, owner_text,     NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all;
    sigset_t none;
    snprintf(row_text, sizeof row_text, "%" PRIu32, row);
    snprintf(incarnation_text, sizeof incarnation_text, "%" PRIu64, incarnation);
    snprintf(owner_text, sizeof owner_text, "%ld", (long)getpid());
    sigfillset(&all);
    sigemptyset(&none);
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error != 0)
        goto destroy_actions;
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0);
    posix_spawn_file_actions_adddup2(&actions, how->board_fd, SPAWN_BOARD_FD);
    posix_spawn_file_actions_adddup2(&actions, socket_fd, SPAWN_SOCKET_FD);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attributes, 0); /* Ctrl-C is for the owner */
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    error = posix_spawn(pid, how->path, &actions, &attributes, arguments, how->environment);
    posix_spawnattr_destroy(&attributes);
destroy_actions:
    posix_spawn_file_actions_destroy(&actions);
    return error;
}
