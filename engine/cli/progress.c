/* progress.c -- the progress line. */
#include "cli/progress.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/table.h"

static _Atomic int shown; /* set by the command, taken by whoever clears the line */

/* One write() each, so that a signal thread's line cannot be mixed into it. */
static void put(const char *text)
{
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written; /* a lost progress line is no error */
}

void progress_show(const char *format, ...)
{
    char text[256];
    char line[280];
    va_list arguments;
    if (!isatty(STDERR_FILENO))
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    int columns = (int)terminal_width(STDERR_FILENO) - 1; /* in the last one it might break */
    snprintf(line, sizeof line, "\r%.*s\033[K", columns, text);
    atomic_store(&shown, 1);
    put(line);
}

void progress_clear(void)
{
    if (atomic_exchange(&shown, 0))
        put("\r\033[K");
}
