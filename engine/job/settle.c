/* settle.c -- the end of a job, and what a death leaves to be done. */
#include "job/settle.h"

#include <stdio.h>
#include <string.h>

#include "base/atomics.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/futex.h"
#include "job/tree.h"
#include "job/word.h"

enum { ERROR_WRITING = 1, ERROR_WRITTEN = 2, HOLDER_SUPERVISOR = 511 };

uint32_t job_last_node(const struct job *job)
{
    return (job->sweeps - 1) * job_sweep_nodes(job) + tree_root(job->tasks);
}

bool job_has_work(struct job *job)
{
    enum job_phase phase = job_phase(load_seq_cst(&job->state));
    _Atomic uint64_t *words = job_words(job);
    if (phase != JOB_RUNNING || job->sweeps == 2)
        return phase == JOB_QUEUED || phase == JOB_RUNNING;
    for (uint32_t node = 0; node < job_nodes(job); node++)
        if (word_state(load_seq_cst(&words[node])) == WORD_OPEN &&
            (tree_is_task(node) ||
             (word_state(load_seq_cst(&words[tree_left(node)])) == WORD_DONE &&
              word_state(load_seq_cst(&words[tree_right(node, job->tasks)])) == WORD_DONE)))
            return true;
    return false;
}

void job_set_error(struct job *job, uint64_t holder, sheaf_status status, int32_t worker,
                   int32_t signal, const char *text)
{
    uint64_t nobody = 0;
    if (!cas_seq_cst(&job->error_holder, &nobody, holder | ERROR_WRITING))
        return;
    job->error.status = (int32_t)status;
    job->error.code = status == SHEAF_ERR_CALLABLE ? error_code() : 0;
    job->error.worker = worker;
    job->error.signal = signal;
    snprintf(job->error.text, sizeof job->error.text, "%s", text);
    /* release, pairs with the acquire in pool_result(): who sees WRITTEN sees the error. */
    store_release(&job->error_holder, holder | ERROR_WRITTEN);
}

void job_start_failing(struct job *job, uint64_t generation)
{
    uint64_t state = load_seq_cst(&job->state);
    while (state == job_state(generation, JOB_RUNNING) ||
           state == job_state(generation, JOB_QUEUED))
        if (cas_seq_cst(&job->state, &state, job_state(generation, JOB_FAILING)))
            return;
}

/* Tells those who wait. Done again by the supervisor if we die before we are through. */
static void announce_end(struct job *job, struct board *board, uint32_t slot)
{
    and_seq_cst(&board->active[slot / 64], ~(UINT64_C(1) << slot % 64));
    if (load_relaxed(&job->finished_ns) == 0)
        store_relaxed(&job->finished_ns, clock_now_ns());
    /* seq_cst, pairs with pool_wait(): it counts itself in `waiters`, then looks at `ended`. */
    store_seq_cst(&job->ended, 1);
    FAILPOINT("waking");
    if (load_seq_cst(&job->waiters) != 0)
        futex_wake(&job->ended, INT32_MAX);
    /* The same with pool_wait_change(), for those who wait for any of several. */
    add_seq_cst(&board->ended_seq, 1);
    if (load_seq_cst(&board->ended_waiters) != 0)
        futex_wake(&board->ended_seq, INT32_MAX);
}

void job_end(struct job *job, struct board *board, uint32_t slot, uint64_t generation,
             enum job_phase phase)
{
    enum job_phase before = phase == JOB_DONE ? JOB_RUNNING : JOB_FAILING;
    uint64_t state = job_state(generation, before);
    if (!cas_seq_cst(&job->state, &state, job_state(generation, phase)))
        return;
    FAILPOINT("ended");
    announce_end(job, board, slot);
}

bool job_cancel(struct job *job, struct board *board, uint32_t slot, uint64_t generation)
{
    uint64_t state = job_state(generation, JOB_QUEUED);
    if (!cas_seq_cst(&job->state, &state, job_state(generation, JOB_CANCELLED)))
        return false;
    announce_end(job, board, slot);
    return true;
}

void job_end_if_failed(struct job *job, struct board *board, uint32_t slot, uint64_t generation)
{
    if (load_seq_cst(&job->state) != job_state(generation, JOB_FAILING))
        return;
    if ((load_seq_cst(&job->error_holder) & 3) == ERROR_WRITING)
        return; /* who writes the error ends the job after it, or the supervisor does */
    for (uint32_t node = 0; node < job_nodes(job); node++)
        if (word_state(load_seq_cst(&job_words(job)[node])) == WORD_RUNNING)
            return; /* its holder, or the supervisor, ends the job */
    job_end(job, board, slot, generation, JOB_FAILED);
}

