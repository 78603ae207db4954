/* executor.h -- who does the work: the caller, a team of threads, or a pool of worker processes.
 *
 *     concurrent.futures, loky                 here
 *     ThreadPoolExecutor(n)                    sheaf_executor_open(&ex, SHEAF_THREADS, &options)
 *     ProcessPoolExecutor(n)                   sheaf_executor_open(&ex, SHEAF_PROCESSES, &options)
 *     max_workers=n, None                      option workers, 0; sheaf_executor_resize changes it
 *     initializer, initargs                    options initializer, initializer_arguments
 *     BrokenThreadPool, BrokenProcessPool,     as to the initializer: the executor does not open, or is broken
 *       raised by an initializer               later (SHEAF_ERR_WORKER); sequential: SHEAF_ERR_CALLABLE
 *     BrokenProcessPool, TerminatedWorkerError no such thing when a worker dies: its call fails with
 *                                              SHEAF_ERR_WORKER, or is tried again (attempts); all else goes
 *                                              on. Only workers that cannot be kept running break a pool
 *     max_tasks_per_child                      option tasks_per_worker; threads, too
 *     mp_context                               none is needed: workers are spawned, never forked
 *     thread_name_prefix                       not there: a worker is known by its index
 *     executor.submit(f, x)                    sheaf_submit, sheaf_reduce_submit, ... (future.h)
 *     executor.map(f, items)                   sheaf_map; sheaf_map_begin, one by one (map.h)
 *     map(timeout, chunksize, buffersize)      timeout of sheaf_map_next, options chunk and buffer (map.h)
 *     executor.shutdown(wait, cancel_futures)  sheaf_executor_shutdown; flags NO_WAIT and CANCEL
 *     with executor:                           sheaf_executor_open ... sheaf_executor_close
 *     RuntimeError, after shutdown             SHEAF_ERR_CLOSED
 *     terminate_workers(), kill_workers()      SHEAF_SHUTDOWN_TERMINATE, SHEAF_SHUTDOWN_KILL
 *     get_reusable_executor(n, timeout)        sheaf_executor_reusable; option idle_ns
 *     cpu_count()                              sheaf_executor_workers(NULL)
 *     ex._processes                            sheaf_executor_worker; sheaf_executor_stats
 *     if __name__ == "__main__"                sheaf_worker_main(argc, argv), first in main()
 *     a function, pickled by its name          sheaf_callable_open, sheaf_register (callable.h) */
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
typedef struct sheaf_callable sheaf_callable; /* callable.h */

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

/* What a submit does when 1024 jobs are in flight. */
typedef enum sheaf_full {
    SHEAF_FULL_IS_BUSY = 0, /* fails with SHEAF_ERR_BUSY */
    SHEAF_FULL_BLOCKS =
        1, /* waits for a place. BUSY only when all 1024 have ended and their futures are kept: it
                               would wait for ever */
} sheaf_full;

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
    sheaf_full when_full;
    /* Run by each worker before all else, also by those that replace others; its result is not kept. If it fails the
     * executor does not open, or, later, is broken: all work fails with its text. At most some 200 KiB of
     * arguments, copied. On the sequential executor it runs in the caller, once. */
    const sheaf_callable *initializer;
    const void *initializer_arguments;
    size_t initializer_argument_bytes;
    /* After so many tasks a worker is replaced by a new process, or a new thread; 0: never. */
    uint32_t tasks_per_worker;
    /* A worker without work for so long leaves, and comes back when there is some; 0: never. With this or with
     * tasks_per_worker the threads are no OpenMP team, whose threads come and go together only: OMP_PROC_BIND and
     * OMP_STACKSIZE do not hold for them. The sequential executor is the caller, who is neither replaced nor leaves: there
     * both change nothing. */
    int64_t idle_ns;
} sheaf_executor_options;

/* Opens an executor. With SHEAF_PROCESSES this is safe at any time, after any use of OpenMP or BLAS.
 * The workers have said hello when it returns. At most 64 are open at once. The caller owns *out.
 * Errors: ARGUMENT, BUSY, NO_MEMORY, UNSUPPORTED (a deadline, without processes; threads, in a build
 * without OpenMP), WORKER (they do not start, and the text lists what was tried; or the initializer failed), CALLABLE (the
 * initializer of a sequential one failed), and of the initializer those of sheaf_submit(). */
SHEAF_EXPORT sheaf_status sheaf_executor_open(sheaf_executor **out, sheaf_backend backend,
                                              const sheaf_executor_options *options);

