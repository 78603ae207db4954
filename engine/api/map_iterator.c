/* map_iterator.c -- a map whose results come one by one.
 *
 *     chunks   0   1   2   3   4   5   6 ...
 *                  |       |   |   |
 *                  given   in flight   not begun
 *                  out     (a future each, in a ring)
 *
 * Every chunk is a job with one task. When the results of a chunk have all been given out, its place in the ring goes to
 * the next chunk: so no more than the buffer's items are under way. */
#include "api/map.h"

#include <stdlib.h>
#include <string.h>

#include "api/future.h"
#include "base/error.h"

enum { CHUNKS_PER_WORKER = 32, BUFFERED_PER_WORKER = 4, CHUNKS_MAX = 256 };

struct chunk {
    sheaf_future *future; /* NULL: nothing is here */
    size_t first;         /* item, counted from 0 */
    size_t count;
};

struct sheaf_map_iterator {
    struct calls calls;
    sheaf_map_options options;
    size_t count;         /* items in all, or SIZE_MAX */
    size_t begun;         /* items that were begun */
    size_t places;        /* of the ring */
    size_t oldest;        /* place of the chunk that was begun first */
    size_t in_flight;     /* chunks */
    size_t produced;      /* items that the producer has made for a chunk that is not begun */
    size_t given;         /* results of the current chunk that were given out */
    struct chunk current; /* whose results are being given out; count 0: none */
    char *items;          /* of one chunk, from the producer */
    char *results;        /* of the current chunk */
    struct chunk ring[CHUNKS_MAX];
};

/* How many items the next chunk has; gets them from the producer. */
static size_t next_items(sheaf_map_iterator *iterator)
{
    const sheaf_map_options *options = &iterator->options;
    size_t most = iterator->count - iterator->begun;
    size_t n = iterator->produced;
    if (most > iterator->calls.chunk)
        most = iterator->calls.chunk;
    if (options->produce == NULL)
        return most;
    while (n < most &&
           options->produce(iterator->items + n * options->item_bytes, options->context))
        n++;
    if (n < most)
        iterator->count = iterator->begun + n; /* that was the end */
    return n;
}

/* Begins one chunk in a free place. */
static sheaf_status begin_chunk(sheaf_map_iterator *iterator, struct chunk *place, size_t n)
{
    map_set_range(&iterator->calls, &iterator->options, iterator->begun, n);
    if (iterator->options.produce != NULL)
        iterator->calls.items = iterator->options.item_bytes != 0 ? iterator->items : NULL;
    sheaf_status status = calls_submit(&place->future, &iterator->calls);
    if (status != SHEAF_OK)
        return status;
    place->first = iterator->begun;
    place->count = n;
    iterator->begun += n;
    iterator->produced = 0;
    iterator->in_flight++;
    return SHEAF_OK;
}

/* Fills the free places of the ring. */
static sheaf_status refill(sheaf_map_iterator *iterator)
{
    for (size_t i = 0; i < iterator->places && iterator->begun < iterator->count; i++) {
        struct chunk *place = &iterator->ring[(iterator->oldest + i) % iterator->places];
        if (place->future != NULL)
            continue;
        size_t n = next_items(iterator);
        iterator->produced = n;
        sheaf_status status = n != 0 ? begin_chunk(iterator, place, n) : SHEAF_OK;
        if (status == SHEAF_ERR_BUSY && iterator->in_flight != 0)
            return SHEAF_OK; /* others hold the queue: again when one of ours has ended */
        if (status != SHEAF_OK)
            return status;
    }
    return SHEAF_OK;
}

/* The chunk whose results come next, when it is done. */
static sheaf_status next_chunk(struct chunk **out, sheaf_map_iterator *iterator, int64_t timeout_ns)
{
    if (iterator->options.order == SHEAF_IN_ORDER) {
        *out = &iterator->ring[iterator->oldest];
        return sheaf_future_wait((*out)->future, timeout_ns);
    }
    sheaf_future *futures[CHUNKS_MAX];
    struct chunk *places[CHUNKS_MAX] = {&iterator->ring[0]};
    size_t n = 0;
    for (size_t i = 0; i < iterator->places; i++)
        if (iterator->ring[i].future != NULL) {
            places[n] = &iterator->ring[i];
            futures[n++] = iterator->ring[i].future;
        }
    sheaf_status status = sheaf_wait(futures, n, SHEAF_FIRST_COMPLETED, timeout_ns);
    size_t done = 0;
    while (done + 1 < n && !sheaf_future_done(futures[done]))
        done++;
    *out = places[done];
    return status;
}

/* Takes the results of the next chunk that is done, and begins others. An error is that chunk's. */
static sheaf_status take_chunk(size_t *index, sheaf_map_iterator *iterator, int64_t timeout_ns)
{
    struct chunk *chunk = &iterator->ring[0];
    if (iterator->in_flight == 0)
        return SHEAF_FAIL(SHEAF_ERR_EMPTY, "map: all results were given out");
    sheaf_status status = next_chunk(&chunk, iterator, timeout_ns);
    if (status != SHEAF_OK)
        return status;
    size_t bytes = chunk->future->out_bytes;
    status = sheaf_future_result(iterator->results, bytes, chunk->future, 0);
    sheaf_future_release(chunk->future);
    iterator->in_flight--;
    *index = iterator->options.first + chunk->first;
    iterator->current = *chunk;
    iterator->given = 0;
    *chunk = (struct chunk){0};
    if (iterator->options.order == SHEAF_IN_ORDER)
        iterator->oldest = (iterator->oldest + 1) % iterator->places;
    if (status != SHEAF_OK)
        iterator->current.count = 0;
    return status;
}

