/* sleep.c -- the wake-up protocol between those who have work and those who wait for it.
 *
 *     submitter                           worker
 *     publish the job                     seen = work_seq
 *     work_seq += 1                       look for work: none
 *     state of each worker?               state = SLEEPING
 *     one sleeps: FUTEX_WAKE              work_seq == seen?  FUTEX_WAIT(work_seq, seen)
 *
 * All seq_cst. If the submitter does not see SLEEPING, then the worker's store comes later in the one
 * order of seq_cst operations, and its second look at work_seq sees the new value; if it does see it, it
 * wakes, and the kernel compares work_seq with `seen` again before it lets the worker sleep. The model is
 * tests/models/wake.pml. */
#include <sched.h>
#include <stddef.h>

#include "base/atomics.h"
#include "base/clock.h"
#include "base/cpus.h"
#include "base/failpoint.h"
#include "base/futex.h"
#include "job/settle.h"

/* An idle worker looks around so often: some 30 us of CPU each time. */
enum { SLEEP_BOUND_NS = 1000000000 };

/* 32 looks with pauses are 1 to 2 us. Then whoever is runnable on this CPU may have it: the kernel likes to
 * put the two ends of a hand-over on one CPU, and without the yield each would spin its 50 us while the
 * other waits to run (105 us for an empty job instead of 4). */
enum { LOOKS_PER_YIELD = 32 };

bool spin_until_changed(_Atomic uint32_t *word, uint32_t seen, int64_t end_ns)
{
    do {
        for (int i = 0; i < LOOKS_PER_YIELD; i++) {
            /* acquire, pairs with whoever changes the word after what it announces. */
            if (load_acquire(word) != seen)
                return true;
            cpu_relax();
        }
        sched_yield();
    } while (clock_now_ns() < end_ns);
    return false;
}

/* Whoever submits and a worker that spins, on one CPU, take turns: 8 us for an empty job instead of 1, and the kernel
 * may leave it so for as long as jobs come. So the worker goes to another CPU. Where another program has that one, the
 * kernel will soon bring it back: then it waits twice as long before it tries again. */
static void step_aside(struct worker *worker)
{
    enum { PAUSE_LEAST_NS = 1000000, PAUSE_MOST_NS = 1000000000, PAUSES_OF_PEACE = 16 };
    struct stepping_aside *aside = &worker->aside;
    uint32_t cpu = load_relaxed(&worker->board->submit_cpu);
    if (cpu == 0 || cpu != cpus_current())
        return;
    int64_t now = clock_now_ns();
    int64_t since = now - aside->last_ns;
    if (since < aside->pause_ns)
        return;
    if (since > PAUSES_OF_PEACE * aside->pause_ns)
        aside->pause_ns = PAUSE_LEAST_NS;
    else if (aside->pause_ns < PAUSE_MOST_NS)
        aside->pause_ns *= 2;
    if (!cpus_leave(cpu))
        aside->pause_ns = PAUSE_MOST_NS;
    aside->last_ns = now;
}

void work_sleep(struct worker *worker, uint32_t seen, bool spins)
{
    struct board *board = worker->board;
    _Atomic uint32_t *state = &board->worker[worker->row].state;
    if (spins && worker->row < board->spinners) {
        store_relaxed(state, WORKER_SPINNING); /* work_on() says when it is busy */
        step_aside(worker);
        if (spin_until_changed(&board->work_seq, seen, clock_now_ns() + board->spin_ns))
            return;
    }
    store_seq_cst(state, WORKER_SLEEPING);
    if (worker->idle != NULL)
        worker->idle(worker);
    FAILPOINT("sleeping");
    if (load_seq_cst(&board->work_seq) == seen)
        futex_wait(&board->work_seq, seen,
                   board->idle_ns != 0 && board->idle_ns < SLEEP_BOUND_NS ? board->idle_ns
                                                                          : SLEEP_BOUND_NS);
    FAILPOINT("woken");
    store_seq_cst(state, WORKER_BUSY);
}

bool work_announce(struct board *board, uint32_t tasks)
{
    uint32_t spinning = 0; /* each takes one of the tasks, at once */
    uint32_t sleeping = 0;
    uint32_t absent = 0;
    add_seq_cst(&board->work_seq, 1);
    uint32_t workers = load_relaxed(&board->workers);
    for (uint32_t i = 0; i < workers; i++) {
        uint32_t state = load_seq_cst(&board->worker[i].state);
        spinning += state == WORKER_SPINNING;
        sleeping += state == WORKER_SLEEPING;
        absent += state == WORKER_ABSENT;
    }
    if (sleeping > 0 && tasks > spinning)
        futex_wake(&board->work_seq,
                   (int)(tasks - spinning < sleeping ? tasks - spinning : sleeping));
    return absent > 0 && tasks > spinning + sleeping;
}

void work_pass_on(struct board *board)
{
    futex_wake(&board->work_seq, 1);
}

void work_wake_all(struct board *board)
{
    add_seq_cst(&board->work_seq, 1);
    futex_wake(&board->work_seq, INT32_MAX);
}
