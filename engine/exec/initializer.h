/* initializer.h -- what each worker runs before all else. */
#ifndef SHEAF_EXEC_INITIALIZER_H
#define SHEAF_EXEC_INITIALIZER_H

#include <sheaf/executor.h>

#include "job/pool.h"

/* Gives it to a pool, if the options have one. Errors: ARGUMENT (too many bytes), NO_MEMORY, and those of
 * place_symbol. */
sheaf_status initializer_set(struct pool *pool, const sheaf_executor_options *options);

/* Runs it in the caller, if there is one. Errors: CALLABLE. */
sheaf_status initializer_run(const sheaf_executor_options *options);

#endif
