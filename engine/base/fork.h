/* fork.h -- noticing that we are a forked child. */
#ifndef SHEAF_BASE_FORK_H
#define SHEAF_BASE_FORK_H

#include <stdint.h>

/* How many forks lie between the process that first called this and us. What was opened under another
 * count belongs to a parent: its threads and children are not ours, its locks may be held for ever. Costs
 * two loads. */
uint32_t fork_count(void);

#endif
