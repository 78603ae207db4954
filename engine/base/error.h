/* error.h -- the thread's last failure: decided in one place, so worded there. */
#ifndef SHEAF_BASE_ERROR_H
#define SHEAF_BASE_ERROR_H

#include <sheaf/status.h>

enum { ERROR_TEXT_BYTES = 512 };

/* Writes this thread's error text and returns status. errno is kept. */
sheaf_status sheaf_error_set(sheaf_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The first of two: so that an analyser sees which status a SHEAF_FAIL() is. */
static inline sheaf_status sheaf_error_first(sheaf_status status, sheaf_status same)
{
    (void)same;
    return status;
}

/* Sets the text and is the status, which is evaluated twice. */
#define SHEAF_FAIL(status, ...) sheaf_error_first(status, sheaf_error_set(status, __VA_ARGS__))

#endif
