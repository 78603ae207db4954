/* test_chaos.c -- mixed work from several threads, while workers are killed, crash, stop and go on, work is cancelled,
 * pools are resized, and executors are shut down in each way: every future ends and calls back, every result is right, nothing is left.
 * SHEAF_CHAOS_SECONDS=N makes it longer than a few seconds. */
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "callables.h"

enum { SUBMITTERS = 3, WORKERS = 3, WINDOW = 16, ITEMS = 60, MANY_ATTEMPTS = 15 };

#define HANG_NS INT64_C(30000000000)

enum kind { SUM, SUM_SMALL, HASH, ONCE, OFTEN, SLEEP, POISON, OVERDUE, REFUSE, MAP, KINDS };

static const char *const kind_names[KINDS] = {"sum",   "small",  "hash",    "once",   "often",
                                              "sleep", "poison", "overdue", "refuse", "map"};

/* What all work is on, and what must come of it. */
static sheaf_array *large;
static sheaf_array *small;
static double sums[2];
static uint8_t hash[SHEAF_HASH_BYTES];
static sheaf_callable *squares;
static sheaf_callable *sleeps;
static sheaf_callable *ends;
static sheaf_callable *refuses;
static sheaf_callable *indices;
static sheaf_callable *notes;

struct chaos {
    sheaf_executor *pool;
    sheaf_executor *threads;
    _Atomic bool is_over;
    _Atomic bool is_ended_hard; /* workers are ended in the middle of whatever they do */
    _Atomic uint64_t accepted;
    _Atomic uint64_t called_back;
    _Atomic uint64_t ended[KINDS];
    _Atomic uint64_t cancelled;
    _Atomic uint64_t failed; /* of work that may fail with its worker */
    _Atomic uint64_t signals;
    _Atomic uint64_t iterated; /* items of maps that are taken one by one */
};

struct actor {
    struct chaos *chaos;
    unsigned long long random;
    pthread_t thread;
};

struct work {
    sheaf_future *future;
    enum kind kind;
    int64_t argument;
};

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

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- work --------------------------------------------------------------------------------------- */

static sheaf_status call(struct work *work, sheaf_callable *callable, sheaf_submit_options options)
{
    return sheaf_submit(&work->future, callable, &work->argument, sizeof work->argument, &options);
}

static sheaf_status submit(struct work *work, sheaf_executor *executor)
{
    sheaf_submit_options often = {.executor = executor, .attempts = MANY_ATTEMPTS};
    sheaf_submit_options once = {.executor = executor};
    sheaf_map_options map = {.executor = executor,
                             .arguments = &work->argument,
                             .argument_bytes = sizeof work->argument,
                             .result_bytes = sizeof(int64_t),
                             .attempts = MANY_ATTEMPTS};
    switch (work->kind) {
    case SUM:
    case SUM_SMALL:
        return sheaf_reduce_submit(&work->future, work->kind == SUM ? large : small, SHEAF_SUM,
                                   &(sheaf_reduce_options){.executor = executor});
    case HASH:
        return sheaf_hash_submit(&work->future, large, &(sheaf_hash_options){.executor = executor});
    case ONCE:
    case OFTEN:
        once.result_bytes = often.result_bytes = sizeof(int64_t);
        return call(work, squares, work->kind == ONCE ? once : often);
    case SLEEP:
        work->argument %= 3000;
        return call(work, sleeps, often);
    case POISON:
        work->argument = (const int[]){SIGSYS, SIGUSR1, SIGKILL, 0}[work->argument % 4];
        return call(work, ends, once);
    case OVERDUE:
        work->argument = 10000000;
        once.deadline_ns = 20000000;
        return call(work, sleeps, once);
    case REFUSE:
        work->argument = work->argument % 100 * 2 + 1;
        return call(work, refuses, often);
    default:
        return sheaf_map_submit(&work->future, indices, ITEMS, &map);
    }
}

