/* error.h -- the thread's last failure: decided in one place, so worded there. */
#ifndef SHEAF_BASE_ERROR_H
#define SHEAF_BASE_ERROR_H

#include <stdint.h>

#include <sheaf/status.h>

enum { ERROR_TEXT_BYTES = 512 };

/* Writes this thread's error text. errno is kept. */
void sheaf_error_set(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What a callable returned, beside the text; 0 after every other failure. */
void error_code_set(int code);
int error_code(void);

/* How many failures this thread has worded: whether there was one in between. */
uint32_t error_count(void);

static inline sheaf_status error_status(sheaf_status status)
{
    return status;
}

/* Words the error and is its status: return SHEAF_FAIL(status, format, ...). A macro, so that compilers
 * and checkers see that what follows a failure is not a success. */
#define SHEAF_FAIL(status, ...) (sheaf_error_set(__VA_ARGS__), error_status(status))

#endif
