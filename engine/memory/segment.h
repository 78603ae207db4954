/* segment.h -- a piece of mapped memory, counted: the handles on it, and the jobs that run over it.
 *
 * The identity of a segment that processes can share is (device, inode, bytes): an inode cannot be
 * used again while it is mapped. So worker processes open `path`, compare, and ask the owner for
 * the descriptor if it is not that file any more, or if there is no path. */
#ifndef SHEAF_MEMORY_SEGMENT_H
#define SHEAF_MEMORY_SEGMENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sheaf/status.h>

enum { SEGMENT_PATH_BYTES = 4096 };

struct segment {
    _Atomic uint32_t references;
    uint64_t serial;  /* of this process, never used again */
    void *address;    /* mapped here (wrapped: the caller's memory); NULL if bytes is 0 */
    size_t bytes;     /* mapped */
    int descriptor;   /* open as long as the segment; -1: private memory, not shareable */
    bool is_writable; /* mapped PROT_WRITE */
    uint64_t device;
    uint64_t inode;
    char *path; /* to open it by, absolute; NULL if it has none */
    char
        *unlink_key; /* NAME to unlink when its creator lets go of it (an owned array); else NULL */
    int lock;        /* an owned array's: holds flock(LOCK_SH), and is never passed on; else -1 */
    int32_t owner;   /* pid that made an owned array: a forked child must not unlink it */
};

/* Maps the first `bytes` bytes of a descriptor, which the segment then owns (on failure it stays the
 * caller's). One reference, the caller's. path is copied; NULL: it has none. */
sheaf_status segment_open(struct segment **out, int descriptor, size_t bytes, bool is_writable,
                          const char *path);

/* A segment over memory of the caller's own, which is neither unmapped nor shareable. */
sheaf_status segment_wrap(struct segment **out, void *address, size_t bytes);

/* Makes it an owned array's: `name` goes when this process lets go of it. The segment then owns the
 * descriptor `lock`. Errors: NO_MEMORY. */
sheaf_status segment_own(struct segment *segment, const char *name, int lock);

/* Unlinks an owned array's key now, if this process made it and the key still names it. */
void segment_disown(struct segment *segment);

/* One more holder. Returns segment. */
struct segment *segment_retain(struct segment *segment);

/* One holder less; the last one calls the close hook, unlinks an owned key, unmaps and frees. */
void segment_release(struct segment *segment);

/* Called with the serial of every segment that is about to be unmapped, from the releasing thread. At
 * most one hook; worker pools use it to forget the segment. */
void segment_set_close_hook(void (*hook)(uint64_t serial));

/* Maps a descriptor's first `bytes` bytes, shared. *address is NULL for 0 bytes. */
sheaf_status segment_map(void **address, int descriptor, size_t bytes, bool is_writable);

/* Opens path and maps it if it is still the file (device, inode) of at least `bytes` bytes. For workers.
 * Errors: NOT_FOUND (gone, or another file by now), NO_MEMORY, SYSTEM. */
sheaf_status segment_map_path(void **address, const char *path, uint64_t device, uint64_t inode,
                              size_t bytes, bool is_writable);

#endif
