/* test_lifecycle.c -- what happens around work: callbacks, timing, a descriptor to poll, shutdown, counters. */
#include "check.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "callable_fixture.h"
#include "callables.h"

static sheaf_future *submit(sheaf_executor *executor, const sheaf_callable *callable, int64_t x,
                            size_t result_bytes)
{
    sheaf_future *future;
    CHECK_OK(
        sheaf_submit(&future, callable, &x, sizeof x,
                     &(sheaf_submit_options){.executor = executor, .result_bytes = result_bytes}));
    return future;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- callbacks ------------------------------------------------------------------------------------- */

struct called {
    _Atomic int count;
    _Atomic long sum;
    _Atomic pthread_t thread;
};

static void add_result(sheaf_future *future, void *context)
{
    struct called *called = context;
    int64_t result;
    CHECK(sheaf_future_done(future));
    CHECK_OK(sheaf_future_result(&result, sizeof result, future, 0));
    called->thread = pthread_self();
    atomic_fetch_add(&called->sum, result);
    atomic_fetch_add(&called->count, 1);
}

static void every_future_calls_back_once(void)
{
    sheaf_callable *squares = load("square");
    for (size_t b = 0; b <= ELASTIC; b++) {
        sheaf_executor *executor = open_executor(b, 2);
        struct called called = {0};
        long sum = 0;
        for (int64_t i = 0; i < 300; i++) {
            sheaf_future *future = submit(executor, squares, i, sizeof i);
            CHECK_OK(sheaf_future_add_callback(future, add_result, &called));
            CHECK_OK(sheaf_future_add_callback(future, add_result, &called));
            sheaf_future_release(future); /* they come all the same */
            sum += 2 * i * i;
        }
        sheaf_executor_close(executor); /* all have been called */
        CHECK(called.count == 600 && called.sum == sum);
    }
    sheaf_callable_release(squares);
}

static void what_is_done_calls_back_at_once(void)
{
    sheaf_callable *squares = load("square");
    for (size_t b = 0; b < 3; b++) {
        sheaf_executor *executor = open_executor(b, 1);
        struct called called = {0};
        sheaf_future *future = submit(executor, squares, 5, sizeof(int64_t));
        CHECK_OK(sheaf_future_wait(future, SHEAF_FOREVER));
        CHECK_OK(sheaf_future_add_callback(future, add_result, &called));
        CHECK(called.count == 1 && called.sum == 25);
        CHECK(pthread_equal(called.thread, pthread_self()));
        CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_future_add_callback(future, NULL, NULL));
        sheaf_future_release(future);
        sheaf_executor_close(executor);
    }
    sheaf_callable_release(squares);
}

static void see_cancelled(sheaf_future *future, void *context)
{
    atomic_fetch_add((_Atomic int *)context, sheaf_future_cancelled(future) ? 1 : 1000);
}

static void close_executor(sheaf_future *future, void *executor)
{
    (void)future;
    sheaf_executor_close(executor);
}

static void callbacks_see_cancelled_work_and_may_close(void)
{
    sheaf_callable *sleeps = load("sleep_us");
    for (size_t b = 1; b <= ELASTIC; b++) {
        sheaf_executor *executor = open_executor(b, 1);
        _Atomic int cancelled = 0;
        sheaf_future *first = submit(executor, sleeps, 20000, 0);
        sheaf_future *second = submit(executor, sleeps, 1, 0);
        CHECK_OK(sheaf_future_add_callback(second, see_cancelled, &cancelled));
        CHECK_OK(sheaf_future_add_callback(first, close_executor, executor));
        CHECK(sheaf_future_cancel(second));
        CHECK_OK(sheaf_future_wait(first, SHEAF_FOREVER));
        CHECK_OK(sheaf_executor_shutdown(executor, 0)); /* waits for the callback's */
        for (int i = 0; i < 1000 && cancelled == 0; i++)
            check_sleep_us(1000);
        CHECK(cancelled == 1);
        sheaf_future_release(first);
        sheaf_future_release(second);
    }
    check_sleep_us(20000); /* the thread that closed is detached, and on its way out */
    sheaf_callable_release(sleeps);
}

/* ---- errors, timing ---------------------------------------------------------------------------------- */

