/* cpus.h -- how many CPUs this process may use. */
#ifndef SHEAF_BASE_CPUS_H
#define SHEAF_BASE_CPUS_H

#include <stddef.h>

/* The CPUs of our affinity mask, bounded by the cgroup's cpu.max (rounded up), at least 1. Read once,
 * at the first call. With OMP_PROC_BIND libgomp has bound the initial thread to one CPU by then: its places
 * count as ours. */
size_t cpus_usable(void);

/* Lets the calling thread, and what it starts, run on all of them. */
void cpus_use_all(void);

#endif
