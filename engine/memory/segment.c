/* segment.c -- mapping, counting and letting go of memory. */
#include "memory/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/atomics.h"
#include "base/error.h"
#include "memory/shm.h"

static _Atomic uint64_t next_serial = 1;
static _Atomic(void (*)(uint64_t)) close_hook;

static struct segment *segment_new(void)
{
    struct segment *segment = calloc(1, sizeof *segment);
    if (segment == NULL) {
        SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "no memory for the handle of a segment");
        return NULL;
    }
    atomic_init(&segment->references, 1);
    segment->serial = add_relaxed(&next_serial, 1);
    segment->descriptor = -1;
    segment->lock = -1;
    return segment;
}

sheaf_status segment_map(void **address, int descriptor, size_t bytes, bool is_writable)
{
    void *mapped = NULL;
    if (bytes > 0)
        mapped = mmap(NULL, bytes, is_writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
                      descriptor, 0);
    if (mapped == MAP_FAILED && (errno == ENOMEM || errno == EAGAIN))
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY,
                          "cannot map %zu bytes: no address space (ulimit -v) or no map "
                          "(vm.max_map_count) is left",
                          bytes);
    if (mapped == MAP_FAILED)
        return SHEAF_FAIL(SHEAF_ERR_SYSTEM, "cannot map %zu bytes: %s", bytes, strerror(errno));
    *address = mapped;
    return SHEAF_OK;
}

sheaf_status segment_open(struct segment **out, int descriptor, size_t bytes, bool is_writable,
                          const char *path)
{
    sheaf_status status = SHEAF_ERR_NO_MEMORY;
    struct stat st;
    struct segment *segment = segment_new();
    if (segment == NULL)
        return status;
    if (path != NULL && (segment->path = strdup(path)) == NULL) {
        SHEAF_FAIL(status, "no memory for a path");
        goto free_segment;
    }
    if (fstat(descriptor, &st) != 0) {
        status = SHEAF_FAIL(SHEAF_ERR_SYSTEM, "fstat: %s", strerror(errno));
        goto free_segment;
    }
    status = segment_map(&segment->address, descriptor, bytes, is_writable);
    if (status != SHEAF_OK)
        goto free_segment;
    segment->bytes = bytes;
    segment->descriptor = descriptor;
    segment->is_writable = is_writable;
    segment->device = st.st_dev;
    segment->inode = st.st_ino;
    *out = segment;
    return SHEAF_OK;

free_segment:
    free(segment->path);
    free(segment);
    return status;
}

sheaf_status segment_wrap(struct segment **out, void *address, size_t bytes)
{
    struct segment *segment = segment_new();
    if (segment == NULL)
        return SHEAF_ERR_NO_MEMORY;
    segment->address = bytes > 0 ? address : NULL;
    segment->bytes = bytes;
    segment->is_writable = true;
    *out = segment;
    return SHEAF_OK;
}

sheaf_status segment_own(struct segment *segment, const char *name, int lock)
{
    char *copy = strdup(name);
    if (copy == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "no memory for a key");
    segment->unlink_key = copy;
    segment->lock = lock;
    segment->owner = (int32_t)getpid();
    return SHEAF_OK;
}

void segment_disown(struct segment *segment)
{
    if (segment->unlink_key != NULL && segment->owner == (int32_t)getpid())
        shm_unlink_same(segment->unlink_key, segment->device, segment->inode);
    free(segment->unlink_key);
    segment->unlink_key = NULL;
}

struct segment *segment_retain(struct segment *segment)
{
    /* relaxed: whoever retains holds a reference already, so it cannot be the last one's release. */
    add_relaxed(&segment->references, 1);
    return segment;
}

void segment_release(struct segment *segment)
{
    /* acq_rel, pairs with itself in the other holders: the last one sees all that they did. */
    if (segment == NULL || sub_acq_rel(&segment->references, 1) != 1)
        return;
    /* acquire, pairs with the store in segment_set_close_hook(): what the hook uses is ready. */
    void (*hook)(uint64_t) = load_acquire(&close_hook);
    if (hook != NULL)
        hook(segment->serial);
    segment_disown(segment);
    if (segment->descriptor >= 0) {
        if (segment->bytes > 0)
            munmap(segment->address, segment->bytes);
        close(segment->descriptor);
    }
    if (segment->lock >= 0)
        close(segment->lock);
    free(segment->path);
    free(segment);
}

void segment_set_close_hook(void (*hook)(uint64_t serial))
{
    store_release(&close_hook, hook); /* pairs with the load in segment_release() */
}

sheaf_status segment_map_path(void **address, const char *path, uint64_t device, uint64_t inode,
                              size_t bytes, bool is_writable)
{
    struct stat st;
    int fd = open(path, (is_writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
        return SHEAF_FAIL(SHEAF_ERR_SYSTEM, "open %.200s: %s", path, strerror(errno));
    if (fd < 0)
        return SHEAF_FAIL(SHEAF_ERR_NOT_FOUND, "open %.200s: %s", path, strerror(errno));
    sheaf_status status;
    if (fstat(fd, &st) != 0 || st.st_dev != device || st.st_ino != inode || st.st_size < 0 ||
        (uint64_t)st.st_size < bytes)
        status = SHEAF_FAIL(SHEAF_ERR_NOT_FOUND, "%.200s is another file by now", path);
    else
        status = segment_map(address, fd, bytes, is_writable);
    close(fd);
    return status;
}
