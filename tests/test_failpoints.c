/* test_failpoints.c -- a worker dies, or stops and goes on, at every step of the protocol. */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sheaf/sheaf.h>

#include "base/clock.h"
#include "base/failpoint.h"

enum { DEADLINE_NS = 50000000 };
enum { WORKERS = 2, ROUNDS = 3, FOR_EVER = 1000000 };

/* What deaths of all who come to a place are laid to: the start of the worker, the job that none gets into, the
 * node that it holds; or to nobody, since each has done something before. */
enum blame { START, JOB, NODE, NOBODY };

static const struct place {
    const char *name;
    enum blame blame;
} places[] = {
    {"starting", START},   {"hello", START},       {"greeted", START},        {"sleeping", START},
    {"woken", START},      {"entering", JOB},      {"resolving", JOB},        {"wanting", JOB},
    {"before_claim", JOB}, {"claimed", NODE},      {"running", NODE},         {"written", NODE},
    {"before_done", NODE}, {"after_done", NOBODY}, {"before_parent", NOBODY}, {"merging", NODE},
    {"merged", NODE},      {"ending", NOBODY},     {"ended", NOBODY},         {"waking", NOBODY},
    {"leaving", NOBODY},
};
enum { PLACES = sizeof places / sizeof places[0] };

/* Several tasks, two, and one. */
static sheaf_array *large;
static sheaf_array *pair;
static sheaf_array *small;
static double large_sum;
static double pair_sum;
static double small_sum;
static int64_t longest_ns;

static sheaf_array *make_doubles(size_t n, double *sum)
{
    sheaf_array *array;
    sheaf_scalar value;
    unsigned long long state = n;
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_F64, 1, &n));
    double *x = sheaf_array_data(array);
    for (size_t i = 0; i < n; i++)
        x[i] = (double)(long long)check_random(&state) * (double)(1ULL << (i * 7 % 40));
    CHECK_OK(sheaf_reduce(&value, array, SHEAF_SUM, NULL));
    *sum = value.value.f64;
    return array;
}

static void arm(const char *place, int signal, unsigned first, unsigned last)
{
    char wish[80];
    snprintf(wish, sizeof wish, "%s:%d:%u:%u", place, signal, first, last);
    CHECK(setenv("SHEAF_FAILPOINT", wish, 1) == 0);
}

static void disarm(void)
{
    CHECK(unsetenv("SHEAF_FAILPOINT") == 0);
}

static sheaf_status open_pool(sheaf_executor **pool, sheaf_executor_options options)
{
    /* Workers that sleep pass through more places than workers that spin. */
    if (options.workers == 0)
        options.workers = WORKERS;
    options.spin = SHEAF_SPIN_NEVER;
    return sheaf_executor_open(pool, SHEAF_PROCESSES, &options);
}

/* The sum on the pool: the right bits, or the status of the error, which is in *failure. */
static sheaf_status sum_on(sheaf_executor *pool, sheaf_array *array, double expected,
                           sheaf_failure *failure)
{
    sheaf_future *future;
    sheaf_scalar value;
    int64_t begun = clock_now_ns();
    sheaf_status status =
        sheaf_reduce_submit(&future, array, SHEAF_SUM, &(sheaf_reduce_options){.executor = pool});
    if (status != SHEAF_OK) {
        *failure = (sheaf_failure){.status = status};
        return status;
    }
    status = sheaf_future_result(&value, sizeof value, future, 20000000000);
    CHECK(status == SHEAF_OK || status == SHEAF_ERR_WORKER);
    CHECK(status != SHEAF_OK || value.value.f64 == expected);
    CHECK_OK(sheaf_future_failure(failure, future));
    sheaf_future_release(future);
    int64_t took = clock_now_ns() - begun;
    longest_ns = took > longest_ns ? took : longest_ns;
    return status;
}

static uint64_t replaced(const sheaf_executor *pool)
{
    uint64_t count = 0;
    for (size_t i = 0; i < WORKERS; i++) {
        sheaf_worker_info info;
        CHECK_OK(sheaf_executor_worker(&info, pool, i));
        count += info.incarnation - 1;
    }
    return count;
}

