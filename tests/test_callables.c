/* test_callables.c -- functions of the user's own, submitted to every executor: from a shared object, and from this
 * program, which is its own worker. */
#include "check.h"

#include <signal.h>
#include <unistd.h>

#include "callable_fixture.h"
#include "callables.h"

static int64_t call(sheaf_executor *executor, const sheaf_callable *callable, int64_t argument)
{
    sheaf_future *future;
    int64_t result = -1;
    CHECK_OK(
        sheaf_submit(&future, callable, &argument, sizeof argument,
                     &(sheaf_submit_options){.executor = executor, .result_bytes = sizeof result}));
    CHECK_OK(sheaf_future_result(&result, sizeof result, future, SHEAF_FOREVER));
    sheaf_future_release(future);
    return result;
}

/* ---- from a shared object ------------------------------------------------------------------------- */

static void arguments_go_in_and_results_come_out(void)
{
    sheaf_callable *squares = load("square");
    for (size_t b = 0; b < 3; b++) {
        sheaf_executor *executor = open_executor(b, 2);
        for (int64_t i = -5; i < 50; i++)
            CHECK(call(executor, squares, i) == i * i);
        sheaf_executor_close(executor);
    }
    CHECK(call(NULL, squares, 12) == 144);
    sheaf_callable_release(squares);
}

/* Nothing, what fits in a slot, just so and just not, and much more. */
static void any_size_goes(void)
{
    const size_t sizes[] = {0, 1, 7, 4096, 100000, 126000, 131072, 300000, 5000000};
    sheaf_callable *callable = load("reverse");
    for (size_t b = 0; b < 3; b++) {
        sheaf_executor *executor = open_executor(b, 2);
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            size_t n = sizes[s];
            sheaf_future *future;
            char *in = malloc(n + 1);
            char *out = malloc(n + 1);
            CHECK(in != NULL && out != NULL);
            for (size_t i = 0; i < n; i++)
                in[i] = (char)(i * 31 + i / 1000);
            CHECK_OK(
                sheaf_submit(&future, callable, in, n,
                             &(sheaf_submit_options){.executor = executor, .result_bytes = n}));
            CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_future_result(out, n + 1, future, 0));
            CHECK_OK(sheaf_future_result(out, n, future, SHEAF_FOREVER));
            for (size_t i = 0; i < n; i++)
                CHECK(out[i] == in[n - 1 - i]);
            sheaf_future_release(future);
            free(in);
            free(out);
        }
        sheaf_executor_close(executor);
    }
    sheaf_callable_release(callable);
}

static void what_is_not_written_is_zero(void)
{
    sheaf_callable *callable = load("nothing");
    sheaf_callable *writes = load("reverse");
    for (size_t b = 0; b < 3; b++) {
        sheaf_executor *executor = open_executor(b, 1);
        unsigned char bytes[64];
        sheaf_submit_options options = {.executor = executor, .result_bytes = sizeof bytes};
        sheaf_future *future;
        memset(bytes, 0xee, sizeof bytes);
        CHECK_OK(sheaf_submit(&future, writes, bytes, sizeof bytes, &options));
        CHECK_OK(sheaf_future_wait(future, SHEAF_FOREVER));
        sheaf_future_release(future);
        CHECK_OK(sheaf_submit(&future, callable, bytes, sizeof bytes, &options));
        CHECK_OK(sheaf_future_result(bytes, sizeof bytes, future, SHEAF_FOREVER));
        for (size_t i = 0; i < sizeof bytes; i++)
            CHECK(bytes[i] == 0);
        sheaf_future_release(future);
        sheaf_executor_close(executor);
    }
    sheaf_callable_release(callable);
    sheaf_callable_release(writes);
}

