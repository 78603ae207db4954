/* child.c -- processes between pipes. */
#include "cli/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int spawn(pid_t *pid, int input, int output, const char *path, char *const *argv)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGINT);
    sigaddset(&usual, SIGTERM);
    sigaddset(&usual, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP); /* Ctrl-C is ours */
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    int error = posix_spawn(pid, path, &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

int child_start(struct child *child, const char *path, char *const *argv)
{
    int to[2];
    int from[2];
    if (pipe2(to, O_CLOEXEC) != 0)
        return errno;
    if (pipe2(from, O_CLOEXEC) != 0) {
        int error = errno;
        close(to[0]);
        close(to[1]);
        return error;
    }
    int error = spawn(&child->pid, to[0], from[1], path, argv);
    close(to[0]);
    close(from[1]);
    child->to = to[1];
    child->from = from[0];
    if (error != 0) {
        close(child->to);
        close(child->from);
    }
    return error;
}

void child_end(struct child *child)
{
    close(child->to); /* its end of input: the process ends */
    close(child->from);
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

enum { DEPTH_MAX = 4 }; /* children of children of ... */

static double seconds_of(clockid_t clock)
{
    struct timespec time;
    return clock_gettime(clock, &time) == 0 ? (double)time.tv_sec + 1e-9 * (double)time.tv_nsec : 0;
}

/* The children of one thread, and below. */
static double children_of(const char *path, int depth);

static double below(const char *pid, int depth)
{
    char path[64];
    double sum = 0;
    snprintf(path, sizeof path, "/proc/%.20s/task", pid);
    DIR *tasks = opendir(path);
    if (tasks == NULL)
        return 0;
    for (struct dirent *task = readdir(tasks); task != NULL; task = readdir(tasks)) {
        char children[128];
        if (task->d_name[0] == '.')
            continue;
        snprintf(children, sizeof children, "%s/%.20s/children", path, task->d_name);
        sum += children_of(children, depth);
    }
    closedir(tasks);
    return sum;
}

static double children_of(const char *path, int depth)
{
    double sum = 0;
    int pid;
    FILE *file = depth < DEPTH_MAX ? fopen(path, "re") : NULL;
    if (file == NULL)
        return 0;
    while (fscanf(file, "%d", &pid) == 1) { // NOLINT(cert-err34-c): the kernel's own digits
        char name[16];
        clockid_t clock;
        snprintf(name, sizeof name, "%d", pid);
        if (clock_getcpuclockid(pid, &clock) == 0)
            sum += seconds_of(clock);
        sum += below(name, depth + 1);
    }
    fclose(file);
    return sum;
}

double cpu_seconds(void)
{
    struct rusage ended = {0};
    getrusage(RUSAGE_CHILDREN, &ended);
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID) + below("self", 0) +
           (double)(ended.ru_utime.tv_sec + ended.ru_stime.tv_sec) +
           1e-6 * (double)(ended.ru_utime.tv_usec + ended.ru_stime.tv_usec);
}
