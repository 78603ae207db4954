/* test_executors.c -- the same bits on every executor, with any number of workers; futures; closing. */
#include "check.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sheaf/sheaf.h>

/* A forked child has libgomp's memory for the threads of its parent's teams, and nobody to free it. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libgomp.so\n";
}

static const sheaf_backend backends[] = {SHEAF_SEQUENTIAL, SHEAF_THREADS, SHEAF_PROCESSES};

/* Position-dependent values of many magnitudes, so that any other order of summation shows. */
static sheaf_array *make_doubles(const char *name, size_t n)
{
    sheaf_array *array;
    unsigned long long state = n;
    CHECK_OK(sheaf_create(&array, check_key(name), SHEAF_F64, 1, &n,
                          &(sheaf_create_options){.lifetime = SHEAF_OWNED}));
    double *x = sheaf_array_data(array);
    for (size_t i = 0; i < n; i++) {
        double unit = (double)(long long)check_random(&state) / 9223372036854775808.0;
        x[i] = unit * (double)(1ULL << (i * 7 % 40));
    }
    return array;
}

static sheaf_scalar reduce(const sheaf_array *array, sheaf_op op, sheaf_executor *executor,
                           const char *isa)
{
    sheaf_scalar value;
    CHECK_OK(
        sheaf_reduce(&value, array, op, &(sheaf_reduce_options){.executor = executor, .isa = isa}));
    return value;
}

static bool same_bits(sheaf_scalar a, sheaf_scalar b)
{
    return a.dtype == b.dtype &&
           memcmp(a.value.bytes, b.value.bytes, sheaf_dtype_size(a.dtype)) == 0;
}

static void every_executor_and_isa_gives_the_same_bits(void)
{
    const size_t sizes[] = {1, 8192, 8193, 100000, 1000003};
    const sheaf_op ops[] = {SHEAF_MAX, SHEAF_MIN, SHEAF_SUM};
    sheaf_executor *reference;
    CHECK_OK(sheaf_executor_open(&reference, SHEAF_SEQUENTIAL, NULL));
    for (size_t workers = 1; workers <= 8; workers += workers < 3 ? 1 : 5)
        /* What is sequential shows the thread sanitizer nothing. */
        for (size_t b = IS_THREAD_SANITIZED ? 1 : 0; b < 3; b++) {
            sheaf_executor *executor;
            CHECK_OK(sheaf_executor_open(&executor, backends[b],
                                         &(sheaf_executor_options){.workers = workers}));
            CHECK(sheaf_executor_workers(executor) == (b == 0 ? 1 : workers));
            for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
                sheaf_array *array = make_doubles("bits", sizes[s]);
                for (size_t o = 0; o < 3; o++) {
                    sheaf_scalar expected = reduce(array, ops[o], reference, "scalar");
                    for (size_t i = 0; sheaf_isa_name(i) != NULL; i++)
                        CHECK(same_bits(reduce(array, ops[o], executor, sheaf_isa_name(i)),
                                        expected));
                    CHECK(same_bits(reduce(array, ops[o], NULL, NULL), expected));
                }
                uint8_t hash[2][SHEAF_HASH_BYTES];
                CHECK_OK(sheaf_hash(hash[0], array, &(sheaf_hash_options){.executor = reference}));
                CHECK_OK(sheaf_hash(hash[1], array, &(sheaf_hash_options){.executor = executor}));
                CHECK(memcmp(hash[0], hash[1], SHEAF_HASH_BYTES) == 0);
                sheaf_detach(array);
            }
            sheaf_executor_close(executor);
        }
    sheaf_executor_close(reference);
}

static void workers_reach_anonymous_and_unlinked_arrays(void)
{
    size_t n = 100000;
    sheaf_executor *executor;
    sheaf_array *anonymous;
    CHECK_OK(
        sheaf_executor_open(&executor, SHEAF_PROCESSES, &(sheaf_executor_options){.workers = 2}));
    CHECK_OK(sheaf_create_anonymous(&anonymous, SHEAF_I64, 1, &n));
    ((int64_t *)sheaf_array_data(anonymous))[n - 1] = 77;
    CHECK(reduce(anonymous, SHEAF_MAX, executor, NULL).value.i64 == 77);
    sheaf_array *named = make_doubles("unlinked", n);
    double sum = reduce(named, SHEAF_SUM, NULL, NULL).value.f64;
    CHECK_OK(sheaf_unlink(check_key("unlinked")));
    CHECK(reduce(named, SHEAF_SUM, executor, NULL).value.f64 == sum);
    sheaf_array *other = make_doubles("unlinked", n / 2); /* the key now names something else */
    CHECK(reduce(named, SHEAF_SUM, executor, NULL).value.f64 == sum);
    sheaf_detach(other);
    sheaf_detach(named);
    sheaf_detach(anonymous);
    sheaf_executor_close(executor);
}