#ifdef FAILPOINT_IS_BUILT

static const int deaths[] = {SIGKILL, SIGSEGV, SIGABRT, 0};
enum { DEATHS = sizeof deaths / sizeof deaths[0] };
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STEP = 3 }; /* through deaths: workers start slowly here */
#else
enum { STEP = 1 };
#endif

/* Right sums until a worker has been replaced; that it is not for ever shows that the place was reached. */
static void results_are_right_until_a_worker_is_replaced(sheaf_executor *pool)
{
    sheaf_failure failure;
    int64_t until = clock_now_ns() + 20000000000;
    int rounds = 0;
    for (; rounds < ROUNDS || (replaced(pool) == 0 && clock_now_ns() < until); rounds++) {
        CHECK_OK(sum_on(pool, large, large_sum, &failure));
        CHECK_OK(sum_on(pool, small, small_sum, &failure));
    }
    CHECK(replaced(pool) > 0);
}

static void the_first_workers_die_at_each_place(void)
{
    size_t descriptors = check_descriptors();
    for (size_t i = 0; i < PLACES; i++) {
        for (size_t k = 0; k < DEATHS; k += STEP) {
            sheaf_executor *pool;
            arm(places[i].name, deaths[k], 1, 1);
            CHECK_OK(open_pool(&pool, (sheaf_executor_options){0}));
            results_are_right_until_a_worker_is_replaced(pool);
            sheaf_executor_close(pool);
            CHECK(check_descriptors() == descriptors);
            CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
        }
    }
    disarm();
    printf("  longest sum: %.1f ms\n", (double)longest_ns / 1e6);
}

/* A pool whose only worker dies at each place, and so do its first successors: the job fails with that signal where
 * a node or the way into the job is to blame, and the pool goes on; a worker that cannot start breaks it. */
static void all_workers_die_at_each_place(void)
{
    for (size_t i = 0; i < PLACES; i++) {
        for (size_t k = 1; k < DEATHS; k += 2 * STEP) {
            sheaf_executor *pool;
            sheaf_failure failure;
            arm(places[i].name, deaths[k], 1, places[i].blame == START ? FOR_EVER : 3);
            if (open_pool(&pool, (sheaf_executor_options){.workers = 1}) != SHEAF_OK) {
                CHECK(places[i].blame == START);
                CHECK(
                    strstr(sheaf_last_error(), deaths[k] == 0 ? "exited with status 7" : "signal"));
                continue;
            }
            /* One part, so that all die over the same one; two where it takes a tree. */
            bool is_leaf = strncmp(places[i].name, "merg", 4) != 0 && places[i].blame != NOBODY;
            sheaf_status status = is_leaf ? sum_on(pool, small, small_sum, &failure)
                                          : sum_on(pool, pair, pair_sum, &failure);
            if (places[i].blame == NODE || places[i].blame == JOB) {
                CHECK_STATUS(SHEAF_ERR_WORKER, status);
                CHECK(failure.signal == deaths[k]);
                CHECK(strstr(failure.text, "ended 3 workers") != NULL);
            } else if (places[i].blame == NOBODY) {
                CHECK_STATUS(SHEAF_OK, status);
            }
            if (places[i].blame != START)
                CHECK_OK(sum_on(pool, large, large_sum, &failure));
            sheaf_executor_close(pool);
        }
    }
    disarm();
}

/* What has more than numbers to lose: results along an axis, which merges write as they end, and the vectors of a tall
 * matrix, which a second sweep writes from what the first has left. */
struct outputs {
    sheaf_array *sums;
    sheaf_svd_arrays svd;
};
static sheaf_array *cells;
static sheaf_array *tall;

