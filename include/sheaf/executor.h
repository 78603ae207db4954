/* executor.h -- who does the work: the caller, a team of threads, or a pool of worker processes. */
#ifndef SHEAF_EXECUTOR_H
#define SHEAF_EXECUTOR_H

#include <stddef.h>
#include <stdint.h>

#include <sheaf/export.h>
#include <sheaf/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sheaf_executor sheaf_executor;

typedef enum sheaf_backend {
    SHEAF_SEQUENTIAL = 1, /* the caller */
    SHEAF_THREADS = 2,    /* an OpenMP team; a synchronous caller works as one of it */
    SHEAF_PROCESSES = 3,  /* supervised sheaf-worker processes that attach arrays by key */
} sheaf_backend;

typedef enum sheaf_spin {
    SHEAF_SPIN_AUTO = 0,  /* at most 50 us, and one CPU is left to the submitter */
    SHEAF_SPIN_NEVER = 1, /* sleep at once: lowest power, highest latency */
    SHEAF_SPIN_ALL = 2,   /* every idle worker spins up to 50 us */
} sheaf_spin;

enum { SHEAF_MAX_WORKERS = 224, SHEAF_MAX_ATTEMPTS = 15 };

#define SHEAF_MAX_DEADLINE_NS ((int64_t)1000000000000000000) /* 31 years */

typedef struct sheaf_executor_options {
    size_t workers; /* 0: the CPUs that affinity and cgroup allow */
    sheaf_spin spin;
    const char *worker_path; /* processes: the worker program. NULL: SHEAF_WORKER, else beside
                                libsheaf, its build tree, libexec */
    /* Processes: the longest that a worker may take over one task (a part of a job: some MiB of a
     * reduction, one call of a callable), in nanoseconds; 0: as long as it likes. One that takes
     * longer, or is stopped (SIGSTOP) as long, is ended by SIGKILL and replaced, and the task is
     * given to another. */
    int64_t deadline_ns;
    /* How many workers a task may cost before the job fails with SHEAF_ERR_WORKER and how the last one
     * ended; at most SHEAF_MAX_ATTEMPTS. 0: three that crash, exit or are overdue, or ten that are
     * ended by SIGKILL or SIGTERM, which need not be the task's doing. */
    uint32_t attempts_max;
} sheaf_executor_options;

/* Opens an executor. With SHEAF_PROCESSES this is safe at any time, after any use of OpenMP or BLAS.
 * The workers have said hello when it returns. At most 64 are open at once. The caller owns *out.
 * Errors: ARGUMENT, BUSY, NO_MEMORY, UNSUPPORTED (a deadline, without processes), WORKER (they do not start; the text lists what was tried). */
SHEAF_EXPORT sheaf_status sheaf_executor_open(sheaf_executor **out, sheaf_backend backend,
                                              const sheaf_executor_options *options);

/* Refuses new work, waits until what was submitted is done, and ends the workers. Futures of it stay
 * valid until they are released. Using a closed executor is SHEAF_ERR_CLOSED, until 64 others have been
 * opened. A worker process that somebody has stopped (SIGSTOP) in the middle of a task is waited for,
 * unless the executor has a deadline. In a forked child of
 * the process that opened it, it gives back the child's own copies only. NULL is allowed. */
SHEAF_EXPORT void sheaf_executor_close(sheaf_executor *executor);

/* "sequential", "threads", "processes", or "?". */
SHEAF_EXPORT const char *sheaf_backend_name(sheaf_backend backend);

/* The backend of this name, or 0. */
SHEAF_EXPORT sheaf_backend sheaf_backend_by_name(const char *name);

/* How many workers an executor has; 0 if it is closed. NULL: the default executor's. */
SHEAF_EXPORT size_t sheaf_executor_workers(const sheaf_executor *executor);

/* One worker process of a pool, as its supervisor sees it now. */
typedef struct sheaf_worker_info {
    int32_t pid;          /* 0 until it has said hello, and for threads */
    uint64_t incarnation; /* 1 for the first process in this place, one more for each replacement */
} sheaf_worker_info;

/* Errors: ARGUMENT (index), CLOSED. */
SHEAF_EXPORT sheaf_status sheaf_executor_worker(sheaf_worker_info *out,
                                                const sheaf_executor *executor, size_t index);

/* Turns a respawn of the calling program into a worker: call it first in main(). Returns at once if
 * the program was not started as a worker; else it serves and ends the process. sheaf-worker itself
 * is this call in a main(). */
SHEAF_EXPORT void sheaf_worker_main(int argc, char **argv);

#ifdef __cplusplus
}
#endif
#endif
