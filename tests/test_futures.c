/* test_futures.c -- cancelling, and waiting for several futures of several executors. */
#include "check.h"

#include <signal.h>

#include <sheaf/sheaf.h>

#include "base/clock.h"

enum { MANY = 200 };

static sheaf_array *make_array(size_t n)
{
    sheaf_array *array;
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_I32, 1, &n));
    for (size_t i = 0; i < n; i++)
        ((int32_t *)sheaf_array_data(array))[i] = (int32_t)(i % 1000);
    return array;
}

static sheaf_executor *open_executor(sheaf_backend backend, size_t workers)
{
    sheaf_executor *executor;
    CHECK_OK(
        sheaf_executor_open(&executor, backend, &(sheaf_executor_options){.workers = workers}));
    return executor;
}

static sheaf_future *submit(const sheaf_array *array, sheaf_executor *executor)
{
    sheaf_future *future;
    CHECK_OK(sheaf_reduce_submit(&future, array, SHEAF_SUM,
                                 &(sheaf_reduce_options){.executor = executor}));
    return future;
}

static void what_is_queued_can_be_cancelled(void)
{
    const sheaf_backend backends[] = {SHEAF_THREADS, SHEAF_PROCESSES};
    sheaf_array *array = make_array(2000000);
    int64_t expected = 0;
    for (size_t i = 0; i < 2000000; i++)
        expected += (int64_t)(i % 1000);
    for (size_t b = 0; b < 2; b++) {
        sheaf_executor *executor = open_executor(backends[b], 2);
        sheaf_future *futures[MANY];
        bool cancelled[MANY];
        sheaf_scalar value;
        sheaf_failure failure;
        size_t count = 0;
        for (size_t i = 0; i < MANY; i++)
            futures[i] = submit(array, executor);
        for (size_t i = MANY; i-- > 0;)
            count += cancelled[i] = sheaf_future_cancel(futures[i]);
        for (size_t i = 0; i < MANY; i++) {
            sheaf_status status =
                sheaf_future_result(&value, sizeof value, futures[i], SHEAF_FOREVER);
            CHECK(sheaf_future_cancelled(futures[i]) == cancelled[i]);
            CHECK(sheaf_future_done(futures[i]) && !sheaf_future_running(futures[i]));
            CHECK(!sheaf_future_cancel(futures[i]));
            CHECK(status == (cancelled[i] ? SHEAF_ERR_CANCELLED : SHEAF_OK));
            CHECK(cancelled[i] || value.value.i64 == expected);
            CHECK_OK(sheaf_future_failure(&failure, futures[i]));
            CHECK(failure.status == status);
            sheaf_future_release(futures[i]);
        }
        printf("  %zu of %d were cancelled\n", count, MANY);
        CHECK_OK(
            sheaf_reduce(&value, array, SHEAF_SUM, &(sheaf_reduce_options){.executor = executor}));
        CHECK(value.value.i64 == expected);
        sheaf_executor_close(executor);
    }
    sheaf_detach(array);
}

static void signal_workers(const sheaf_executor *pool, int signal)
{
    for (size_t i = 0; i < sheaf_executor_workers(pool); i++) {
        sheaf_worker_info info;
        CHECK_OK(sheaf_executor_worker(&info, pool, i));
        CHECK(info.pid > 0 && kill(info.pid, signal) == 0);
    }
}

static void what_stopped_workers_have_not_begun_is_cancelled(void)
{
    sheaf_array *array = make_array(1000);
    sheaf_executor *pool = open_executor(SHEAF_PROCESSES, 2);
    sheaf_future *futures[MANY];
    sheaf_scalar value;
    size_t count = 0;
    signal_workers(pool, SIGSTOP);
    for (size_t i = 0; i < MANY; i++)
        futures[i] = submit(array, pool);
    CHECK_STATUS(SHEAF_ERR_TIMEOUT, sheaf_wait(futures, MANY, SHEAF_ALL_COMPLETED, 5000000));
    for (size_t i = 0; i < MANY; i++)
        count += sheaf_future_cancel(futures[i]);
    CHECK(count >= MANY - 2); /* a signal may reach a worker only after it has claimed a task */
    signal_workers(pool, SIGCONT);
    CHECK_OK(sheaf_wait(futures, MANY, SHEAF_ALL_COMPLETED, SHEAF_FOREVER));
    for (size_t i = 0; i < MANY; i++)
        sheaf_future_release(futures[i]);
    CHECK_OK(sheaf_reduce(&value, array, SHEAF_MAX, &(sheaf_reduce_options){.executor = pool}));
    CHECK(value.value.i32 == 999);
    sheaf_executor_close(pool);
    sheaf_detach(array);
}

