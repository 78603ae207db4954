/* shm.c -- names in /dev/shm. */
#include "memory/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/atomics.h"
#include "base/error.h"
#include "base/file_size.h"
#include "memory/available.h"

enum {
    PIECE_BYTES = 64 << 20,
    PIECE_BYTES_MIN = 1 << 16,
    UNASKED_BYTES = 1 << 20,
    DRAFT_TRIES = 100,
};

static _Atomic uint64_t next_draft = 1;

void shm_path(char *path, const char *name)
{
    snprintf(path, SHM_PATH_BYTES, SHM_DIRECTORY "/%s", name);
}

static sheaf_status refuse_open(const char *name, int error)
{
    switch (error) {
    case ENOENT:
        return SHEAF_FAIL(SHEAF_ERR_NOT_FOUND, "no array has the key \"%s\" (sheaf list shows all)",
                          name);
    case EACCES:
    case EPERM:
        return SHEAF_FAIL(SHEAF_ERR_ACCESS, "\"%s\": its permissions do not let us open it", name);
    case ELOOP:
        return SHEAF_FAIL(SHEAF_ERR_FORMAT, "\"%s\" is a symbolic link, not an array", name);
    case EISDIR:
    case ENXIO:
        return SHEAF_FAIL(SHEAF_ERR_FORMAT, "\"%s\" is not a regular file", name);
    default:
        return SHEAF_FAIL(SHEAF_ERR_SYSTEM, "open \"%s\": %s", name, strerror(error));
    }
}