static void a_failure_has_the_functions_code_and_words(void)
{
    sheaf_callable *callable = load("refuse");
    for (size_t b = 0; b < 3; b++) {
        sheaf_executor *executor = open_executor(b, 2);
        for (int code = 1; code < 20; code++) {
            sheaf_future *future;
            sheaf_failure failure;
            CHECK_OK(sheaf_submit(&future, callable, &code, sizeof code,
                                  &(sheaf_submit_options){.executor = executor}));
            CHECK_STATUS(SHEAF_ERR_CALLABLE, sheaf_future_result(NULL, 0, future, SHEAF_FOREVER));
            CHECK((strstr(sheaf_last_error(), "is odd") != NULL) == (code % 2 != 0));
            CHECK_OK(sheaf_future_failure(&failure, future));
            CHECK(failure.status == SHEAF_ERR_CALLABLE && failure.code == code);
            CHECK((failure.worker >= 0) == (b > 0) && failure.signal == 0);
            CHECK(strcmp(failure.text, sheaf_last_error()) == 0);
            sheaf_future_release(future);
        }
        sheaf_executor_close(executor);
    }
    sheaf_callable_release(callable);
}

/* Sanitizers make crashes a report and an exit. */
static bool is_caught(int signal)
{
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    return signal == SIGSEGV || signal == SIGABRT;
#else
    (void)signal;
    return false;
#endif
}

static void a_worker_that_dies_fails_its_call_only(void)
{
    const int signals[] = {SIGKILL, SIGSEGV, SIGABRT, SIGTERM, 0};
    sheaf_callable *ends = load("end_worker");
    sheaf_callable *squares = load("square");
    sheaf_executor *executor = open_executor(2, 2);
    for (size_t s = 0; s < 5; s++) {
        sheaf_future *future;
        sheaf_failure failure;
        CHECK_OK(sheaf_submit(&future, ends, &signals[s], sizeof signals[s],
                              &(sheaf_submit_options){.executor = executor}));
        for (int64_t i = 0; i < 20; i++)
            CHECK(call(executor, squares, i) == i * i);
        CHECK_STATUS(SHEAF_ERR_WORKER, sheaf_future_wait(future, SHEAF_FOREVER) == SHEAF_OK
                                           ? sheaf_future_result(NULL, 0, future, 0)
                                           : SHEAF_OK);
        CHECK_OK(sheaf_future_failure(&failure, future));
        CHECK(failure.status == SHEAF_ERR_WORKER);
        CHECK(failure.signal == signals[s] || is_caught(signals[s]));
        CHECK(strstr(failure.text, "1 worker;") != NULL); /* one attempt */
        sheaf_future_release(future);
    }
    sheaf_executor_close(executor);
    sheaf_callable_release(ends);
    sheaf_callable_release(squares);
}

static void arrays_are_where_the_worker_has_them(void)
{
    int64_t n = 10000;
    size_t shape = (size_t)n;
    sheaf_array *arrays[4];
    sheaf_callable *callable = load("sum_arrays");
    for (size_t a = 0; a < 4; a++) {
        CHECK_OK(sheaf_create_anonymous(&arrays[a], SHEAF_I64, 1, &shape));
        for (int64_t i = 0; i < n; i++)
            ((int64_t *)sheaf_array_data(arrays[a]))[i] = i * (int64_t)(a + 1);
    }
    for (size_t b = 0; b < 3; b++) {
        sheaf_executor *executor = open_executor(b, 2);
        for (size_t count = 0; count <= 3; count++) {
            sheaf_future *future;
            int64_t sum;
            CHECK_OK(sheaf_submit(
                &future, callable, &n, sizeof n,
                &(sheaf_submit_options){.executor = executor,
                                        .result_bytes = sizeof sum,
                                        .array_count = count,
                                        .arrays = (const sheaf_array *const *)arrays}));
            CHECK_OK(sheaf_future_result(&sum, sizeof sum, future, SHEAF_FOREVER));
            CHECK(sum == (n - 1) * n / 2 * (int64_t)(count * (count + 1) / 2));
            sheaf_future_release(future);
        }
        sheaf_executor_close(executor);
    }
    sheaf_future *future;
    CHECK_STATUS(SHEAF_ERR_ARGUMENT,
                 sheaf_submit(&future, callable, &n, sizeof n,
                              &(sheaf_submit_options){
                                  .array_count = 4, .arrays = (const sheaf_array *const *)arrays}));
    for (size_t a = 0; a < 4; a++)
        sheaf_detach(arrays[a]);
    sheaf_callable_release(callable);
}

