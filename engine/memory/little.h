/* little.h -- little-endian numbers in byte buffers, wherever they lie. */
#ifndef SHEAF_MEMORY_LITTLE_H
#define SHEAF_MEMORY_LITTLE_H

#include <stddef.h>
#include <stdint.h>

/* The number in the first `bytes` (8 at most) bytes. */
static inline uint64_t little_get(const unsigned char *from, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)from[i] << (8 * i);
    return value;
}

static inline void little_put(unsigned char *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (unsigned char)(value >> (8 * i));
}

#endif
