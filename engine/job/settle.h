/* settle.h -- how a job ends: done, or failed with the first error. For work.c; every step can be done
 * again by somebody else after a death. */
#ifndef SHEAF_JOB_SETTLE_H
#define SHEAF_JOB_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include <sheaf/status.h>

#include "job/work.h"

/* Writes the job's error if it is the first. holder tells who writes (word_holder()). */
void job_set_error(struct job *job, uint64_t holder, sheaf_status status, int32_t worker,
                   int32_t signal, const char *text);

/* RUNNING or QUEUED -> FAILING: from now on nothing is claimed. */
void job_start_failing(struct job *job, uint64_t generation);

/* RUNNING -> DONE or FAILING -> FAILED, and wakes those who wait. */
void job_end(struct job *job, struct board *board, uint32_t slot, uint64_t generation,
             enum job_phase phase);

/* Ends a job that is FAILING and has no RUNNING word. */
void job_end_if_failed(struct job *job, struct board *board, uint32_t slot, uint64_t generation);

/* Spins (if it may), then sleeps, until work_seq is no longer `seen`, or for a second. */
void work_sleep(struct worker *worker, uint32_t seen, bool spins);

/* Whether a worker that came now could begin something of the job. A job of two sweeps counts as long as it runs: who
 * opens the way down does not call back those who have left. */
bool job_has_work(struct job *job);

/* The node whose end is the job's: the root of its last sweep. */
uint32_t job_last_node(const struct job *job);

#endif
