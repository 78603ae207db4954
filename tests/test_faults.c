/* test_faults.c -- workers and owners that die, stop, and come back: right bits, no hang, nothing left. */
#include "check.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sheaf/sheaf.h>

#include "base/clock.h"

enum { WORKERS = 3 };

static sheaf_array *make_doubles(size_t n)
{
    sheaf_array *array;
    unsigned long long state = n;
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_F64, 1, &n));
    double *x = sheaf_array_data(array);
    for (size_t i = 0; i < n; i++)
        x[i] = (double)(long long)check_random(&state) * (double)(1ULL << (i * 7 % 40));
    return array;
}

static sheaf_executor *open_pool(size_t workers)
{
    sheaf_executor *pool;
    CHECK_OK(
        sheaf_executor_open(&pool, SHEAF_PROCESSES, &(sheaf_executor_options){.workers = workers}));
    return pool;
}

static sheaf_scalar sum_of(const sheaf_array *array, sheaf_executor *executor)
{
    sheaf_scalar value;
    CHECK_OK(sheaf_reduce(&value, array, SHEAF_SUM, &(sheaf_reduce_options){.executor = executor}));
    return value;
}

static pid_t worker_pid(const sheaf_executor *pool, size_t index)
{
    sheaf_worker_info info;
    CHECK_OK(sheaf_executor_worker(&info, pool, index));
    return info.pid;
}

/* A thread that sends a signal to one worker after another, every so often. */
struct tormentor {
    sheaf_executor *pool;
    int signal;
    long every_us;
    _Atomic bool is_over;
    int sent;
    pthread_t thread;
};

static void *torment(void *argument)
{
    struct tormentor *self = argument;
    unsigned long long state = 1;
    while (!atomic_load(&self->is_over)) {
        pid_t pid = worker_pid(self->pool, check_random(&state) % WORKERS);
        if (pid != 0) { /* a pid may be a dead worker's: not yet reaped, so nobody else's */
            self->sent += kill(pid, self->signal) == 0;
            if (self->signal == SIGSTOP) {
                check_sleep_us(self->every_us);
                kill(pid, SIGCONT);
            }
        }
        check_sleep_us(self->every_us + (long)(check_random(&state) % 1000));
    }
    return NULL;
}

static void begin(struct tormentor *tormentor)
{
    CHECK(pthread_create(&tormentor->thread, NULL, torment, tormentor) == 0);
}

static void end(struct tormentor *tormentor)
{
    atomic_store(&tormentor->is_over, true);
    CHECK(pthread_join(tormentor->thread, NULL) == 0);
    CHECK(tormentor->sent > 0);
}

/* One result of each kind of operation: merged numbers, merged nodes, and written elements. */
struct results {
    double sum;
    uint8_t hash[SHEAF_HASH_BYTES];
    double values[400 * 10];
};

static void compute(struct results *out, const sheaf_array *array, sheaf_executor *executor)
{
    const size_t matrices[] = {400, 100, 10};
    const size_t rows[] = {400, 10};
    sheaf_array *a;
    sheaf_array *values;
    sheaf_svd_report report;
    out->sum = sum_of(array, executor).value.f64;
    CHECK_OK(sheaf_hash(out->hash, array, &(sheaf_hash_options){.executor = executor}));
    CHECK_OK(sheaf_create_anonymous(&a, SHEAF_F64, 3, matrices));
    CHECK_OK(sheaf_create_anonymous(&values, SHEAF_F64, 2, rows));
    memcpy(sheaf_array_data(a), sheaf_array_data(array), sheaf_array_bytes(a));
    CHECK_OK(sheaf_svd_values(values, &report, a, &(sheaf_svd_options){.executor = executor}));
    CHECK(report.failures == 0);
    memcpy(out->values, sheaf_array_data(values), sizeof out->values);
    sheaf_detach(values);
    sheaf_detach(a);
}

/* The same bits, but for what LAPACK computed, which promises none: the same to 1e-12 of the largest. */
static bool are_equal(const struct results *a, const struct results *b)
{
    bool is_equal = a->sum == b->sum && memcmp(a->hash, b->hash, sizeof a->hash) == 0;
    for (size_t i = 0; i < sizeof a->values / sizeof a->values[0]; i++)
        is_equal &= fabs(a->values[i] - b->values[i]) <= 1e-12 * a->values[i / 10 * 10];
    return is_equal;
}

