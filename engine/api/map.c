/* map.c -- a map that is waited for, and one that is a future. */
#include "api/map.h"

#include "api/future.h"
#include "base/error.h"
#include "job/board.h"

/* Jobs of a long map that are in flight at once: while one ends, others keep the workers busy. */
enum { JOBS = 3 };

static const sheaf_map_options defaults;

sheaf_status map_calls(struct calls *out, const sheaf_callable *callable,
                       const sheaf_map_options *options)
{
    *out = (struct calls){
        .callable = callable,
        .executor = options->executor,
        .arguments = options->arguments,
        .argument_bytes = options->argument_bytes,
        .item_bytes = options->items != NULL || options->produce != NULL ? options->item_bytes : 0,
        .result_bytes = options->result_bytes,
        .into = options->into,
        .arrays = options->arrays,
        .array_count = options->array_count,
        .attempts = options->attempts,
        .deadline_ns = options->deadline_ns,
    };
    return calls_check(out);
}

void map_set_range(struct calls *calls, const sheaf_map_options *options, size_t i, size_t count)
{
    calls->first = options->first + i;
    calls->count = count;
    calls->into_item = i;
    if (options->items != NULL)
        calls->items = (const char *)options->items + i * options->item_bytes;
}

static sheaf_status check_into(size_t count, const sheaf_map_options *options)
{
    size_t bytes;
    if (options->into == NULL)
        return SHEAF_OK;
    if (options->result_bytes == 0 ||
        __builtin_mul_overflow(count, options->result_bytes, &bytes) ||
        bytes != options->into->bytes)
        return SHEAF_FAIL(SHEAF_ERR_SHAPE,
                          "map: %zu results of %zu bytes do not fill the array of %zu bytes", count,
                          options->result_bytes, options->into->bytes);
    return SHEAF_OK;
}

static sheaf_status prepare(struct calls *calls, const sheaf_callable *callable, size_t count,
                            const sheaf_map_options *options)
{
    if (options->produce != NULL || options->buffer != 0 || options->order != SHEAF_IN_ORDER)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT,
                          "map: produce, buffer and order are options of sheaf_map_begin()");
    sheaf_status status = map_calls(calls, callable, options);
    if (status == SHEAF_OK)
        status = check_into(count, options);
    if (status != SHEAF_OK)
        return status;
    size_t chunk = (count + BOARD_TASKS_MAX - 1) / BOARD_TASKS_MAX;
    calls->chunk = options->chunk != 0 ? options->chunk : chunk > 0 ? chunk : 1;
    map_set_range(calls, options, 0, count);
    return SHEAF_OK;
}

/* Waits for a job of the map and takes its results. */
static sheaf_status collect(void *results, sheaf_future **future)
{
    if (*future == NULL)
        return SHEAF_OK;
    sheaf_status status =
        sheaf_future_result(results, (*future)->out_bytes, *future, SHEAF_FOREVER);
    sheaf_future_release(*future);
    *future = NULL;
    return status;
}

static void *result_at(char *results, size_t item, const struct calls *calls)
{
    return results != NULL ? results + item * calls->result_bytes : NULL;
}

/* More chunks than one job has tasks. */
static sheaf_status run_long(char *results, struct calls *calls, size_t count,
                             const sheaf_map_options *options)
{
    sheaf_future *futures[JOBS] = {NULL};
    size_t begun[JOBS] = {0};
    size_t piece = calls->chunk * BOARD_TASKS_MAX;
    sheaf_status status = SHEAF_OK;
    size_t turn = 0;
    for (size_t i = 0; i < count && status == SHEAF_OK; i += piece, turn = (turn + 1) % JOBS) {
        status = collect(result_at(results, begun[turn], calls), &futures[turn]);
        if (status != SHEAF_OK)
            break;
        begun[turn] = i;
        map_set_range(calls, options, i, count - i < piece ? count - i : piece);
        status = calls_submit(&futures[turn], calls);
    }
    for (size_t k = 0; k < JOBS; k++) {
        size_t slot = (turn + k) % JOBS;
        if (status == SHEAF_OK) {
            status = collect(result_at(results, begun[slot], calls), &futures[slot]);
        } else if (futures[slot] != NULL) {
            sheaf_future_cancel(futures[slot]);
            sheaf_future_wait(futures[slot],
                              SHEAF_FOREVER); /* it writes `into` what is the caller's again */
            sheaf_future_release(futures[slot]);
        }
    }
    return status;
}

sheaf_status sheaf_map(void *results, const sheaf_callable *callable, size_t count,
                       const sheaf_map_options *options)
{
    struct calls calls;
    options = options != NULL ? options : &defaults;
    sheaf_status status = prepare(&calls, callable, count, options);
    if (status != SHEAF_OK || count == 0)
        return status;
    if (results == NULL && options->result_bytes != 0 && options->into == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "map: results is NULL, of %zu times %zu bytes", count,
                          options->result_bytes);
    if ((count - 1) / calls.chunk < BOARD_TASKS_MAX)
        return calls_run(results, &calls);
    return run_long(results, &calls, count, options);
}

sheaf_status sheaf_map_submit(sheaf_future **out, const sheaf_callable *callable, size_t count,
                              const sheaf_map_options *options)
{
    struct calls calls;
    options = options != NULL ? options : &defaults;
    if (out == NULL || count == 0)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "map: %s", out == NULL ? "out is NULL" : "no items");
    sheaf_status status = prepare(&calls, callable, count, options);
    return status == SHEAF_OK ? calls_submit(out, &calls) : status;
}
