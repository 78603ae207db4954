/* cpus.h -- how many CPUs this process may use. */
#ifndef SHEAF_BASE_CPUS_H
#define SHEAF_BASE_CPUS_H

#include <stddef.h>

/* The CPUs of our affinity mask, bounded by the cgroup's cpu.max (rounded up), at least 1. Read once,
 * at the first call. */
size_t cpus_usable(void);

#endif
