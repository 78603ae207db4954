/* calls.h -- from what submit and map are given to a request of the operation "call". */
#ifndef SHEAF_API_CALLS_H
#define SHEAF_API_CALLS_H

#include <sheaf/callable.h>
#include <sheaf/future.h>

#include "job/run.h"
#include "memory/array.h"

/* Some items of a callable, which become one job. */
struct calls {
    const sheaf_callable *callable;
    sheaf_executor *executor;
    const void *arguments;
    size_t argument_bytes;
    const void *items; /* NULL: there are only indices */
    size_t item_bytes;
    size_t result_bytes;
    sheaf_array *into; /* NULL: the results are the job's */
    size_t into_item;  /* of this job's first item, among the results in `into` */
    const sheaf_array *const *arrays;
    size_t array_count;
    size_t first; /* index of the first item */
    size_t count; /* at least 1 */
    size_t chunk; /* items that one worker runs one after another; at least 1 */
    uint32_t attempts;
    int64_t deadline_ns;
};

/* Checks what does not depend on first and count. Errors: ARGUMENT, ACCESS, SHAPE. */
sheaf_status calls_check(const struct calls *calls);

/* Begins them; the result of *out is all results one after another, or nothing. */
sheaf_status calls_submit(sheaf_future **out, const struct calls *calls);

/* Bytes that do not fit in a slot go into shared memory of their own, as one more array of the request; *bytes is the
 * caller's to detach when the request has been given away. */
sheaf_status calls_move_bytes(sheaf_array **bytes, struct request *request);

/* Runs them and waits. results: count * result_bytes, or NULL if there are none, or they go to `into`. */
sheaf_status calls_run(void *results, const struct calls *calls);

#endif
