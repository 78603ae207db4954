/* shm.h -- names in /dev/shm: opening them with suspicion, and making new ones appear whole.
 *
 * A new segment is a draft until it is published: a file without a name (O_TMPFILE), so a creator
 * that is killed leaves nothing. Where the file system has no O_TMPFILE, or /proc is missing, the
 * draft has a name that cannot be a key ("sheaf~PID~N"), and its creator holds a lock on it:
 * sheaf_gc() removes one whose lock is free.
 *
 * Locks are flock(LOCK_SH) on a description of their own, opened for nothing else: a descriptor of
 * the data can be passed to workers without passing on the lock. A fork does share it: an owned
 * array whose owner has forked is not an orphan before that child has ended too, or called exec. */
#ifndef SHEAF_MEMORY_SHM_H
#define SHEAF_MEMORY_SHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <sheaf/array.h>

#define SHM_DIRECTORY    "/dev/shm"
#define SHM_DRAFT_PREFIX "sheaf~"

enum { SHM_PATH_BYTES = sizeof SHM_DIRECTORY + SHEAF_KEY_MAX + 1, SHM_DRAFT_BYTES = 64 };

struct shm_draft {
    const char *name;            /* to be published under; the caller's */
    int source;                  /* the descriptor to publish; whoever owns it */
    int descriptor;              /* of the data, read and write; set to -1 by who takes it over */
    int lock;                    /* LOCK_SH is held on it; set to -1 by who takes it over */
    char draft[SHM_DRAFT_BYTES]; /* its name for now; "" if it has none */
};

/* Opens a segment of ours: a regular file that belongs to us, never created, no link followed.
 * Errors: NOT_FOUND, ACCESS, FORMAT (no regular file), SYSTEM. */
sheaf_status shm_open_existing(int *out, struct stat *st, const char *name, bool is_writable);

/* A draft of `bytes` bytes, all reserved and zero. The caller ends it with shm_draft_drop().
 * Errors: EXISTS, NO_SPACE, NO_MEMORY, SYSTEM. */
sheaf_status shm_draft_open(struct shm_draft *out, const char *name, size_t bytes, bool is_locked);

/* Gives the draft its name. Errors: EXISTS, NO_SPACE, SYSTEM. */
sheaf_status shm_draft_publish(const struct shm_draft *draft);

/* Takes back the draft's own name, and closes the descriptors that nobody took over. */
void shm_draft_drop(struct shm_draft *draft);

/* Grows an empty file to `bytes` bytes with all of its pages reserved. Returns an errno value; ENOMEM,
 * too, where the kernel would go and kill somebody. */
int shm_reserve(int descriptor, size_t bytes);

/* Words that: NO_MEMORY or SYSTEM. */
sheaf_status shm_refuse_memory(const char *name, size_t bytes, int error);

/* Removes a name if it still is this file. True if it was; else errno says why not, and is ENOENT if the
 * name is another file's by now. */
bool shm_unlink_same(const char *name, uint64_t device, uint64_t inode);

/* True if nobody holds a lock on the file; this descriptor then holds it exclusively until it is closed. */
bool shm_lock_is_free(int descriptor);

/* The path of a name; path has SHM_PATH_BYTES. */
void shm_path(char *path, const char *name);

#endif
