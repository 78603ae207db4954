/* notify.c -- the thread of notify.h. */
#include "job/notify.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/atomics.h"
#include "base/error.h"
#include "base/futex.h"

/* Takes the watches whose jobs have ended out of the list, oldest first. */
static struct watch *take_ended(struct pool *pool)
{
    struct watch *ended = NULL;
    struct watch **last = &ended;
    pthread_mutex_lock(&pool->notifier.mutex);
    for (struct watch **link = &pool->notifier.watches; *link != NULL;) {
        struct watch *watch = *link;
        if (!job_has_ended(board_job(pool->board, watch->ticket.slot))) {
            link = &watch->next;
            continue;
        }
        *link = watch->next;
        watch->next = NULL;
        *last = watch;
        last = &watch->next;
    }
    pool->notifier.end = &pool->notifier.watches;
    while (*pool->notifier.end != NULL)
        pool->notifier.end = &(*pool->notifier.end)->next;
    pthread_mutex_unlock(&pool->notifier.mutex);
    return ended;
}

static void write_descriptor(struct pool *pool)
{
    uint64_t one = 1;
    int descriptor = load_acquire(&pool->notifier.descriptor);
    ssize_t written = descriptor > 0 ? write(descriptor, &one, sizeof one) : 0;
    (void)written; /* it is nonblocking: full is readable, too */
}

static _Thread_local struct pool *own;

struct pool *notify_pool(void)
{
    return own;
}

static void *run(void *argument)
{
    struct pool *pool = argument;
    own = pool;
    uint32_t told =
        load_seq_cst(&pool->board->ended_seq) - 1; /* what ended before we came is told, too */
    for (;;) {
        bool is_stopping = load_acquire(&pool->notifier.is_stopping);
        uint32_t seen = load_seq_cst(&pool->board->ended_seq);
        struct watch *watch = take_ended(pool);
        if (seen != told)
            write_descriptor(pool);
        told = seen;
        bool called = watch != NULL;
        while (watch != NULL) {
            struct watch *next = watch->next;
            watch->call(watch);
            watch = next;
        }
        if (is_stopping)
            break; /* all jobs had ended before, so there are no more watches */
        if (!called)
            pool_wait_change(&pool, &seen, 1, -1);
    }
    pool_release(pool);
    return NULL;
}

static void kick(struct pool *pool)
{
    add_seq_cst(&pool->board->ended_seq, 1);
    futex_wake(&pool->board->ended_seq, INT32_MAX);
}

/* Under the notifier's mutex. */
static sheaf_status start(struct pool *pool)
{
    sigset_t all;
    sigset_t before;
    if (pool->notifier.is_started)
        return SHEAF_OK;
    add_relaxed(&pool->references, 1);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&pool->notifier.thread, NULL, run, pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        sub_acq_rel(&pool->references, 1);
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "start a thread for callbacks: %s", strerror(error));
    }
    pool->notifier.is_started = true;
    return SHEAF_OK;
}

sheaf_status notify_watch(struct pool *pool, struct watch *watch)
{
    pthread_mutex_lock(&pool->notifier.mutex);
    sheaf_status status = pool->notifier.is_stopping ? SHEAF_ERR_CLOSED : start(pool);
    if (status == SHEAF_OK) {
        watch->next = NULL;
        *pool->notifier.end = watch;
        pool->notifier.end = &watch->next;
    }
    pthread_mutex_unlock(&pool->notifier.mutex);
    if (status == SHEAF_OK)
        kick(pool); /* it may have ended meanwhile */
    return status;
}

sheaf_status notify_descriptor(struct pool *pool, int descriptor)
{
    pthread_mutex_lock(&pool->notifier.mutex);
    sheaf_status status = start(pool);
    if (status == SHEAF_OK)
        store_release(&pool->notifier.descriptor, descriptor);
    pthread_mutex_unlock(&pool->notifier.mutex);
    return status;
}

void notify_stop(struct pool *pool)
{
    pthread_mutex_lock(&pool->notifier.mutex);
    bool is_started = pool->notifier.is_started;
    store_release(&pool->notifier.is_stopping, true);
    pthread_mutex_unlock(&pool->notifier.mutex);
    if (!is_started)
        return;
    kick(pool);
    if (own == pool)
        pthread_detach(pthread_self()); /* closed by a callback: it ends when that returns */
    else
        pthread_join(pool->notifier.thread, NULL);
}
