/* array.h -- the inside of a sheaf_array: a segment, and what lies where in it. */
#ifndef SHEAF_MEMORY_ARRAY_H
#define SHEAF_MEMORY_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sheaf/array.h>

#include "memory/footer.h"
#include "memory/segment.h"
#include "memory/shm.h"

struct sheaf_array {
    struct segment *segment;
    sheaf_dtype dtype;
    size_t ndim;
    size_t shape[SHEAF_MAX_DIMS];
    size_t size;                     /* elements */
    size_t bytes;                    /* of the elements */
    size_t offset;                   /* of the first element in the segment */
    int64_t strides[SHEAF_MAX_DIMS]; /* bytes */
    bool is_dense;                   /* C order, without gaps */
    bool is_view;                    /* the owned key is another handle's */
    char key[SHEAF_KEY_MAX + 1];
};

/* A handle on nothing yet: the type checked, the sizes computed.
 * Errors: ARGUMENT, DTYPE, OVERFLOW, NO_MEMORY. */
sheaf_status array_new(sheaf_array **out, sheaf_dtype dtype, size_t ndim, const size_t *shape);

/* Dimension number `axis`, which may count from the end. Errors: ARGUMENT; `what` begins the text. */
sheaf_status array_axis(size_t *out, int64_t axis, size_t ndim, const char *what);

/* Makes `array` (of array_new()) a mapped, zero-filled array that has no name yet, so that it can be
 * filled before anybody sees it: then shm_draft_publish(), and shm_draft_drop() in any case. The
 * handle stays the caller's to detach. Errors: ARGUMENT (key), EXISTS, NO_SPACE, NO_MEMORY, SYSTEM. */
sheaf_status array_draft(sheaf_array *array, struct shm_draft *draft, const char *key,
                         const sheaf_create_options *options);

/* Opens a segment and reads its footer. The descriptor is the caller's.
 * Errors: NOT_FOUND, ACCESS, FORMAT, DTYPE (with the footer's other fields set), SYSTEM. */
sheaf_status array_open(int *descriptor, struct footer *footer, struct stat *st, const char *name,
                        bool is_writable);

#endif