/* what: "part 1 of 5 of the job ended"; after: the word with its deaths. */
static void set_death_error(struct job *job, const char *what, uint64_t after,
                            const struct death *death)
{
    char text[BOARD_ERROR_BYTES];
    char how[144];
    uint32_t deaths = word_crashes(after) + word_kills(after);
    if (death->charge == CHARGE_OVERDUE || death->charge == CHARGE_NOTHING)
        snprintf(how, sizeof how,
                 "was ended as it had taken longer than the deadline of %g ms. Allow more time",
                 (double)job->deadline_ns / 1e6);
    else
        snprintf(how, sizeof how, "%s. Run it on the sequential executor to see the cause",
                 death->text);
    snprintf(text, sizeof text, "%s %u worker%s; the last one %s", what, deaths,
             deaths == 1 ? "" : "s", how);
    job_set_error(job, word_holder(HOLDER_SUPERVISOR, 0), SHEAF_ERR_WORKER, (int32_t)death->row,
                  death->signal, text);
}

/* Opens a word whose holder is dead again, or fails it after too many deaths. The job is to fail, too, if
 * a worker died between marking its node FAILED and saying so. */
static bool bury_word(struct job *job, uint64_t generation, uint32_t node,
                      const struct death *death)
{
    _Atomic uint64_t *word = &job_words(job)[node];
    uint64_t seen = load_seq_cst(word);
    uint64_t holder = word_holder(death->row, death->incarnation);
    if (word_state(seen) == WORD_FAILED)
        job_start_failing(job, generation);
    if (word_state(seen) != WORD_RUNNING || (seen & ~UINT64_C(2047)) != holder)
        return false;
    bool is_crash = death->charge == CHARGE_CRASH || death->charge == CHARGE_OVERDUE;
    uint64_t after = word_after_death(seen, is_crash, death->charge == CHARGE_KILL);
    if (death->charge == CHARGE_NOTHING || !word_is_poison(after, job->attempts_max)) {
        store_seq_cst(word, after);
        return true;
    }
    char what[64];
    snprintf(what, sizeof what, "part %u of %u of the job ended",
             node % job_sweep_nodes(job) / 2 + 1, job->tasks);
    set_death_error(job, what, after, death);
    store_seq_cst(word, word_with_state(after, WORD_FAILED));
    job_start_failing(job, generation);
    return true;
}

/* A worker has died in a job with no node in its hands: on its way in, where it maps arrays and loads code, or
 * between two nodes. Some such deaths in a row, without a node done in between, fail the job: else what ends
 * every worker there would be tried for ever. */
static void charge_job(struct job *job, uint64_t generation, uint32_t done,
                       const struct death *death)
{
    if (done != job->lost_done)
        job->lost = 0;
    job->lost_done = done;
    bool is_kill = death->charge == CHARGE_KILL;
    job->lost = word_after_death(job->lost, !is_kill, is_kill);
    if (!word_is_poison(job->lost, 0))
        return;
    set_death_error(job, "before any part could be begun, the job ended", job->lost, death);
    job_start_failing(job, generation);
}

void job_bury(struct job *job, struct board *board, uint32_t slot, const struct death *death)
{
    uint64_t state = load_seq_cst(&job->state);
    uint64_t generation = job_generation(state);
    bool held = false;
    uint32_t done = 0;
    if (job_phase(state) == JOB_FREE)
        return;
    uint64_t unfinished = word_holder(death->row, death->incarnation) | ERROR_WRITING;
    cas_seq_cst(&job->error_holder, &unfinished,
                0); /* it died over the text: the next error counts */
    for (uint32_t node = 0; node < job_nodes(job); node++) {
        held |= bury_word(job, generation, node, death);
        done += word_state(load_seq_cst(&job_words(job)[node])) == WORD_DONE;
    }
    if (!held && load_seq_cst(&board->worker[death->row].entered) == entered_name(slot, generation))
        charge_job(job, generation, done, death);
    if (word_state(load_seq_cst(&job_words(job)[job_last_node(job)])) == WORD_DONE)
        job_end(job, board, slot, generation, JOB_DONE);
    job_end_if_failed(job, board, slot, generation);
    state = load_seq_cst(&job->state);
    if (job_phase(state) >= JOB_DONE)
        announce_end(job, board, slot); /* it may have died between ending the job and saying so */
}

void job_abandon(struct job *job, struct board *board, uint32_t slot, sheaf_status status,
                 const char *text)
{
    uint64_t state = load_seq_cst(&job->state);
    if (job_phase(state) == JOB_FREE)
        return;
    job_set_error(job, word_holder(HOLDER_SUPERVISOR, 0), status, -1, 0, text);
    job_start_failing(job, job_generation(state));
    job_end_if_failed(job, board, slot, job_generation(state));
}
