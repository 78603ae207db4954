/* child.h -- starting a process that talks to us through two pipes, and what it and all others cost. */
#ifndef SHEAF_CLI_CHILD_H
#define SHEAF_CLI_CHILD_H

#include <sys/types.h>

struct child {
    pid_t pid;
    int to;   /* its standard input */
    int from; /* its standard output */
};

/* Starts the program with these arguments, usual signals, and a process group of its own: Ctrl-C is ours. Its
 * standard error is ours. It shall end when its input does. Returns an errno value. */
int child_start(struct child *child, const char *path, char *const *argv);

/* Closes both pipes and waits for its end. */
void child_end(struct child *child);

/* CPU seconds so far of this process, of its children and theirs that run, and of those that have ended. */
double cpu_seconds(void);

#endif
