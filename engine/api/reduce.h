/* reduce.h -- what the reductions to one value and along axes share. */
#ifndef SHEAF_API_REDUCE_H
#define SHEAF_API_REDUCE_H

#include <sheaf/reduce.h>

#include "job/run.h"

/* The request of one value: arguments checked, options in its params but for axes. out: checked for NULL. */
sheaf_status reduce_request(struct request *request, const void *out, const sheaf_array *array,
                            sheaf_op op, const sheaf_reduce_options *options);

#endif
