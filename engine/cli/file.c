/* file.c -- writing through a temporary name. Ctrl-C waits meanwhile (interrupt.h), so that the temporary
 * file does not stay. */
#include "cli/file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/interrupt.h"
#include "cli/options.h"

enum { PART_TRIES = 100 };

struct target {
    char path[PATH_MAX]; /* without symbolic links, as far as it exists */
    char part[PATH_MAX]; /* the temporary file beside it; "" if there is none */
    FILE *file;
};

/* The temporary name is short and its own: the target's may be as long as names can be. */
static void open_part(struct target *target)
{
    const char *slash = strrchr(target->path, '/');
    int folder_bytes = slash != NULL ? (int)(slash - target->path) + 1 : 0;
    errno = EEXIST;
    for (int i = 0; i < PART_TRIES && target->file == NULL && errno == EEXIST; i++) {
        int bytes = snprintf(target->part, PATH_MAX, "%.*s.sheaf-%ld-%d.part", folder_bytes,
                             target->path, (long)getpid(), i);
        if (bytes < PATH_MAX)
            target->file = fopen(target->part, "wxe");
        else
            errno = ENAMETOOLONG;
    }
}

/* Returns an errno value. */
static int open_target(struct target *target, const char *path)
{
    struct stat state;
    target->file = NULL;
    target->part[0] = '\0';
    if (realpath(path, target->path) == NULL) {
        if (errno != ENOENT)
            return errno;
        snprintf(target->path, PATH_MAX, "%s", path); /* it is to be made */
    }
    if (stat(target->path, &state) == 0 && !S_ISREG(state.st_mode))
        target->file = fopen(target->path, "we");
    else
        open_part(target);
    return target->file != NULL ? 0 : errno;
}

/* Writes the text; NULL: only finds out whether that could be. Returns an errno value. */
static int put(const char *path, const char *text)
{
    struct target target;
    int error = open_target(&target, path);
    if (error != 0)
        return error;
    bool has_part = target.part[0] != '\0';
    if (text != NULL && (fputs(text, target.file) < 0 || fflush(target.file) != 0 ||
                         (has_part && fsync(fileno(target.file)) != 0)))
        error = errno;
    if (fclose(target.file) != 0 && error == 0)
        error = errno;
    if (has_part && text != NULL && error == 0 && rename(target.part, target.path) != 0)
        error = errno;
    if (has_part && (text == NULL || error != 0))
        unlink(target.part);
    return error;
}

int file_write(const char *command, const char *path, const char *text)
{
    interrupt_lock();
    int error = put(path, text);
    interrupt_unlock();
    if (error != 0)
        return failure(command, "cannot write %s: %s", path, strerror(error));
    return DONE;
}

int file_check(const char *command, const char *path)
{
    return file_write(command, path, NULL);
}
