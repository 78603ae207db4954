/* shutdown.c -- the end of an executor: at once or behind the caller's back, politely or not. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/atomics.h"
#include "base/error.h"
#include "base/fork.h"
#include "base/futex.h"
#include "exec/executor.h"
#include "job/notify.h"

static void set_free(struct sheaf_executor *executor)
{
    int descriptor = exchange_seq_cst(&executor->descriptor, -1);
    if (descriptor >= 0)
        close(descriptor);
    store_seq_cst(&executor->state, EXECUTOR_FREE);
    futex_wake(&executor->state, INT32_MAX);
}

/* Waits for what was submitted, and ends the workers. */
static void *finish(void *argument)
{
    struct sheaf_executor *executor = argument;
    if (executor->pool != NULL)
        pool_drain(executor->pool);
    store_seq_cst(&executor->state, EXECUTOR_ENDING);
    futex_wake(&executor->state, INT32_MAX);
    while (load_seq_cst(&executor->users) != 0)
        sched_yield(); /* on their way out: their jobs have ended */
    if (executor->pool != NULL)
        notify_stop(executor->pool);
    if (executor->ops->close != NULL)
        executor->ops->close(executor);
    if (executor->pool != NULL)
        pool_release(executor->pool);
    set_free(executor);
    return NULL;
}

static void finish_in_background(struct sheaf_executor *executor)
{
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, NULL, finish, executor);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        pthread_detach(thread);
    else
        finish(executor); /* late is better than never */
}

static void close_in_child(struct sheaf_executor *executor)
{
    if (executor->ops->close_in_child != NULL)
        executor->ops->close_in_child(executor);
    executor->users = 0; /* the parent's other threads are not here to leave */
    set_free(executor);
}

/* What is to be done before waiting has a sense. */
static void hurry(struct sheaf_executor *executor, unsigned how)
{
    struct pool *pool = executor->pool;
    if (pool == NULL)
        return;
    if ((how & (SHEAF_SHUTDOWN_CANCEL | SHEAF_SHUTDOWN_TERMINATE | SHEAF_SHUTDOWN_KILL)) != 0) {
        pool_refuse(pool); /* or others submit behind our back */
        pool_cancel_all(pool);
    }
    if ((how & (SHEAF_SHUTDOWN_TERMINATE | SHEAF_SHUTDOWN_KILL)) == 0)
        return;
    pool_break(pool, "the executor was shut down while this ran");
    if (executor->ops->end_workers != NULL)
        executor->ops->end_workers(executor, (how & SHEAF_SHUTDOWN_KILL) != 0 ? SIGKILL : SIGTERM);
}

/* Somebody else closes it: we may be in more of a hurry, and wait for the end of it. */
static void join_shutdown(struct sheaf_executor *executor, unsigned how)
{
    bool is_callback = false; /* then the end of it waits for us */
    add_seq_cst(&executor->users, 1);
    if (load_seq_cst(&executor->state) == EXECUTOR_CLOSING) {
        hurry(executor, how); /* seq_cst, as executor_enter(): it is not ended before we leave */
        is_callback = executor->pool != NULL && notify_pool() == executor->pool;
    } else {
        is_callback = notify_pool() != NULL;
    }
    sub_acq_rel(&executor->users, 1);
    for (;;) {
        uint32_t state = load_seq_cst(&executor->state);
        bool is_over = state != EXECUTOR_CLOSING && state != EXECUTOR_ENDING;
        if (is_over || is_callback || (how & SHEAF_SHUTDOWN_NO_WAIT) != 0)
            return;
        futex_wait(&executor->state, state, -1);
    }
}

sheaf_status sheaf_executor_shutdown(sheaf_executor *executor, unsigned how)
{
    const unsigned known = SHEAF_SHUTDOWN_NO_WAIT | SHEAF_SHUTDOWN_CANCEL |
                           SHEAF_SHUTDOWN_TERMINATE | SHEAF_SHUTDOWN_KILL;
    uint32_t state = EXECUTOR_OPEN;
    if (executor == NULL || (how & ~known) != 0)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "shutdown: %s",
                          executor == NULL ? "executor is NULL" : "no such flag");
    if (cas_seq_cst(&executor->state, &state, EXECUTOR_CLOSING)) {
        if (executor->fork_count != fork_count()) {
            close_in_child(executor);
            return SHEAF_OK;
        }
        hurry(executor, how);
        if ((how & SHEAF_SHUTDOWN_NO_WAIT) != 0)
            finish_in_background(executor);
        else
            finish(executor);
        return SHEAF_OK;
    }
    if (executor->fork_count == fork_count())
        join_shutdown(executor, how);
    return SHEAF_OK;
}

void sheaf_executor_close(sheaf_executor *executor)
{
    if (executor != NULL)
        sheaf_executor_shutdown(executor, 0);
}

sheaf_status sheaf_executor_descriptor(int *out, sheaf_executor *executor)
{
    sheaf_status status =
        out == NULL ? SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "descriptor: out is NULL") : SHEAF_OK;
    if (status == SHEAF_OK && executor == NULL)
        status = executor_open_default(&executor);
    if (status == SHEAF_OK)
        status = executor_enter(executor);
    if (status != SHEAF_OK)
        return status;
    int descriptor = load_acquire(&executor->descriptor);
    if (descriptor < 0) {
        int nobody = -1;
        int mine = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (mine < 0) {
            status = SHEAF_FAIL(SHEAF_ERR_SYSTEM, "descriptor: eventfd: too many open files?");
        } else if (cas_seq_cst(&executor->descriptor, &nobody, mine)) {
            descriptor = mine;
            if (executor->pool != NULL)
                status = notify_descriptor(executor->pool, mine);
        } else {
            close(mine); /* another thread was first */
            descriptor = nobody;
        }
    }
    executor_leave(executor);
    if (status == SHEAF_OK)
        *out = descriptor;
    return status;
}
