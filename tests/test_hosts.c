/* test_hosts.c -- hosts that are hard on a library: that close while others submit, change folders, forbid
 * large files or many threads, start workers that cannot work. */
#include "check.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sheaf/sheaf.h>

static sheaf_array *make_ones(size_t n)
{
    sheaf_array *array;
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_I32, 1, &n));
    for (size_t i = 0; i < n; i++)
        ((int32_t *)sheaf_array_data(array))[i] = 1;
    return array;
}

static void check_sum(const sheaf_array *array, sheaf_executor *executor)
{
    sheaf_scalar value;
    CHECK_OK(sheaf_reduce(&value, array, SHEAF_SUM, &(sheaf_reduce_options){.executor = executor}));
    CHECK(value.value.i64 == (int64_t)sheaf_array_size(array));
}

struct submitter {
    sheaf_executor *executor;
    pthread_t thread;
};

/* Submits until the executor is closed; all that was accepted ends, right. */
static void *submit_until_closed(void *argument)
{
    struct submitter *self = argument;
    for (;;) {
        sheaf_array *array = make_ones(2000000); /* its release takes a while */
        sheaf_future *future;
        sheaf_future *unwatched;
        sheaf_scalar value;
        sheaf_reduce_options options = {.executor = self->executor};
        sheaf_status status = sheaf_reduce_submit(&unwatched, array, SHEAF_MAX, &options);
        if (status == SHEAF_OK)
            status = sheaf_reduce_submit(&future, array, SHEAF_SUM, &options);
        else
            unwatched = NULL;
        sheaf_future_release(unwatched);
        sheaf_detach(array);
        if (status != SHEAF_OK) {
            CHECK(status == SHEAF_ERR_CLOSED);
            return NULL;
        }
        CHECK_OK(sheaf_future_result(&value, sizeof value, future, 20000000000));
        CHECK(value.value.i64 == 2000000);
        sheaf_future_release(future);
    }
}

static void what_is_accepted_while_closing_is_done(void)
{
    for (int round = 0; round < 20; round++) {
        struct submitter submitters[3];
        struct timespec pause = {0, 3000000 + round * 500000};
        sheaf_executor *executor;
        CHECK_OK(sheaf_executor_open(&executor, round % 2 == 0 ? SHEAF_THREADS : SHEAF_PROCESSES,
                                     &(sheaf_executor_options){.workers = 2}));
        for (size_t i = 0; i < 3; i++) {
            submitters[i].executor = executor;
            CHECK(pthread_create(&submitters[i].thread, NULL, submit_until_closed,
                                 &submitters[i]) == 0);
        }
        nanosleep(&pause, NULL);
        sheaf_executor_close(executor);
        for (size_t i = 0; i < 3; i++)
            CHECK(pthread_join(submitters[i].thread, NULL) == 0);
    }
}

/* The folder of this program, where sheaf-worker lies one higher. */
static void own_folder(char *folder, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", folder, size - 1);
    CHECK(length > 0);
    folder[length] = '\0';
    *strrchr(folder, '/') = '\0';
}

static void a_relative_worker_path_outlives_a_chdir(void)
{
    char folder[PATH_MAX];
    char before[PATH_MAX];
    sheaf_executor *executor;
    sheaf_array *array = make_ones(1000);
    own_folder(folder, sizeof folder);
    CHECK(getcwd(before, sizeof before) != NULL && chdir(folder) == 0);
    CHECK_OK(sheaf_executor_open(
        &executor, SHEAF_PROCESSES,
        &(sheaf_executor_options){.workers = 1, .worker_path = "../sheaf-worker"}));
    CHECK(chdir("/") == 0);
    for (int round = 0; round < 3; round++) {
        sheaf_worker_info info;
        CHECK_OK(sheaf_executor_worker(&info, executor, 0));
        if (info.pid != 0)
            kill(info.pid, SIGKILL);
        check_sum(array, executor);
    }
    CHECK(chdir(before) == 0);
    sheaf_executor_close(executor);
    sheaf_detach(array);
}

static void a_worker_without_room_for_the_board_is_a_start_that_failed(void)
{
    char folder[PATH_MAX - 64];
    char script[] = "/tmp/sheaf-test-worker-XXXXXX";
    sheaf_executor *executor;
    own_folder(folder, sizeof folder);
    int descriptor = mkstemp(script);
    CHECK(descriptor >= 0);
    dprintf(descriptor, "#!/bin/sh\nulimit -v 150000\nexec %s/../sheaf-worker \"$@\"\n", folder);
    CHECK(fchmod(descriptor, 0700) == 0 && close(descriptor) == 0);
    CHECK_STATUS(SHEAF_ERR_WORKER, sheaf_executor_open(&executor, SHEAF_PROCESSES,
                                                       &(sheaf_executor_options){
                                                           .workers = 2, .worker_path = script}));
    CHECK_ERROR_SAYS("before it said hello");
    CHECK(unlink(script) == 0);
}

/* Runs `part` in a forked child with a tight limit. */
static void with_limit(__rlimit_resource_t what, rlim_t limit, void (*part)(void))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit tight;
        CHECK(getrlimit(what, &tight) == 0);
        tight.rlim_cur = limit;
        CHECK(setrlimit(what, &tight) == 0);
        part();
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void open_and_create(void)
{
    sheaf_executor *executor;
    sheaf_array *array;
    size_t n = 1000000;
    CHECK_STATUS(SHEAF_ERR_NO_MEMORY, sheaf_executor_open(&executor, SHEAF_PROCESSES, NULL));
    CHECK_ERROR_SAYS("ulimit -f");
    CHECK(sheaf_create_anonymous(&array, SHEAF_F64, 1, &n) != SHEAF_OK);
    CHECK(sheaf_create(&array, check_key("limit"), SHEAF_F64, 1, &n, NULL) != SHEAF_OK);
    n = 10;
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_F64, 1, &n));
    sheaf_detach(array);
}

static void a_limit_on_file_size_is_an_error(void)
{
    with_limit(RLIMIT_FSIZE, 1 << 20, open_and_create);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static void open_many_threads(void)
{
    sheaf_executor *executor;
    sheaf_array *array = make_ones(1000000);
    CHECK_OK(
        sheaf_executor_open(&executor, SHEAF_THREADS, &(sheaf_executor_options){.workers = 200}));
    size_t workers = sheaf_executor_workers(executor);
    CHECK(workers >= 1 && workers < 200);
    check_sum(array, executor);
    sheaf_executor_close(executor);
    sheaf_detach(array);
}
#endif

static void threads_that_cannot_be_had_are_done_without(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    printf("  not under a sanitizer, whose shadow memory needs all address space\n");
#else
    with_limit(RLIMIT_AS, (rlim_t)1200 << 20, open_many_threads);
#endif
}

CHECK_MAIN(CASE(what_is_accepted_while_closing_is_done),
           CASE(a_relative_worker_path_outlives_a_chdir),
           CASE(a_worker_without_room_for_the_board_is_a_start_that_failed),
           CASE(a_limit_on_file_size_is_an_error),
           CASE(threads_that_cannot_be_had_are_done_without))
