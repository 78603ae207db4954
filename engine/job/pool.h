/* pool.h -- the owner's side of a board: a slot for each request, from submit to result.
 *
 * The mutex guards what is the owner's own: which slots are taken, generations, what each slot holds. Nobody
 * holds it while waiting for a worker. */
#ifndef SHEAF_JOB_POOL_H
#define SHEAF_JOB_POOL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "job/board.h"
#include "job/run.h"
#include "job/work.h"

/* What a slot holds besides its job: known to the owner only. */
struct slot {
    bool is_taken;
    bool is_abandoned;                       /* its future was released before it was done */
    uint64_t generation;                     /* of the job in it */
    size_t reserved;                         /* bytes of it that have memory behind them */
    struct segment *segments[OP_ARRAYS_MAX]; /* retained until the slot is given back */
    struct symbol *symbol;                   /* the same */
};

/* Of notify.h. The mutex guards the list. */
struct notifier {
    pthread_mutex_t mutex;
    pthread_t thread;
    bool is_started;
    _Atomic bool is_stopping;
    _Atomic int descriptor; /* 0: none */
    struct watch *watches;
    struct watch **end;
};

struct pool {
    _Atomic uint32_t references; /* the executor, and each future */
    pthread_mutex_t mutex;
    struct board *board;
    int descriptor; /* the board's memfd; -1: anonymous memory */
    bool is_closing;
    char broken[BOARD_ERROR_BYTES]; /* why nothing can be run any more; "" while all is well */
    uint64_t next_generation;
    uint32_t taken;
    uint64_t given_back[JOB_CANCELLED + 1]; /* jobs, by the phase in which they ended */
    uint64_t interrupted;                   /* deaths of workers inside a job */
    uint32_t abandoned;
    uint64_t helpers; /* bit i: row BOARD_HELPERS + i is given to a helping caller */
    struct notifier notifier;
    uint32_t helper_rows; /* of them that were ever in use */
    bool blocks_when_full;
    struct slot slots[BOARD_SLOTS + 1]; /* the last one is the initializer's */
    /* Writes where an array lies into the job, beside its local_address; under the mutex. */
    sheaf_status (*place)(struct pool *pool, struct job_place *place,
                          const struct sheaf_array *array);
    /* The same for its symbol. NULL: workers are threads, and use its local_address. */
    sheaf_status (*place_symbol)(struct pool *pool, struct job_symbol *place,
                                 const struct symbol *symbol);
    /* Has the backend look at once, as workers that have left are wanted again, or for a job with a deadline, which only
     * process pools take. NULL: none leaves. Under the mutex. */
    void (*notify)(struct pool *pool);
    _Atomic int64_t next_look_ns; /* when it looks for who is overdue; written under the mutex */
    void *context;                /* of the backend, for place and notify */
    int64_t deadline_ns;          /* of jobs that name none of their own; 0: none */
    uint32_t attempts_max;        /* the same; 0: as word.h says */
};

/* A request's job in a pool. */
struct ticket {
    uint32_t slot;
    uint64_t generation;
};

/* Makes a pool with a board for `workers` workers: shared (a sealed memfd) or private. The caller owns it
 * with one reference. Errors: NO_MEMORY, SYSTEM. */
sheaf_status pool_create(struct pool **out, uint32_t workers, bool is_shared);

/* The last reference unmaps the board and frees the pool. */
void pool_release(struct pool *pool);

/* Puts a request into a slot and tells the workers; helpers: how many others than the workers will work
 * on it. Errors: BUSY (no slot is free), CLOSED, WORKER (broken), NO_MEMORY, and those of place. */
sheaf_status pool_submit(struct ticket *out, struct pool *pool, const struct request *request,
                         uint32_t helpers);

/* Has each worker run this before all else, from now on. Under no lock; before any worker starts. */
sheaf_status pool_set_initializer(struct pool *pool, const struct request *request);

/* The text of the initializer's failure; "" if there is none. */
void pool_initializer_error(char *text, size_t bytes, struct pool *pool);

/* Works on the job in the calling thread, as one more worker, until nothing of it can be claimed. */
void pool_help(struct pool *pool, const struct ticket *ticket);

/* place() of a pool whose workers are threads of the owner, and their resolve(). */
sheaf_status pool_place_local(struct pool *pool, struct job_place *place,
                              const struct sheaf_array *array);
sheaf_status pool_resolve_local(struct worker *worker, const struct job *job, struct op_call *call);

/* Waits until the job has ended. False: timeout_ns have passed (negative: no bound). */
bool pool_wait(struct pool *pool, const struct ticket *ticket, int64_t timeout_ns);

enum { POOLS_MAX = 64 };

/* Sleeps until a job of one of the pools (at most POOLS_MAX) has ended since its ended_seq was seen[i], or
 * timeout_ns have passed (negative: no bound). It may return for no reason. */
void pool_wait_change(struct pool *const *pools, const uint32_t *seen, size_t count,
                      int64_t timeout_ns);

/* When, on the monotonic clock, 0 for what has not been; and the worker that began it, -1: none has, or a caller
 * that helps. */
struct job_times {
    int64_t queued_ns;
    int64_t started_ns;
    int64_t finished_ns;
    int32_t worker;
};
struct job_times pool_times(struct pool *pool, const struct ticket *ticket);

/* Done, failed or cancelled; begun and not ended; cancelled; failed. */
bool pool_is_done(struct pool *pool, const struct ticket *ticket);
bool pool_is_running(struct pool *pool, const struct ticket *ticket);
bool pool_is_cancelled(struct pool *pool, const struct ticket *ticket);
bool pool_is_failed(struct pool *pool, const struct ticket *ticket);

/* Cancels a job that nobody has begun. False if it was begun, or has ended. */
bool pool_cancel(struct pool *pool, const struct ticket *ticket);

/* For a job that has ended: how it failed; status OK if it did not. Words nothing. */
sheaf_status pool_failure(struct job_error *out, struct pool *pool, const struct ticket *ticket);

/* For a job that has ended: its result (request_result_bytes()), or its error, worded for this thread. */
sheaf_status pool_result(void *result, struct pool *pool, const struct ticket *ticket);

/* Cancels every job that nobody has begun. */
void pool_cancel_all(struct pool *pool);

/* Whether nothing can be run any more. */
bool pool_is_broken(struct pool *pool);

/* Refuses new jobs, as pool_drain() does. */
void pool_refuse(struct pool *pool);

/* How many jobs are in which phase, and were. */
struct pool_counts {
    uint64_t queued, running, done, failed, cancelled, interrupted;
};
struct pool_counts pool_count(struct pool *pool);

/* Whether workers that have left for want of work would have something to do. */
bool pool_has_work(struct pool *pool);

/* Gives the slot back, now or when the job ends. */
void pool_forget(struct pool *pool, const struct ticket *ticket);

/* Refuses new jobs, and waits until all that are there have ended. */
void pool_drain(struct pool *pool);

/* For supervisors, which call them without the mutex: job_bury() for every job, returning whether the dead
 * worker was inside one; and job_abandon(), after which nothing can be submitted any more. */
bool pool_bury(struct pool *pool, const struct death *death);
void pool_break(struct pool *pool, const char *text);

#endif
