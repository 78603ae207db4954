/* overdue.h -- the supervisor's look at workers that are overdue. */
#ifndef SHEAF_EXEC_OVERDUE_H
#define SHEAF_EXEC_OVERDUE_H

#include <stdint.h>

#include "exec/processes.h"

/* Condemns and kills every worker that is overdue (job/due.h); they are buried like all who die. Returns when to
 * look again on the monotonic clock; INT64_MAX: no job with a deadline is in flight, and pool->notify
 * tells of the next. */
int64_t overdue_look(struct processes *processes);

#endif
