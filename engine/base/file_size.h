/* file_size.h -- how large a file this process may make. */
#ifndef SHEAF_BASE_FILE_SIZE_H
#define SHEAF_BASE_FILE_SIZE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

/* False if RLIMIT_FSIZE (ulimit -f) forbids a file of so many bytes: to make it larger than that is a SIGXFSZ
 * which ends the process. It holds for shared memory, too. */
static inline bool file_size_is_allowed(uint64_t bytes)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
           bytes <= limit.rlim_cur;
}

#endif
