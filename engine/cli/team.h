/* team.h -- one function on several threads at once, timed from the common start to the last end. */
#ifndef SHEAF_CLI_TEAM_H
#define SHEAF_CLI_TEAM_H

#include <stddef.h>

typedef void team_part(void *context, size_t index, size_t count);

/* CLOCK_MONOTONIC in seconds. */
double now_seconds(void);

/* Runs part(context, i, count) for i in 0..count-1, each on a thread of its own; the caller is thread 0.
 * All threads are there before the clock starts, so their start is not in it. Parts whose thread
 * cannot be had are run by the caller. Returns seconds. */
double team_run(size_t count, team_part *part, void *context);

/* The part `index` of n units, cut equally: first and past the last. */
size_t team_cut(size_t n, size_t index, size_t count);

#endif
