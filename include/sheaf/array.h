/* array.h -- arrays in shared memory, found by key.
 *
 * An array is dense, in C order, little-endian, and lives in a segment that other processes map by
 * the same key. Keys:
 *
 *     NAME or shm://NAME   a segment in /dev/shm; NAME is [A-Za-z0-9._-]{1,200}, not "." or ".."
 *     file://PATH          a .npy file, mapped where it lies (attach, info)
 *
 * A key appears whole or not at all: nobody sees a half-made array, and a creator that is killed on
 * the way leaves nothing behind. NumPy reads the same bytes: np.memmap("/dev/shm/NAME", dtype,
 * shape=shape), and Python's SharedArray attaches them.
 *
 * Caveats
 *   - An array is persistent unless it was created SHEAF_OWNED: its memory stays taken until
 *     sheaf_unlink(). `sheaf list` shows what is there.
 *   - systemd's RemoveIPC=yes removes the segments of a user at logout: keep them in a service or
 *     with `loginctl enable-linger`. Jobs that run keep their memory.
 *   - A child that the owner of an owned array has forked keeps the array from sheaf_gc() until it ends
 *     too, or calls exec. Such a child never unlinks the key; detaching there is safe.
 *   - What memory cannot hold is refused at creation, but others may take memory in the same moment:
 *     then the kernel ends a process, as always.
 *   - Another process of the same user can shrink a segment; reading past its end is a SIGBUS, as
 *     with any shared file. We reserve all pages at creation, so a full /dev/shm is a status. */
#ifndef SHEAF_ARRAY_H
#define SHEAF_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sheaf/dtype.h>
#include <sheaf/export.h>
#include <sheaf/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SHEAF_MAX_DIMS = 32,
    SHEAF_KEY_MAX = 200, /* bytes of a NAME, without the final NUL */
};

typedef struct sheaf_array sheaf_array;

typedef enum sheaf_lifetime {
    SHEAF_PERSISTENT = 0, /* until sheaf_unlink() */
    SHEAF_OWNED = 1,      /* as long as the handle that created it: sheaf_detach() unlinks the key;
                             if the process dies first, sheaf_gc() does */
} sheaf_lifetime;

typedef struct sheaf_create_options {
    sheaf_lifetime lifetime;
    void (*fill)(sheaf_array *array,
                 void *context); /* called before the key appears; NULL: zeros */
    void *context;
} sheaf_create_options;

typedef enum sheaf_access {
    SHEAF_READ_WRITE = 0,
    SHEAF_READ_ONLY = 1, /* writing through the pointer is a SIGSEGV */
} sheaf_access;

typedef struct sheaf_attach_options {
    sheaf_access access;
    sheaf_dtype dtype;   /* expected: else SHEAF_ERR_DTYPE. 0: any */
    const size_t *shape; /* expected, with ndim: else SHEAF_ERR_SHAPE. NULL: any */
    size_t ndim;
} sheaf_attach_options;

/* Creates a zero-filled array of shape[0] x ... x shape[ndim-1] elements (ndim 0: one element) under
 * a new key. Its space is reserved now. The caller owns *out and detaches it.
 * Errors: ARGUMENT (key, ndim), DTYPE, OVERFLOW, EXISTS, NO_SPACE, NO_MEMORY, SYSTEM. */
SHEAF_EXPORT sheaf_status sheaf_create(sheaf_array **out, const char *key, sheaf_dtype dtype,
                                       size_t ndim, const size_t *shape,
                                       const sheaf_create_options *options);

/* Creates a zero-filled array without a key. Worker processes can still be given it: they get its
 * descriptor. Its memory goes with its last mapping. Errors: as sheaf_create(). */
SHEAF_EXPORT sheaf_status sheaf_create_anonymous(sheaf_array **out, sheaf_dtype dtype, size_t ndim,
                                                 const size_t *shape);

/* Maps an existing array: ours, Python's SharedArray's, or a file://PATH.npy. The caller owns *out.
 * Errors: ARGUMENT (key), NOT_FOUND, ACCESS, FORMAT, DTYPE, SHAPE, NO_MEMORY, SYSTEM. */
SHEAF_EXPORT sheaf_status sheaf_attach(sheaf_array **out, const char *key,
                                       const sheaf_attach_options *options);

/* Describes memory of the caller's own as an array, for the sequential and threads executors; worker
 * processes cannot reach it (SHEAF_ERR_NOT_SHARED). data: C order, aligned to its element; it must
 * outlive the handle. The caller owns *out. Errors: ARGUMENT, DTYPE, OVERFLOW, NO_MEMORY. */
