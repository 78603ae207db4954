/* counters.h -- cycles and instructions of this process, its threads and its children, as far as the kernel lets
 * us count them (perf_event_open). */
#ifndef SHEAF_CLI_COUNTERS_H
#define SHEAF_CLI_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

struct counters {
    uint64_t cycles; /* in user mode; 0: not counted */
    uint64_t instructions;
};

/* Begins to count; threads and processes that are started later are counted, too. Returns NULL, or why nothing
 * is counted, in words. */
const char *counters_start(void);
void counters_stop(void);

/* So far. */
struct counters counters_read(void);

#endif