static sheaf_array *make_matrix(size_t rows, size_t columns)
{
    sheaf_array *array;
    unsigned long long state = rows;
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_F64, 2, (size_t[]){rows, columns}));
    for (size_t i = 0; i < rows * columns; i++)
        ((double *)sheaf_array_data(array))[i] =
            (double)(long long)check_random(&state) * (double)(1ULL << (i * 7 % 20));
    return array;
}

static void compute(struct outputs *out, sheaf_executor *executor, bool is_svd)
{
    const int64_t axis = 0;
    if (is_svd)
        CHECK_OK(sheaf_svd(&out->svd, NULL, tall,
                           &(sheaf_svd_options){.executor = executor, .mode = SHEAF_SVD_REDUCED}));
    else
        CHECK_OK(sheaf_reduce_axes(
            &out->sums, cells, SHEAF_SUM,
            &(sheaf_reduce_options){.executor = executor, .axes = &axis, .axis_count = 1}));
}

static bool have_same_bytes(const sheaf_array *a, const sheaf_array *b)
{
    return sheaf_array_bytes(a) == sheaf_array_bytes(b) &&
           memcmp(sheaf_array_data(a), sheaf_array_data(b), sheaf_array_bytes(a)) == 0;
}

/* Whether the only worker came so often to the place, and was killed there, in the middle of the job. */
static bool is_right_if_killed_at(const char *place, unsigned visit, bool is_svd,
                                  const struct outputs *expected)
{
    struct outputs out = {.sums = NULL};
    sheaf_executor *pool;
    char wish[80];
    snprintf(wish, sizeof wish, "%s:%d:1:1:%u", place, SIGKILL, visit);
    CHECK(setenv("SHEAF_FAILPOINT", wish, 1) == 0);
    CHECK_OK(open_pool(&pool, (sheaf_executor_options){.workers = 1}));
    compute(&out, pool, is_svd);
    sheaf_executor_counters counters;
    CHECK_OK(sheaf_executor_stats(&counters, pool));
    sheaf_executor_close(pool);
    if (is_svd)
        CHECK(have_same_bytes(out.svd.u, expected->svd.u) &&
              have_same_bytes(out.svd.s, expected->svd.s) &&
              have_same_bytes(out.svd.vt, expected->svd.vt));
    else
        CHECK(have_same_bytes(out.sums, expected->sums));
    sheaf_detach(out.sums);
    sheaf_detach(out.svd.u);
    sheaf_detach(out.svd.s);
    sheaf_detach(out.svd.vt);
    return counters.retried > 0;
}

static void every_visit_of_each_step_may_be_the_last(void)
{
    static const char *const steps[] = {"before_claim",  "claimed",    "running", "written",
                                        "before_done",   "after_done", "merging", "merged",
                                        "before_parent", "ending",     "ended"};
    struct outputs expected;
    if (STEP > 1)
        return; /* a sanitizer sees nothing here that it does not see in the other cases */
    cells = make_matrix(30000, 8);
    tall = make_matrix(40000, 20);
    for (int is_svd = 0; is_svd < 2; is_svd++) {
        unsigned most = 0;
        memset(&expected, 0, sizeof expected);
        compute(&expected, NULL, is_svd);
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
            unsigned visit = 1;
            for (; is_right_if_killed_at(steps[i], visit, is_svd, &expected); visit++)
                continue;
            CHECK(visit > 1); /* it has such a step at all */
            most = visit > most ? visit : most;
        }
        printf("  %s: up to %u visits\n", is_svd ? "tall SVD" : "along an axis", most - 1);
        CHECK(most > 4);
        sheaf_detach(expected.sums);
        sheaf_detach(expected.svd.u);
        sheaf_detach(expected.svd.s);
        sheaf_detach(expected.svd.vt);
    }
    sheaf_detach(cells);
    sheaf_detach(tall);
    disarm();
}