static void check_result(const struct work *work)
{
    sheaf_scalar value;
    uint8_t digest[SHEAF_HASH_BYTES];
    int64_t results[ITEMS];
    size_t count = work->kind == MAP ? ITEMS : 1;
    if (work->kind == SUM || work->kind == SUM_SMALL) {
        CHECK_OK(sheaf_future_result(&value, sizeof value, work->future, 0));
        CHECK(value.value.f64 == sums[work->kind]);
    } else if (work->kind == HASH) {
        CHECK_OK(sheaf_future_result(digest, sizeof digest, work->future, 0));
        CHECK(memcmp(digest, hash, sizeof hash) == 0);
    } else if (work->kind != SLEEP) {
        CHECK_OK(sheaf_future_result(results, count * sizeof results[0], work->future, 0));
        for (size_t i = 0; i < count; i++) {
            int64_t x = work->argument + (int64_t)i;
            CHECK(results[i] == x * x);
        }
    }
}

/* The work has ended, and in a way that it may end. */
static void check_end(struct chaos *chaos, const struct work *work)
{
    sheaf_failure failure;
    CHECK_STATUS(SHEAF_OK, sheaf_future_wait(work->future, HANG_NS));
    CHECK_OK(sheaf_future_failure(&failure, work->future));
    atomic_fetch_add(&chaos->ended[work->kind], 1);
    if (failure.status == SHEAF_ERR_CANCELLED) {
        CHECK(sheaf_future_cancelled(work->future));
        atomic_fetch_add(&chaos->cancelled, 1);
        return;
    }
    bool may_fail = work->kind == ONCE || work->kind == POISON || work->kind == OVERDUE;
    bool must_fail = work->kind == POISON || work->kind == OVERDUE;
    bool is_ended_hard = atomic_load(&chaos->is_ended_hard);
    if (failure.status == SHEAF_ERR_WORKER && (may_fail || is_ended_hard)) {
        CHECK(is_ended_hard || strstr(failure.text, "ended 1 worker;") != NULL);
        atomic_fetch_add(&chaos->failed, 1);
        return;
    }
    if (work->kind == REFUSE) {
        CHECK(failure.status == SHEAF_ERR_CALLABLE && failure.code == (int)work->argument);
        return;
    }
    if (failure.status != SHEAF_OK)
        fprintf(stderr, "%s: %s\n", kind_names[work->kind], failure.text);
    CHECK(failure.status == SHEAF_OK && !must_fail);
    check_result(work);
}

static void count_call(sheaf_future *future, void *context)
{
    CHECK(sheaf_future_done(future));
    atomic_fetch_add(&((struct chaos *)context)->called_back, 1);
}

/* False: the executor has been shut down. */
static bool begin(struct chaos *chaos, struct work *work, sheaf_executor *executor)
{
    sheaf_status status = submit(work, executor);
    if (status == SHEAF_OK) {
        atomic_fetch_add(&chaos->accepted, 1);
        CHECK_OK(sheaf_future_add_callback(work->future, count_call, chaos));
        return true;
    }
    CHECK_STATUS(SHEAF_ERR_CLOSED, status);
    work->future = NULL;
    return false;
}

static void *be_a_submitter(void *argument)
{
    struct actor *self = argument;
    struct chaos *chaos = self->chaos;
    struct work window[WINDOW] = {0};
    uint64_t begun = 0;
    for (bool is_open = true; is_open; begun++) {
        struct work *work = &window[begun % WINDOW];
        if (begun >= WINDOW) {
            check_end(chaos, work);
            sheaf_future_release(work->future);
        }
        *work = (struct work){.kind = (enum kind)(check_random(&self->random) % KINDS),
                              .argument = (int64_t)(check_random(&self->random) % 1000000)};
        bool is_deadly = work->kind == POISON || work->kind == OVERDUE;
        if (is_deadly &&
            check_random(&self->random) % 4 != 0) { /* workers are to live a little, too */
            work->kind = SUM_SMALL;
            is_deadly = false;
        }
        bool on_threads = !is_deadly && check_random(&self->random) % 5 == 0;
        is_open = begin(chaos, work, on_threads ? chaos->threads : chaos->pool);
        if (check_random(&self->random) % 4 == 0)
            sheaf_future_cancel(
                window[check_random(&self->random) % (begun < WINDOW ? begun + 1 : WINDOW)].future);
    }
    for (uint64_t i = 0; i < WINDOW; i++) {
        if (window[i].future == NULL)
            continue;
        check_end(chaos, &window[i]);
        sheaf_future_release(window[i].future);
    }
    return NULL;
}

