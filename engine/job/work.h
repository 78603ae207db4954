/* work.h -- the worker's side of a board: claim a node, run it, mark it done, repeat. The same code runs
 * in a thread of a team, in a worker process, and in a caller that helps.
 *
 * Also what the supervisor does to a job for a worker that is dead: take back its words, end the job if
 * it was about to. */
#ifndef SHEAF_JOB_WORK_H
#define SHEAF_JOB_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "job/board.h"

struct worker {
    struct board *board;
    uint32_t row;
    uint64_t incarnation;
    /* Finds where a job's arrays and its symbol lie in this process: fills call's data[] and symbol. On failure
     * the error's text is sheaf_last_error(). */
    sheaf_status (*resolve)(struct worker *worker, const struct job *job, struct op_call *call);
    /* Called before each sleep, once a second at least while idle; may be NULL. */
    void (*idle)(struct worker *worker);
    void *context;
    /* A thread of a team, which leaves with all others of its region when another one is asked for. Not compared by its
     * size: that may be back at the old number when the last of them looks. */
    bool is_in_team;
    uint32_t region;
    uint32_t tasks_run; /* so far */
    struct stepping_aside {
        int64_t last_ns;
        int64_t pause_ns;
    } aside; /* of sleep.c */
};

/* What the functions of a job's operation are given, without the arrays' data. */
struct op_call job_call(const struct job *job);

/* Why a worker has stopped working. Processes exit with it. */
enum work_end {
    WORK_STOPPED = 0,  /* board->stop */
    WORK_RETIRED = 40, /* it has run its tasks_per_worker, and is to be replaced */
    WORK_IDLE = 41,    /* there was nothing to do for idle_ns: it is to come back when there is */
    WORK_SURPLUS = 42, /* fewer are wanted; a team: another region is */
};

/* Works on whatever there is, and sleeps when there is nothing. */
enum work_end work_until_stopped(struct worker *worker);

/* Runs the board's initializer, if it has one. False: it failed, and the board has its error. */
bool work_initialize(struct worker *worker);

/* Works on one job until nothing of it can be claimed. False if there was nothing to do. */
bool work_on(struct worker *worker, uint32_t slot, uint64_t generation);

/* The same for a caller that helps until the job needs it no more: then true; false: it is to call again, as the
 * way down is yet to come. The slot is the caller's. */
bool work_help(struct worker *worker, uint32_t slot, uint64_t generation);

/* Says that there are `tasks` tasks to do, old and new: wakes so many sleeping workers, less those that
 * spin. True if workers that are not there would have something to do. */
bool work_announce(struct board *board, uint32_t tasks);

/* Wakes one sleeping worker: for one that leaves, and that a submit may have counted on. */
void work_pass_on(struct board *board);

/* Looks at a word until it is no longer `seen` (true) or the monotonic clock has passed end_ns (false),
 * giving the CPU to whoever else can run on it. */
bool spin_until_changed(_Atomic uint32_t *word, uint32_t seen, int64_t end_ns);

/* Wakes every worker, to look again. */
void work_wake_all(struct board *board);

/* What a death counts as for the nodes that the worker held. */
enum charge {
    CHARGE_CRASH,   /* it crashed or exited */
    CHARGE_KILL,    /* killed by SIGKILL or SIGTERM, or nobody knows: may not be the node's fault */
    CHARGE_OVERDUE, /* it was ended while it ran the node for too long: as a crash */
    CHARGE_NOTHING, /* it was ended as overdue, and ran no node */
};

/* How a worker ended. */
struct death {
    uint32_t row;
    uint64_t incarnation;
    int32_t signal; /* 0: it exited, or nobody knows */
    enum charge charge;
    char text[80]; /* "was killed by signal 9 (Killed)" */
};

/* For the supervisor, which has made sure that nobody frees the slot meanwhile: gives back what the dead
 * worker held of this job, charges it for the death, and ends the job if that is due. */
void job_bury(struct job *job, struct board *board, uint32_t slot, const struct death *death);

/* QUEUED -> CANCELLED: for the owner, against the first claimer's QUEUED -> RUNNING. False if it came too
 * late. */
bool job_cancel(struct job *job, struct board *board, uint32_t slot, uint64_t generation);

/* For the supervisor of a pool that is broken: makes the job fail with this error. */
void job_abandon(struct job *job, struct board *board, uint32_t slot, sheaf_status status,
                 const char *text);

#endif
