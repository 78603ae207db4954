/* options.c -- reading options, and telling errors in one line. */
#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One line, whatever is in it: a key or path may hold any byte. */
static void tell(const char *command, const char *format, va_list arguments, const char *end)
{
    char text[1200];
    vsnprintf(text, sizeof text, format, arguments);
    for (char *c = text; *c != '\0'; c++) {
        if (iscntrl((unsigned char)*c))
            *c = '?';
    }
    fflush(stdout);
    if (command[0] == '\0')
        fprintf(stderr, "sheaf: %s%s\n", text, end);
    else
        fprintf(stderr, "sheaf %s: %s%s\n", command, text, end);
}

int usage_error(const char *command, const char *format, ...)
{
    char end[80];
    va_list arguments;
    va_start(arguments, format);
    snprintf(end, sizeof end, " (see: sheaf %s%s--help)", command, command[0] != '\0' ? " " : "");
    tell(command, format, arguments, end);
    va_end(arguments);
    return USAGE;
}

int failure(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell(command, format, arguments, "");
    va_end(arguments);
    return FAILED;
}

int library_failure(const char *command)
{
    const char *text = sheaf_last_error();
    size_t length = strlen(command);
    if (strncmp(text, command, length) == 0 && (text[length] == ' ' || text[length] == ':'))
        text += length + strspn(text + length, ": "); /* not "sheaf save: save ..." */
    return failure(command, "%s", text);
}

int option_error(const char *command, int returned, char **argv)
{
    const char *option = argv[optind - 1];
    if (returned == ':')
        return usage_error(command, "%s needs a value", option);
    if (optopt != 0 && optopt < OPTION_JSON && optopt != OPTION_HELP)
        return usage_error(command, "unknown option -%c", optopt);
    if (optopt != 0)
        return usage_error(command, "%.*s takes no value", (int)strcspn(option, "="), option);
    return usage_error(command, "unknown or ambiguous option %s", option);
}

int help(const char *text)
{
    fputs(text, stdout);
    return DONE;
}

bool parse_u64(uint64_t *out, const char *text)
{
    char *end;
    if (!isdigit((unsigned char)text[0])) /* strtoull would take blanks and signs */
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0')
        return false;
    *out = value;
    return true;
}

bool parse_size(size_t *out, const char *text)
{
    uint64_t value;
    if (!parse_u64(&value, text) || value > SIZE_MAX)
        return false;
    *out = (size_t)value;
    return true;
}

int parse_shape(size_t shape[SHEAF_MAX_DIMS], size_t *ndim, const char *command, const char *text)
{
    size_t count = 0;
    const char *at = text;
    if (strcmp(text, "scalar") == 0) {
        *ndim = 0;
        return DONE;
    }
    for (;;) {
        char number[24];
        size_t digits = strspn(at, "0123456789");
        if (count == SHEAF_MAX_DIMS)
            return usage_error(command, "--shape %s: more than %d dimensions", text,
                               SHEAF_MAX_DIMS);
        if (digits == 0)
            return usage_error(command, "--shape %s: give sizes like 300000000 or 6x1000x10", text);
        snprintf(number, sizeof number, "%.*s", (int)digits, at);
        if (digits >= sizeof number || !parse_size(&shape[count], number))
            return usage_error(command, "--shape %s: a size does not fit in 64 bits", text);
        count++;
        at += digits;
        if (*at == '\0')
            break;
        if (*at != 'x' && *at != ',')
            return usage_error(command, "--shape %s: give sizes like 300000000 or 6x1000x10", text);
        at++;
    }
    *ndim = count;
    return DONE;
}

int work_option(struct work *work, const char *command, int option, const char *argument)
{
    switch (option) {
    case OPTION_EXECUTOR:
        work->backend = sheaf_backend_by_name(argument);
        if (work->backend == 0)
            return usage_error(command, "unknown executor \"%s\": sequential, threads or processes",
                               argument);
        return DONE;
    case OPTION_WORKERS:
        if (!parse_size(&work->workers, argument))
            return usage_error(command, "--workers %s: give a number from 1 to %d", argument,
                               SHEAF_MAX_WORKERS);
        if (work->workers == 0)
            return usage_error(command,
                               "--workers 0: nobody would do the work; give 1 to %d, or "
                               "leave it out for all CPUs",
                               SHEAF_MAX_WORKERS);
        if (work->workers > SHEAF_MAX_WORKERS)
            return usage_error(command, "--workers %s: %d at most", argument, SHEAF_MAX_WORKERS);
        return DONE;
    default:
        work->isa = argument;
        return DONE;
    }
}

int work_open(sheaf_executor **out, const struct work *work, const char *command)
{
    const sheaf_executor_options options = {.workers = work->workers};
    sheaf_backend backend = work->backend;
    if (backend == SHEAF_SEQUENTIAL && work->workers > 1)
        return usage_error(command, "--workers %zu: the sequential executor has one",
                           work->workers);
    *out = NULL;
    if (backend == 0 && work->workers == 0)
        return DONE;
    if (backend == 0)
        backend = SHEAF_THREADS;
    if (sheaf_executor_open(out, backend, &options) != SHEAF_OK)
        return library_failure(command);
    return DONE;
}

const char *work_executor_name(const struct work *work)
{
    return sheaf_backend_name(work->backend == 0 ? SHEAF_THREADS : work->backend);
}

const char *work_isa_name(const struct work *work)
{
    const char *name = work->isa != NULL ? work->isa : getenv("SHEAF_ISA");
    if (name != NULL && name[0] != '\0')
        return name;
    for (size_t i = 0; sheaf_isa_name(i) != NULL; i++)
        name = sheaf_isa_name(i);
    return name;
}