/* ---- signals ------------------------------------------------------------------------------------- */

static void *be_a_tormentor(void *argument)
{
    static const int signals[] = {SIGKILL, SIGKILL, SIGKILL, SIGSTOP, SIGSTOP, SIGTERM, SIGSYS};
    struct actor *self = argument;
    while (!atomic_load(&self->chaos->is_over)) {
        sheaf_worker_info info = {0};
        int signal = signals[check_random(&self->random) % (sizeof signals / sizeof signals[0])];
        size_t workers = sheaf_executor_workers(self->chaos->pool);
        size_t index = check_random(&self->random) % (workers + (workers == 0));
        sheaf_status status = sheaf_executor_worker(&info, self->chaos->pool, index);
        if (status == SHEAF_OK && info.pid != 0 && kill(info.pid, signal) == 0) {
            atomic_fetch_add(&self->chaos->signals, 1);
            check_sleep_us((long)(check_random(&self->random) % 8000));
            if (signal == SIGSTOP)
                kill(info.pid, SIGCONT);
        }
        check_sleep_us((long)(check_random(&self->random) % 8000));
    }
    return NULL;
}

static void *be_a_resizer(void *argument)
{
    struct actor *self = argument;
    while (!atomic_load(&self->chaos->is_over)) {
        size_t workers = 1 + check_random(&self->random) % (WORKERS + 2);
        sheaf_executor *either =
            check_random(&self->random) % 4 == 0 ? self->chaos->threads : self->chaos->pool;
        sheaf_status status = sheaf_executor_resize(either, workers);
        CHECK(status == SHEAF_OK || status == SHEAF_ERR_CLOSED);
        check_sleep_us((long)(check_random(&self->random) % 40000));
    }
    return NULL;
}

/* Takes one map's results after the other, in order, until the executor is shut down. */
static void *be_an_iterator(void *argument)
{
    struct actor *self = argument;
    struct chaos *chaos = self->chaos;
    sheaf_status status = SHEAF_OK;
    while (status == SHEAF_OK) {
        sheaf_map_iterator *iterator;
        int64_t result;
        size_t index = 0;
        size_t seen = 0;
        const sheaf_map_options options = {
            .executor = check_random(&self->random) % 3 == 0 ? chaos->threads : chaos->pool,
            .result_bytes = sizeof result,
            .attempts = MANY_ATTEMPTS,
            .chunk = check_random(&self->random) % 4};
        status = sheaf_map_begin(&iterator, indices, ITEMS, &options);
        if (status != SHEAF_OK)
            break;
        while ((status = sheaf_map_next(&result, &index, iterator, HANG_NS)) == SHEAF_OK)
            CHECK(index == seen++ && result == (int64_t)(index * index));
        sheaf_map_end(iterator);
        atomic_fetch_add(&chaos->iterated, seen);
        if (status == SHEAF_ERR_EMPTY) {
            CHECK(seen == ITEMS);
            status = SHEAF_OK;
        }
    }
    /* Else the executor is closed, or what ran on it was cancelled or ended with it. */
    CHECK(status == SHEAF_ERR_CLOSED || status == SHEAF_ERR_CANCELLED ||
          (status == SHEAF_ERR_WORKER && atomic_load(&chaos->is_ended_hard)));
    return NULL;
}

static void start(struct actor *actor, struct chaos *chaos, void *(*act)(void *),
                  unsigned long long seed)
{
    *actor = (struct actor){.chaos = chaos, .random = seed};
    CHECK(pthread_create(&actor->thread, NULL, act, actor) == 0);
}

