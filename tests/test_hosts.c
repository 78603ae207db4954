/* test_hosts.c -- hosts that are hard on a library: that close while others submit, change folders, forbid
 * large files or many threads, start workers that cannot work. */
#include "check.h"

#include <dlfcn.h>
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

#include "job/board.h"

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

static void *kill_it(void *executor)
{
    CHECK_OK(sheaf_executor_shutdown(executor, SHEAF_SHUTDOWN_KILL));
    CHECK(sheaf_executor_workers(executor) == 0); /* closed, whoever was first */
    return NULL;
}

static void closing_from_several_threads_at_once_is_safe(void)
{
    sheaf_array *array = make_ones(1000000);
    for (int round = 0; round < 40; round++) {
        pthread_t threads[2];
        sheaf_executor *executor;
        sheaf_future *future;
        struct timespec pause = {0, round * 20000};
        CHECK_OK(sheaf_executor_open(&executor, round % 4 != 0 ? SHEAF_THREADS : SHEAF_PROCESSES,
                                     &(sheaf_executor_options){.workers = 2}));
        CHECK_OK(sheaf_reduce_submit(&future, array, SHEAF_SUM,
                                     &(sheaf_reduce_options){.executor = executor}));
        for (size_t i = 0; i < 2; i++)
            CHECK(pthread_create(&threads[i], NULL, kill_it, executor) == 0);
        nanosleep(&pause, NULL);
        sheaf_executor_close(executor);
        for (size_t i = 0; i < 2; i++)
            CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(sheaf_future_done(future));
        sheaf_future_release(future);
    }
    sheaf_detach(array);
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
    with_limit(RLIMIT_AS, BOARD_BYTES + ((rlim_t)944 << 20), open_many_threads);
#endif
}

/* ---- threads of others, and the terminal --------------------------------------------------------- */

/* OpenMP's team of this thread, which waits for its next region. */
static void use_openmp(void)
{
#if defined(_OPENMP) &&                                                                            \
    !defined(__SANITIZE_THREAD__) /* which does not know how libgomp hands over */
    _Atomic int threads = 0;
#pragma omp parallel num_threads(4)
    atomic_fetch_add(&threads, 1);
    CHECK(atomic_load(&threads) >= 1);
#endif
}

/* OpenBLAS's threads, by a product that is large enough for them. */
static void use_openblas(void)
{
    enum { N = 400 };
    static double a[N * N];
    static double c[N * N];
    void *openblas = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (openblas == NULL) {
        printf("  no libopenblas.so.0: without it\n");
        return;
    }
    void (*multiply)(int, int, int, int, int, int, double, const double *, int, const double *, int,
                     double, double *, int);
    *(void **)&multiply = dlsym(openblas, "cblas_dgemm");
    CHECK(multiply != NULL);
    for (size_t i = 0; i < N; i++)
        a[i * N + i] = 2;
    multiply(101, 111, 111, N, N, N, 1, a, N, a, N, 0, c, N); /* row-major, nothing transposed */
    CHECK(c[0] == 4 && c[1] == 0); /* it stays loaded, and its threads wait */
}

static void a_pool_opens_after_openmp_and_openblas(void)
{
    sheaf_array *array = make_ones(1000000);
    use_openmp();
    use_openblas();
    for (int round = 0; round < 3; round++) {
        sheaf_executor *executor;
        CHECK_OK(sheaf_executor_open(&executor, SHEAF_PROCESSES,
                                     &(sheaf_executor_options){.workers = 3}));
        check_sum(array, executor);
        use_openmp();
        use_openblas();
        check_sum(array, executor);
        check_sum(array, NULL);
        sheaf_executor_close(executor);
    }
    sheaf_detach(array);
}

static volatile sig_atomic_t interrupts;

static void count_interrupt(int signal)
{
    (void)signal;
    interrupts++;
}

/* What a terminal does at Ctrl-C: the signal goes to the whole foreground process group. */
static void ctrl_c_reaches_the_host_alone(void)
{
    struct sigaction count = {.sa_handler = count_interrupt};
    struct sigaction before;
    sheaf_worker_info workers[2];
    sheaf_executor *executor;
    sheaf_array *array = make_ones(1000000);
    CHECK(setpgid(0, 0) == 0 ||
          getpgrp() == getpid()); /* a group of our own: without the test driver */
    CHECK(sigaction(SIGINT, &count, &before) == 0);
    CHECK_OK(
        sheaf_executor_open(&executor, SHEAF_PROCESSES, &(sheaf_executor_options){.workers = 2}));
    for (size_t i = 0; i < 2; i++)
        CHECK_OK(sheaf_executor_worker(&workers[i], executor, i));
    for (int round = 1; round <= 5; round++) {
        CHECK(kill(0, SIGINT) == 0);
        CHECK(interrupts == round);
        check_sum(array, executor);
    }
    for (size_t i = 0; i < 2; i++) {
        sheaf_worker_info now;
        CHECK_OK(sheaf_executor_worker(&now, executor, i));
        CHECK(now.pid == workers[i].pid && now.incarnation == 1);
        CHECK(getpgid(now.pid) == now.pid);
    }
    CHECK(sigaction(SIGINT, &before, NULL) == 0);
    sheaf_executor_close(executor);
    sheaf_detach(array);
}

/* A host that changes its environment all the time: workers have that of the opening, and no start trips over it. */
static void *change_environment(void *is_over)
{
    char name[32];
    for (unsigned i = 0; !atomic_load((_Atomic bool *)is_over); i++) {
        snprintf(name, sizeof name, "SHEAF_TEST_%u", i % 500);
        CHECK(i / 500 % 2 == 0 ? setenv(name, "some value", 1) == 0 : unsetenv(name) == 0);
    }
    return NULL;
}

static void a_host_that_changes_its_environment_is_tolerated(void)
{
    pthread_t thread;
    _Atomic bool is_over = false;
    sheaf_executor *executor;
    sheaf_array *array = make_ones(100000);
    CHECK_OK(
        sheaf_executor_open(&executor, SHEAF_PROCESSES, &(sheaf_executor_options){.workers = 2}));
    CHECK(pthread_create(&thread, NULL, change_environment, &is_over) == 0);
    for (int round = 0; round < 40; round++) {
        sheaf_worker_info info;
        CHECK_OK(sheaf_executor_worker(&info, executor, (size_t)round % 2));
        if (info.pid != 0)
            kill(info.pid, SIGKILL);
        /* With an instruction set named: else the call itself looks at the environment, which C forbids here. */
        sheaf_scalar value;
        CHECK_OK(sheaf_reduce(&value, array, SHEAF_SUM,
                              &(sheaf_reduce_options){.executor = executor, .isa = "scalar"}));
        CHECK(value.value.i64 == 100000);
    }
    atomic_store(&is_over, true);
    CHECK(pthread_join(thread, NULL) == 0);
    sheaf_executor_close(executor);
    sheaf_detach(array);
}

CHECK_MAIN(CASE(what_is_accepted_while_closing_is_done),
           CASE(closing_from_several_threads_at_once_is_safe),
           CASE(a_relative_worker_path_outlives_a_chdir),
           CASE(a_worker_without_room_for_the_board_is_a_start_that_failed),
           CASE(a_limit_on_file_size_is_an_error),
           CASE(threads_that_cannot_be_had_are_done_without),
           CASE(a_pool_opens_after_openmp_and_openblas), CASE(ctrl_c_reaches_the_host_alone),
           CASE(a_host_that_changes_its_environment_is_tolerated))
