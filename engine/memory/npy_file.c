/* npy_file.c -- .npy files: opening, loading into a segment, saving whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sheaf/view.h>

#include "base/atomics.h"
#include "base/error.h"
#include "memory/array.h"
#include "memory/npy.h"

enum { PIECE_BYTES = 64 << 20, SAVE_TRIES = 100 };

static _Atomic uint64_t next_save = 1;

static sheaf_status refuse_open(const char *path, int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return SHEAF_FAIL(SHEAF_ERR_NOT_FOUND, "there is no file %.200s", path);
    case EACCES:
    case EPERM:
    case EROFS:
        return SHEAF_FAIL(SHEAF_ERR_ACCESS, "open %.200s: %s", path, strerror(error));
    case EISDIR:
    case ENXIO:
        return SHEAF_FAIL(SHEAF_ERR_FORMAT, "%.200s is not a regular file", path);
    default:
        return SHEAF_FAIL(SHEAF_ERR_SYSTEM, "open %.200s: %s", path, strerror(error));
    }
}

sheaf_status file_read(void *to, int descriptor, size_t from, size_t count, const char *name)
{
    for (size_t done = 0; done < count;) {
        size_t piece = count - done < PIECE_BYTES ? count - done : PIECE_BYTES;
        ssize_t got = pread(descriptor, (char *)to + done, piece, (off_t)(from + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return SHEAF_FAIL(SHEAF_ERR_SYSTEM, "read %.200s: %s", name, strerror(errno));
        if (got == 0)
            return SHEAF_FAIL(SHEAF_ERR_FORMAT, "%.200s became shorter while it was read", name);
        done += (size_t)got;
    }
    return SHEAF_OK;
}

sheaf_status npy_open(int *descriptor, struct npy *out, struct stat *st, const char *path,
                      bool is_writable)
{
    sheaf_status status;
    unsigned char *head = NULL;
    /* O_NONBLOCK: a FIFO of that name must not make us wait. */
    int fd = open(path, (is_writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return refuse_open(path, errno);
    if (fstat(fd, st) != 0) {
        status = SHEAF_FAIL(SHEAF_ERR_SYSTEM, "fstat %.200s: %s", path, strerror(errno));
        goto close_fd;
    }
    if (!S_ISREG(st->st_mode)) {
        status = SHEAF_FAIL(SHEAF_ERR_FORMAT, "%.200s is not a regular file", path);
        goto close_fd;
    }
    size_t count = st->st_size < NPY_HEADER_MAX ? (size_t)st->st_size : NPY_HEADER_MAX;
    head = malloc(count + 1);
    if (head == NULL) {
        status = SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "no memory for a .npy header");
        goto close_fd;
    }
    status = file_read(head, fd, 0, count, path);
    if (status == SHEAF_OK)
        status = npy_decode(out, head, (uint64_t)st->st_size, path);
    free(head);
    if (status != SHEAF_OK)
        goto close_fd;
    *descriptor = fd;
    return SHEAF_OK;

close_fd:
    close(fd);
    return status;
}

sheaf_status sheaf_load(sheaf_array **out, const char *path, const char *key,
                        const sheaf_create_options *options)
{
    struct shm_draft draft;
    sheaf_array *array = NULL;
    struct npy npy;
    struct stat st;
    int fd;
    if (out == NULL || path == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "%s is NULL", out == NULL ? "out" : "path");
    sheaf_status status = npy_open(&fd, &npy, &st, path, false);
    if (status != SHEAF_OK)
        return status;
    status = array_new(&array, npy.dtype, npy.ndim, npy.shape);
    if (status != SHEAF_OK)
        goto close_fd;
    status = array_draft(array, &draft, key, options);
    if (status != SHEAF_OK)
        goto detach;
    status = file_read(sheaf_array_data(array), fd, npy.offset, npy.data_bytes, path);
    if (status == SHEAF_OK)
        status = shm_draft_publish(&draft);
    shm_draft_drop(&draft);
    if (status != SHEAF_OK)
        goto detach;
    *out = array;
    array = NULL;

detach:
    sheaf_detach(array);
close_fd:
    close(fd);
    return status;
}

static sheaf_status refuse_save(const char *path, size_t bytes, int error)
{
    if (error == ENOSPC || error == EDQUOT || error == EFBIG)
        return SHEAF_FAIL(SHEAF_ERR_NO_SPACE, "save %.200s: needs %zu bytes: %s", path, bytes,
                          strerror(error));
    if (error == EACCES || error == EPERM || error == EROFS)
        return SHEAF_FAIL(SHEAF_ERR_ACCESS, "save %.200s: %s", path, strerror(error));
    return SHEAF_FAIL(SHEAF_ERR_SYSTEM, "save %.200s: %s", path, strerror(error));
}

