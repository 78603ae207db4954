/* test_options.c -- what an executor can be told at its opening, and later: initializer, tasks per worker, idle timeout,
 * another number of workers, a full queue, the executor that a process shares. */
#include "check.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "callables.h"

static const sheaf_backend backends[] = {SHEAF_SEQUENTIAL, SHEAF_THREADS, SHEAF_PROCESSES};

/* A forked child has libgomp's memory for the threads of its parent's teams, and nobody to free it. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libgomp.so\n";
}

static sheaf_callable *load(const char *name)
{
    sheaf_callable *callable;
    CHECK_OK(sheaf_callable_open(&callable, CALLABLES, name));
    return callable;
}

static sheaf_future *submit(sheaf_executor *executor, const sheaf_callable *callable, int64_t x,
                            size_t result_bytes)
{
    sheaf_future *future;
    CHECK_OK(
        sheaf_submit(&future, callable, &x, sizeof x,
                     &(sheaf_submit_options){.executor = executor, .result_bytes = result_bytes}));
    return future;
}

static int64_t call(sheaf_executor *executor, const sheaf_callable *callable, int64_t x)
{
    int64_t result;
    sheaf_future *future = submit(executor, callable, x, sizeof result);
    CHECK_OK(sheaf_future_result(&result, sizeof result, future, SHEAF_FOREVER));
    sheaf_future_release(future);
    return result;
}

static void every_worker_is_initialized(void)
{
    sheaf_callable *notes = load("note_start");
    sheaf_callable *tells = load("tell_note");
    sheaf_executor *executor;
    for (size_t b = 0; b < 3; b++) {
        sheaf_executor_options options = {.workers = 2,
                                          .initializer = notes,
                                          .initializer_arguments = "good day",
                                          .initializer_argument_bytes = 9};
        unsetenv("SHEAF_TEST_NOTE");
        CHECK_OK(sheaf_executor_open(&executor, backends[b], &options));
        for (int i = 0; i < 20; i++) {
            char note[16] = "";
            sheaf_worker_info info;
            sheaf_future *future;
            if (b == 2 && i % 5 == 4) { /* those that replace others, too */
                CHECK_OK(sheaf_executor_worker(&info, executor, (size_t)i % 2));
                if (info.pid != 0)
                    kill(info.pid, SIGKILL);
            }
            CHECK_OK(sheaf_submit(&future, tells, NULL, 0,
                                  &(sheaf_submit_options){.executor = executor,
                                                          .result_bytes = sizeof note,
                                                          .attempts = 10}));
            CHECK_OK(sheaf_future_result(note, sizeof note, future, SHEAF_FOREVER));
            CHECK(strcmp(note, "good day") == 0);
            sheaf_future_release(future);
        }
        sheaf_executor_close(executor);
        options.initializer_arguments = "refuse";
        options.initializer_argument_bytes = 7;
        sheaf_status status = sheaf_executor_open(&executor, backends[b], &options);
        CHECK(status == (b == 0 ? SHEAF_ERR_CALLABLE : SHEAF_ERR_WORKER));
        CHECK_ERROR_SAYS("no start today");
    }
    sheaf_callable_release(notes);
    sheaf_callable_release(tells);
}

static void a_worker_is_replaced_after_its_tasks(void)
{
    sheaf_callable *runs = load("which_thread");
    sheaf_callable *indices = load("square_index");
    sheaf_executor *executor;
    int64_t ids[30];
    static int64_t results[1000];
    for (size_t b = 0; b < 3; b++) {
        CHECK_OK(sheaf_executor_open(
            &executor, backends[b],
            &(sheaf_executor_options){.workers = 1, .tasks_per_worker = 10, .idle_ns = INT64_MAX}));
        for (int i = 0; i < 30; i++)
            ids[i] = call(executor, runs, 0);
        for (int i = 0; i < 30; i++) /* the caller is nobody's to replace */
            CHECK(ids[i] == ids[i - i % 10] && (i < 10 || (ids[i] != ids[i - 10]) == (b > 0)));
        for (int round = 0; round < 2; round++) {
            memset(results, 0, sizeof results);
            CHECK_OK(sheaf_map(
                results, indices, 100,
                &(sheaf_map_options){.executor = executor, .chunk = 1, .result_bytes = 8}));
            for (int64_t i = 0; i < 100; i++)
                CHECK(results[i] == i * i);
        }
        sheaf_executor_close(executor);
    }
    sheaf_callable_release(runs);
    sheaf_callable_release(indices);
}

