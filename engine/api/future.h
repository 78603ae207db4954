/* future.h -- the inside of a sheaf_future. */
#ifndef SHEAF_API_FUTURE_H
#define SHEAF_API_FUTURE_H

#include <sheaf/future.h>

#include "exec/executor.h"

struct sheaf_future {
    struct pool *pool; /* retained; NULL: it was done at once */
    struct ticket ticket;
    uint32_t fork_count;
    size_t result_bytes;
    _Alignas(16) unsigned char result[OP_RESULT_BYTES_MAX]; /* of what was done at once */
};

/* Begins a planned request. Errors: NO_MEMORY, and those of the executor; that of work which was done at
 * once is the future's. */
sheaf_status future_begin(sheaf_future **out, sheaf_executor *executor,
                          const struct request *request);

#endif
