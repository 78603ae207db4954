/* future.h -- the inside of a sheaf_future. */
#ifndef SHEAF_API_FUTURE_H
#define SHEAF_API_FUTURE_H

#include <sheaf/future.h>

#include "exec/executor.h"

/* Makes out_bytes bytes for the caller from the operation's result. */
typedef void future_output(void *out, size_t out_bytes, const void *result);

struct sheaf_future {
    _Atomic uint32_t references; /* the caller's, and one for each callback that is to come */
    struct pool *pool;           /* retained; NULL: it was done at once */
    struct ticket ticket;
    uint32_t fork_count;
    bool is_output;      /* the result is the request's output */
    size_t result_bytes; /* of the operation */
    size_t out_bytes;    /* of what the caller is given */
    future_output *output;
    struct job_error error; /* of what was done at once, with the next */
    struct job_times times;
    _Alignas(64) unsigned char result[]; /* of what was done at once: result_bytes */
};

/* Begins a planned request. Errors: NO_MEMORY, and those of the executor; those of the work itself are in the future,
 * also if it was done at once. */
sheaf_status future_begin(sheaf_future **out, sheaf_executor *executor,
                          const struct request *request);

/* Before anybody else has the future: its result is not the operation's as it is, but what output makes
 * of it, so many bytes. */
void future_set_output(sheaf_future *future, size_t bytes, future_output *output);

#endif
