/* processes.h -- a pool of worker processes, as its owner sees it. */
#ifndef SHEAF_EXEC_PROCESSES_H
#define SHEAF_EXEC_PROCESSES_H

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "exec/segments.h"
#include "exec/symbols.h"
#include "job/pool.h"

enum child_state { CHILD_NONE, CHILD_STARTING, CHILD_PREPARING, CHILD_READY };

/* One row's process. Only the supervisor thread touches it. */
struct child {
    enum child_state state;
    pid_t pid;
    int pidfd;
    int socket;
    uint64_t incarnation;
    bool has_been_ready; /* some process of this place; it may have left again for want of work */
    bool is_resting;     /* NONE: it left for want of work, and is started when there is some */
    bool is_condemned;   /* as overdue; see job/due.h */
    bool is_charged;     /* if so: it ran a node then */
    int64_t stopped_ns;  /* 0, or since when it is seen to be stopped */
    int64_t deadline_ns; /* STARTING: hello is due. NONE: not to be started before. READY: since */
};

/* Idle workers that somebody ends, in a row: without a job that ends in between. */
struct losses {
    uint32_t count;
    uint32_t ended_seen; /* the board's ended_seq at the last one */
    int64_t
        retry_ns; /* those who are lost before this are one loss, and are not replaced before it */
};

struct processes {
    struct pool *pool;
    struct processes *next; /* in the list that the close hook walks */
    struct segment_rows segments;
    struct symbol_rows symbols;
    char path[PATH_MAX]; /* of the worker program */
    char **environment;  /* of the workers */
    bool is_own_program; /* it is this program, which has called sheaf_worker_main() */
    uint64_t registry;   /* what a worker of this program has registered */
    pthread_t supervisor;
    int wake; /* eventfd: the supervisor is to look at is_stopping */
    _Atomic uint32_t is_stopping;
    _Atomic int end_signal;  /* 0, or what all workers are to be ended by */
    int sent_signal;         /* what they were sent of it */
    int64_t kill_ns;         /* when SIGKILL follows */
    _Atomic uint32_t opened; /* futex: 1 when all said hello, 2 when the pool is broken */
    uint32_t failed_starts;  /* in a row */
    int64_t retry_ns;        /* no start before this */
    struct losses losses;
    struct child children[BOARD_WORKERS];
};

/* The supervisor thread: starts the workers, and keeps them until is_stopping; then ends them all. Its
 * argument is the struct processes. Workers die with the thread that started them, so it is this one. */
void *supervise(void *processes);

#endif