sheaf_status shm_open_existing(int *out, struct stat *st, const char *name, bool is_writable)
{
    char path[SHM_PATH_BYTES];
    shm_path(path, name);
    /* O_NONBLOCK: a FIFO of that name must not make us wait. */
    int fd = open(path, (is_writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
                            O_NOCTTY);
    if (fd < 0)
        return refuse_open(name, errno);
    sheaf_status status = SHEAF_OK;
    if (fstat(fd, st) != 0)
        status = SHEAF_FAIL(SHEAF_ERR_SYSTEM, "fstat \"%s\": %s", name, strerror(errno));
    else if (!S_ISREG(st->st_mode))
        status = SHEAF_FAIL(SHEAF_ERR_FORMAT, "\"%s\" is not a regular file", name);
    else if (st->st_uid != geteuid())
        status = SHEAF_FAIL(SHEAF_ERR_ACCESS, "\"%s\" belongs to user %u, not to us", name,
                            (unsigned)st->st_uid);
    if (status != SHEAF_OK)
        close(fd);
    else
        *out = fd;
    return status;
}

/* Costs 0.16 s for a GiB; the first write to it 0.7 s more (2 CPUs of a Xeon). In pieces, and smaller ones
 * after a signal: older kernels (not 6.18) take a whole piece back then, and a timer that is faster than
 * a piece would keep us here for ever. */
int shm_reserve(int descriptor, size_t bytes)
{
    size_t piece = PIECE_BYTES;
    /* Asking costs some 100 us; the OOM killer costs a process. */
    if (bytes > UNASKED_BYTES && bytes > memory_available())
        return ENOMEM;
    if (!file_size_is_allowed(bytes))
        return EFBIG;
    for (size_t done = 0; done < bytes;) {
        size_t count = bytes - done < piece ? bytes - done : piece;
        int error = posix_fallocate(descriptor, (off_t)done, (off_t)count);
        if (error != 0 && error != EINTR)
            return error;
        if (error == 0)
            done += count;
        else if (piece > PIECE_BYTES_MIN)
            piece /= 2;
    }
    return 0;
}

/* A second description of the same file, that holds the lock; the mode that the umask left must not
 * forbid it. Fails with EWOULDBLOCK if gc was faster. */
static int lock_draft(const struct shm_draft *draft)
{
    char path[SHM_PATH_BYTES + SHM_DRAFT_BYTES];
    if (draft->draft[0] != '\0')
        snprintf(path, sizeof path, SHM_DIRECTORY "/%s", draft->draft);
    else
        snprintf(path, sizeof path, "/proc/self/fd/%d", draft->descriptor);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static int open_nameless(struct shm_draft *draft, bool is_locked)
{
    draft->draft[0] = '\0';
    draft->lock = -1;
    draft->descriptor = open(SHM_DIRECTORY, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (draft->descriptor < 0 || fchmod(draft->descriptor, 0600) != 0)
        return -1;
    if (!is_locked)
        return access("/proc/self/fd", X_OK);
    return (draft->lock = lock_draft(draft)) < 0 ? -1 : 0;
}

/* Closes a draft's descriptors, and takes back its name. errno is kept. */
void shm_draft_drop(struct shm_draft *draft)
{
    int error = errno;
    char path[SHM_PATH_BYTES + SHM_DRAFT_BYTES];
    if (draft->draft[0] != '\0') {
        snprintf(path, sizeof path, SHM_DIRECTORY "/%s", draft->draft);
        unlink(path);
    }
    if (draft->lock >= 0)
        close(draft->lock);
    if (draft->descriptor >= 0)
        close(draft->descriptor);
    *draft = (struct shm_draft){.name = draft->name, .source = -1, .descriptor = -1, .lock = -1};
    errno = error;
}

/* gc may take a draft between its creation and its lock: then another name is tried. */
static int open_named(struct shm_draft *draft)
{
    char path[SHM_PATH_BYTES + SHM_DRAFT_BYTES];
    struct stat st;
    for (int i = 0; i < DRAFT_TRIES; i++) {
        snprintf(draft->draft, sizeof draft->draft, SHM_DRAFT_PREFIX "%ld~%llu", (long)getpid(),
                 (unsigned long long)add_relaxed(&next_draft, 1));
        snprintf(path, sizeof path, SHM_DIRECTORY "/%s", draft->draft);
        draft->descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (draft->descriptor < 0) {
            draft->draft[0] = '\0'; /* not ours to remove */
            if (errno == EEXIST)
                continue;
            return -1;
        }
        draft->lock = fchmod(draft->descriptor, 0600) == 0 ? lock_draft(draft) : -1;
        if (draft->lock >= 0 && fstat(draft->lock, &st) == 0 && st.st_nlink > 0)
            return 0;
        bool was_taken = draft->lock >= 0 || errno == EWOULDBLOCK || errno == ENOENT;
        shm_draft_drop(draft);
        if (!was_taken)
            return -1;
    }
    return -1;
}

/* What open() and its kin say where O_TMPFILE or /proc is missing. */
static bool is_unsupported(int error)
{
    return error == EOPNOTSUPP || error == EISDIR || error == EINVAL || error == ENOENT ||
           error == ENOTDIR;
}

/* UINT64_MAX for a ramfs, or a tmpfs without a limit (size=0): both have 0 blocks. */
static uint64_t room_in_directory(void)
{
    struct statvfs fs;
    if (statvfs(SHM_DIRECTORY, &fs) != 0 || fs.f_blocks == 0)
        return UINT64_MAX;
    return (uint64_t)fs.f_bavail * fs.f_frsize;
}

uint64_t sheaf_free_bytes(void)
{
    uint64_t memory = memory_available();
    uint64_t room = room_in_directory();
    return room < memory ? room : memory;
}

static sheaf_status refuse_space(const char *name, size_t bytes)
{
    return SHEAF_FAIL(SHEAF_ERR_NO_SPACE,
                      "create \"%s\": needs %zu bytes, %llu are free in " SHM_DIRECTORY
                      "; remove arrays (sheaf list, sheaf remove KEY) or enlarge it (mount -o "
                      "remount,size=SIZE " SHM_DIRECTORY ", docker run --shm-size=SIZE)",
                      name, bytes, (unsigned long long)sheaf_free_bytes());
}

sheaf_status shm_refuse_memory(const char *name, size_t bytes, int error)
{
    if (error == ENOMEM)
        return SHEAF_FAIL(
            SHEAF_ERR_NO_MEMORY,
            "create \"%s\": needs %zu bytes, %llu bytes of memory are available to us "
            "(of the machine, and of our cgroup's limit)",
            name, bytes, (unsigned long long)memory_available());
    return SHEAF_FAIL(SHEAF_ERR_SYSTEM, "create \"%s\": reserve %zu bytes: %s", name, bytes,
                      strerror(error));
}

sheaf_status shm_draft_open(struct shm_draft *out, const char *name, size_t bytes, bool is_locked)
{
    struct shm_draft draft = {.name = name, .descriptor = -1, .lock = -1};
    char path[SHM_PATH_BYTES];
    struct stat st;
    shm_path(path, name);
    if (lstat(path, &st) == 0)
        return SHEAF_FAIL(SHEAF_ERR_EXISTS, "create \"%s\": the key is taken (sheaf remove %s)",
                          name, name);
    /* What certainly does not fit is refused before a page is taken: filling the memory of the machine to
     * find out would disturb everybody. */
    if (bytes > room_in_directory())
        return refuse_space(name, bytes);
    int opened = open_nameless(&draft, is_locked);
    if (opened != 0) {
        shm_draft_drop(&draft);
        if (is_unsupported(errno))
            opened = open_named(&draft);
    }
    if (opened != 0 && errno == ENOSPC)
        return SHEAF_FAIL(SHEAF_ERR_NO_SPACE,
                          "create \"%s\": no inode is free in " SHM_DIRECTORY
                          "; remove arrays, or mount -o remount,nr_inodes=N " SHM_DIRECTORY,
                          name);
    if (opened != 0)
        return SHEAF_FAIL(SHEAF_ERR_SYSTEM, "create \"%s\" in " SHM_DIRECTORY ": %s", name,
                          strerror(errno));
    int error = shm_reserve(draft.descriptor, bytes);
    if (error != 0) {
        shm_draft_drop(&draft);
        if (error == ENOSPC || error == EDQUOT)
            return refuse_space(name, bytes);
        return shm_refuse_memory(name, bytes, error);
    }
    draft.source = draft.descriptor;
    *out = draft;
    return SHEAF_OK;
}

sheaf_status shm_draft_publish(const struct shm_draft *draft)
{
    char from[SHM_PATH_BYTES + SHM_DRAFT_BYTES];
    char to[SHM_PATH_BYTES];
    shm_path(to, draft->name);
    if (draft->draft[0] != '\0')
        snprintf(from, sizeof from, SHM_DIRECTORY "/%s", draft->draft);
    else
        snprintf(from, sizeof from, "/proc/self/fd/%d", draft->source);
    if (linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW) == 0)
        return SHEAF_OK;
    if (errno == EEXIST)
        return SHEAF_FAIL(SHEAF_ERR_EXISTS, "create \"%s\": the key is taken (sheaf remove %s)",
                          draft->name, draft->name);
    return SHEAF_FAIL(errno == ENOSPC ? SHEAF_ERR_NO_SPACE : SHEAF_ERR_SYSTEM,
                      "create \"%s\": give it its name: %s", draft->name, strerror(errno));
}

/* Between the look and the unlink somebody could remove the name and give it to another file: no call
 * unlinks by inode. That takes two more acts on one key within the microsecond. */
bool shm_unlink_same(const char *name, uint64_t device, uint64_t inode)
{
    char path[SHM_PATH_BYTES];
    struct stat st;
    shm_path(path, name);
    if (lstat(path, &st) != 0)
        return false;
    if (st.st_dev != device || st.st_ino != inode) {
        errno = ENOENT;
        return false;
    }
    return unlink(path) == 0;
}

bool shm_lock_is_free(int descriptor)
{
    return flock(descriptor, LOCK_EX | LOCK_NB) == 0;
}
