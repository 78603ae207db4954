/* test_map.c -- maps on every executor: over indices, items and what a producer makes; chunks, buffers, orders. */
#include "check.h"

#include <signal.h>

#include "callable_fixture.h"
#include "callables.h"

static void check_squares(const int64_t *results, size_t n, int64_t offset)
{
    for (size_t i = 0; i < n; i++)
        CHECK(results[i] == ((int64_t)i + offset) * ((int64_t)i + offset));
}

static void indices_in_any_chunks(void)
{
    const size_t counts[] = {1, 2, 1023, 1024, 1025, 5000};
    const size_t chunks[] = {0, 1, 3, 1000, 100000};
    static int64_t results[5000];
    sheaf_callable *callable = load("square_index");
    for (size_t b = 0; b < 3; b++) {
        sheaf_executor *executor = open_executor(b, 2);
        for (size_t n = 0; n < 6; n++)
            for (size_t c = 0; c < 5; c++) {
                int64_t offset = 5;
                memset(results, 0, sizeof results);
                CHECK_OK(sheaf_map(results, callable, counts[n],
                                   &(sheaf_map_options){.executor = executor,
                                                        .arguments = &offset,
                                                        .argument_bytes = sizeof offset,
                                                        .first = 10,
                                                        .chunk = chunks[c],
                                                        .result_bytes = sizeof results[0]}));
                check_squares(results, counts[n], 15);
                CHECK(counts[n] == 5000 || results[counts[n]] == 0);
            }
        CHECK_OK(sheaf_map(NULL, callable, 0, &(sheaf_map_options){.executor = executor}));
        sheaf_executor_close(executor);
    }
    sheaf_callable_release(callable);
}

static void items_and_results_of_megabytes(void)
{
    size_t n = 300000;
    int64_t addend = 1000000;
    int64_t *items = malloc(n * sizeof *items);
    int64_t *results = malloc(n * sizeof *results);
    sheaf_callable *callable = load("add_item");
    CHECK(items != NULL && results != NULL);
    for (size_t i = 0; i < n; i++)
        items[i] = (int64_t)(i * i);
    for (size_t b = 0; b < 3; b++)
        for (size_t chunk = 0; chunk <= 100; chunk += 100) {
            sheaf_executor *executor = open_executor(b, 3);
            memset(results, 0, n * sizeof *results);
            CHECK_OK(sheaf_map(results, callable, n,
                               &(sheaf_map_options){.executor = executor,
                                                    .arguments = &addend,
                                                    .argument_bytes = sizeof addend,
                                                    .items = items,
                                                    .item_bytes = sizeof *items,
                                                    .chunk = chunk,
                                                    .result_bytes = sizeof *results}));
            for (size_t i = 0; i < n; i++)
                CHECK(results[i] == items[i] + addend);
            sheaf_executor_close(executor);
        }
    free(items);
    free(results);
    sheaf_callable_release(callable);
}

/* Rows 100 to 1099 of a larger array, and nothing else of it. */
static void results_go_into_a_slice(void)
{
    size_t shape[] = {2000};
    sheaf_array *all;
    sheaf_array *slice;
    sheaf_future *future;
    sheaf_callable *callable = load("square_index");
    CHECK_OK(sheaf_create_anonymous(&all, SHEAF_I64, 1, shape));
    CHECK_OK(sheaf_view_slice(&slice, all, 0, 100, 1100, 1));
    int64_t *data = sheaf_array_data(all);
    for (size_t b = 0; b < 3; b++)
        for (int form = 0; form < 3; form++) {
            sheaf_executor *executor = open_executor(b, 2);
            sheaf_map_options options = {
                .executor = executor, .into = slice, .result_bytes = 8, .chunk = form == 2 ? 0 : 1};
            memset(data, 0, 2000 * sizeof *data);
            if (form == 0) {
                CHECK_OK(sheaf_map(NULL, callable, 1000, &options));
            } else if (form == 1) {
                CHECK_OK(sheaf_map_submit(&future, callable, 1000, &options));
                CHECK_OK(sheaf_future_result(NULL, 0, future, SHEAF_FOREVER));
                sheaf_future_release(future);
            } else {
                sheaf_map_iterator *iterator;
                size_t index;
                size_t seen = 0;
                CHECK_OK(sheaf_map_begin(&iterator, callable, 1000, &options));
                while (sheaf_map_next(NULL, &index, iterator, SHEAF_FOREVER) == SHEAF_OK)
                    CHECK(index == seen++ && data[100 + index] == (int64_t)(index * index));
                CHECK(seen == 1000);
                sheaf_map_end(iterator);
            }
            check_squares(data + 100, 1000, 0);
            for (size_t i = 0; i < 100; i++)
                CHECK(data[i] == 0 && data[1100 + i] == 0);
            CHECK_STATUS(SHEAF_ERR_SHAPE, sheaf_map(NULL, callable, 999, &options));
            sheaf_executor_close(executor);
        }
    sheaf_detach(slice);
    sheaf_detach(all);
    sheaf_callable_release(callable);
}