SHEAF_EXPORT sheaf_status sheaf_wrap(sheaf_array **out, void *data, sheaf_dtype dtype, size_t ndim,
                                     const size_t *shape);

/* Gives the handle back; an owned key is unlinked. Work that was submitted on the array keeps its
 * memory until it is done. NULL is allowed. */
SHEAF_EXPORT void sheaf_detach(sheaf_array *array);

/* Bytes that a new array may take now: the smaller of what /dev/shm has free and what the memory of the
 * machine and of our cgroup has left. An estimate: others take and free memory too. Never fails;
 * UINT64_MAX if nothing tells. */
SHEAF_EXPORT uint64_t sheaf_free_bytes(void);

/* Removes a key (not file://). Those who have the array mapped keep it. Segments that are not arrays
 * of ours or of SharedArray are left alone (FORMAT). Errors: ARGUMENT, NOT_FOUND, ACCESS, FORMAT. */
SHEAF_EXPORT sheaf_status sheaf_unlink(const char *key);

/* What an array is. Never fail; the array must not be NULL. data may be NULL if there are no elements;
 * key is NAME, or file:// and the absolute path of a mapped file, or "" if there is none (or it is
 * longer than SHEAF_KEY_MAX). */
SHEAF_EXPORT void *sheaf_array_data(const sheaf_array *array);
SHEAF_EXPORT sheaf_dtype sheaf_array_dtype(const sheaf_array *array);
SHEAF_EXPORT size_t sheaf_array_ndim(const sheaf_array *array);
SHEAF_EXPORT const size_t *sheaf_array_shape(const sheaf_array *array);
SHEAF_EXPORT size_t sheaf_array_size(const sheaf_array *array);  /* elements */
SHEAF_EXPORT size_t sheaf_array_bytes(const sheaf_array *array); /* of the elements */
SHEAF_EXPORT const char *sheaf_array_key(const sheaf_array *array);

/* What can be known of a key without mapping its data. */
typedef struct sheaf_array_info {
    char key[SHEAF_KEY_MAX + 1]; /* NAME; for file:// the file's name, cut if it is longer */
    sheaf_dtype dtype;
    size_t ndim;
    size_t shape[SHEAF_MAX_DIMS];
    size_t data_bytes;
    size_t segment_bytes; /* what it takes of /dev/shm; of a file, its size */
    sheaf_lifetime lifetime;
    bool is_foreign;         /* made by Python's SharedArray, or a .npy file: no creator is known */
    bool is_orphan;          /* owned, and its owner is gone: sheaf_gc() will remove it */
    int32_t creator_pid;     /* in the creator's pid namespace */
    int64_t created_unix_ns; /* 0 if unknown */
} sheaf_array_info;

/* Describes one key. Errors: as sheaf_attach(). */
SHEAF_EXPORT sheaf_status sheaf_info(sheaf_array_info *out, const char *key);

/* All arrays in /dev/shm that we may read, by name; what is no array is passed over. The caller frees
 * *out with sheaf_list_free(). Errors: NO_MEMORY, SYSTEM. */
SHEAF_EXPORT sheaf_status sheaf_list(sheaf_array_info **out, size_t *count);
SHEAF_EXPORT void sheaf_list_free(sheaf_array_info *list);

/* Removes the owned arrays whose owners are gone, and temporary names that a killed creator left, and
 * lists what it removed (freed with sheaf_list_free()). Errors: NO_MEMORY, SYSTEM. */
SHEAF_EXPORT sheaf_status sheaf_gc(sheaf_array_info **removed, size_t *count);

/* Copies a .npy file (C order, little-endian, our dtypes; format versions 1 to 3) into a new array, whose
 * key appears when it is filled. Fortran order, big-endian elements, objects and structured elements
 * are FORMAT, other plain types DTYPE, and the text says how to convert them.
 * Errors: as sheaf_create(), and NOT_FOUND, ACCESS, FORMAT. */
SHEAF_EXPORT sheaf_status sheaf_load(sheaf_array **out, const char *path, const char *key,
                                     const sheaf_create_options *options);

/* Writes the array as a .npy file, byte for byte as numpy.save does. The file appears whole or not at
 * all, replacing a regular file that is there. Errors: ARGUMENT, NO_SPACE, ACCESS, SYSTEM. */
SHEAF_EXPORT sheaf_status sheaf_save(const sheaf_array *array, const char *path);

#ifdef __cplusplus
}
#endif
#endif
