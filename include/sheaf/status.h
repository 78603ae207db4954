/* status.h -- how a function says that it failed: a status, and one line that says why. */
#ifndef SHEAF_STATUS_H
#define SHEAF_STATUS_H

#include <sheaf/export.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sheaf_status {
    SHEAF_OK = 0,
    SHEAF_ERR_ARGUMENT = 1,     /* a parameter outside what the function allows */
    SHEAF_ERR_NOT_FOUND = 2,    /* no array has this key, no such file */
    SHEAF_ERR_EXISTS = 3,       /* the key is taken */
    SHEAF_ERR_ACCESS = 4,       /* not ours, or not with these permissions */
    SHEAF_ERR_FORMAT = 5,       /* bytes from outside that are not what they should be */
    SHEAF_ERR_NO_SPACE = 6,     /* /dev/shm or the file system is too small */
    SHEAF_ERR_NO_MEMORY = 7,    /* memory, address space or maps have run out */
    SHEAF_ERR_OVERFLOW = 8,     /* a shape whose size does not fit in 63 bits */
    SHEAF_ERR_DTYPE = 9,        /* an element type that does not fit here */
    SHEAF_ERR_SHAPE = 10,       /* a shape that does not fit here */
    SHEAF_ERR_EMPTY = 11,       /* an operation without identity over no elements */
    SHEAF_ERR_NOT_SHARED = 12,  /* private memory given to worker processes */
    SHEAF_ERR_TIMEOUT = 13,     /* not done within the time given; nothing is lost */
    SHEAF_ERR_BUSY = 14,        /* a table is full: too many jobs or executors at once */
    SHEAF_ERR_CLOSED = 15,      /* the executor has been closed, or belongs to our parent process */
    SHEAF_ERR_WORKER = 16,      /* workers died over this, or cannot be started */
    SHEAF_ERR_UNSUPPORTED = 17, /* not on this machine: an instruction set, a library */
    SHEAF_ERR_SYSTEM = 18,      /* the system refused; the text has its reason */
    SHEAF_ERR_CANCELLED = 19,   /* the work was cancelled before it began */
    SHEAF_ERR_CALLABLE = 20,    /* a function of the user's own said that it failed */
} sheaf_status;

/* The name of a status, "SHEAF_ERR_EMPTY". Never NULL. */
SHEAF_EXPORT const char *sheaf_status_name(sheaf_status status);

/* One line on this thread's last failure: what was tried, why it failed, what to do. It stays
 * until the thread's next failure; "" if there was none. Owned by the library. */
SHEAF_EXPORT const char *sheaf_last_error(void);

#ifdef __cplusplus
}
#endif
#endif
