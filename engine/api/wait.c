/* wait.c -- waiting for any, or all, of several futures.
 *
 * Each pool has one word that moves whenever one of its jobs ends. Who waits for several futures notes the
 * words of their pools, looks at the futures, and sleeps until one of the words has moved. */
#include <sheaf/future.h>

#include "api/future.h"
#include "base/atomics.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fork.h"

/* The pools of the futures that are not done, and their ended_seq before we looked. */
struct watch {
    struct pool *pools[POOLS_MAX];
    uint32_t seen[POOLS_MAX];
    size_t count;
};

static void watch_pool(struct watch *watch, struct pool *pool)
{
    for (size_t i = 0; i < watch->count; i++)
        if (watch->pools[i] == pool)
            return;
    if (watch->count == POOLS_MAX)
        return; /* of closed executors, then: their jobs have ended */
    watch->pools[watch->count] = pool;
    /* seq_cst, pairs with announce_end(): who misses the end of a job below sees the word move. */
    watch->seen[watch->count++] = load_seq_cst(&pool->board->ended_seq);
}

static sheaf_status check(sheaf_future *const *futures, size_t count)
{
    if (futures == NULL && count > 0)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "wait: futures is NULL");
    for (size_t i = 0; i < count; i++) {
        if (futures[i] == NULL)
            return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "wait: future %zu of %zu is NULL", i, count);
        if (futures[i]->pool != NULL && futures[i]->fork_count != fork_count())
            return SHEAF_FAIL(SHEAF_ERR_CLOSED, "wait: future %zu belongs to the parent process",
                              i);
    }
    return SHEAF_OK;
}

static bool has_failed(const sheaf_future *future)
{
    return future->pool != NULL ? pool_is_failed(future->pool, &future->ticket)
                                : future->error.status != SHEAF_OK;
}

/* Looks once. True if the mode is satisfied; else the pools to watch. */
static bool look(struct watch *watch, sheaf_future *const *futures, size_t count,
                 sheaf_wait_mode mode)
{
    size_t done = 0;
    watch->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!sheaf_future_done(futures[i]))
            watch_pool(watch, futures[i]->pool);
        if (!sheaf_future_done(futures[i])) /* again, now that the word is noted */
            continue;
        done++;
        if (mode == SHEAF_FIRST_COMPLETED || (mode == SHEAF_FIRST_ERROR && has_failed(futures[i])))
            return true;
    }
    return done == count;
}

/* When a timeout that begins now is over. */
static int64_t end_of(int64_t timeout_ns)
{
    int64_t now = clock_now_ns();
    return timeout_ns < 0 || timeout_ns > INT64_MAX - now ? INT64_MAX : now + timeout_ns;
}

/* Sleeps until a watched pool moves. False: the time is over. */
static bool sleep_until(const struct watch *watch, int64_t end_ns)
{
    int64_t left = end_ns == INT64_MAX ? -1 : end_ns - clock_now_ns();
    if (end_ns != INT64_MAX && left <= 0)
        return false;
    pool_wait_change(watch->pools, watch->seen, watch->count, left);
    return true;
}

sheaf_status sheaf_wait(sheaf_future *const *futures, size_t count, sheaf_wait_mode mode,
                        int64_t timeout_ns)
{
    struct watch watch;
    int64_t end = end_of(timeout_ns);
    sheaf_status status = check(futures, count);
    if (status == SHEAF_OK && mode > SHEAF_FIRST_ERROR)
        status = SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "wait: no mode %d", (int)mode);
    if (status != SHEAF_OK || count == 0)
        return status;
    while (!look(&watch, futures, count, mode))
        if (!sleep_until(&watch, end))
            return SHEAF_FAIL(SHEAF_ERR_TIMEOUT, "wait: not done after %lld ns; it goes on",
                              (long long)timeout_ns);
    return SHEAF_OK;
}

sheaf_status sheaf_as_completed(size_t *index, sheaf_future *const *futures, bool *yielded,
                                size_t count, int64_t timeout_ns)
{
    struct watch watch;
    int64_t end = end_of(timeout_ns);
    sheaf_status status = index == NULL || (yielded == NULL && count > 0)
                              ? SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "as_completed: NULL given")
                              : check(futures, count);
    if (status != SHEAF_OK)
        return status;
    do {
        size_t left = 0;
        watch.count = 0;
        for (size_t i = 0; i < count; i++) {
            if (yielded[i])
                continue;
            left++;
            if (!sheaf_future_done(futures[i]))
                watch_pool(&watch, futures[i]->pool);
            if (sheaf_future_done(futures[i])) {
                yielded[i] = true;
                *index = i;
                return SHEAF_OK;
            }
        }
        if (left == 0)
            return SHEAF_FAIL(SHEAF_ERR_EMPTY, "as_completed: all %zu futures were yielded", count);
    } while (sleep_until(&watch, end));
    return SHEAF_FAIL(SHEAF_ERR_TIMEOUT, "as_completed: nothing was done within %lld ns",
                      (long long)timeout_ns);
}
