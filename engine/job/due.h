/* due.h -- deadlines of tasks: when a worker is overdue, and how it is ended so that nobody else pays for it.
 *
 * A worker's row says until when it is to be heard of again:
 *
 *     0                  it is in no job that has a deadline
 *     time << 1          it is in one, between two nodes
 *     time << 1 | 1      it runs a node
 *     DUE_CONDEMNED      the supervisor has found it overdue, and kills it
 *
 *     worker                                       supervisor
 *     entered = job;  CONDEMNED: wait              due is past: CAS due -> CONDEMNED
 *     due = between                                0, and the process is stopped (SIGSTOP) as long: the
 *     claim a node;   CAS due -> runs it             same, and back to 0 if it has entered a job meanwhile
 *     run, mark DONE; CAS due -> between           SIGKILL, then bury it
 *     CAS due -> 0;   entered = 0
 *
 * All by CAS, so a worker that finds itself condemned takes no step more, and what the supervisor condemned is what
 * dies: a death is laid to a node only if due said that it ran one. A node that was claimed by then and not
 * begun is given back, or opened again at the burial, and costs it nothing. Only worker processes come here with a
 * deadline. The model is tests/models/due.pml. */
#ifndef SHEAF_JOB_DUE_H
#define SHEAF_JOB_DUE_H

#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "base/atomics.h"
#include "base/clock.h"
#include "job/board.h"

enum { DUE_CONDEMNED = -1 };

static inline int64_t due_time_ns(int64_t due)
{
    return due >> 1;
}

static inline bool due_is_in_node(int64_t due)
{
    return (due & 1) != 0;
}

/* The worker's: says that it is alive and what it does. False: it is condemned, and may touch nothing more but
 * a node that it has not begun. Without a deadline nothing is said. */
static inline bool due_say(struct worker_row *row, int64_t deadline_ns, bool is_in_node)
{
    if (deadline_ns == 0)
        return true;
    int64_t due = load_seq_cst(&row->due);
    int64_t next = (int64_t)((uint64_t)(clock_now_ns() + deadline_ns) << 1) | is_in_node;
    return due != DUE_CONDEMNED && cas_seq_cst(&row->due, &due, next);
}

/* The worker's: it leaves the job. */
static inline bool due_say_left(struct worker_row *row, int64_t deadline_ns)
{
    int64_t due = deadline_ns == 0 ? 0 : load_seq_cst(&row->due);
    return due == 0 || (due != DUE_CONDEMNED && cas_seq_cst(&row->due, &due, 0));
}

/* The worker's, as it enters a job: it may have been condemned as stopped while it was nowhere. The supervisor then
 * either kills it or takes that back. */
static inline void due_wait_for_pardon(struct worker_row *row)
{
    while (load_seq_cst(&row->due) == DUE_CONDEMNED)
        usleep(100);
}

/* The worker's, once it is condemned. */
static inline _Noreturn void due_wait_for_death(void)
{
    for (;;)
        pause();
}

#endif