static void times_and_errors_are_told(void)
{
    sheaf_callable *sleeps = load("sleep_us");
    sheaf_callable *refuses = load("refuse");
    for (size_t b = 0; b < 3; b++) {
        sheaf_executor *executor = open_executor(b, 1);
        sheaf_timing timing;
        sheaf_failure failure;
        int64_t before = now_ns();
        sheaf_future *future = submit(executor, sleeps, 20000, 0);
        if (b > 0)
            CHECK_STATUS(SHEAF_ERR_TIMEOUT, sheaf_future_error(&failure, future, 1000000));
        CHECK_OK(sheaf_future_error(&failure, future, SHEAF_FOREVER));
        CHECK(failure.status == SHEAF_OK && failure.worker == -1);
        int64_t after = now_ns();
        CHECK_OK(sheaf_future_timing(&timing, future));
        CHECK(before <= timing.queued_ns && timing.queued_ns <= timing.started_ns);
        CHECK(timing.started_ns + 20000000 <= timing.finished_ns && timing.finished_ns <= after);
        CHECK(timing.worker == (b == 0 ? -1 : 0));
        sheaf_future_release(future);
        future = submit(executor, refuses, 7, 0);
        CHECK_OK(sheaf_future_error(&failure, future, SHEAF_FOREVER));
        CHECK(failure.status == SHEAF_ERR_CALLABLE && failure.code == 7);
        sheaf_future_release(future);
        sheaf_future *blocks = submit(executor, sleeps, b > 0 ? 20000 : 1, 0);
        future = submit(executor, sleeps, 1, 0);
        if (sheaf_future_cancel(future)) {
            CHECK_OK(sheaf_future_timing(&timing, future));
            CHECK(timing.started_ns == 0 && timing.finished_ns >= timing.queued_ns);
        } else {
            CHECK(b == 0);
        }
        sheaf_future_release(future);
        sheaf_future_release(blocks);
        sheaf_executor_close(executor);
    }
    sheaf_callable_release(sleeps);
    sheaf_callable_release(refuses);
}

/* Ten workers sleep at once: 20 sleeps take as long as 2, whatever the number of CPUs. */
static void sleeps_overlap(void)
{
    sheaf_callable *sleeps = load("sleep_us");
    for (size_t b = 1; b < 3; b++) {
        sheaf_executor *executor = open_executor(b, 10);
        sheaf_future *futures[20];
        int64_t begin = now_ns();
        for (size_t i = 0; i < 20; i++)
            futures[i] = submit(executor, sleeps, 100000, 0);
        CHECK_OK(sheaf_wait(futures, 20, SHEAF_ALL_COMPLETED, SHEAF_FOREVER));
        int64_t took = now_ns() - begin;
        printf("  %s: 20 sleeps of 100 ms on 10 workers: %lld ms\n",
               sheaf_backend_name(backends[b]), (long long)took / 1000000);
        CHECK(took >= 200000000);
        size_t by_worker[10] = {0};
        for (size_t i = 0; i < 20; i++) {
            sheaf_timing timing;
            CHECK_OK(sheaf_future_timing(&timing, futures[i]));
            by_worker[timing.worker]++;
            sheaf_future_release(futures[i]);
        }
        for (size_t i = 0; i < 10; i++) /* a machine under load may delay some worker by a turn */
            CHECK(by_worker[i] >= 1 && by_worker[i] <= 3);
        sheaf_executor_close(executor);
    }
    sheaf_callable_release(sleeps);
}

/* ---- an event loop ------------------------------------------------------------------------------------ */

/* The loop of a program that has other descriptors to look after, too. */
static void epoll_drives_futures(void)
{
    sheaf_callable *squares = load("square");
    for (size_t b = 0; b < 3; b++) {
        sheaf_executor *executor = open_executor(b, 2);
        sheaf_future *futures[100];
        bool yielded[100] = {false};
        int64_t sum = 0;
        size_t done = 0;
        int descriptor;
        CHECK_OK(sheaf_executor_descriptor(&descriptor, executor));
        int loop = epoll_create1(EPOLL_CLOEXEC);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
        CHECK(loop >= 0 && epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &event) == 0);
        for (int64_t i = 0; i < 100; i++)
            futures[i] = submit(executor, squares, i, sizeof i);
        while (done < 100) {
            uint64_t ended;
            size_t index;
            CHECK(epoll_wait(loop, &event, 1, 10000) == 1 && event.data.fd == descriptor);
            CHECK(read(descriptor, &ended, sizeof ended) == sizeof ended);
            while (sheaf_as_completed(&index, futures, yielded, 100, 0) == SHEAF_OK) {
                int64_t result;
                CHECK_OK(sheaf_future_result(&result, sizeof result, futures[index], 0));
                CHECK(result == (int64_t)(index * index));
                sum += result;
                done++;
            }
        }
        CHECK(sum == 328350);
        for (size_t i = 0; i < 100; i++)
            sheaf_future_release(futures[i]);
        close(loop);
        sheaf_executor_close(executor);
        CHECK_STATUS(SHEAF_ERR_CLOSED, sheaf_executor_descriptor(&descriptor, executor));
    }
    sheaf_callable_release(squares);
}

/* ---- shutdown ------------------------------------------------------------------------------------------- */

enum { JOBS = 20 };