static void one_round(unsigned long long seed, long for_ms)
{
    static const unsigned endings[] = {0, SHEAF_SHUTDOWN_CANCEL, SHEAF_SHUTDOWN_TERMINATE,
                                       SHEAF_SHUTDOWN_KILL};
    struct chaos chaos = {.is_over = false};
    struct actor actors[SUBMITTERS + 3];
    sheaf_executor_options options = {.workers = WORKERS,
                                      .tasks_per_worker = seed % 3 == 1 ? 40 : 0,
                                      .idle_ns = seed % 3 == 2 ? 1000000 : 0,
                                      .initializer = seed % 2 == 0 ? notes : NULL,
                                      .initializer_arguments = "chaos",
                                      .initializer_argument_bytes = 6};
    size_t descriptors = check_descriptors();
    CHECK_OK(seed % 5 < 2 ? sheaf_executor_reusable(&chaos.pool, SHEAF_PROCESSES, &options)
                          : sheaf_executor_open(&chaos.pool, SHEAF_PROCESSES, &options));
    options.workers = 2;
    options.initializer = NULL; /* it sets the environment, which threads share */
    CHECK_OK(sheaf_executor_open(&chaos.threads, SHEAF_THREADS, &options));
    for (size_t i = 0; i < SUBMITTERS; i++)
        start(&actors[i], &chaos, be_a_submitter, seed * 100 + i);
    start(&actors[SUBMITTERS], &chaos, be_a_tormentor, seed * 100 + 99);
    start(&actors[SUBMITTERS + 1], &chaos, be_a_resizer, seed * 100 + 98);
    start(&actors[SUBMITTERS + 2], &chaos, be_an_iterator, seed * 100 + 97);
    check_sleep_us(for_ms * 1000);
    unsigned how = endings[seed % (sizeof endings / sizeof endings[0])];
    atomic_store(&chaos.is_ended_hard, how >= SHEAF_SHUTDOWN_TERMINATE);
    CHECK_OK(sheaf_executor_shutdown(chaos.threads, how));
    CHECK_OK(sheaf_executor_shutdown(chaos.pool, how));
    atomic_store(&chaos.is_over, true);
    for (size_t i = 0; i < SUBMITTERS + 3; i++)
        CHECK(pthread_join(actors[i].thread, NULL) == 0);
    CHECK(chaos.called_back == chaos.accepted);
    printf("  seed %llu: %llu signals, %llu cancelled, %llu failed with their worker;", seed,
           (unsigned long long)chaos.signals, (unsigned long long)chaos.cancelled,
           (unsigned long long)chaos.failed);
    for (size_t k = 0; k < KINDS; k++)
        printf(" %s %llu", kind_names[k], (unsigned long long)chaos.ended[k]);
    printf(" iterated %llu\n", (unsigned long long)chaos.iterated);
    fflush(stdout);
    CHECK(chaos.signals > 0);
    CHECK(check_descriptors() == descriptors);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void every_future_ends_and_every_result_is_right(void)
{
    const char *asked = getenv("SHEAF_CHAOS_SECONDS");
    int64_t seconds = asked != NULL ? atoll(asked) : 0;
    long round_ms = seconds > 10 ? 3000 : 600;
    unsigned long long seed = seconds != 0 ? (unsigned long long)now_ns() % 100000 : 0;
    large = make_doubles(600000, &sums[SUM]);
    small = make_doubles(1000, &sums[SUM_SMALL]);
    CHECK_OK(sheaf_hash(hash, large, NULL));
    CHECK_OK(sheaf_callable_open(&squares, CALLABLES, "square"));
    CHECK_OK(sheaf_callable_open(&sleeps, CALLABLES, "sleep_us"));
    CHECK_OK(sheaf_callable_open(&ends, CALLABLES, "end_worker"));
    CHECK_OK(sheaf_callable_open(&refuses, CALLABLES, "refuse"));
    CHECK_OK(sheaf_callable_open(&indices, CALLABLES, "square_index"));
    CHECK_OK(sheaf_callable_open(&notes, CALLABLES, "note_start"));
    int64_t end = now_ns() + seconds * 1000000000;
    for (int round = 0; round < 4 || now_ns() < end; round++)
        one_round(seed++, round_ms);
    sheaf_callable *const all[] = {squares, sleeps, ends, refuses, indices, notes};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        sheaf_callable_release(all[i]);
    sheaf_detach(small);
    sheaf_detach(large);
}

CHECK_MAIN(CASE(every_future_ends_and_every_result_is_right))