/* Whether so many workers are there, within 5 s. */
static bool becomes(sheaf_executor *executor, size_t expected)
{
    for (int i = 0; i < 5000; i++) {
        sheaf_executor_counters counters;
        CHECK_OK(sheaf_executor_stats(&counters, executor));
        if (counters.workers_busy + counters.workers_idle == expected)
            return true;
        check_sleep_us(1000);
    }
    return false;
}

static size_t threads_of_ours(void)
{
    size_t count = 0;
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(tasks);
    return count;
}

static bool threads_become(size_t expected)
{
    for (int i = 0; i < 5000 && threads_of_ours() != expected; i++)
        check_sleep_us(1000);
    return threads_of_ours() == expected;
}

static void idle_workers_leave_and_come_back(void)
{
    sheaf_callable *squares = load("square");
    sheaf_callable *sleeps = load("sleep_us");
    sheaf_executor_counters counters;
    for (size_t b = 0; b < 3; b++) {
        sheaf_executor *executor;
        CHECK_OK(sheaf_executor_open(&executor, backends[b],
                                     &(sheaf_executor_options){.workers = 2, .idle_ns = 20000000}));
        size_t threads = threads_of_ours();
        for (int round = 0; round < 2; round++) {
            CHECK(becomes(executor, 0));
            CHECK(b != 1 || threads_become(threads - 2));
            for (int64_t i = 0; i < 20; i++)
                CHECK(call(executor, squares, i) == i * i);
        }
        for (int64_t i = 0; i < 30; i++) { /* just as they leave */
            check_sleep_us(15000 + i * 400);
            CHECK(call(executor, squares, i) == i * i);
        }
        /* Who has nothing to do while another works stays away. */
        sheaf_future *nap = submit(executor, sleeps, 300000, 0);
        while (b > 0 && !sheaf_future_running(nap))
            check_sleep_us(100);
        check_sleep_us(150000);
        CHECK_OK(sheaf_executor_stats(&counters, executor));
        CHECK(b == 0 || sheaf_future_done(nap) ||
              (counters.workers_busy == 1 && counters.workers_absent == 1));
        uint64_t restarts = counters.restarts;
        check_sleep_us(60000);
        CHECK_OK(sheaf_executor_stats(&counters, executor));
        CHECK(counters.restarts == restarts);
        CHECK_OK(sheaf_future_wait(nap, SHEAF_FOREVER));
        sheaf_future_release(nap);
        sheaf_executor_close(executor);
    }
    sheaf_callable_release(squares);
    sheaf_callable_release(sleeps);
}

static void resized_while_it_works(void)
{
    sheaf_callable *indices = load("square_index");
    sheaf_callable *sleeps = load("sleep_us");
    static int64_t results[3000];
    for (size_t form = 0; form < 3; form++) { /* a team, single threads, processes */
        const size_t sizes[] = {1, 5, 2, 12, 3, 1, 8};
        sheaf_executor *executor;
        sheaf_future *naps[40];
        CHECK_OK(sheaf_executor_open(
            &executor, form < 2 ? SHEAF_THREADS : SHEAF_PROCESSES,
            &(sheaf_executor_options){.workers = 2, .tasks_per_worker = form == 1 ? 1000 : 0}));
        for (size_t i = 0; i < 40; i++)
            naps[i] = submit(executor, sleeps, 2000, 0);
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            sheaf_future *future;
            CHECK_OK(sheaf_map_submit(
                &future, indices, 3000,
                &(sheaf_map_options){.executor = executor, .chunk = 1, .result_bytes = 8}));
            CHECK_OK(sheaf_executor_resize(executor, sizes[s]));
            CHECK(sheaf_executor_workers(executor) == sizes[s]);
            CHECK_OK(sheaf_future_result(results, sizeof results, future, SHEAF_FOREVER));
            for (int64_t i = 0; i < 3000; i++)
                CHECK(results[i] == i * i);
            sheaf_future_release(future);
            CHECK(becomes(executor, sizes[s]));
        }
        for (size_t i = 0; i < 40; i++) {
            CHECK_OK(sheaf_future_result(NULL, 0, naps[i], SHEAF_FOREVER));
            sheaf_future_release(naps[i]);
        }
        CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_executor_resize(executor, 0));
        sheaf_executor_close(executor);
        CHECK_STATUS(SHEAF_ERR_CLOSED, sheaf_executor_resize(executor, 2));
    }
    sheaf_callable_release(indices);
    sheaf_callable_release(sleeps);
}