static void private_arrays_are_refused_by_processes_only(void)
{
    double x[3] = {1, 3, 2};
    size_t n = 3;
    sheaf_array *array;
    sheaf_executor *executor;
    sheaf_scalar value;
    CHECK_OK(sheaf_wrap(&array, x, SHEAF_F64, 1, &n));
    CHECK(reduce(array, SHEAF_MAX, NULL, NULL).value.f64 == 3);
    CHECK_OK(
        sheaf_executor_open(&executor, SHEAF_PROCESSES, &(sheaf_executor_options){.workers = 1}));
    CHECK_STATUS(SHEAF_ERR_NOT_SHARED, sheaf_reduce(&value, array, SHEAF_MAX,
                                                    &(sheaf_reduce_options){.executor = executor}));
    CHECK_ERROR_SAYS("sheaf_create_anonymous");
    sheaf_executor_close(executor);
    sheaf_detach(array);
}

static void a_read_only_output_is_refused(void)
{
    const sheaf_backend kinds[] = {SHEAF_SEQUENTIAL, SHEAF_PROCESSES};
    size_t shape[] = {4, 3, 3};
    size_t row[] = {4, 3};
    sheaf_array *a;
    sheaf_array *values;
    sheaf_array *read_only;
    CHECK_OK(sheaf_create_anonymous(&a, SHEAF_F64, 3, shape));
    CHECK_OK(sheaf_create(&values, check_key("values"), SHEAF_F64, 2, row,
                          &(sheaf_create_options){.lifetime = SHEAF_OWNED}));
    CHECK_OK(sheaf_attach(&read_only, check_key("values"),
                          &(sheaf_attach_options){.access = SHEAF_READ_ONLY}));
    for (size_t b = 0; b < 2; b++) {
        sheaf_executor *executor;
        CHECK_OK(sheaf_executor_open(&executor, kinds[b], &(sheaf_executor_options){.workers = 1}));
        sheaf_svd_options options = {.executor = executor};
        CHECK_STATUS(SHEAF_ERR_ACCESS, sheaf_svd_values(read_only, NULL, a, &options));
        CHECK_OK(sheaf_svd_values(values, NULL, a, &options));
        sheaf_executor_close(executor);
    }
    sheaf_detach(read_only);
    sheaf_detach(values);
    sheaf_detach(a);
}

static void bad_arguments_are_errors(void)
{
    size_t n = 0;
    sheaf_array *empty;
    sheaf_scalar value = {.dtype = SHEAF_I32, .value.i32 = 42};
    sheaf_executor *executor;
    CHECK_OK(sheaf_create_anonymous(&empty, SHEAF_F64, 1, &n));
    CHECK_STATUS(SHEAF_ERR_EMPTY, sheaf_reduce(&value, empty, SHEAF_MAX, NULL));
    CHECK(value.dtype == SHEAF_I32 && value.value.i32 == 42); /* written on success only */
    CHECK_OK(sheaf_reduce(&value, empty, SHEAF_SUM, NULL));
    CHECK(value.dtype == SHEAF_F64 && memcmp(value.value.bytes, "\0\0\0\0\0\0\0\0", 8) == 0);
    CHECK_STATUS(SHEAF_ERR_UNSUPPORTED,
                 sheaf_reduce(&value, empty, SHEAF_SUM, &(sheaf_reduce_options){.isa = "avx9"}));
    CHECK_ERROR_SAYS("avx9");
    CHECK_ERROR_SAYS("scalar");
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_reduce(&value, empty, (sheaf_op)99, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_reduce(&value, NULL, SHEAF_SUM, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_reduce(NULL, empty, SHEAF_SUM, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_executor_open(&executor, (sheaf_backend)9, NULL));
    CHECK_STATUS(
        SHEAF_ERR_ARGUMENT,
        sheaf_executor_open(&executor, SHEAF_THREADS, &(sheaf_executor_options){.workers = 1000}));
    CHECK_STATUS(SHEAF_ERR_WORKER,
                 sheaf_executor_open(&executor, SHEAF_PROCESSES,
                                     &(sheaf_executor_options){.worker_path = "/no/such"}));
    CHECK_ERROR_SAYS("/no/such");
    CHECK_STATUS(SHEAF_ERR_WORKER,
                 sheaf_executor_open(&executor, SHEAF_PROCESSES,
                                     &(sheaf_executor_options){.worker_path = "/bin/false"}));
    CHECK_ERROR_SAYS("status 1");
    sheaf_detach(empty);
}

static void a_closed_executor_is_an_error(void)
{
    size_t n = 10;
    sheaf_array *array;
    sheaf_scalar value;
    sheaf_future *future;
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_I32, 1, &n));
    for (size_t b = 0; b < 3; b++) {
        sheaf_executor *executor;
        CHECK_OK(
            sheaf_executor_open(&executor, backends[b], &(sheaf_executor_options){.workers = 2}));
        CHECK_OK(sheaf_reduce_submit(&future, array, SHEAF_SUM,
                                     &(sheaf_reduce_options){.executor = executor}));
        sheaf_executor_close(executor);
        sheaf_executor_close(executor);
        CHECK_STATUS(SHEAF_ERR_CLOSED, sheaf_reduce(&value, array, SHEAF_SUM,
                                                    &(sheaf_reduce_options){.executor = executor}));
        CHECK(sheaf_executor_workers(executor) == 0);
        CHECK(sheaf_future_done(future)); /* futures outlive their executor */
        CHECK_OK(sheaf_future_result(&value, sizeof value, future, 0));
        CHECK(value.dtype == SHEAF_I64 && value.value.i64 == 0);
        sheaf_future_release(future);
    }
    sheaf_detach(array);
}