static void results_survive(int signal, long every_us, int64_t for_ns)
{
    static struct results expected;
    static struct results got;
    sheaf_array *array = make_doubles(4000000);
    sheaf_executor *pool = open_pool(WORKERS);
    struct tormentor tormentor = {.pool = pool, .signal = signal, .every_us = every_us};
    int64_t until = clock_now_ns() + for_ns;
    compute(&expected, array, NULL);
    begin(&tormentor);
    int rounds = 0;
    for (; clock_now_ns() < until; rounds++) {
        compute(&got, array, pool);
        CHECK(are_equal(&got, &expected));
    }
    end(&tormentor);
    compute(&got, array, pool); /* the pool stays usable */
    CHECK(are_equal(&got, &expected));
    printf("  %d rounds, %d signals\n", rounds, tormentor.sent);
    sheaf_executor_close(pool);
    sheaf_detach(array);
}

static void killed_workers_do_not_change_results(void)
{
    results_survive(SIGKILL, 4000, 4000000000);
}

static void stopped_workers_do_not_change_results(void)
{
    results_survive(SIGSTOP, 3000, 2000000000);
}

static void a_node_that_keeps_killing_fails_with_the_signal(void)
{
    /* One huge task: every worker that takes it crashes before it is done. */
    sheaf_array *array = make_doubles(30000000);
    sheaf_executor *pool = open_pool(1);
    sheaf_future *future;
    sheaf_failure failure;
    sheaf_scalar value;
    CHECK_OK(sheaf_hash_submit(&future, array,
                               &(sheaf_hash_options){.executor = pool, .isa = "scalar"}));
    while (!sheaf_future_done(future)) {
        pid_t pid = worker_pid(pool, 0);
        if (pid != 0)
            kill(pid, SIGSYS); /* which no sanitizer catches */
        check_sleep_us(200);
    }
    CHECK_OK(sheaf_future_failure(&failure, future));
    CHECK(failure.status == SHEAF_ERR_WORKER);
    CHECK(strstr(failure.text, "signal 31") != NULL ||
          strstr(failure.text, "before it said hello") != NULL);
    CHECK_STATUS(SHEAF_ERR_WORKER, sheaf_future_result(&value, SHEAF_HASH_BYTES, future, 0));
    sheaf_future_release(future);
    sheaf_executor_close(pool);
    sheaf_detach(array);
}

static void all_workers_die_at_once_and_the_job_ends(void)
{
    sheaf_array *array = make_doubles(20000000);
    sheaf_executor *pool = open_pool(WORKERS);
    double expected = sum_of(array, NULL).value.f64;
    for (int round = 0; round < 8; round++) {
        sheaf_future *future;
        sheaf_scalar value;
        CHECK_OK(sheaf_reduce_submit(&future, array, SHEAF_SUM,
                                     &(sheaf_reduce_options){.executor = pool}));
        check_sleep_us(round * 1500);
        for (size_t i = 0; i < WORKERS; i++) {
            pid_t pid = worker_pid(pool, i);
            if (pid != 0)
                kill(pid, SIGKILL);
        }
        CHECK_OK(sheaf_future_result(&value, sizeof value, future, 20000000000));
        CHECK(value.value.f64 == expected);
        sheaf_future_release(future);
    }
    sheaf_executor_close(pool);
    sheaf_detach(array);
}

/* Ends the only worker once a new one is there and idle; false if that is not within two seconds. */
static bool kill_next(sheaf_executor *pool, uint64_t *last)
{
    for (int i = 0; i < 2000; i++) {
        sheaf_executor_counters counters;
        sheaf_worker_info info;
        CHECK_OK(sheaf_executor_stats(&counters, pool));
        CHECK_OK(sheaf_executor_worker(&info, pool, 0));
        if (info.pid != 0 && info.incarnation != *last && counters.workers_idle == 1) {
            *last = info.incarnation;
            return kill(info.pid, SIGKILL) == 0;
        }
        check_sleep_us(1000);
    }
    return false;
}

