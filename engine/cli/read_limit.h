/* read_limit.h -- how fast this machine can read memory at all: loads and nothing else.
 *
 * Which shape of loop is fastest differs between machines (vector width, one stream or several), so
 * there are several, and the one that was fastest in a trial is the limit. */
#ifndef SHEAF_CLI_READ_LIMIT_H
#define SHEAF_CLI_READ_LIMIT_H

#include <stddef.h>

/* Reads bytes, a multiple of 64, from data. */
typedef void read_kernel(const char *data, size_t bytes);

struct read_limit {
    const char *name; /* "avx512, 4 streams" */
    read_kernel *read;
};

/* Kernel i of those that this CPU runs; name is NULL past the last. */
struct read_limit read_limit_at(size_t i);

/* Reads data once, in as many equal parts as workers, each on a thread of its own that was there before
 * the clock started. Returns seconds. */
double read_limit_seconds(const struct read_limit *limit, const void *data, size_t bytes,
                          size_t workers);

/* The fastest kernel over this data with so many workers, the best of three trials each. */
struct read_limit read_limit_choose(const void *data, size_t bytes, size_t workers);

#endif