static void shut_down(size_t b, unsigned how)
{
    sheaf_callable *sleeps = load("sleep_us");
    sheaf_executor *executor = open_executor(b, 2);
    sheaf_future *futures[JOBS];
    sheaf_future *refused;
    size_t count[SHEAF_ERR_CALLABLE + 1] = {0};
    bool ends = (how & (SHEAF_SHUTDOWN_TERMINATE | SHEAF_SHUTDOWN_KILL)) != 0;
    for (size_t i = 0; i < JOBS; i++)
        futures[i] = submit(executor, sleeps, ends && b == 2 && i < 2 ? 20000000 : 5000, 0);
    while (!sheaf_future_running(futures[0]) && !sheaf_future_done(futures[0]))
        check_sleep_us(100);
    CHECK_OK(sheaf_executor_shutdown(executor, how));
    CHECK_STATUS(SHEAF_ERR_CLOSED, sheaf_submit(&refused, sleeps, NULL, 0,
                                                &(sheaf_submit_options){.executor = executor}));
    CHECK_OK(sheaf_executor_shutdown(executor, how));
    CHECK_OK(sheaf_executor_shutdown(executor, 0));
    for (size_t i = 0; i < JOBS; i++) {
        CHECK(sheaf_future_done(futures[i])); /* nobody is left */
        count[sheaf_future_result(NULL, 0, futures[i], 0)]++;
        sheaf_future_release(futures[i]);
    }
    CHECK(count[SHEAF_OK] + count[SHEAF_ERR_CANCELLED] + count[SHEAF_ERR_WORKER] == JOBS);
    CHECK((count[SHEAF_OK] == JOBS) == (b == 0 || (how & ~1U) == 0));
    CHECK((count[SHEAF_ERR_CANCELLED] > 0) == (b > 0 && (how & ~1U) != 0));
    CHECK(count[SHEAF_ERR_WORKER] > 0 || !(ends && b == 2));
    sheaf_callable_release(sleeps);
}

static void shutdown_waits_cancels_terminates_and_kills(void)
{
    for (size_t b = 0; b <= ELASTIC; b++)
        for (unsigned how = 0; how < 16; how++)
            shut_down(b, how);
    sheaf_executor *executor = open_executor(0, 1);
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_executor_shutdown(executor, 16));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_executor_shutdown(NULL, 0));
    sheaf_executor_close(executor);
    check_sleep_us(10000); /* threads that closed behind our back are on their way out */
}

/* ---- counters --------------------------------------------------------------------------------------------- */

static void counters_count(void)
{
    size_t n = 100000;
    sheaf_array *array;
    sheaf_callable *sleeps = load("sleep_us");
    sheaf_callable *refuses = load("refuse");
    sheaf_executor_counters counters;
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_F64, 1, &n));
    for (size_t b = 0; b < 3; b++) {
        sheaf_executor *executor = open_executor(b, 1);
        sheaf_future *futures[5];
        sheaf_scalar sum;
        CHECK_OK(
            sheaf_reduce(&sum, array, SHEAF_SUM, &(sheaf_reduce_options){.executor = executor}));
        futures[0] = submit(executor, sleeps, 30000, 0);
        for (size_t i = 1; i < 4; i++)
            futures[i] = submit(executor, sleeps, 1, 0);
        futures[4] = submit(executor, refuses, 3, 0);
        while (b > 0 && !sheaf_future_running(futures[0]))
            check_sleep_us(100);
        CHECK_OK(sheaf_executor_stats(&counters, executor));
        CHECK(counters.workers == 1);
        if (b > 0) {
            CHECK(counters.running == 1 && counters.queued == 4 && counters.workers_busy == 1);
            CHECK(sheaf_future_cancel(futures[3]));
            CHECK_OK(sheaf_wait(futures, 5, SHEAF_ALL_COMPLETED, SHEAF_FOREVER));
            CHECK_OK(sheaf_executor_stats(&counters, executor));
            CHECK(counters.done == 3 + (b == 2) && counters.failed == 1 && counters.cancelled == 1);
            CHECK(counters.running == 0 && counters.queued == 0 && counters.restarts == 0);
            CHECK(counters.bytes_attached == (b == 2 ? n * 8 : 0));
        }
        for (size_t i = 0; i < 5; i++)
            sheaf_future_release(futures[i]);
        sheaf_executor_close(executor);
        CHECK_STATUS(SHEAF_ERR_CLOSED, sheaf_executor_stats(&counters, executor));
    }
    CHECK_OK(sheaf_executor_stats(&counters, NULL));
    sheaf_detach(array);
    sheaf_callable_release(sleeps);
    sheaf_callable_release(refuses);
}

CHECK_MAIN(CASE(every_future_calls_back_once), CASE(what_is_done_calls_back_at_once),
           CASE(callbacks_see_cancelled_work_and_may_close), CASE(times_and_errors_are_told),
           CASE(sleeps_overlap), CASE(epoll_drives_futures),
           CASE(shutdown_waits_cancels_terminates_and_kills), CASE(counters_count))