static void workers_that_die_idle_are_replaced(void)
{
    sheaf_array *array = make_doubles(1000);
    sheaf_executor *pool = open_pool(2);
    sheaf_worker_info before;
    sheaf_worker_info after;
    CHECK_OK(sheaf_executor_worker(&before, pool, 1));
    CHECK(before.pid > 0 && kill(before.pid, SIGTERM) == 0);
    int64_t until = clock_now_ns() + 5000000000;
    do
        CHECK_OK(sheaf_executor_worker(&after, pool, 1));
    while ((after.pid == 0 || after.incarnation == before.incarnation) && clock_now_ns() < until);
    CHECK(after.pid != 0 && after.pid != before.pid && after.incarnation == before.incarnation + 1);
    CHECK(sum_of(array, pool).value.f64 == sum_of(array, NULL).value.f64);
    sheaf_executor_close(pool);
    sheaf_detach(array);
}

/* Who ends every idle worker ends the pool, in time and with a text; not so if work is done in between. */
static void idle_workers_that_are_ended_again_and_again_break_the_pool(void)
{
    sheaf_array *array = make_doubles(1000);
    double expected = sum_of(array, NULL).value.f64;
    sheaf_executor *pool = open_pool(1);
    sheaf_status status;
    sheaf_scalar value;
    uint64_t last = 0;
    for (int round = 0; round < 12; round++) {
        CHECK(kill_next(pool, &last));
        CHECK(sum_of(array, pool).value.f64 == expected);
    }
    for (int kills = 0; kills < 10; kills++)
        CHECK(kill_next(pool, &last));
    status = sheaf_reduce(&value, array, SHEAF_SUM, &(sheaf_reduce_options){.executor = pool});
    CHECK_STATUS(SHEAF_ERR_WORKER, status);
    CHECK_ERROR_SAYS("10 times in a row");
    CHECK_ERROR_SAYS("find out by whom");
    sheaf_executor_close(pool);
    sheaf_detach(array);
}

/* Whether the process is gone, or a zombie that its new parent has not reaped. */
static bool is_gone(pid_t pid)
{
    char path[64];
    char line[512] = "";
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return true;
    char *read = fgets(line, sizeof line, file);
    fclose(file);
    char *state = read != NULL ? strrchr(line, ')') : NULL;
    return state == NULL || state[2] == 'Z' || state[2] == 'X';
}

struct report {
    pid_t workers[WORKERS];
};

/* An owner that reduces its owned array for ever, in a program of its own. */
static _Noreturn void be_an_owner(int pipe_end)
{
    struct report report;
    size_t n = 3000000;
    sheaf_array *array;
    CHECK_OK(sheaf_create(&array, check_key("owned"), SHEAF_F64, 1, &n,
                          &(sheaf_create_options){.lifetime = SHEAF_OWNED}));
    sheaf_executor *pool = open_pool(WORKERS);
    for (size_t i = 0; i < WORKERS; i++)
        report.workers[i] = worker_pid(pool, i);
    CHECK(write(pipe_end, &report, sizeof report) == (ssize_t)sizeof report);
    for (;;)
        sum_of(array, pool);
}

static void a_killed_owner_leaves_no_worker_and_gc_no_segment(void)
{
    for (int round = 0; round < 3; round++) {
        int ends[2];
        struct report report;
        CHECK(pipe(ends) == 0);
        fflush(stdout);
        pid_t owner = fork();
        if (owner == 0) {
            char descriptor[16];
            snprintf(descriptor, sizeof descriptor, "%d", ends[1]);
            execl("/proc/self/exe", "test_faults", "--be-an-owner", descriptor, (char *)NULL);
            _exit(127);
        }
        close(ends[1]);
        CHECK(read(ends[0], &report, sizeof report) == (ssize_t)sizeof report);
        check_sleep_us(round * 7000);
        kill(owner, SIGKILL);
        CHECK(waitpid(owner, NULL, 0) == owner);
        int64_t until = clock_now_ns() + 1000000000;
        for (size_t i = 0; i < WORKERS; i++) {
            while (!is_gone(report.workers[i]) && clock_now_ns() < until)
                check_sleep_us(1000);
            CHECK(is_gone(report.workers[i]));
        }
        char key[64];
        snprintf(key, sizeof key, "sheaf-test-%ld-owned", (long)owner);
        sheaf_array_info info;
        CHECK_OK(sheaf_info(&info, key));
        CHECK(info.lifetime == SHEAF_OWNED && info.is_orphan);
        sheaf_array_info *removed;
        size_t count;
        bool is_removed = false;
        CHECK_OK(sheaf_gc(&removed, &count));
        for (size_t i = 0; i < count; i++)
            is_removed |= strcmp(removed[i].key, key) == 0;
        sheaf_list_free(removed);
        CHECK(is_removed);
        CHECK_STATUS(SHEAF_ERR_NOT_FOUND, sheaf_info(&info, key));
        close(ends[0]);
    }
}

