/* counters.c -- two events of the CPU, inherited by all that this process starts. */
#include "cli/counters.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int events[2] = {-1, -1};

static int open_event(uint64_t which)
{
    struct perf_event_attr event = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof event,
        .config = which,
        .inherit = 1,
        .exclude_kernel = 1, /* all that an ordinary user may count */
        .exclude_hv = 1,
    };
    return (int)syscall(SYS_perf_event_open, &event, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

const char *counters_start(void)
{
    static char why[160];
    events[0] = open_event(PERF_COUNT_HW_CPU_CYCLES);
    if (events[0] >= 0)
        events[1] = open_event(PERF_COUNT_HW_INSTRUCTIONS);
    if (events[1] >= 0)
        return NULL;
    int error = errno;
    counters_stop();
    snprintf(why, sizeof why, "perf_event_open: %s%s", strerror(error),
             error == EACCES || error == EPERM ? " (see /proc/sys/kernel/perf_event_paranoid)"
                                               : "");
    return why;
}

void counters_stop(void)
{
    for (size_t i = 0; i < 2; i++) {
        if (events[i] >= 0)
            close(events[i]);
        events[i] = -1;
    }
}

struct counters counters_read(void)
{
    uint64_t values[2] = {0, 0};
    for (size_t i = 0; i < 2; i++) {
        if (events[i] >= 0 && read(events[i], &values[i], sizeof values[i]) != sizeof values[i])
            values[i] = 0;
    }
    return (struct counters){values[0], values[1]};
}