/* A node may cost ten workers that are killed, since that need not be its doing; so may the way to it. */
static void ten_kills_fail_a_node(void)
{
    static const char *const where[] = {"running", "entering"};
    for (size_t i = 0; i < 2; i++) {
        sheaf_executor *pool;
        sheaf_failure failure;
        arm(where[i], SIGKILL, 1, 10);
        CHECK_OK(open_pool(&pool, (sheaf_executor_options){.workers = 1}));
        CHECK_STATUS(SHEAF_ERR_WORKER, sum_on(pool, small, small_sum, &failure));
        CHECK(failure.signal == SIGKILL);
        CHECK(strstr(failure.text, "ended 10 workers") != NULL);
        CHECK_OK(sum_on(pool, small, small_sum, &failure));
        CHECK_OK(sum_on(pool, large, large_sum, &failure));
        sheaf_executor_close(pool);
    }
    disarm();
}

/* Looks for children of ours that are stopped, and sends them on. */
struct waker {
    _Atomic bool is_over;
    _Atomic int woken;
    pthread_t thread;
};

static bool is_a_stopped_child(const char *pid)
{
    char path[300];
    char line[512] = "";
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *file = fopen(path, "re");
    char *read = file != NULL ? fgets(line, sizeof line, file) : NULL;
    if (file != NULL)
        fclose(file);
    char *state = read != NULL ? strrchr(line, ')') : NULL;
    return state != NULL && state[2] == 'T' && atoi(state + 4) == getpid();
}

static void *wake(void *argument)
{
    struct waker *self = argument;
    while (!atomic_load(&self->is_over)) {
        DIR *processes = opendir("/proc");
        CHECK(processes != NULL);
        for (struct dirent *entry; (entry = readdir(processes)) != NULL;)
            if (atoi(entry->d_name) > 0 && is_a_stopped_child(entry->d_name)) {
                kill(atoi(entry->d_name), SIGCONT);
                atomic_fetch_add(&self->woken, 1);
            }
        closedir(processes);
        check_sleep_us(3000);
    }
    return NULL;
}

static void workers_stop_and_go_on_at_each_place(void)
{
    longest_ns = 0;
    for (size_t i = 0; i < PLACES; i++) {
        struct waker waker = {.woken = 0};
        sheaf_executor *pool;
        sheaf_failure failure;
        arm(places[i].name, SIGSTOP, 1, 1);
        CHECK(pthread_create(&waker.thread, NULL, wake, &waker) == 0);
        CHECK_OK(open_pool(&pool, (sheaf_executor_options){0}));
        int64_t until = clock_now_ns() + 20000000000;
        for (int k = 0; k < ROUNDS || (atomic_load(&waker.woken) == 0 && clock_now_ns() < until);
             k++) {
            CHECK_OK(sum_on(pool, large, large_sum, &failure));
            CHECK_OK(sum_on(pool, small, small_sum, &failure));
        }
        CHECK(atomic_load(&waker.woken) > 0);
        CHECK(replaced(pool) == 0);
        sheaf_executor_close(pool);
        atomic_store(&waker.is_over, true);
        CHECK(pthread_join(waker.thread, NULL) == 0);
    }
    disarm();
    printf("  longest sum: %.1f ms\n", (double)longest_ns / 1e6);
}

/* A worker that stops and stays so: with a deadline it is ended, wherever it is, and the work goes on. */
static void stopped_workers_are_replaced_after_the_deadline(void)
{
    longest_ns = 0;
    for (size_t i = 0; i < PLACES; i++) {
        /* Before the hello the bound of starts holds, so only a replacement is stopped there. */
        unsigned incarnation = i < 2 ? 2 : 1;
        sheaf_executor *pool;
        sheaf_worker_info info;
        arm(places[i].name, SIGSTOP, incarnation, incarnation);
        CHECK_OK(open_pool(&pool, (sheaf_executor_options){.deadline_ns = DEADLINE_NS}));
        CHECK_OK(sheaf_executor_worker(&info, pool, 0));
        if (incarnation == 2)
            CHECK(info.pid > 0 && kill(info.pid, SIGKILL) == 0);
        results_are_right_until_a_worker_is_replaced(pool);
        sheaf_executor_close(pool);
    }
    disarm();
    printf("  longest sum: %.1f ms\n", (double)longest_ns / 1e6);
}

