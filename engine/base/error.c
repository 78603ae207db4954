/* error.c -- status names and the thread-local text of the last failure. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <sheaf/callable.h>

static _Thread_local char last_error[ERROR_TEXT_BYTES];
static _Thread_local int last_code;
static _Thread_local uint32_t count;

static void set(const char *format, va_list args)
{
    int saved = errno;
    char text[ERROR_TEXT_BYTES]; /* the arguments may hold the text that is replaced */
    vsnprintf(text, sizeof text, format, args);
    snprintf(last_error, sizeof last_error, "%s", text);
    last_code = 0;
    count++;
    errno = saved;
}

void sheaf_error_set(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(format, args);
    va_end(args);
}

void error_code_set(int code)
{
    last_code = code;
}

int error_code(void)
{
    return last_code;
}

uint32_t error_count(void)
{
    return count;
}

int sheaf_task_fail(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(format, args);
    va_end(args);
    return code;
}

const char *sheaf_last_error(void)
{
    return last_error;
}

const char *sheaf_status_name(sheaf_status status)
{
    static const char *const names[] = {
        [SHEAF_OK] = "SHEAF_OK",
        [SHEAF_ERR_ARGUMENT] = "SHEAF_ERR_ARGUMENT",
        [SHEAF_ERR_NOT_FOUND] = "SHEAF_ERR_NOT_FOUND",
        [SHEAF_ERR_EXISTS] = "SHEAF_ERR_EXISTS",
        [SHEAF_ERR_ACCESS] = "SHEAF_ERR_ACCESS",
        [SHEAF_ERR_FORMAT] = "SHEAF_ERR_FORMAT",
        [SHEAF_ERR_NO_SPACE] = "SHEAF_ERR_NO_SPACE",
        [SHEAF_ERR_NO_MEMORY] = "SHEAF_ERR_NO_MEMORY",
        [SHEAF_ERR_OVERFLOW] = "SHEAF_ERR_OVERFLOW",
        [SHEAF_ERR_DTYPE] = "SHEAF_ERR_DTYPE",
        [SHEAF_ERR_SHAPE] = "SHEAF_ERR_SHAPE",
        [SHEAF_ERR_EMPTY] = "SHEAF_ERR_EMPTY",
        [SHEAF_ERR_NOT_SHARED] = "SHEAF_ERR_NOT_SHARED",
        [SHEAF_ERR_TIMEOUT] = "SHEAF_ERR_TIMEOUT",
        [SHEAF_ERR_BUSY] = "SHEAF_ERR_BUSY",
        [SHEAF_ERR_CLOSED] = "SHEAF_ERR_CLOSED",
        [SHEAF_ERR_WORKER] = "SHEAF_ERR_WORKER",
        [SHEAF_ERR_UNSUPPORTED] = "SHEAF_ERR_UNSUPPORTED",
        [SHEAF_ERR_SYSTEM] = "SHEAF_ERR_SYSTEM",
        [SHEAF_ERR_CANCELLED] = "SHEAF_ERR_CANCELLED",
        [SHEAF_ERR_CALLABLE] = "SHEAF_ERR_CALLABLE",
    };
    size_t row = (size_t)status;
    return row < sizeof names / sizeof names[0] ? names[row] : "SHEAF_ERR_?";
}
