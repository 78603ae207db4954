/* test_svd_executors.c -- singular values and vectors on every executor: the bits do not depend on who computes them,
 * how many do, or who dies meanwhile. */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include <sheaf/sheaf.h>

enum { WORKERS = 3 };
static const size_t shapes[][3] = {
    {500, 10, 10}, {7, 1000, 10}, {40, 4, 300}, {100, 32, 32}, {2, 20000, 20}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

struct batch {
    sheaf_array *a, *values, *status, *expected;
};

static struct batch make_batch(const size_t shape[3])
{
    struct batch b;
    size_t of_values[2] = {shape[0], shape[1] < shape[2] ? shape[1] : shape[2]};
    unsigned long long seed = shape[0];
    CHECK_OK(sheaf_create_anonymous(&b.a, SHEAF_F64, 3, shape));
    CHECK_OK(sheaf_create_anonymous(&b.values, SHEAF_F64, 2, of_values));
    CHECK_OK(sheaf_create_anonymous(&b.expected, SHEAF_F64, 2, of_values));
    CHECK_OK(sheaf_create_anonymous(&b.status, SHEAF_I32, 1, shape));
    double *x = sheaf_array_data(b.a);
    for (size_t i = 0; i < sheaf_array_size(b.a); i++)
        x[i] = (double)(long long)check_random(&seed);
    x[shape[1] * shape[2]] = 1 / (x[0] - x[0]); /* not finite: matrix 1 */
    return b;
}

static void free_batch(struct batch *b)
{
    sheaf_detach(b->a);
    sheaf_detach(b->values);
    sheaf_detach(b->status);
    sheaf_detach(b->expected);
}

static void solve(const struct batch *b, sheaf_array *values, sheaf_executor *executor,
                  const char *isa)
{
    sheaf_svd_report report;
    memset(sheaf_array_data(values), 0x5a, sheaf_array_bytes(values));
    CHECK_OK(sheaf_svd_values(
        values, &report, b->a,
        &(sheaf_svd_options){
            .executor = executor, .isa = isa, .status = b->status, .reproducible = true}));
    CHECK(report.failures == 1 && report.reproducible);
    CHECK(((const int32_t *)sheaf_array_data(b->status))[1] == 1);
}

static void check_same(const struct batch *b)
{
    CHECK(memcmp(sheaf_array_data(b->values), sheaf_array_data(b->expected),
                 sheaf_array_bytes(b->values)) == 0);
}

/* The vectors of b, in new arrays; reduced ones. */
static sheaf_svd_arrays solve_vectors(const struct batch *b, sheaf_executor *executor,
                                      const char *isa)
{
    sheaf_svd_arrays out = {0};
    sheaf_svd_report report;
    CHECK_OK(sheaf_svd(&out, &report, b->a,
                       &(sheaf_svd_options){.executor = executor,
                                            .isa = isa,
                                            .mode = SHEAF_SVD_REDUCED,
                                            .status = b->status,
                                            .reproducible = true}));
    CHECK(report.failures == 1 && report.reproducible);
    return out;
}

static void check_and_free(const sheaf_svd_arrays *x, const sheaf_svd_arrays *y)
{
    sheaf_array *const pairs[3][2] = {{x->u, y->u}, {x->s, y->s}, {x->vt, y->vt}};
    for (size_t i = 0; i < 3; i++) {
        CHECK(memcmp(sheaf_array_data(pairs[i][0]), sheaf_array_data(pairs[i][1]),
                     sheaf_array_bytes(pairs[i][0])) == 0);
        sheaf_detach(pairs[i][0]);
    }
}

static void free_vectors(const sheaf_svd_arrays *x)
{
    sheaf_detach(x->u);
    sheaf_detach(x->s);
    sheaf_detach(x->vt);
}

static void every_executor_gives_the_same_vectors(void)
{
    static const sheaf_backend backends[] = {SHEAF_SEQUENTIAL, SHEAF_THREADS, SHEAF_PROCESSES};
    for (size_t s = 0; s < 4; s++) {
        struct batch b = make_batch(shapes[s]);
        sheaf_svd_arrays expected = solve_vectors(&b, NULL, "scalar");
        for (size_t backend = 0; backend < 3; backend++)
            for (size_t workers = 1; workers <= (backend > 0 ? 8 : 1); workers += 1 + workers / 2) {
                sheaf_executor *executor;
                CHECK_OK(sheaf_executor_open(&executor, backends[backend],
                                             &(sheaf_executor_options){.workers = workers}));
                sheaf_svd_arrays out = solve_vectors(&b, executor, NULL);
                check_and_free(&out, &expected);
                sheaf_executor_close(executor);
            }
        free_vectors(&expected);
        free_batch(&b);
    }
}

static void every_executor_gives_the_same_bits(void)
{
    static const sheaf_backend backends[] = {SHEAF_SEQUENTIAL, SHEAF_THREADS, SHEAF_PROCESSES};
    for (size_t s = 0; s < SHAPES; s++) {
        struct batch b = make_batch(shapes[s]);
        solve(&b, b.expected, NULL, "scalar");
        for (size_t backend = 0; backend < 3; backend++)
            for (size_t workers = 1; workers <= (backend > 0 ? 8 : 1);
                 workers += IS_THREAD_SANITIZED ? 3 : 1) {
                sheaf_executor *executor;
                CHECK_OK(sheaf_executor_open(&executor, backends[backend],
                                             &(sheaf_executor_options){.workers = workers}));
                solve(&b, b.values, executor, NULL);
                check_same(&b);
                sheaf_executor_close(executor);
            }
        free_batch(&b);
    }
}

static volatile sig_atomic_t killed;

static void note_killed(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    killed += info->si_code == CLD_KILLED;
}

/* Workers that still ask for the arrays of a job which others have finished leave when the executor is closed. They are
 * killed only if they take a second to, as a few may if nothing of theirs runs for so long. */
static void closing_kills_no_worker_that_asks_for_an_array(void)
{
    enum { TURNS = 20, OF_EACH = 8 };
    struct batch b = make_batch(shapes[0]);
    struct sigaction before;
    struct sigaction note = {.sa_sigaction = note_killed, .sa_flags = SA_SIGINFO | SA_RESTART};
    CHECK(sigaction(SIGCHLD, &note, &before) == 0);
    solve(&b, b.expected, NULL, "scalar");
    killed = 0;
    for (int turn = 0; turn < TURNS; turn++) {
        sheaf_executor *executor;
        CHECK_OK(sheaf_executor_open(&executor, SHEAF_PROCESSES,
                                     &(sheaf_executor_options){.workers = OF_EACH}));
        solve(&b, b.values, executor, NULL);
        sheaf_executor_close(executor);
    }
    check_same(&b);
    CHECK(sigaction(SIGCHLD, &before, NULL) == 0);
    CHECK(killed < TURNS / 4);
    free_batch(&b);
}

/* Kills one worker after another, every few milliseconds, but no faster than several parts of the job are done: ten
 * kills of workers over one part are the error that they should be. */
struct killer {
    sheaf_executor *pool;
    int64_t pause_ns;
    _Atomic bool is_over;
    _Atomic int sent;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *kill_workers(void *argument)
{
    struct killer *self = argument;
    unsigned long long state = 1;
    while (!atomic_load(&self->is_over)) {
        sheaf_worker_info info;
        CHECK_OK(sheaf_executor_worker(&info, self->pool, check_random(&state) % WORKERS));
        if (info.pid != 0) /* a pid may be a dead worker's: not yet reaped, so nobody else's */
            self->sent += kill(info.pid, SIGKILL) == 0;
        nanosleep(&(struct timespec){.tv_sec = self->pause_ns / 1000000000,
                                     .tv_nsec = self->pause_ns % 1000000000},
                  NULL);
    }
    return NULL;
}

static void killed_workers_do_not_change(const size_t shape[3], int rounds)
{
    struct batch b = make_batch(shape);
    struct killer killer = {0};
    pthread_t thread;
    int64_t begin = now_ns();
    solve(&b, b.expected, NULL, NULL);
    bool is_batch =
        shape[0] > 100; /* a part of few matrices takes longer than a worker lives here */
    sheaf_svd_arrays expected = {0};
    if (is_batch)
        expected = solve_vectors(&b, NULL, NULL);
    /* A batch has many parts; the rows of few matrices have four, and each takes a good part of the whole. */
    killer.pause_ns = (now_ns() - begin) / (is_batch ? 10 : 1);
    if (killer.pause_ns < 4000000)
        killer.pause_ns = 4000000;
    CHECK_OK(sheaf_executor_open(&killer.pool, SHEAF_PROCESSES,
                                 &(sheaf_executor_options){.workers = WORKERS}));
    CHECK(pthread_create(&thread, NULL, kill_workers, &killer) == 0);
    for (int round = 0; round < rounds && (round < 3 || killer.sent < 30); round++) {
        solve(&b, b.values, killer.pool, NULL);
        check_same(&b);
        if (is_batch && round % 3 == 0) {
            sheaf_svd_arrays out = solve_vectors(&b, killer.pool, NULL);
            check_and_free(&out, &expected);
        }
    }
    atomic_store(&killer.is_over, true);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(killer.sent > 0);
    sheaf_executor_close(killer.pool);
    free_vectors(&expected);
    free_batch(&b);
}

static void killed_workers_do_not_change_a_bit(void)
{
    killed_workers_do_not_change((size_t[]){20000, 10, 10}, 40);
    killed_workers_do_not_change((size_t[]){2, 100000, 10}, 30); /* rows of one matrix */
}

static void what_lapack_computes_is_refused_or_marked(void)
{
    sheaf_array *a;
    sheaf_array *values;
    sheaf_svd_report report;
    CHECK_OK(sheaf_create_anonymous(&a, SHEAF_F64, 2, (size_t[]){66, 65}));
    CHECK_OK(sheaf_create_anonymous(&values, SHEAF_F64, 1, (size_t[]){65}));
    CHECK_STATUS(SHEAF_ERR_UNSUPPORTED,
                 sheaf_svd_values(values, &report, a, &(sheaf_svd_options){.reproducible = true}));
    CHECK_ERROR_SAYS("66 x 65 is for LAPACK");
#ifdef HAS_OPENBLAS
    CHECK_OK(sheaf_svd_values(values, &report, a, NULL));
    CHECK(!report.reproducible && report.failures == 0);
#else
    CHECK_STATUS(SHEAF_ERR_UNSUPPORTED, sheaf_svd_values(values, &report, a, NULL));
    CHECK_ERROR_SAYS("SHEAF_OPENBLAS=OFF");
#endif
    sheaf_detach(a);
    sheaf_detach(values);
}

enum { SIDE = 1200 }; /* from here on threads share one matrix */

/* The norms of A v - s u for some vectors, and of u: s is the largest value. */
static void check_vectors(const sheaf_svd_arrays *out, const double *a, double bound)
{
    const double *u = sheaf_array_data(out->u);
    const double *s = sheaf_array_data(out->s);
    const double *vt = sheaf_array_data(out->vt);
    for (size_t k = 0; k < SIDE; k += SIDE / 7) {
        double error = 0;
        double norm = 0;
        for (size_t i = 0; i < SIDE; i++) {
            double sum = -s[k] * u[i * SIDE + k];
            for (size_t j = 0; j < SIDE; j++)
                sum += a[i * SIDE + j] * vt[k * SIDE + j];
            error += sum * sum;
            norm += u[i * SIDE + k] * u[i * SIDE + k];
        }
        CHECK(error <= bound * bound && norm > 1 - 1e-12 && norm < 1 + 1e-12);
    }
}

static void threads_share_one_large_matrix(void)
{
    sheaf_svd_arrays one = {0};
    sheaf_svd_arrays many = {0};
    sheaf_svd_arrays vectors = {0};
    sheaf_executor *threads;
    sheaf_executor *sequential;
    sheaf_array *a;
    unsigned long long seed = 3;
    double squares[2] = {0};
    CHECK_OK(sheaf_create_anonymous(&a, SHEAF_F64, 2, (const size_t[]){SIDE, SIDE}));
    double *x = sheaf_array_data(a);
    for (size_t i = 0; i < sheaf_array_size(a); i++) {
        x[i] = (double)(long long)check_random(&seed) * 0x1p-63;
        squares[0] += x[i] * x[i];
    }
    CHECK_OK(sheaf_executor_open(&threads, SHEAF_THREADS,
                                 &(sheaf_executor_options){.workers = WORKERS}));
    CHECK_OK(sheaf_executor_open(&sequential, SHEAF_SEQUENTIAL, NULL));
    sheaf_svd_options options = {.executor = threads};
    sheaf_status status = sheaf_svd(&many, NULL, a, &options);
    CHECK(status == SHEAF_OK || status == SHEAF_ERR_UNSUPPORTED);
    /* The thread sanitizer sees what our threads do for values, but not how OpenBLAS's hand work over for vectors,
     * which it calls a race; and it takes a minute for them. */
    if (status == SHEAF_OK && !IS_THREAD_SANITIZED) {
        CHECK_OK(sheaf_svd(&one, NULL, a, &(sheaf_svd_options){.executor = sequential}));
        options.mode = SHEAF_SVD_REDUCED;
        CHECK_OK(sheaf_svd(&vectors, NULL, a, &options));
        const double *s = sheaf_array_data(many.s);
        const double *expected = sheaf_array_data(one.s);
        double bound = 0x1p-52 * SIDE * expected[0];
        for (size_t i = 0; i < SIDE; i++) {
            double difference = s[i] - expected[i];
            CHECK(difference <= bound && difference >= -bound);
            squares[1] += s[i] * s[i];
        }
        CHECK(squares[1] < squares[0] * (1 + 1e-12) && squares[1] > squares[0] * (1 - 1e-12));
        CHECK(memcmp(s, sheaf_array_data(vectors.s), SIDE * sizeof *s) == 0);
        check_vectors(&vectors, x, bound);
    }
    sheaf_detach(one.s);
    sheaf_detach(many.s);
    sheaf_detach(vectors.s);
    sheaf_detach(vectors.u);
    sheaf_detach(vectors.vt);
    sheaf_executor_close(threads);
    sheaf_executor_close(sequential);
    sheaf_detach(a);
}

CHECK_MAIN(CASE(every_executor_gives_the_same_bits),
           CASE(closing_kills_no_worker_that_asks_for_an_array),
           CASE(every_executor_gives_the_same_vectors), CASE(killed_workers_do_not_change_a_bit),
           CASE(what_lapack_computes_is_refused_or_marked), CASE(threads_share_one_large_matrix))