static void futures_wait_and_tell(void)
{
    sheaf_executor *executor;
    sheaf_future *futures[64];
    sheaf_scalar value;
    sheaf_failure failure;
    sheaf_array *array = make_doubles("futures", 3000000);
    sheaf_scalar expected = reduce(array, SHEAF_SUM, NULL, NULL);
    for (size_t b = 0; b < 3; b++) {
        CHECK_OK(
            sheaf_executor_open(&executor, backends[b], &(sheaf_executor_options){.workers = 2}));
        for (size_t i = 0; i < 64; i++)
            CHECK_OK(sheaf_reduce_submit(&futures[i], array, SHEAF_SUM,
                                         &(sheaf_reduce_options){.executor = executor}));
        for (size_t i = 64; i-- > 0;) {
            sheaf_status status = sheaf_future_wait(futures[i], 1);
            CHECK(status == SHEAF_OK || status == SHEAF_ERR_TIMEOUT);
            CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_future_result(&value, 3, futures[i], 0));
            CHECK_OK(sheaf_future_result(&value, sizeof value, futures[i], SHEAF_FOREVER));
            CHECK(same_bits(value, expected));
            CHECK_OK(sheaf_future_failure(&failure, futures[i]));
            CHECK(failure.status == SHEAF_OK);
            if (i % 2 == 0)
                sheaf_future_release(futures[i]);
        }
        for (size_t i = 1; i < 64; i += 2)
            sheaf_future_release(futures[i]);
        for (size_t i = 0; i < 8; i++) { /* released before they are done */
            CHECK_OK(sheaf_reduce_submit(&futures[i], array, SHEAF_SUM,
                                         &(sheaf_reduce_options){.executor = executor}));
            sheaf_future_release(futures[i]);
        }
        sheaf_executor_close(executor);
    }
    sheaf_detach(array);
}

static void a_detached_array_lives_until_its_jobs_are_done(void)
{
    for (size_t b = 0; b < 3; b++) {
        sheaf_executor *executor;
        sheaf_future *future;
        sheaf_scalar value;
        CHECK_OK(
            sheaf_executor_open(&executor, backends[b], &(sheaf_executor_options){.workers = 2}));
        sheaf_array *array = make_doubles("detached", 2000000);
        sheaf_scalar expected = reduce(array, SHEAF_SUM, NULL, NULL);
        CHECK_OK(sheaf_reduce_submit(&future, array, SHEAF_SUM,
                                     &(sheaf_reduce_options){.executor = executor}));
        sheaf_detach(array);
        CHECK_OK(sheaf_future_result(&value, sizeof value, future, SHEAF_FOREVER));
        CHECK(same_bits(value, expected));
        sheaf_future_release(future);
        sheaf_executor_close(executor);
    }
}

static void *reduce_often(void *executor)
{
    sheaf_array *array;
    size_t n = 300000;
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_I32, 1, &n));
    for (size_t i = 0; i < n; i++)
        ((int32_t *)sheaf_array_data(array))[i] = (int32_t)i;
    for (int round = 0; round < 200; round++)
        CHECK(reduce(array, SHEAF_SUM, executor, NULL).value.i64 ==
              (int64_t)(n - 1) * (int64_t)n / 2);
    sheaf_detach(array);
    return NULL;
}

