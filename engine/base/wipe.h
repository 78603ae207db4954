/* wipe.h -- memory that has held secrets. */
#ifndef SHEAF_BASE_WIPE_H
#define SHEAF_BASE_WIPE_H

#include <stddef.h>
#include <string.h>

/* Zeroes it, whether or not anybody reads it again. NULL with 0 bytes is allowed. */
static inline void wipe(void *memory, size_t bytes)
{
    if (bytes > 0)
        explicit_bzero(memory, bytes);
}

/* Zeroes the stack below the caller: what functions that have returned left there. */
void wipe_stack(void);

#endif
