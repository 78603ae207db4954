/* cpus.h -- how many CPUs this process may use, and which one a thread is on. */
#ifndef SHEAF_BASE_CPUS_H
#define SHEAF_BASE_CPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The CPUs of our affinity mask, bounded by the cgroup's cpu.max (rounded up), at least 1. Read once,
 * at the first call. With OMP_PROC_BIND libgomp has bound the initial thread to one CPU by then: its places
 * count as ours. */
size_t cpus_usable(void);

/* Lets the calling thread, and what it starts, run on all of them. */
void cpus_use_all(void);

/* The CPU that the calling thread is on, as its number + 1; 0: nobody knows. */
uint32_t cpus_current(void);

/* Takes the calling thread to another CPU than this one (number + 1), if it may use any; which ones it may use
 * stays as it was (what somebody else sets within those 10 us is lost). False: there is none. */
bool cpus_leave(uint32_t cpu);

#endif
