/* future.h -- the inside of a sheaf_future. */
#ifndef SHEAF_API_FUTURE_H
#define SHEAF_API_FUTURE_H

#include <sheaf/future.h>

#include "exec/executor.h"

/* Begins a planned request. Errors: NO_MEMORY, and those of the executor; that of work which was done at
 * once is the future's. */
sheaf_status future_begin(sheaf_future **out, sheaf_executor *executor,
                          const struct request *request);

/* Makes out_bytes bytes for the caller from the operation's result. */
typedef void future_output(void *out, size_t out_bytes, const void *result);

/* Before anybody else has the future: its result is not the operation's as it is, but what output makes
 * of it, so many bytes. */
void future_set_output(sheaf_future *future, size_t bytes, future_output *output);

#endif