static void a_submit_inside_a_worker_runs_there(void)
{
    sheaf_callable *callable = load("nested");
    setenv("SHEAF_TEST_CALLABLES", CALLABLES, 1);
    for (size_t b = 0; b < 3; b++) {
        sheaf_executor *executor = open_executor(b, 1);
        CHECK(call(executor, callable, 9) == 81);
        sheaf_executor_close(executor);
    }
    sheaf_callable_release(callable);
}

static void work_outlives_its_callable(void)
{
    for (size_t b = 1; b < 3; b++) {
        sheaf_executor *executor = open_executor(b, 1);
        sheaf_future *futures[10];
        for (int64_t i = 0; i < 10; i++) {
            sheaf_callable *callable = load("square");
            CHECK_OK(sheaf_submit(
                &futures[i], callable, &i, sizeof i,
                &(sheaf_submit_options){.executor = executor, .result_bytes = sizeof i}));
            sheaf_callable_release(callable);
        }
        for (int64_t i = 0; i < 10; i++) {
            int64_t result;
            CHECK_OK(sheaf_future_result(&result, sizeof result, futures[i], SHEAF_FOREVER));
            CHECK(result == i * i);
            sheaf_future_release(futures[i]);
        }
        sheaf_executor_close(executor);
    }
}

static void a_deadline_is_for_processes(void)
{
    sheaf_callable *callable = load("nothing");
    sheaf_future *future;
    sheaf_submit_options options = {.deadline_ns = 1000000000};
    CHECK_STATUS(SHEAF_ERR_UNSUPPORTED, sheaf_submit(&future, callable, NULL, 0, &options));
    for (size_t b = 0; b < 3; b++) {
        options.executor = open_executor(b, 1);
        sheaf_status expected = b == 2 ? SHEAF_OK : SHEAF_ERR_UNSUPPORTED;
        CHECK_STATUS(expected, sheaf_submit(&future, callable, NULL, 0, &options));
        if (expected == SHEAF_OK) {
            CHECK_OK(sheaf_future_wait(future, SHEAF_FOREVER));
            sheaf_future_release(future);
        }
        sheaf_executor_close(options.executor);
    }
    sheaf_callable_release(callable);
}

static void an_overdue_call_fails_with_its_deadline(void)
{
    sheaf_callable *callable = load("sleep_us");
    sheaf_executor *pool = open_executor(2, 1);
    int64_t long_us = 60000000;
    int64_t short_us = 1000;
    sheaf_future *future;
    sheaf_failure failure;
    sheaf_submit_options options = {.executor = pool, .deadline_ns = 30000000};
    for (uint32_t attempts = 1; attempts <= 2; attempts++) {
        options.attempts = attempts;
        CHECK_OK(sheaf_submit(&future, callable, &long_us, sizeof long_us, &options));
        CHECK_OK(sheaf_future_wait(future, SHEAF_FOREVER));
        CHECK_OK(sheaf_future_failure(&failure, future));
        CHECK(failure.status == SHEAF_ERR_WORKER && failure.signal == SIGKILL);
        CHECK(strstr(failure.text, attempts == 1 ? "ended 1 worker;" : "ended 2 workers;") != NULL);
        CHECK(strstr(failure.text, "deadline of 30 ms") != NULL);
        sheaf_future_release(future);
    }
    options.deadline_ns = 20000000000;
    CHECK_OK(sheaf_submit(&future, callable, &short_us, sizeof short_us, &options));
    CHECK_OK(sheaf_future_wait(future, SHEAF_FOREVER));
    CHECK_OK(sheaf_future_failure(&failure, future));
    CHECK(failure.status == SHEAF_OK);
    sheaf_future_release(future);
    sheaf_executor_close(pool);
    sheaf_callable_release(callable);
}