static void a_map_is_a_future(void)
{
    static int64_t results[3000];
    sheaf_callable *callable = load("square_index");
    for (size_t b = 0; b < 3; b++) {
        sheaf_executor *executor = open_executor(b, 2);
        sheaf_future *future;
        CHECK_OK(sheaf_map_submit(
            &future, callable, 3000,
            &(sheaf_map_options){.executor = executor, .chunk = 1, .result_bytes = 8}));
        CHECK_OK(sheaf_future_result(results, sizeof results, future, SHEAF_FOREVER));
        check_squares(results, 3000, 0);
        sheaf_future_release(future);
        sheaf_executor_close(executor);
    }
    sheaf_callable_release(callable);
}

static void iterators_give_every_result_once(void)
{
    const size_t counts[] = {0, 1, 7, 1000};
    sheaf_callable *callable = load("square_index");
    for (size_t b = 0; b <= ELASTIC; b++) {
        sheaf_executor *executor = open_executor(b, 2);
        for (size_t n = 0; n < 4; n++)
            for (int form = 0; form < 8; form++) {
                sheaf_map_iterator *iterator;
                bool is_seen[1000] = {false};
                size_t seen = 0;
                size_t index;
                int64_t result;
                sheaf_map_order order = form & 1 ? SHEAF_AS_COMPLETED : SHEAF_IN_ORDER;
                CHECK_OK(sheaf_map_begin(&iterator, callable, counts[n],
                                         &(sheaf_map_options){.executor = executor,
                                                              .chunk = form & 2 ? 3 : 0,
                                                              .buffer = form & 4 ? 5 : 0,
                                                              .order = order,
                                                              .result_bytes = 8}));
                while (sheaf_map_next(&result, &index, iterator, SHEAF_FOREVER) == SHEAF_OK) {
                    CHECK(index < counts[n] && !is_seen[index]);
                    CHECK(result == (int64_t)(index * index));
                    CHECK(order == SHEAF_AS_COMPLETED || index == seen);
                    is_seen[index] = true;
                    seen++;
                }
                CHECK(seen == counts[n]);
                CHECK_STATUS(SHEAF_ERR_EMPTY, sheaf_map_next(&result, &index, iterator, 0));
                sheaf_map_end(iterator);
            }
        sheaf_executor_close(executor);
    }
    sheaf_callable_release(callable);
}

struct producer {
    int64_t made;
    int64_t most;
};

static bool produce(void *item, void *context)
{
    struct producer *producer = context;
    if (producer->made == producer->most)
        return false;
    memcpy(item, &producer->made, sizeof producer->made);
    producer->made++;
    return true;
}

static void a_buffer_bounds_what_a_producer_makes(void)
{
    sheaf_callable *callable = load("add_item");
    int64_t addend = 3;
    for (size_t b = 0; b < 3; b++)
        for (size_t chunk = 1; chunk <= 4; chunk += 3) {
            sheaf_executor *executor = open_executor(b, 2);
            struct producer producer = {0, 301};
            sheaf_map_iterator *iterator;
            int64_t result;
            int64_t taken = 0;
            CHECK_OK(sheaf_map_begin(&iterator, callable, SIZE_MAX,
                                     &(sheaf_map_options){.executor = executor,
                                                          .arguments = &addend,
                                                          .argument_bytes = sizeof addend,
                                                          .item_bytes = sizeof(int64_t),
                                                          .result_bytes = sizeof result,
                                                          .chunk = chunk,
                                                          .buffer = 12,
                                                          .produce = produce,
                                                          .context = &producer}));
            CHECK(producer.made == 12);
            while (sheaf_map_next(&result, NULL, iterator, SHEAF_FOREVER) == SHEAF_OK) {
                CHECK(result == taken + addend);
                taken++;
                CHECK(producer.made <= taken + 12);
            }
            CHECK(taken == 301);
            sheaf_map_end(iterator);
            sheaf_executor_close(executor);
        }
    sheaf_callable_release(callable);
}

