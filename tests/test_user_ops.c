/* test_user_ops.c -- reductions of the user's own on every executor: from a shared object (top-k), and from this program,
 * which is its own worker (a linear regression by moments). */
#include "check.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "user_ops.h"

static const struct kind {
    sheaf_backend backend;
    size_t workers;
} kinds[] = {{SHEAF_SEQUENTIAL, 1}, {SHEAF_THREADS, 1},   {SHEAF_THREADS, 3},
             {SHEAF_PROCESSES, 1},  {SHEAF_PROCESSES, 2}, {SHEAF_PROCESSES, 5}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static sheaf_executor *open_executor(struct kind kind)
{
    sheaf_executor *executor;
    CHECK_OK(sheaf_executor_open(&executor, kind.backend,
                                 &(sheaf_executor_options){.workers = kind.workers}));
    return executor;
}

static sheaf_user_op *load(const char *name)
{
    sheaf_user_op *op;
    CHECK_OK(sheaf_user_op_open(&op, USER_OPS, name));
    return op;
}

static sheaf_array *make(sheaf_dtype dtype, size_t ndim, const size_t *shape)
{
    sheaf_array *array;
    CHECK_OK(sheaf_create_anonymous(&array, dtype, ndim, shape));
    return array;
}

static sheaf_array *random_doubles(size_t n, unsigned long long seed)
{
    sheaf_array *array = make(SHEAF_F64, 1, &n);
    double *x = sheaf_array_data(array);
    for (size_t i = 0; i < n; i++)
        x[i] = (double)(check_random(&seed) % 100000); /* with equals among them */
    return array;
}

static sheaf_user_reduce_options of(sheaf_executor *executor, const sheaf_array *const *array)
{
    return (sheaf_user_reduce_options){.executor = executor, .array_count = 1, .arrays = array};
}

/* ---- top-k, from a shared object ---------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;
    if (x->value != y->value)
        return x->value < y->value ? 1 : -1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void check_top(const struct top *top, const sheaf_array *array, uint32_t k)
{
    size_t n = sheaf_array_size(array);
    const double *x = sheaf_array_data((sheaf_array *)array);
    struct place *all = malloc((n + 1) * sizeof *all);
    CHECK(all != NULL);
    for (size_t i = 0; i < n; i++)
        all[i] = (struct place){x[i], i};
    qsort(all, n, sizeof *all, by_value);
    CHECK(top->count == (k < n ? k : n));
    for (size_t i = 0; i < top->count; i++)
        CHECK(top->best[i].value == all[i].value && top->best[i].index == all[i].index);
    free(all);
}

static void the_greatest_k_on_every_executor(void)
{
    sheaf_user_op *op = load("top_k");
    for (size_t e = 0; e < KINDS; e++) {
        sheaf_executor *executor = open_executor(kinds[e]);
        for (size_t n = 0; n < 400000; n = n * 7 + 1)
            for (uint32_t k = 1; k <= TOP_MOST; k = k * 10) {
                struct top top;
                sheaf_array *array = random_doubles(n, n + k);
                sheaf_user_reduce_options options =
                    of(executor, (const sheaf_array *const *)&array);
                options.arguments = &k;
                options.argument_bytes = sizeof k;
                CHECK_OK(sheaf_user_reduce(&top, sizeof top, op, &options));
                check_top(&top, array, k);
                sheaf_detach(array);
            }
        sheaf_executor_close(executor);
    }
    sheaf_user_op_release(op);
}

struct killer {
    sheaf_executor *pool;
    _Atomic size_t rounds;
    _Atomic bool is_over;
    int killed;
};

static void *kill_workers(void *argument)
{
    struct killer *self = argument;
    unsigned long long state = 3;
    for (size_t seen = 0; !atomic_load(&self->is_over);) {
        sheaf_worker_info info;
        check_sleep_us(2000);
        if (atomic_load(&self->rounds) == seen)
            continue;
        seen = atomic_load(&self->rounds);
        CHECK_OK(sheaf_executor_worker(&info, self->pool, check_random(&state) % 3));
        if (info.pid != 0)
            self->killed += kill(info.pid, SIGKILL) == 0;
    }
    return NULL;
}

static void dying_workers_change_nothing(void)
{
    sheaf_user_op *op = load("top_k");
    sheaf_array *array = random_doubles(1000000, 9);
    struct killer killer = {.pool = open_executor((struct kind){SHEAF_PROCESSES, 3})};
    const uint32_t k = 100;
    static struct top first;
    static struct top top;
    pthread_t thread;
    sheaf_user_reduce_options options = of(killer.pool, (const sheaf_array *const *)&array);
    options.arguments = &k;
    options.argument_bytes = sizeof k;
    CHECK_OK(sheaf_user_reduce(&first, sizeof first, op, &options));
    check_top(&first, array, k);
    CHECK(pthread_create(&thread, NULL, kill_workers, &killer) == 0);
    for (int round = 0; round < 30; round++) {
        sheaf_future *future;
        CHECK_OK(sheaf_user_reduce_submit(&future, op, &options));
        CHECK_OK(sheaf_future_result(&top, sizeof top, future, SHEAF_FOREVER));
        CHECK(memcmp(&top, &first, sizeof top) == 0);
        sheaf_future_release(future);
        atomic_fetch_add(&killer.rounds, 1);
        check_sleep_us(1000);
    }
    atomic_store(&killer.is_over, true);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(killer.killed > 0);
    sheaf_executor_close(killer.pool);
    sheaf_detach(array);
    sheaf_user_op_release(op);
}

/* ---- the order, the sizes ----------------------------------------------------------------------------- */

static void items_come_in_their_order_however_leaves_are_cut(void)
{
    static const char *const names[] = {"spell", "spell_by_7", "spell_by_many"};
    sheaf_executor *executors[KINDS];
    for (size_t e = 0; e < KINDS; e++)
        executors[e] = open_executor(kinds[e]);
    for (size_t n = 0; n < 300000; n = n * 5 + 3) {
        const size_t shape[2] = {n, 3}; /* items of three bytes */
        sheaf_array *array = make(SHEAF_U8, 2, shape);
        unsigned char *bytes = sheaf_array_data(array);
        unsigned long long seed = n;
        uint64_t expected = 0;
        for (size_t i = 0; i < 3 * n; i++) {
            bytes[i] = (unsigned char)check_random(&seed);
            expected = expected * 0x9e3779b97f4a7c15 + bytes[i] + 1;
        }
        for (size_t o = 0; o < 3; o++) {
            sheaf_user_op *op = load(names[o]);
            for (size_t e = 0; e < KINDS; e++) {
                uint64_t got = 0;
                sheaf_user_reduce_options options =
                    of(executors[e], (const sheaf_array *const *)&array);
                CHECK_OK(sheaf_user_reduce(&got, sizeof got, op, &options));
                CHECK(got == expected + n);
            }
            sheaf_user_op_release(op);
        }
        sheaf_detach(array);
    }
    for (size_t e = 0; e < KINDS; e++)
        sheaf_executor_close(executors[e]);
}

static void partials_of_the_largest_size(void)
{
    enum { N = 3000001 };
    static uint64_t counts[BUCKETS];
    static uint64_t expected[256];
    const size_t n = N;
    sheaf_user_op *op = load("histogram");
    sheaf_array *array = make(SHEAF_U8, 1, &n);
    unsigned char *x = sheaf_array_data(array);
    unsigned long long seed = 1;
    for (size_t i = 0; i < n; i++)
        expected[x[i] = (unsigned char)(check_random(&seed) % 250)]++;
    for (size_t e = 0; e < KINDS; e++) {
        sheaf_executor *executor = open_executor(kinds[e]);
        sheaf_user_reduce_options options = of(executor, (const sheaf_array *const *)&array);
        for (size_t more = 0; more < 300000;
             more = more * 300 + 1000) { /* arguments that a slot has no room for */
            char *arguments = calloc(1, more);
            options.arguments = arguments;
            options.argument_bytes = more;
            CHECK_OK(sheaf_user_reduce(counts, sizeof counts, op, &options));
            for (size_t i = 0; i < BUCKETS; i++)
                CHECK(counts[i] == (i % 32 == 0 ? expected[i / 32] : 0));
            free(arguments);
        }
        sheaf_executor_close(executor);
    }
    sheaf_detach(array);
    sheaf_user_op_release(op);
}

/* ---- a linear regression, from this program ----------------------------------------------------------- */

/* Moments about the means, merged as by Chan, Golub, LeVeque (1983). */
struct moments {
    double n, x, y, xx, xy, yy;
};

struct line {
    double slope, intercept, r2;
};

static void moments_merge(void *partial, const void *next, const sheaf_run *run)
{
    struct moments *a = partial;
    const struct moments *b = next;
    (void)run;
    if (b->n == 0)
        return;
    double n = a->n + b->n;
    double dx = b->x - a->x;
    double dy = b->y - a->y;
    double weight = a->n * (b->n / n);
    a->xx += b->xx + dx * dx * weight;
    a->xy += b->xy + dx * dy * weight;
    a->yy += b->yy + dy * dy * weight;
    a->x += dx * (b->n / n);
    a->y += dy * (b->n / n);
    a->n = n;
}

/* One array of rows (x, y), or two arrays. */
static int moments_map(void *partial, const sheaf_run *run)
{
    struct moments here = {.n = (double)run->count};
    const double *x = run->items[0];
    const double *y = run->array_count == 2 ? run->items[1] : x + 1;
    const size_t step = run->item_bytes[0] / sizeof *x;
    if (run->array_count + step != 3)
        return sheaf_task_fail(1, "rows of two numbers are wanted, or two arrays of one");
    for (size_t i = 0; i < run->count; i++) {
        here.x += x[i * step] / here.n;
        here.y += y[i * step] / here.n;
    }
    for (size_t i = 0; i < run->count; i++) {
        double dx = x[i * step] - here.x;
        double dy = y[i * step] - here.y;
        here.xx += dx * dx;
        here.xy += dx * dy;
        here.yy += dy * dy;
    }
    moments_merge(partial, &here, run);
    return 0;
}

static void moments_finish(void *result, const void *partial, const sheaf_run *run)
{
    const struct moments *all = partial;
    struct line *line = result;
    (void)run;
    line->slope = all->xy / all->xx;
    line->intercept = all->y - line->slope * all->x;
    line->r2 = all->xy * all->xy / (all->xx * all->yy);
}

static const sheaf_operation regression = {
    .size = sizeof(sheaf_operation),
    .partial_bytes = sizeof(struct moments),
    .result_bytes = sizeof(struct line),
    .map = moments_map,
    .merge = moments_merge,
    .finish = moments_finish,
};

static struct line expected_line(const double *rows, size_t n)
{
    long double x = 0, y = 0, xx = 0, xy = 0, yy = 0;
    for (size_t i = 0; i < n; i++) {
        x += (long double)rows[2 * i] / (long double)n;
        y += (long double)rows[2 * i + 1] / (long double)n;
    }
    for (size_t i = 0; i < n; i++) {
        long double dx = (long double)rows[2 * i] - x;
        long double dy = (long double)rows[2 * i + 1] - y;
        xx += dx * dx;
        xy += dx * dy;
        yy += dy * dy;
    }
    long double slope = xy / xx;
    return (struct line){(double)slope, (double)(y - slope * x), (double)(xy * xy / (xx * yy))};
}

static void a_regression_by_this_programs_own_workers(void)
{
    enum { N = 200000 };
    const size_t shape[2] = {N, 2};
    sheaf_user_op *op;
    sheaf_array *rows = make(SHEAF_F64, 2, shape);
    sheaf_array *columns[2] = {make(SHEAF_F64, 1, shape), make(SHEAF_F64, 1, shape)};
    double *xy = sheaf_array_data(rows);
    unsigned long long seed = 1;
    for (size_t i = 0; i < N; i++) {
        xy[2 * i] = 1e6 + (double)(check_random(&seed) >> 11) * 0x1p-53;
        xy[2 * i + 1] = 3 * xy[2 * i] - 2 + (double)(check_random(&seed) >> 11) * 0x1p-54;
        ((double *)sheaf_array_data(columns[0]))[i] = xy[2 * i];
        ((double *)sheaf_array_data(columns[1]))[i] = xy[2 * i + 1];
    }
    const struct line expected = expected_line(xy, N);
    struct line first = {0};
    CHECK_OK(sheaf_user_op_open(&op, NULL, "regression"));
    for (size_t e = 0; e < KINDS; e++) {
        struct line line;
        sheaf_executor *executor = open_executor(kinds[e]);
        sheaf_user_reduce_options options = of(executor, (const sheaf_array *const *)&rows);
        CHECK_OK(sheaf_user_reduce(&line, sizeof line, op, &options));
        CHECK(fabs(line.slope / expected.slope - 1) < 1e-9);
        CHECK(fabs(line.intercept - expected.intercept) < 1e-2); /* 1e6 times the slope's error */
        CHECK(fabs(line.r2 / expected.r2 - 1) < 1e-9);
        if (e == 0)
            first = line;
        CHECK(memcmp(&line, &first, sizeof line) == 0);
        options.array_count = 2;
        options.arrays = (const sheaf_array *const *)columns;
        CHECK_OK(sheaf_user_reduce(&line, sizeof line, op, &options));
        CHECK(fabs(line.slope / expected.slope - 1) < 1e-9);
        sheaf_executor_close(executor);
    }
    sheaf_user_op_release(op);
    sheaf_detach(columns[1]);
    sheaf_detach(columns[0]);
    sheaf_detach(rows);
}

/* ---- mistakes ----------------------------------------------------------------------------------------- */

static void what_map_says_is_the_error(void)
{
    sheaf_user_op *op = load("top_k");
    const size_t n = 100000;
    sheaf_array *array = make(SHEAF_F32, 1, &n);
    for (size_t e = 0; e < KINDS; e++) {
        struct top top = {.count = 77};
        uint32_t k = 3;
        sheaf_executor *executor = open_executor(kinds[e]);
        sheaf_user_reduce_options options = of(executor, (const sheaf_array *const *)&array);
        options.arguments = &k;
        options.argument_bytes = sizeof k;
        CHECK_STATUS(SHEAF_ERR_CALLABLE, sheaf_user_reduce(&top, sizeof top, op, &options));
        CHECK_ERROR_SAYS("top_k is for f64, not for f32");
        CHECK_ERROR_SAYS("returned 1");
        CHECK(top.count == 77);
        sheaf_executor_close(executor);
    }
    sheaf_detach(array);
    sheaf_user_op_release(op);
}

static void bad_arguments_are_errors(void)
{
    const size_t n = 10;
    const size_t m = 11;
    sheaf_user_op *op;
    struct top top;
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, sheaf_user_op_open(&op, USER_OPS, "nothing_such"));
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, sheaf_user_op_open(&op, NULL, "top_k"));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_user_op_open(&op, USER_OPS, "too_large"));
    CHECK_ERROR_SAYS("65537 bytes");
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_user_op_open(&op, USER_OPS, "without_merge"));
    CHECK_ERROR_SAYS("merge is NULL");
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_user_op_open(&op, USER_OPS, "something_else"));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_user_op_open(&op, USER_OPS, NULL));
    CHECK_STATUS(
        SHEAF_ERR_EXISTS,
        sheaf_user_op_register("regression", &(sheaf_operation){.size = sizeof(sheaf_operation),
                                                                .partial_bytes = 8,
                                                                .result_bytes = 8,
                                                                .map = moments_map,
                                                                .merge = moments_merge}));
    op = load("top_k");
    sheaf_array *two[2] = {make(SHEAF_F64, 1, &n), make(SHEAF_F64, 1, &m)};
    sheaf_user_reduce_options options = of(NULL, (const sheaf_array *const *)two);
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_user_reduce(&top, sizeof top - 1, op, &options));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_user_reduce(&top, sizeof top, op, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_user_reduce(&top, sizeof top, NULL, &options));
    CHECK_STATUS(SHEAF_ERR_CALLABLE, sheaf_user_reduce(&top, sizeof top, op, &options));
    CHECK_ERROR_SAYS("top_k wants");
    options.array_count = 2;
    CHECK_STATUS(SHEAF_ERR_SHAPE, sheaf_user_reduce(&top, sizeof top, op, &options));
    CHECK_ERROR_SAYS("11 items");
    options.array_count = 4;
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_user_reduce(&top, sizeof top, op, &options));
    options.array_count = 0;
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_user_reduce(&top, sizeof top, op, &options));
    options = of(NULL, (const sheaf_array *const *)two);
    options.argument_bytes = 4;
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_user_reduce(&top, sizeof top, op, &options));
    sheaf_detach(two[0]);
    sheaf_detach(two[1]);
    sheaf_user_op_release(op);
    sheaf_user_op_release(NULL);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        CASE(the_greatest_k_on_every_executor),
        CASE(dying_workers_change_nothing),
        CASE(items_come_in_their_order_however_leaves_are_cut),
        CASE(partials_of_the_largest_size),
        CASE(a_regression_by_this_programs_own_workers),
        CASE(what_map_says_is_the_error),
        CASE(bad_arguments_are_errors),
    };
    CHECK_OK(sheaf_user_op_register("regression", &regression));
    sheaf_worker_main(argc, argv);
    return check_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