static void bad_arguments_are_errors(void)
{
    sheaf_callable *callable = load("square");
    sheaf_future *future;
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_submit(NULL, callable, NULL, 0, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_submit(&future, NULL, NULL, 0, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_submit(&future, callable, NULL, 8, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT,
                 sheaf_submit(&future, callable, NULL, 0, &(sheaf_submit_options){.attempts = 99}));
    CHECK_STATUS(SHEAF_ERR_OVERFLOW,
                 sheaf_submit(&future, callable, NULL, 0,
                              &(sheaf_submit_options){.result_bytes = SIZE_MAX / 2}));
    sheaf_callable_release(callable);
}

/* ---- from this program ------------------------------------------------------------------------------ */

static int cube(const sheaf_task *task)
{
    int64_t x;
    memcpy(&x, task->arguments, sizeof x);
    x = x * x * x;
    memcpy(task->result, &x, sizeof x);
    return 0;
}

static void this_program_is_its_own_worker(void)
{
    sheaf_callable *cubes;
    sheaf_callable *squares = load("square");
    sheaf_callable *runs = load("who");
    CHECK_OK(sheaf_callable_open(&cubes, NULL, "cube"));
    for (size_t b = 0; b < 3; b++) {
        sheaf_executor *executor = open_executor(b, 2);
        for (int64_t i = 0; i < 20; i++)
            CHECK(call(executor, cubes, i) == i * i * i && call(executor, squares, i) == i * i);
        CHECK((call(executor, runs, 0) == getpid()) == (b < 2));
        sheaf_executor_close(executor);
    }
    sheaf_callable_release(cubes);
    sheaf_callable_release(squares);
    sheaf_callable_release(runs);
}

static void sheaf_worker_has_nothing_registered(void)
{
    sheaf_callable *cubes;
    sheaf_callable *squares = load("square");
    sheaf_executor *executor;
    sheaf_future *future;
    CHECK_OK(sheaf_callable_open(&cubes, NULL, "cube"));
    CHECK_OK(sheaf_executor_open(&executor, SHEAF_PROCESSES,
                                 &(sheaf_executor_options){.workers = 1, .worker_path = WORKER}));
    CHECK(call(executor, squares, 3) == 9);
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, sheaf_submit(&future, cubes, NULL, 0,
                                                   &(sheaf_submit_options){.executor = executor}));
    CHECK_ERROR_SAYS("sheaf_worker_main");
    sheaf_executor_close(executor);
    sheaf_callable_release(cubes);
    sheaf_callable_release(squares);
}

/* A worker of this program that has registered something else; see main(). */
static void another_registry_is_refused_at_hello(void)
{
    sheaf_executor *executor;
    setenv("SHEAF_TEST_REGISTER", "other", 1);
    CHECK_STATUS(SHEAF_ERR_WORKER, sheaf_executor_open(&executor, SHEAF_PROCESSES,
                                                       &(sheaf_executor_options){.workers = 1}));
    unsetenv("SHEAF_TEST_REGISTER");
    CHECK_ERROR_SAYS("sheaf_register");
    CHECK_ERROR_SAYS("sheaf_worker_main");
}

static void what_is_registered_late_is_an_error_of_its_call(void)
{
    sheaf_callable *late;
    sheaf_future *future;
    sheaf_executor *executor = open_executor(2, 1);
    CHECK_OK(sheaf_register("late", cube));
    CHECK_OK(sheaf_callable_open(&late, NULL, "late"));
    CHECK_OK(sheaf_submit(&future, late, NULL, 0, &(sheaf_submit_options){.executor = executor}));
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, sheaf_future_result(NULL, 0, future, SHEAF_FOREVER));
    CHECK_ERROR_SAYS("before sheaf_worker_main");
    sheaf_future_release(future);
    sheaf_callable_release(late);
    sheaf_executor_close(executor);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        CASE(arguments_go_in_and_results_come_out),
        CASE(any_size_goes),
        CASE(what_is_not_written_is_zero),
        CASE(a_failure_has_the_functions_code_and_words),
        CASE(a_worker_that_dies_fails_its_call_only),
        CASE(arrays_are_where_the_worker_has_them),
        CASE(a_submit_inside_a_worker_runs_there),
        CASE(work_outlives_its_callable),
        CASE(a_deadline_is_for_processes),
        CASE(an_overdue_call_fails_with_its_deadline),
        CASE(bad_arguments_are_errors),
        CASE(this_program_is_its_own_worker),
        CASE(sheaf_worker_has_nothing_registered),
        CASE(another_registry_is_refused_at_hello),
        CASE(what_is_registered_late_is_an_error_of_its_call),
    };
    CHECK_OK(sheaf_register("cube", cube));
    if (getenv("SHEAF_TEST_REGISTER") != NULL)
        CHECK_OK(sheaf_register(getenv("SHEAF_TEST_REGISTER"), cube));
    sheaf_worker_main(argc, argv);
    return check_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