/* Whether it is the task that takes too long, or the way to it. */
static void what_is_always_overdue_fails_with_its_deadline(void)
{
    static const char *const where[] = {"running", "resolving"};
    for (size_t i = 0; i < 2; i++) {
        sheaf_executor *pool;
        sheaf_failure failure;
        arm(where[i], SIGSTOP, 1, 3);
        CHECK_OK(
            open_pool(&pool, (sheaf_executor_options){.workers = 1, .deadline_ns = DEADLINE_NS}));
        CHECK_STATUS(SHEAF_ERR_WORKER, sum_on(pool, small, small_sum, &failure));
        CHECK(failure.signal == SIGKILL);
        CHECK(strstr(failure.text, "ended 3 workers") != NULL);
        CHECK(strstr(failure.text, "deadline of 50 ms") != NULL);
        CHECK_OK(sum_on(pool, small, small_sum, &failure));
        sheaf_executor_close(pool);
    }
    disarm();
}

static void attempts_are_as_many_as_asked_for(void)
{
    for (uint32_t attempts = 1; attempts <= SHEAF_MAX_ATTEMPTS; attempts += 7) {
        sheaf_executor *pool;
        sheaf_failure failure;
        char text[32];
        snprintf(text, sizeof text, "ended %u worker%s;", attempts, attempts == 1 ? "" : "s");
        arm("running", attempts % 2 == 1 ? SIGKILL : SIGSEGV, 1, FOR_EVER);
        CHECK_OK(open_pool(&pool, (sheaf_executor_options){.attempts_max = attempts}));
        CHECK_STATUS(SHEAF_ERR_WORKER, sum_on(pool, small, small_sum, &failure));
        CHECK(strstr(failure.text, text) != NULL);
        sheaf_executor_close(pool);
    }
    disarm();
}

static void limits_out_of_range_are_refused(void)
{
    sheaf_executor *pool;
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, open_pool(&pool, (sheaf_executor_options){.deadline_ns = -1}));
    CHECK_STATUS(
        SHEAF_ERR_ARGUMENT,
        open_pool(&pool, (sheaf_executor_options){.deadline_ns = SHEAF_MAX_DEADLINE_NS + 1}));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, open_pool(&pool, (sheaf_executor_options){
                                                          .attempts_max = SHEAF_MAX_ATTEMPTS + 1}));
    CHECK_STATUS(
        SHEAF_ERR_UNSUPPORTED,
        sheaf_executor_open(&pool, SHEAF_THREADS, &(sheaf_executor_options){.deadline_ns = 1}));
    CHECK_ERROR_SAYS("SHEAF_PROCESSES");
}

#else

static void in_this_build_a_place_is_nothing(void)
{
    for (size_t i = 0; i < PLACES; i++) {
        sheaf_executor *pool;
        sheaf_failure failure;
        arm(places[i].name, SIGKILL, 1, FOR_EVER);
        CHECK_OK(open_pool(&pool, (sheaf_executor_options){0}));
        CHECK_OK(sum_on(pool, large, large_sum, &failure));
        CHECK(replaced(pool) == 0);
        sheaf_executor_close(pool);
    }
    disarm();
}

#endif

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
#ifdef FAILPOINT_IS_BUILT
        CASE(the_first_workers_die_at_each_place),
        CASE(all_workers_die_at_each_place),
        CASE(every_visit_of_each_step_may_be_the_last),
        CASE(ten_kills_fail_a_node),
        CASE(workers_stop_and_go_on_at_each_place),
        CASE(stopped_workers_are_replaced_after_the_deadline),
        CASE(what_is_always_overdue_fails_with_its_deadline),
        CASE(attempts_are_as_many_as_asked_for),
        CASE(limits_out_of_range_are_refused),
#else
        CASE(in_this_build_a_place_is_nothing),
#endif
    };
    large = make_doubles(200000, &large_sum);
    pair = make_doubles(20000, &pair_sum);
    small = make_doubles(1000, &small_sum);
    return check_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
