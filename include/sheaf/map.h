/* map.h -- a callable for every item: of a range of indices, of an array of items, or of what a producer makes.
 *
 *     concurrent.futures, joblib            here
 *     list(executor.map(f, items))          sheaf_map
 *     executor.map(f, items, chunksize=c)   option chunk; 0 chooses
 *     for r in executor.map(f, items)       sheaf_map_begin, sheaf_map_next, sheaf_map_end
 *     map(..., buffersize=n), pre_dispatch  option buffer
 *     map over a generator                  option produce
 *     return_as="generator_unordered"       option order = SHEAF_AS_COMPLETED
 *     map(..., timeout=t)                   the timeout of sheaf_map_next
 *     a map whose result is awaited later   sheaf_map_submit
 *
 * The function finds the item's number in task->index, its bytes in task->item, and writes task->result. */
#ifndef SHEAF_MAP_H
#define SHEAF_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sheaf/callable.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sheaf_map_order {
    SHEAF_IN_ORDER = 0,
    SHEAF_AS_COMPLETED = 1, /* whichever chunk is done first */
} sheaf_map_order;

typedef struct sheaf_map_options {
    sheaf_executor *executor; /* NULL: the process-wide default */
    const void *arguments;    /* the same for all items; copied */
    size_t argument_bytes;
    const void *items;   /* one after another; copied chunk by chunk. NULL: only indices */
    size_t item_bytes;   /* of one */
    size_t first;        /* index of the first item */
    size_t result_bytes; /* of one result */
    /* Where the results go, dense and of count * result_bytes bytes (a slice of a larger array: of
     * sheaf_view_slice()). Workers write there directly. NULL: into the caller's own memory. */
    sheaf_array *into;
    /* Items that one worker takes at once. 0: sheaf_map() cuts into at most 1024 chunks, an iterator into 32 for
     * each worker, or one item each if it does not know how many there are. */
    size_t chunk;
    uint32_t attempts;   /* for each chunk, as of sheaf_submit_options */
    int64_t deadline_ns; /* for each chunk */
    size_t array_count;  /* as of sheaf_submit_options; into counts as none of them */
    const sheaf_array *const *arrays;

    /* Of iterators only. */
    size_t
        buffer; /* items begun and not given out, at least a chunk; 0: 4 chunks for each worker */
    sheaf_map_order order;
    /* Makes the next item, of item_bytes, in place of items; false: there are no more. Called by sheaf_map_begin()
     * and sheaf_map_next(), in their thread, when there is room in the buffer. */
    bool (*produce)(void *item, void *context);
    void *context;
} sheaf_map_options;

/* Calls the function for count items and returns when all are done. results: count * result_bytes bytes, or NULL if
 * there are none or they go `into` an array. If an item fails the others may or may not have run, and the results
 * are not to be used. Up to 1024 chunks are one job; more are several, two or three at a time.
 * Errors: ARGUMENT, SHAPE (into), CALLABLE (the text names the item), WORKER, and those of sheaf_submit(). */
SHEAF_EXPORT sheaf_status sheaf_map(void *results, const sheaf_callable *callable, size_t count,
                                    const sheaf_map_options *options);

/* The same, returning at once: one job, whose chunks are made large enough that there are at most 1024. The result of
 * *out is all results one after another, or of 0 bytes if they go `into` an array. count is at least 1. */
SHEAF_EXPORT sheaf_status sheaf_map_submit(sheaf_future **out, const sheaf_callable *callable,
                                           size_t count, const sheaf_map_options *options);

typedef struct sheaf_map_iterator sheaf_map_iterator;

/* Begins a map whose results come one by one. At most options->buffer items are under way or waiting to be taken,
 * however many there are. count: of items; with produce SIZE_MAX if nobody knows. The options' items, producer, arrays
 * and the callable stay the caller's until sheaf_map_end(). One thread at a time. The caller owns *out. */
SHEAF_EXPORT sheaf_status sheaf_map_begin(sheaf_map_iterator **out, const sheaf_callable *callable,
                                          size_t count, const sheaf_map_options *options);

/* The next result: result_bytes bytes to result, its item's index to *index (which may be NULL).
 * Errors: EMPTY (all were given out), TIMEOUT (call again), and those of the function: a chunk with an item that fails
 * gives no results, but its error once, with the index of its first item; the next call goes on behind it. */
SHEAF_EXPORT sheaf_status sheaf_map_next(void *result, size_t *index, sheaf_map_iterator *iterator,
                                         int64_t timeout_ns);

/* Gives the iterator back. What has not begun is cancelled, what runs goes on unseen. NULL is allowed. */
SHEAF_EXPORT void sheaf_map_end(sheaf_map_iterator *iterator);

#ifdef __cplusplus
}
#endif
#endif
