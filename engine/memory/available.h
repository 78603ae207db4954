/* available.h -- how much memory can be taken before the kernel kills somebody for it.
 *
 * Reserving the pages of a tmpfs or a memfd does not fail when memory runs out: the OOM killer ends a
 * process, maybe ours. So what certainly does not fit is refused before. */
#ifndef SHEAF_MEMORY_AVAILABLE_H
#define SHEAF_MEMORY_AVAILABLE_H

#include <stdint.h>

/* Bytes that are free or could be freed, of the machine and within every cgroup limit above us (v1 and
 * v2); UINT64_MAX if nobody tells. An estimate: others take and free memory too. */
uint64_t memory_available(void);

#endif