/* A team whose size is set back before all of its threads have looked: those that have left come back. */
static void a_number_that_comes_back_is_all_there(void)
{
    sheaf_callable *sleeps = load("sleep_us");
    for (size_t b = 1; b < 3; b++) {
        sheaf_executor *executor;
        CHECK_OK(
            sheaf_executor_open(&executor, backends[b], &(sheaf_executor_options){.workers = 3}));
        sheaf_future *nap = submit(executor, sleeps, 60000, 0);
        while (!sheaf_future_running(nap))
            check_sleep_us(100);
        CHECK_OK(sheaf_executor_resize(executor, 2));
        check_sleep_us(20000);
        CHECK_OK(sheaf_executor_resize(executor, 3));
        CHECK_OK(sheaf_future_wait(nap, SHEAF_FOREVER));
        CHECK(becomes(executor, 3));
        sheaf_future_release(nap);
        sheaf_executor_close(executor);
    }
    sheaf_callable_release(sleeps);
}

/* Who is to leave does so between two tasks, and has begun nothing that it leaves undone. */
static void who_leaves_begins_nothing_more(void)
{
    sheaf_callable *sleeps = load("sleep_us");
    for (size_t b = 1; b < 3; b++) {
        sheaf_executor *executor;
        sheaf_future *naps[8];
        CHECK_OK(
            sheaf_executor_open(&executor, backends[b],
                                &(sheaf_executor_options){.workers = 1, .tasks_per_worker = 1}));
        for (int i = 0; i < 8; i++)
            naps[i] = submit(executor, sleeps, i == 0 ? 1000 : 300000, 0);
        CHECK_OK(sheaf_future_wait(naps[0], SHEAF_FOREVER));
        for (int i = 7; i > 0; i--) /* the last is begun 1.8 s from now at the earliest */
            CHECK(sheaf_future_cancel(naps[i]) || i < 7);
        for (int i = 0; i < 8; i++)
            sheaf_future_release(naps[i]);
        sheaf_executor_close(executor);
    }
    sheaf_callable_release(sleeps);
}

struct resizer {
    sheaf_executor *executor;
    _Atomic bool is_over;
};

static void *resize_often(void *argument)
{
    struct resizer *self = argument;
    for (size_t i = 0; !atomic_load(&self->is_over); i++) {
        CHECK_OK(sheaf_executor_resize(self->executor, 1 + i * 5 % 6));
        check_sleep_us((long)(i * 377 % 1500));
    }
    return NULL;
}

/* A synchronous caller is one more worker of its job, whoever leaves it. */
static void the_caller_works_along_while_others_leave(void)
{
    size_t n = 400000;
    sheaf_array *array;
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_F64, 1, &n));
    for (size_t i = 0; i < n; i++)
        ((double *)sheaf_array_data(array))[i] = 1.0 / (double)(i + 1);
    sheaf_scalar expected;
    CHECK_OK(sheaf_reduce(&expected, array, SHEAF_SUM, NULL));
    for (size_t form = 0; form < 4; form++) {
        struct resizer resizer = {.is_over = false};
        pthread_t threads[2]; /* two at once: the last one holds, everywhere */
        sheaf_executor_options options = {.workers = 4,
                                          .tasks_per_worker = form == 1 ? 3 : 0,
                                          .idle_ns = form == 2 ? 1000000 : 0};
        CHECK_OK(sheaf_executor_open(&resizer.executor, form < 3 ? SHEAF_THREADS : SHEAF_PROCESSES,
                                     &options));
        for (size_t i = 0; i < 2; i++)
            CHECK(pthread_create(&threads[i], NULL, resize_often, &resizer) == 0);
        for (int round = 0; round < 150; round++) {
            sheaf_scalar sum;
            CHECK_OK(sheaf_reduce(&sum, array, SHEAF_SUM,
                                  &(sheaf_reduce_options){.executor = resizer.executor}));
            CHECK(sum.value.f64 == expected.value.f64);
        }
        atomic_store(&resizer.is_over, true);
        for (size_t i = 0; i < 2; i++)
            CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(form == 2 || becomes(resizer.executor, sheaf_executor_workers(resizer.executor)));
        sheaf_executor_close(resizer.executor);
    }
    sheaf_detach(array);
}