static void waiting_for_several_executors(void)
{
    sheaf_array *array = make_array(1000000);
    sheaf_executor *executors[] = {
        open_executor(SHEAF_SEQUENTIAL, 1), open_executor(SHEAF_THREADS, 2),
        open_executor(SHEAF_PROCESSES, 2), open_executor(SHEAF_PROCESSES, 1)};
    for (int round = 0; round < 20; round++) {
        sheaf_future *futures[40];
        bool yielded[40] = {false};
        size_t index;
        size_t seen = 0;
        for (size_t i = 0; i < 40; i++)
            futures[i] = submit(array, executors[i % 4]);
        CHECK_OK(sheaf_wait(futures, 40, SHEAF_FIRST_COMPLETED, SHEAF_FOREVER));
        while (sheaf_as_completed(&index, futures, yielded, 40, SHEAF_FOREVER) == SHEAF_OK) {
            CHECK(yielded[index] && sheaf_future_done(futures[index]));
            seen++;
        }
        CHECK(seen == 40);
        CHECK_STATUS(SHEAF_ERR_EMPTY, sheaf_as_completed(&index, futures, yielded, 40, 0));
        CHECK_OK(sheaf_wait(futures, 40, SHEAF_FIRST_ERROR,
                            SHEAF_FOREVER)); /* none failed: all are done */
        CHECK_OK(sheaf_wait(futures, 40, SHEAF_ALL_COMPLETED, 0));
        for (size_t i = 0; i < 40; i++)
            sheaf_future_release(futures[i]);
    }
    for (size_t i = 0; i < 4; i++)
        sheaf_executor_close(executors[i]);
    sheaf_detach(array);
}

static void a_timeout_ends_a_wait_and_nothing_else(void)
{
    sheaf_array *array = make_array(8000000);
    sheaf_executor *executor = open_executor(SHEAF_PROCESSES, 1);
    sheaf_future *futures[50];
    bool yielded[50] = {false};
    size_t index;
    for (size_t i = 0; i < 50; i++)
        futures[i] = submit(array, executor);
    int64_t start = clock_now_ns();
    CHECK_STATUS(SHEAF_ERR_TIMEOUT, sheaf_wait(futures, 50, SHEAF_ALL_COMPLETED, 1000000));
    CHECK(clock_now_ns() - start >= 1000000);
    memset(yielded, 1, 49); /* all but the last */
    CHECK_STATUS(SHEAF_ERR_TIMEOUT, sheaf_as_completed(&index, futures, yielded, 50, 0));
    CHECK_OK(sheaf_wait(futures, 50, SHEAF_ALL_COMPLETED, SHEAF_FOREVER));
    CHECK_OK(sheaf_as_completed(&index, futures, yielded, 50, 0));
    CHECK(index == 49);
    for (size_t i = 0; i < 50; i++)
        sheaf_future_release(futures[i]);
    sheaf_executor_close(executor);
    sheaf_detach(array);
}

static void bad_arguments_are_errors(void)
{
    sheaf_future *none = NULL;
    bool yielded = false;
    size_t index;
    CHECK_OK(sheaf_wait(NULL, 0, SHEAF_ALL_COMPLETED, SHEAF_FOREVER));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_wait(NULL, 1, SHEAF_ALL_COMPLETED, 0));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_wait(&none, 1, SHEAF_ALL_COMPLETED, 0));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_wait(&none, 0, (sheaf_wait_mode)9, 0));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_as_completed(NULL, &none, &yielded, 1, 0));
    CHECK_STATUS(SHEAF_ERR_EMPTY, sheaf_as_completed(&index, NULL, NULL, 0, 0));
    CHECK(!sheaf_future_cancel(NULL) && !sheaf_future_running(NULL) &&
          !sheaf_future_cancelled(NULL));
}

CHECK_MAIN(CASE(what_is_queued_can_be_cancelled),
           CASE(what_stopped_workers_have_not_begun_is_cancelled),
           CASE(waiting_for_several_executors), CASE(a_timeout_ends_a_wait_and_nothing_else),
           CASE(bad_arguments_are_errors))
