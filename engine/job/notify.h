/* notify.h -- telling the owner's program that jobs have ended: a thread that calls back, and a descriptor to poll.
 *
 * Both are served by one thread of the pool, started at their first use. It sleeps on the board's ended_seq, which moves
 * whenever a job ends, whoever ended it; so nothing is lost when a worker dies after that. */
#ifndef SHEAF_JOB_NOTIFY_H
#define SHEAF_JOB_NOTIFY_H

#include "job/pool.h"

/* Somebody who waits for the end of a job; it lies in what call() frees. */
struct watch {
    struct watch *next;
    struct ticket ticket;
    void (*call)(struct watch *watch); /* once, in the pool's thread, without a lock */
};

/* Has watch->call() called when the job ends, or has ended. Errors: NO_MEMORY (no thread can be started). */
sheaf_status notify_watch(struct pool *pool, struct watch *watch);

/* Has descriptor (an eventfd, the caller's) written to whenever jobs have ended. Errors: NO_MEMORY. */
sheaf_status notify_descriptor(struct pool *pool, int descriptor);

/* The pool whose thread this is; NULL: it is no such thread. */
struct pool *notify_pool(void);

/* Ends the thread when it has called all whose jobs have ended. Called once, when the pool is drained. */
void notify_stop(struct pool *pool);

#endif
