/* call.h -- what the public functions share: from checked arguments to a request, and to a future. */
#ifndef SHEAF_API_CALL_H
#define SHEAF_API_CALL_H

#include <sheaf/executor.h>
#include <sheaf/future.h>

#include "job/run.h"

/* The index of the instruction set of this name; NULL: SHEAF_ISA as it was at the first
 * call, else the fastest. Errors: UNSUPPORTED. */
sheaf_status call_isa(uint32_t *out, const char *isa);

/* Plans and runs it, waiting for the result. Texts of errors get the first array's key. */
sheaf_status call_run(void *result, sheaf_executor *executor, struct request *request);

/* Plans it and begins it. */
sheaf_status call_submit(sheaf_future **out, sheaf_executor *executor, struct request *request);

#endif