static void many_threads_share_an_executor(void)
{
    for (size_t b = 1; b < 3; b++) {
        pthread_t threads[5];
        sheaf_executor *executor;
        CHECK_OK(
            sheaf_executor_open(&executor, backends[b], &(sheaf_executor_options){.workers = 3}));
        for (size_t i = 0; i < 5; i++)
            CHECK(pthread_create(&threads[i], NULL, reduce_often, executor) == 0);
        for (size_t i = 0; i < 5; i++)
            CHECK(pthread_join(threads[i], NULL) == 0);
        sheaf_executor_close(executor);
    }
}

static void a_full_table_is_busy(void)
{
    sheaf_executor *open[64];
    sheaf_executor *more;
    size_t count = 0;
    while (count < 64 && sheaf_executor_open(&open[count], SHEAF_SEQUENTIAL, NULL) == SHEAF_OK)
        count++;
    CHECK(count >= 60); /* the default executor has one */
    if (count < 64)
        CHECK_STATUS(SHEAF_ERR_BUSY, sheaf_executor_open(&more, SHEAF_SEQUENTIAL, NULL));
    for (size_t i = 0; i < count; i++)
        sheaf_executor_close(open[i]);
}

static void a_forked_child_is_refused_and_leaves_cleanly(void)
{
    size_t n = 200000;
    sheaf_array *array;
    sheaf_scalar value;
    sheaf_executor *executors[2];
    sheaf_future *future;
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_I32, 1, &n));
    for (size_t i = 0; i < n; i++)
        ((int32_t *)sheaf_array_data(array))[i] = 1;
    CHECK_OK(
        sheaf_executor_open(&executors[0], SHEAF_THREADS, &(sheaf_executor_options){.workers = 2}));
    CHECK_OK(sheaf_executor_open(&executors[1], SHEAF_PROCESSES,
                                 &(sheaf_executor_options){.workers = 2}));
    CHECK_OK(sheaf_reduce_submit(&future, array, SHEAF_SUM,
                                 &(sheaf_reduce_options){.executor = executors[1]}));
    CHECK(reduce(array, SHEAF_SUM, NULL, NULL).value.i64 == (int64_t)n);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 2; i++) {
            CHECK_STATUS(SHEAF_ERR_CLOSED,
                         sheaf_reduce(&value, array, SHEAF_SUM,
                                      &(sheaf_reduce_options){.executor = executors[i]}));
            CHECK_ERROR_SAYS("parent");
            sheaf_executor_close(executors[i]);
        }
        CHECK_STATUS(SHEAF_ERR_CLOSED, sheaf_future_result(&value, sizeof value, future, -1));
        CHECK(!sheaf_future_done(future));
        sheaf_future_release(future);
#ifdef __SANITIZE_THREAD__
        printf("  not under TSan, which ends a forked child that starts threads: its own pools\n");
        exit(0);
#endif
        CHECK(reduce(array, SHEAF_SUM, NULL, NULL).value.i64 == (int64_t)n); /* its own default */
        sheaf_executor *own;
        CHECK_OK(
            sheaf_executor_open(&own, SHEAF_PROCESSES, &(sheaf_executor_options){.workers = 2}));
        CHECK(reduce(array, SHEAF_SUM, own, NULL).value.i64 == (int64_t)n);
        sheaf_executor_close(own);
        sheaf_detach(array);
        exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK_OK(sheaf_future_result(&value, sizeof value, future, SHEAF_FOREVER));
    for (int i = 0; i < 2; i++)
        CHECK(reduce(array, SHEAF_SUM, executors[i], NULL).value.i64 == (int64_t)n);
    sheaf_future_release(future);
    sheaf_executor_close(executors[0]);
    sheaf_executor_close(executors[1]);
    sheaf_detach(array);
}

CHECK_MAIN(CASE(every_executor_and_isa_gives_the_same_bits),
           CASE(workers_reach_anonymous_and_unlinked_arrays),
           CASE(private_arrays_are_refused_by_processes_only), CASE(a_read_only_output_is_refused),
           CASE(bad_arguments_are_errors), CASE(a_closed_executor_is_an_error),
           CASE(futures_wait_and_tell), CASE(a_detached_array_lives_until_its_jobs_are_done),
           CASE(many_threads_share_an_executor), CASE(a_full_table_is_busy),
           CASE(a_forked_child_is_refused_and_leaves_cleanly))
