/* overdue.c -- who is overdue, or stopped. */
#include "exec/overdue.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "job/due.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* A stopped child can be told again and again. It stays so if the host itself waits for stopped children: then only
 * those inside a task are found, by their due. */
static bool is_stopped(const struct child *child)
{
    siginfo_t info = {0};
    return waitid((idtype_t)P_PIDFD, (id_t)child->pidfd, &info, WSTOPPED | WNOHANG | WNOWAIT) ==
               0 &&
           info.si_pid != 0;
}

/* Whether nobody would miss the worker: it is in no job, or only coming or going in one with a deadline. Under
 * the pool's mutex. */
static bool is_free_to_go(const struct pool *pool, uint64_t entered)
{
    uint32_t slot = (uint32_t)(entered % BOARD_SLOTS);
    return entered == 0 || (pool->slots[slot].generation == entered / BOARD_SLOTS &&
                            board_job(pool->board, slot)->deadline_ns != 0);
}

/* Condemns a worker that says nothing, as it is stopped, unless it is inside a job that waits for it. */
static bool condemn_stopped(struct processes *processes, uint32_t index, int64_t now,
                            int64_t deadline_ns)
{
    struct child *child = &processes->children[index];
    struct worker_row *row = &processes->pool->board->worker[index];
    int64_t nothing = 0;
    if (!is_stopped(child)) {
        child->stopped_ns = 0;
        return false;
    }
    if (child->stopped_ns == 0)
        child->stopped_ns = now;
    if (now - child->stopped_ns < deadline_ns ||
        !is_free_to_go(processes->pool, load_seq_cst(&row->entered)) ||
        !cas_seq_cst(&row->due, &nothing, DUE_CONDEMNED))
        return false;
    /* seq_cst, with the worker's store to entered before its look at due: if it was sent on meanwhile, either
     * it sees that it is condemned and waits, or we see where it is. */
    if (is_free_to_go(processes->pool, load_seq_cst(&row->entered)))
        return true;
    store_seq_cst(&row->due, 0);
    return false;
}

/* Condemns the worker if it is overdue; *next is moved forward to when that may be. Under the mutex. */
static bool condemn(struct processes *processes, uint32_t index, int64_t deadline_ns, int64_t *next)
{
    struct child *child = &processes->children[index];
    struct worker_row *row = &processes->pool->board->worker[index];
    int64_t now = clock_now_ns();
    int64_t due = load_seq_cst(&row->due);
    child->is_charged = due_is_in_node(due);
    if (due == 0)
        return deadline_ns != INT64_MAX && condemn_stopped(processes, index, now, deadline_ns);
    if (due != DUE_CONDEMNED && due_time_ns(due) <= now)
        return cas_seq_cst(&row->due, &due, DUE_CONDEMNED);
    if (due != DUE_CONDEMNED && due_time_ns(due) < *next)
        *next = due_time_ns(due);
    return false;
}

/* The shortest deadline of the jobs in flight; INT64_MAX if none has one. Under the mutex. */
static int64_t shortest_deadline(const struct pool *pool)
{
    int64_t shortest = INT64_MAX;
    for (uint32_t i = 0; i < BOARD_SLOTS; i++) {
        const struct job *job = board_job(pool->board, i);
        if (pool->slots[i].is_taken && job->deadline_ns != 0 && !load_acquire(&job->ended) &&
            job->deadline_ns < shortest)
            shortest = job->deadline_ns;
    }
    return shortest;
}

int64_t overdue_look(struct processes *processes)
{
    struct pool *pool = processes->pool;
    if (clock_now_ns() < load_relaxed(&pool->next_look_ns))
        return load_relaxed(&pool->next_look_ns);
    pthread_mutex_lock(&pool->mutex);
    int64_t deadline_ns = shortest_deadline(pool);
    int64_t next = INT64_MAX;
    if (deadline_ns != INT64_MAX)
        next = clock_now_ns() + deadline_ns;
    /* All workers, even if no such job is left: one may be stopped on its way out of the last, before it has woken
     * those who wait for it. */
    for (uint32_t i = 0; i < load_relaxed(&pool->board->workers); i++) {
        struct child *child = &processes->children[i];
        if (child->state == CHILD_READY && !child->is_condemned &&
            condemn(processes, i, deadline_ns, &next)) {
            child->is_condemned = true;
            syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0);
        }
    }
    store_relaxed(&pool->next_look_ns, next);
    pthread_mutex_unlock(&pool->mutex);
    return next;
}
