/* file.c -- writing through a temporary name. Ctrl-C waits meanwhile (interrupt.h), so that the temporary
 * file does not stay. */
#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/interrupt.h"
#include "cli/options.h"

struct target {
    char *path; /* without symbolic links, as far as it exists */
    char *temporary;
    bool is_special;
};

static void forget(struct target *target)
{
    free(target->path);
    free(target->temporary);
}

static bool aim(struct target *target, const char *path)
{
    struct stat state;
    char *temporary = NULL;
    char *real = realpath(path, NULL);
    if (real == NULL) /* it is to be made */
        real = strdup(path);
    if (real == NULL)
        return false;
    if (asprintf(&temporary, "%s.XXXXXX", real) < 0) {
        free(real);
        return false;
    }
    bool is_special = stat(real, &state) == 0 && !S_ISREG(state.st_mode);
    *target = (struct target){real, temporary, is_special};
    return true;
}

static int open_target(struct target *target)
{
    if (target->is_special)
        return open(target->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return mkostemp(target->temporary, O_CLOEXEC);
}

static bool write_all(int descriptor, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t written = write(descriptor, text, left);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            text += written;
            left -= (size_t)written;
        }
    }
    return true;
}

/* mkstemp() makes files that are private; this one is to be like any other. */
static bool set_mode(int descriptor)
{
    mode_t mask = umask(0);
    umask(mask);
    return fchmod(descriptor, 0666 & ~mask) == 0;
}

/* Returns an errno value. */
static int put(struct target *target, const char *text)
{
    int descriptor = open_target(target);
    if (descriptor < 0)
        return errno;
    bool is_put = write_all(descriptor, text);
    if (target->is_special) {
        int error = is_put ? 0 : errno;
        close(descriptor);
        return error;
    }
    is_put = is_put && set_mode(descriptor) && fsync(descriptor) == 0 &&
             rename(target->temporary, target->path) == 0;
    int error = is_put ? 0 : errno;
    close(descriptor);
    if (error != 0)
        unlink(target->temporary);
    return error;
}

int file_check(const char *command, const char *path)
{
    struct target target;
    if (!aim(&target, path))
        return failure(command, "no memory for the name of a file");
    interrupt_lock();
    int descriptor = open_target(&target);
    int error = errno;
    if (descriptor >= 0) {
        close(descriptor);
        if (!target.is_special)
            unlink(target.temporary);
    }
    interrupt_unlock();
    forget(&target);
    if (descriptor < 0)
        return failure(command, "cannot write %s: %s", path, strerror(error));
    return DONE;
}

int file_write(const char *command, const char *path, const char *text)
{
    struct target target;
    if (!aim(&target, path))
        return failure(command, "no memory for the name of a file");
    interrupt_lock();
    int error = put(&target, text);
    interrupt_unlock();
    forget(&target);
    if (error != 0)
        return failure(command, "cannot write %s: %s", path, strerror(error));
    return DONE;
}