sheaf_status sheaf_map_next(void *result, size_t *index, sheaf_map_iterator *iterator,
                            int64_t timeout_ns)
{
    size_t at = 0;
    if (iterator == NULL ||
        (result == NULL && iterator->calls.into == NULL && iterator->calls.result_bytes != 0))
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "map: %s is NULL",
                          iterator == NULL ? "iterator" : "result");
    sheaf_status status = SHEAF_OK;
    if (iterator->given == iterator->current.count) {
        status = refill(iterator);
        if (status == SHEAF_OK)
            status = take_chunk(&at, iterator, timeout_ns);
    }
    size_t bytes = iterator->calls.into == NULL ? iterator->calls.result_bytes : 0;
    if (status == SHEAF_OK) {
        at = iterator->options.first + iterator->current.first + iterator->given;
        if (result != NULL)
            memcpy(result, iterator->results + iterator->given * bytes, bytes);
        iterator->given++;
    }
    if (index != NULL && status != SHEAF_ERR_EMPTY && status != SHEAF_ERR_TIMEOUT)
        *index = at;
    return status;
}

void sheaf_map_end(sheaf_map_iterator *iterator)
{
    if (iterator == NULL)
        return;
    for (size_t i = 0; i < iterator->places; i++)
        if (iterator->ring[i].future != NULL) {
            sheaf_future_cancel(iterator->ring[i].future);
            sheaf_future_release(iterator->ring[i].future);
        }
    free(iterator->items);
    free(iterator->results);
    free(iterator);
}

/* How many items a chunk has, and how many chunks the ring. */
static void choose_sizes(sheaf_map_iterator *iterator)
{
    const sheaf_map_options *options = &iterator->options;
    size_t workers = sheaf_executor_workers(options->executor);
    size_t parts = (workers > 0 ? workers : 1) * CHUNKS_PER_WORKER;
    size_t chunk = options->chunk;
    if (chunk == 0 && iterator->count != SIZE_MAX)
        chunk = iterator->count / parts + 1;
    size_t places = parts / CHUNKS_PER_WORKER * BUFFERED_PER_WORKER;
    if (options->buffer != 0) {
        size_t half = options->buffer - options->buffer / 2; /* one to run, one to be taken */
        if (options->chunk == 0 && chunk > half)
            chunk = half;
    }
    iterator->calls.chunk = chunk != 0 ? chunk : 1;
    if (options->buffer != 0)
        places = options->buffer / iterator->calls.chunk;
    iterator->places = places < 1 ? 1 : places > CHUNKS_MAX ? CHUNKS_MAX : places;
}

static sheaf_status check(const sheaf_map_options *options, size_t count)
{
    if (options->order > SHEAF_AS_COMPLETED)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "map: no order %d", (int)options->order);
    if (options->items != NULL && options->produce != NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "map: items and produce: give one of them");
    if (count == SIZE_MAX && (options->produce == NULL || options->into != NULL))
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "map: how many items? Only with produce, and without "
                                              "into, nobody need know");
    return SHEAF_OK;
}

sheaf_status sheaf_map_begin(sheaf_map_iterator **out, const sheaf_callable *callable, size_t count,
                             const sheaf_map_options *options)
{
    static const sheaf_map_options defaults;
    options = options != NULL ? options : &defaults;
    if (out == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "map: out is NULL");
    sheaf_status status = check(options, count);
    if (status != SHEAF_OK)
        return status;
    sheaf_map_iterator *iterator = calloc(1, sizeof *iterator);
    if (iterator == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "map: out of memory");
    iterator->options = *options;
    iterator->count = count;
    status = map_calls(&iterator->calls, callable, options);
    if (status != SHEAF_OK)
        goto end;
    if (options->into != NULL &&
        (options->result_bytes == 0 || count > options->into->bytes / options->result_bytes)) {
        status = SHEAF_FAIL(SHEAF_ERR_SHAPE,
                            "map: %zu results of %zu bytes do not fit in the array "
                            "of %zu bytes",
                            count, options->result_bytes, options->into->bytes);
        goto end;
    }
    choose_sizes(iterator);
    iterator->items = calloc(iterator->calls.chunk, options->item_bytes + 1);
    iterator->results = calloc(iterator->calls.chunk, options->result_bytes + 1);
    status = iterator->items == NULL || iterator->results == NULL
                 ? SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "map: a chunk of %zu items: out of memory",
                              iterator->calls.chunk)
                 : refill(iterator);
    if (status != SHEAF_OK)
        goto end;
    *out = iterator;
    return SHEAF_OK;
end:
    sheaf_map_end(iterator);
    return status;
}