static void an_item_that_fails_is_told(void)
{
    static int64_t results[2000];
    int64_t divisor = 700;
    sheaf_callable *callable = load("refuse_multiples");
    for (size_t b = 0; b <= ELASTIC; b++) {
        sheaf_executor *executor = open_executor(b, 2);
        sheaf_map_iterator *iterator;
        sheaf_map_options options = {.executor = executor,
                                     .arguments = &divisor,
                                     .argument_bytes = sizeof divisor,
                                     .result_bytes = 8,
                                     .first = 1};
        for (options.chunk = 0; options.chunk < 2; options.chunk++) {
            CHECK_STATUS(SHEAF_ERR_CALLABLE, sheaf_map(results, callable, 2000, &options));
            CHECK_ERROR_SAYS("a multiple");
            CHECK_OK(sheaf_map(results, callable, 699, &options));
        }
        size_t index;
        size_t given = 0;
        size_t failed = 0;
        options.chunk = 1;
        CHECK_OK(sheaf_map_begin(&iterator, callable, 2000, &options));
        for (;;) {
            sheaf_status status = sheaf_map_next(results, &index, iterator, SHEAF_FOREVER);
            if (status == SHEAF_ERR_EMPTY)
                break;
            CHECK(index == 1 + given + failed); /* one after another, whether or not they fail */
            given += status == SHEAF_OK;
            failed += status == SHEAF_ERR_CALLABLE;
            CHECK((status == SHEAF_ERR_CALLABLE) == (index % 700 == 0));
        }
        CHECK(given == 1998 && failed == 2);
        sheaf_map_end(iterator);
        sheaf_executor_close(executor);
    }
    sheaf_callable_release(callable);
}

static void a_timeout_ends_a_step_and_nothing_else(void)
{
    int64_t us = 50000;
    sheaf_callable *callable = load("sleep_us");
    sheaf_executor *executor = open_executor(2, 1);
    sheaf_map_iterator *iterator;
    CHECK_OK(sheaf_map_begin(
        &iterator, callable, 3,
        &(sheaf_map_options){
            .executor = executor, .arguments = &us, .argument_bytes = sizeof us, .chunk = 1}));
    CHECK_STATUS(SHEAF_ERR_TIMEOUT, sheaf_map_next(NULL, NULL, iterator, 1000000));
    for (int i = 0; i < 3; i++)
        CHECK_OK(sheaf_map_next(NULL, NULL, iterator, SHEAF_FOREVER));
    CHECK_STATUS(SHEAF_ERR_EMPTY, sheaf_map_next(NULL, NULL, iterator, SHEAF_FOREVER));
    sheaf_map_end(iterator);
    CHECK_OK(sheaf_map_begin(
        &iterator, callable, 100,
        &(sheaf_map_options){
            .executor = executor, .arguments = &us, .argument_bytes = sizeof us, .chunk = 1}));
    sheaf_map_end(iterator); /* the one that runs goes on, the others were cancelled */
    sheaf_executor_close(executor);
    sheaf_callable_release(callable);
}

static void a_map_outlives_its_workers(void)
{
    static int64_t results[20000];
    sheaf_callable *callable = load("square_index");
    sheaf_executor *executor = open_executor(2, 2);
    for (int round = 0; round < 20; round++) {
        sheaf_future *future;
        sheaf_worker_info info;
        memset(results, 0, sizeof results);
        CHECK_OK(sheaf_map_submit(
            &future, callable, 20000,
            &(sheaf_map_options){.executor = executor, .attempts = 10, .result_bytes = 8}));
        CHECK_OK(sheaf_executor_worker(&info, executor, (size_t)round % 2));
        if (info.pid != 0)
            kill(info.pid, SIGKILL);
        CHECK_OK(sheaf_future_result(results, sizeof results, future, SHEAF_FOREVER));
        check_squares(results, 20000, 0);
        sheaf_future_release(future);
    }
    sheaf_executor_close(executor);
    sheaf_callable_release(callable);
}

static void bad_arguments_are_errors(void)
{
    sheaf_callable *callable = load("square_index");
    sheaf_map_iterator *iterator;
    sheaf_future *future;
    int64_t result;
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_map(&result, NULL, 1, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT,
                 sheaf_map(NULL, callable, 1, &(sheaf_map_options){.result_bytes = 8}));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT,
                 sheaf_map(&result, callable, 1, &(sheaf_map_options){.buffer = 8}));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_map_submit(&future, callable, 0, NULL));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_map_begin(&iterator, callable, SIZE_MAX, NULL));
    CHECK_STATUS(
        SHEAF_ERR_ARGUMENT,
        sheaf_map_begin(&iterator, callable, 3, &(sheaf_map_options){.order = (sheaf_map_order)7}));
    CHECK_STATUS(SHEAF_ERR_OVERFLOW, sheaf_map(&result, callable, SIZE_MAX / 8,
                                               &(sheaf_map_options){.result_bytes = 64}));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_map_next(&result, NULL, NULL, 0));
    sheaf_map_end(NULL);
    sheaf_callable_release(callable);
}

CHECK_MAIN(CASE(indices_in_any_chunks), CASE(items_and_results_of_megabytes),
           CASE(results_go_into_a_slice), CASE(a_map_is_a_future),
           CASE(iterators_give_every_result_once), CASE(a_buffer_bounds_what_a_producer_makes),
           CASE(an_item_that_fails_is_told), CASE(a_timeout_ends_a_step_and_nothing_else),
           CASE(a_map_outlives_its_workers), CASE(bad_arguments_are_errors))