static void a_host_that_ignores_or_reaps_children_is_tolerated(void)
{
    sheaf_array *array = make_doubles(2000000);
    double expected = sum_of(array, NULL).value.f64;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction before;
    sigaction(SIGCHLD, &ignore, &before);
    sheaf_executor *pool = open_pool(WORKERS);
    for (int round = 0; round < 10; round++) {
        pid_t pid = worker_pid(pool, (size_t)round % WORKERS);
        if (pid != 0)
            kill(pid, SIGKILL);
        CHECK(sum_of(array, pool).value.f64 == expected);
    }
    sheaf_executor_close(pool);
    sigaction(SIGCHLD, &before, NULL);

    pool = open_pool(WORKERS);
    for (int round = 0; round < 10; round++) {
        pid_t pid = worker_pid(pool, (size_t)round % WORKERS);
        if (pid != 0)
            kill(pid, SIGKILL);
        while (waitpid(-1, NULL, WNOHANG) > 0) /* as a careless host does */
            ;
        CHECK(sum_of(array, pool).value.f64 == expected);
    }
    sheaf_executor_close(pool);
    sheaf_detach(array);
}

/* For every n: a pool opened with room for n more descriptors is an error that leaks nothing, until it works. */
static void running_out_of_descriptors_is_an_error(void)
{
    struct rlimit before;
    size_t used = check_descriptors() - 1; /* without "." and "..", with one for the listing */
    sheaf_executor *pool = NULL;
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    size_t room = 0;
    for (; pool == NULL && room < 40; room++) {
        struct rlimit tight = {used + room, before.rlim_max};
        CHECK(setrlimit(RLIMIT_NOFILE, &tight) == 0);
        sheaf_status status =
            sheaf_executor_open(&pool, SHEAF_PROCESSES, &(sheaf_executor_options){.workers = 2});
        CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
        CHECK(status == SHEAF_OK || strlen(sheaf_last_error()) > 0);
        CHECK(status == SHEAF_OK || check_descriptors() - 1 == used);
    }
    CHECK(pool != NULL && room > 3);
    sheaf_executor_close(pool);
}

static void a_worker_that_cannot_start_breaks_the_pool_with_a_reason(void)
{
    sheaf_executor *pool;
    sheaf_array *array = make_doubles(100);
    sheaf_scalar value;
    CHECK_STATUS(SHEAF_ERR_WORKER,
                 sheaf_executor_open(&pool, SHEAF_PROCESSES,
                                     &(sheaf_executor_options){.worker_path = "/bin/true"}));
    CHECK_ERROR_SAYS("before it said hello");
    CHECK_OK(sheaf_reduce(&value, array, SHEAF_SUM, NULL));
    sheaf_detach(array);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        CASE(killed_workers_do_not_change_results),
        CASE(stopped_workers_do_not_change_results),
        CASE(a_node_that_keeps_killing_fails_with_the_signal),
        CASE(all_workers_die_at_once_and_the_job_ends),
        CASE(workers_that_die_idle_are_replaced),
        CASE(idle_workers_that_are_ended_again_and_again_break_the_pool),
        CASE(a_killed_owner_leaves_no_worker_and_gc_no_segment),
        CASE(a_host_that_ignores_or_reaps_children_is_tolerated),
        CASE(running_out_of_descriptors_is_an_error),
        CASE(a_worker_that_cannot_start_breaks_the_pool_with_a_reason),
    };
    if (argc == 3 && strcmp(argv[1], "--be-an-owner") == 0)
        be_an_owner(atoi(argv[2]));
    return check_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