/* A pool of processes is broken when its workers cannot be kept running: five starts in a row fail; or idle workers are
 * ended by SIGKILL or SIGTERM ten times in a row, with no job that ends in between and never ten seconds apart, so that
 * each that comes would be ended, too. Then all work fails with SHEAF_ERR_WORKER and a text that says which: mend the cause,
 * and open another one. A worker that dies in the middle of work breaks nothing; see attempts_max. */

/* Refuses new work, waits until what was submitted is done, and ends the workers. Futures of it stay
 * valid until they are released. Using a closed executor is SHEAF_ERR_CLOSED, until 64 others have been
 * opened. A worker process that somebody has stopped (SIGSTOP) in the middle of a task is waited for,
 * unless the executor has a deadline. In a forked child of
 * the process that opened it, it gives back the child's own copies only. NULL is allowed. */
SHEAF_EXPORT void sheaf_executor_close(sheaf_executor *executor);

/* From now on so many workers, 1 to SHEAF_MAX_WORKERS, while work goes on: nothing is lost, and none is ended within a task.
 * Returns at once; of several calls at once one is the last. Worker processes come and leave one by one; a team of threads
 * changes when each of its threads has ended its task. Errors: ARGUMENT, CLOSED, UNSUPPORTED (sequential, but for 1). */
SHEAF_EXPORT sheaf_status sheaf_executor_resize(sheaf_executor *executor, size_t workers);

/* An executor that the whole process shares, as loky's get_reusable_executor(): the same one as at the last call, resized
 * if another number of workers is asked for; another one if it was closed or is broken, or if the backend or any other
 * option differs (pointers are compared as pointers), and then the old one is shut down behind the callers' backs. Idle
 * worker processes leave after 10 s unless idle_ns says otherwise. Nobody need close it. A forked child gets one of its own.
 * Any thread may call this, but no initializer of threads: it would wait for itself.
 * Errors: those of sheaf_executor_open(). */
SHEAF_EXPORT sheaf_status sheaf_executor_reusable(sheaf_executor **out, sheaf_backend backend,
                                                  const sheaf_executor_options *options);

/* How an executor is shut down: 0, or some of these. */
enum {
    SHEAF_SHUTDOWN_NO_WAIT = 1, /* return at once; the rest happens in a thread of the library's */
    SHEAF_SHUTDOWN_CANCEL = 2,  /* cancel what nobody has begun */
    SHEAF_SHUTDOWN_TERMINATE =
        4, /* cancel it, and end what runs: SIGTERM to worker processes, and SIGKILL
                                     after a second; threads end with the task that they are in */
    SHEAF_SHUTDOWN_KILL = 8, /* the same by SIGKILL at once */
};

/* Refuses new work, waits for what was submitted (as the flags say), and ends the workers. What they were running when
 * they were terminated or killed fails with SHEAF_ERR_WORKER. Again is no error, and may be in more of a hurry than
 * the first time. sheaf_executor_close() is this with 0. Errors: ARGUMENT. */
SHEAF_EXPORT sheaf_status sheaf_executor_shutdown(sheaf_executor *executor, unsigned how);

/* A descriptor (an eventfd, nonblocking) that is readable when futures of the executor have been done, cancelled or failed
 * since it was last read: for epoll, poll, libuv or asyncio. Read 8 bytes, then look at the futures, by
 * sheaf_as_completed() with timeout 0 for instance. The executor's: it is closed with it. NULL: the default's, where
 * small work that runs in the caller is not told. Errors: ARGUMENT, CLOSED, SYSTEM, NO_MEMORY. */
SHEAF_EXPORT sheaf_status sheaf_executor_descriptor(int *out, sheaf_executor *executor);

/* What an executor is doing, and has done. Work that ran in the caller is in none of it. */
typedef struct sheaf_executor_counters {
    size_t workers;
    size_t workers_busy;   /* the states of workers: running tasks, or starting to */
    size_t workers_idle;   /* waiting for work */
    size_t workers_absent; /* not started, or dead and not yet replaced */
    uint64_t queued;       /* jobs that nobody has begun */
    uint64_t running;
    uint64_t done;
    uint64_t failed;
    uint64_t cancelled;
    uint64_t retried;        /* times that a worker died in the middle of a job */
    uint64_t restarts;       /* workers that were replaced */
    uint64_t bytes_attached; /* of arrays that worker processes have mapped, all workers together */
} sheaf_executor_counters;

/* NULL: the default executor's. Errors: ARGUMENT, CLOSED. */
SHEAF_EXPORT sheaf_status sheaf_executor_stats(sheaf_executor_counters *out,
                                               sheaf_executor *executor);

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
