/* spawn.h -- starting one worker process. */
#ifndef SHEAF_EXEC_SPAWN_H
#define SHEAF_EXEC_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

enum {
    SPAWN_BOARD_FD = 3, /* in the worker: the board's memfd */
    SPAWN_SOCKET_FD = 4,
    SPAWN_EXIT_INITIALIZER = 43, /* a worker's status: its initializer failed */
    SPAWN_FIRST_FREE_FD = 10,    /* descriptors given to spawn_worker() are at least this */
};

/* The first argument of a worker; then come its row, incarnation and the owner's pid, in decimal. */
#define SPAWN_ARGUMENT "--sheaf-worker"

/* Our environment with what a worker needs, copied: the host may change its own while a pool is open. One block,
 * the caller's to free(); NULL without memory. */
char **spawn_environment(void);

/* What is the same for every worker of a pool. */
struct spawn {
    const char *path;
    char *const *environment;
    int board_fd;
};

/* Starts a worker: its own process group, no signal blocked or ignored, one thread for OpenMP and BLAS. It
 * dies with the calling thread (the worker asks for that itself). Returns 0 and sets *pid, or an errno. */
int spawn_worker(pid_t *pid, const struct spawn *how, uint32_t row, uint64_t incarnation,
                 int socket_fd);

#endif
