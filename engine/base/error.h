/* error.h -- the thread's last failure: decided in one place, so worded there. */
#ifndef SHEAF_BASE_ERROR_H
#define SHEAF_BASE_ERROR_H

#include <sheaf/status.h>

enum { ERROR_TEXT_BYTES = 512 };

/* Writes this thread's error text. errno is kept. */
void sheaf_error_set(const char *format, ...) __attribute__((format(printf, 1, 2)));

static inline sheaf_status error_status(sheaf_status status)
{
    return status;
}

/* Words the error and is its status: return SHEAF_FAIL(status, format, ...). A macro, so that compilers
 * and checkers see that what follows a failure is not a success. */
#define SHEAF_FAIL(status, ...) (sheaf_error_set(__VA_ARGS__), error_status(status))

#endif