/* Returns an errno value. */
static int write_all(int descriptor, const void *from, size_t count)
{
    for (size_t done = 0; done < count;) {
        size_t piece = count - done < PIECE_BYTES ? count - done : PIECE_BYTES;
        ssize_t put = write(descriptor, (const char *)from + done, piece);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return errno;
        done += (size_t)put;
    }
    return 0;
}

/* A file that is not there yet: without a name while it is written, if the file system can, so that a
 * writer who is killed leaves nothing; else, and to be renamed, beside its target. */
struct partial {
    int descriptor;
    char path[PATH_MAX]; /* "" while it has no name */
};

/* The bytes of the target's path up to the name. */
static int folder_bytes(const char *target)
{
    const char *slash = strrchr(target, '/');
    return slash != NULL ? (int)(slash - target) + 1 : 0;
}

/* Picks the next name: short and its own, for the target's may be as long as names can be. Returns an
 * errno value. */
static int partial_name(struct partial *partial, const char *target)
{
    int length = snprintf(partial->path, sizeof partial->path, "%.*s.sheaf-%ld-%llu.part",
                          folder_bytes(target), target, (long)getpid(),
                          (unsigned long long)add_relaxed(&next_save, 1));
    return length >= 0 && length < PATH_MAX ? 0 : ENAMETOOLONG;
}

static int partial_open(struct partial *partial, const char *target)
{
    char directory[PATH_MAX];
    snprintf(directory, sizeof directory, "%.*s.", folder_bytes(target), target);
    partial->path[0] = '\0';
    partial->descriptor = -1;
    if (access("/proc/self/fd", X_OK) == 0) /* it gets its name through there */
        partial->descriptor = open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    for (int i = 0; i < SAVE_TRIES && partial->descriptor < 0; i++) {
        int error = partial_name(partial, target);
        if (error != 0)
            return error;
        partial->descriptor =
            open(partial->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (partial->descriptor < 0 && errno != EEXIST)
            return errno;
    }
    return partial->descriptor >= 0 ? 0 : EEXIST;
}

/* Replaces the target by it: linkat() does not replace, so it gets a name to rename. */
static int partial_publish(struct partial *partial, const char *target)
{
    char from[32];
    bool is_linked = partial->path[0] != '\0';
    snprintf(from, sizeof from, "/proc/self/fd/%d", partial->descriptor);
    for (int i = 0; i < SAVE_TRIES && !is_linked; i++) {
        int error = partial_name(partial, target);
        if (error == 0 && linkat(AT_FDCWD, from, AT_FDCWD, partial->path, AT_SYMLINK_FOLLOW) != 0)
            error = errno;
        is_linked = error == 0;
        if (error != 0 && error != EEXIST) {
            partial->path[0] = '\0'; /* not ours to remove */
            return error;
        }
    }
    if (!is_linked)
        return EEXIST;
    return rename(partial->path, target) == 0 ? 0 : errno;
}

/* Writes, syncs and renames. Returns an errno value; nothing but the target is left in any case. */
static int save_whole(const sheaf_array *array, const char *target, const struct stat *old)
{
    unsigned char head[NPY_WRITE_MAX];
    struct partial partial;
    size_t head_bytes = npy_encode(head, array->dtype, array->ndim, array->shape);
    int error = partial_open(&partial, target);
    if (error != 0)
        return error;
    error = write_all(partial.descriptor, head, head_bytes);
    if (error == 0)
        error = write_all(partial.descriptor, sheaf_array_data(array), array->bytes);
    if (error == 0 && old != NULL && fchmod(partial.descriptor, old->st_mode & 0777) != 0)
        error = errno;
    if (error == 0 && fsync(partial.descriptor) != 0)
        error = errno;
    if (error == 0)
        error = partial_publish(&partial, target);
    close(partial.descriptor); /* synced: what close() could say is known */
    if (error != 0 && partial.path[0] != '\0')
        unlink(partial.path);
    return error;
}

sheaf_status sheaf_save(const sheaf_array *array, const char *path)
{
    char resolved[PATH_MAX];
    struct stat st;
    if (array == NULL || path == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "%s is NULL", array == NULL ? "array" : "path");
    /* A link is followed, as by open(): what it names is replaced, not the link. */
    const char *target = realpath(path, resolved);
    if (target == NULL && errno != ENOENT)
        return refuse_save(path, array->bytes, errno);
    bool is_there = target != NULL && stat(target, &st) == 0;
    if (is_there && !S_ISREG(st.st_mode))
        return SHEAF_FAIL(SHEAF_ERR_SYSTEM, "save %.200s: it is there and is not a regular file",
                          path);
    sheaf_array *copy = NULL;
    if (!array->is_dense) {
        sheaf_status status = sheaf_copy(&copy, array, NULL, NULL);
        if (status != SHEAF_OK)
            return status;
        array = copy;
    }
    int error = save_whole(array, target != NULL ? target : path, is_there ? &st : NULL);
    sheaf_detach(copy);
    return error != 0 ? refuse_save(path, array->bytes, error) : SHEAF_OK;
}