enum { PLACES = 1024 };

static void *release_some(void *futures)
{
    check_sleep_us(20000);
    for (size_t i = 0; i < 10; i++)
        sheaf_future_release(((sheaf_future **)futures)[i]);
    return NULL;
}

static void a_full_queue_is_busy_or_blocks(void)
{
    sheaf_callable *nothing = load("nothing");
    sheaf_callable *sleeps = load("sleep_us");
    for (size_t b = 1; b < 3; b++)
        for (int blocks = 0; blocks < 2; blocks++) {
            sheaf_executor *executor;
            sheaf_future *futures[PLACES];
            sheaf_future *more[10];
            pthread_t thread;
            CHECK_OK(sheaf_executor_open(
                &executor, backends[b],
                &(sheaf_executor_options){
                    .workers = 1, .when_full = blocks ? SHEAF_FULL_BLOCKS : SHEAF_FULL_IS_BUSY}));
            for (size_t i = 0; i < PLACES - 1; i++)
                futures[i] = submit(executor, nothing, 0, 0);
            /* The last of all, so that it has not ended when places are let go, however long it took to get here. */
            futures[PLACES - 1] = submit(executor, sleeps, 400000, 0);
            if (!blocks)
                CHECK_STATUS(SHEAF_ERR_BUSY,
                             sheaf_submit(&more[0], nothing, NULL, 0,
                                          &(sheaf_submit_options){.executor = executor}));
            if (!blocks)
                CHECK_ERROR_SAYS("release");
            CHECK(pthread_create(&thread, NULL, release_some, futures) == 0);
            if (!blocks)
                CHECK(pthread_join(thread, NULL) == 0);
            CHECK_OK(sheaf_future_wait(futures[PLACES - 2], SHEAF_FOREVER));
            for (size_t i = 0; i < 10; i++) /* as places become free */
                more[i] = submit(executor, nothing, 0, 0);
            if (blocks)
                CHECK(pthread_join(thread, NULL) == 0);
            CHECK_OK(sheaf_wait(more, 10, SHEAF_ALL_COMPLETED, SHEAF_FOREVER));
            CHECK_OK(sheaf_future_wait(futures[PLACES - 1], SHEAF_FOREVER));
            sheaf_future
                *none; /* all have ended, and nobody lets go: that is no reason to wait for ever */
            CHECK_STATUS(SHEAF_ERR_BUSY,
                         sheaf_submit(&none, nothing, NULL, 0,
                                      &(sheaf_submit_options){.executor = executor}));
            for (size_t i = 0; i < 10; i++)
                sheaf_future_release(more[i]);
            for (size_t i = 10; i < PLACES; i++)
                sheaf_future_release(futures[i]);
            sheaf_executor_close(executor);
        }
    sheaf_callable_release(nothing);
    sheaf_callable_release(sleeps);
}

static void *submit_many(void *executor)
{
    sheaf_callable *squares = load("square");
    sheaf_future *futures[200];
    for (int round = 0; round < 3; round++) {
        for (int64_t i = 0; i < 200; i++)
            futures[i] = submit(executor, squares, i, 8);
        for (int64_t i = 0; i < 200; i++) {
            int64_t result;
            CHECK_OK(sheaf_future_result(&result, sizeof result, futures[i], SHEAF_FOREVER));
            CHECK(result == i * i);
            sheaf_future_release(futures[i]);
        }
    }
    sheaf_callable_release(squares);
    return NULL;
}

static void a_thousand_jobs_of_five_threads(void)
{
    for (size_t b = 1; b < 3; b++) {
        sheaf_executor *executor;
        pthread_t threads[5];
        CHECK_OK(
            sheaf_executor_open(&executor, backends[b], &(sheaf_executor_options){.workers = 2}));
        for (size_t i = 0; i < 5; i++)
            CHECK(pthread_create(&threads[i], NULL, submit_many, executor) == 0);
        for (size_t i = 0; i < 5; i++)
            CHECK(pthread_join(threads[i], NULL) == 0);
        sheaf_executor_close(executor);
    }
}

