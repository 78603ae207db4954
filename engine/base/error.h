/* error.h -- the thread's last failure: decided in one place, so worded there. */
#ifndef SHEAF_BASE_ERROR_H
#define SHEAF_BASE_ERROR_H

#include <sheaf/status.h>

enum { ERROR_TEXT_BYTES = 512 };

/* Writes this thread's error text and returns status. errno is kept. */
sheaf_status sheaf_error_set(sheaf_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#ifdef __clang_analyzer__
/* Static analysis cannot look into sheaf_error_set(): this tells it which status comes back. */
#define SHEAF_FAIL(status, ...) ((void)sheaf_error_set(status, __VA_ARGS__), (status))
#else
#define SHEAF_FAIL(...) sheaf_error_set(__VA_ARGS__)
#endif

#endif
