/* word.h -- the 64-bit word of a node: who has it, and how often it has killed.
 *
 *     bits  0-2   state        OPEN, RUNNING, DONE, FAILED
 *     bits  3-6   crashes      workers that crashed or exited over it
 *     bits  7-10  kills        workers that were killed over it (SIGKILL, SIGTERM, or unknown)
 *     bits 11-19  worker       row of the worker that runs it or ran it
 *     bits 20-63  incarnation  of that worker: a later process in the same row is somebody else
 *
 *     OPEN -> RUNNING          whoever claims it, by CAS; a merge only when both children are DONE
 *     RUNNING -> DONE, FAILED  the claimer
 *     RUNNING -> OPEN          the claimer, if the job has failed meanwhile; the supervisor, when the
 *                              claimer is known to be dead (or FAILED, after too many deaths) */
#ifndef SHEAF_JOB_WORD_H
#define SHEAF_JOB_WORD_H

#include <stdbool.h>
#include <stdint.h>

enum word_state { WORD_OPEN, WORD_RUNNING, WORD_DONE, WORD_FAILED };

/* Attempts of a node by how its workers end, where the job sets no number of its own: a crash is likely to
 * be its doing and a kill is not. */
enum { WORD_CRASHES_MAX = 3, WORD_KILLS_MAX = 10 };

static inline enum word_state word_state(uint64_t word)
{
    return (enum word_state)(word & 7);
}

static inline uint32_t word_crashes(uint64_t word)
{
    return (uint32_t)(word >> 3 & 15);
}

static inline uint32_t word_kills(uint64_t word)
{
    return (uint32_t)(word >> 7 & 15);
}

/* Worker and incarnation in their place. */
static inline uint64_t word_holder(uint32_t worker, uint64_t incarnation)
{
    return (uint64_t)(worker & 511) << 11 | incarnation << 20;
}

static inline uint64_t word_with_state(uint64_t word, enum word_state state)
{
    return (word & ~UINT64_C(7)) | (uint64_t)state;
}

/* The word once claimed: the deaths are kept, the holder is new. */
static inline uint64_t word_claimed(uint64_t word, uint64_t holder)
{
    return (word & (UINT64_C(255) << 3)) | holder | WORD_RUNNING;
}

/* Whether a word has cost so many workers that it is not tried again. attempts_max 0: the numbers above. */
static inline bool word_is_poison(uint64_t word, uint32_t attempts_max)
{
    if (attempts_max == 0)
        return word_crashes(word) >= WORD_CRASHES_MAX || word_kills(word) >= WORD_KILLS_MAX;
    return word_crashes(word) + word_kills(word) >= attempts_max;
}

/* The word after its holder's death, open again. */
static inline uint64_t word_after_death(uint64_t word, uint32_t crashes, uint32_t kills)
{
    return word_with_state(word, WORD_OPEN) + ((uint64_t)crashes << 3) + ((uint64_t)kills << 7);
}

#endif