static void one_executor_for_the_process(void)
{
    sheaf_callable *squares = load("square");
    sheaf_executor *first;
    sheaf_executor *again;
    sheaf_executor_options options = {.workers = 2};
    CHECK_OK(sheaf_executor_reusable(&first, SHEAF_PROCESSES, &options));
    CHECK(call(first, squares, 7) == 49);
    CHECK_OK(sheaf_executor_reusable(&again, SHEAF_PROCESSES, &options));
    CHECK(again == first);
    options.workers = 3;
    CHECK_OK(sheaf_executor_reusable(&again, SHEAF_PROCESSES, &options));
    CHECK(again == first && sheaf_executor_workers(first) == 3);
    CHECK(call(again, squares, 8) == 64);
    options.spin = SHEAF_SPIN_NEVER; /* something else */
    CHECK_OK(sheaf_executor_reusable(&again, SHEAF_PROCESSES, &options));
    CHECK(again != first && call(again, squares, 9) == 81);
    sheaf_executor_shutdown(first, 0); /* it was begun already */
    sheaf_executor_close(again);
    CHECK_OK(
        sheaf_executor_reusable(&first, SHEAF_PROCESSES, &options)); /* a closed one is of no use */
    CHECK(call(first, squares, 10) == 100);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) { /* its parent's is of no use to it */
        CHECK_OK(sheaf_executor_reusable(&again, SHEAF_SEQUENTIAL, &options));
        CHECK_OK(sheaf_executor_reusable(&first, SHEAF_SEQUENTIAL, &options));
        CHECK(first == again && call(first, squares, 11) == 121);
#ifndef __SANITIZE_THREAD__ /* which ends a forked child that starts threads */
        CHECK_OK(sheaf_executor_reusable(&again, SHEAF_PROCESSES, &options));
        CHECK(call(again, squares, 12) == 144);
        sheaf_executor_close(again);
#endif
        exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK_OK(sheaf_executor_reusable(&again, SHEAF_PROCESSES, &options));
    CHECK(again == first && call(first, squares, 13) == 169);
    sheaf_executor_close(first);
    sheaf_callable_release(squares);
}

/* Options in memory that held something else: what lies between the fields is no option. */
static void options_are_compared_by_their_fields(void)
{
    sheaf_callable *squares = load("square");
    sheaf_executor *first;
    sheaf_executor *again;
    sheaf_executor_options fields[2];
    for (int i = 0; i < 2; i++) {
        memset(&fields[i], i == 0 ? 0 : 0xff, sizeof fields[i]);
        fields[i].workers = 2;
        fields[i].spin = SHEAF_SPIN_AUTO;
        fields[i].worker_path = NULL;
        fields[i].deadline_ns = 0;
        fields[i].attempts_max = 2;
        fields[i].when_full = SHEAF_FULL_BLOCKS;
        fields[i].initializer = NULL;
        fields[i].initializer_arguments = NULL;
        fields[i].initializer_argument_bytes = 0;
        fields[i].tasks_per_worker = 1000;
        fields[i].idle_ns = 1000000000;
    }
    CHECK_OK(sheaf_executor_reusable(&first, SHEAF_THREADS, &fields[0]));
    CHECK_OK(sheaf_executor_reusable(&again, SHEAF_THREADS, &fields[1]));
    CHECK(again == first && call(first, squares, 14) == 196);
    sheaf_executor_close(first);
    do { /* its handle becomes somebody else's, who keeps it */
        CHECK_OK(sheaf_executor_open(&again, SHEAF_SEQUENTIAL, NULL));
        if (again != first)
            sheaf_executor_close(again);
    } while (again != first);
    CHECK_OK(sheaf_executor_reusable(&again, SHEAF_SEQUENTIAL, &fields[0]));
    CHECK(again != first && call(first, squares, 15) == 225);
    sheaf_executor_close(first);
    sheaf_executor_close(again);
    sheaf_callable_release(squares);
}

CHECK_MAIN(CASE(every_worker_is_initialized), CASE(a_worker_is_replaced_after_its_tasks),
           CASE(idle_workers_leave_and_come_back), CASE(resized_while_it_works),
           CASE(a_number_that_comes_back_is_all_there), CASE(who_leaves_begins_nothing_more),
           CASE(the_caller_works_along_while_others_leave), CASE(a_full_queue_is_busy_or_blocks),
           CASE(a_thousand_jobs_of_five_threads), CASE(one_executor_for_the_process),
           CASE(options_are_compared_by_their_fields))
