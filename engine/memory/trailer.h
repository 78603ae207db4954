/* trailer.h -- the trailer of Python's SharedArray; its format is told in memory/footer.h. */
#ifndef SHEAF_MEMORY_TRAILER_H
#define SHEAF_MEMORY_TRAILER_H

#include <stdint.h>

#include "memory/footer.h"

/* Writes the trailers that can express the array before `end`, the segment's end; 548 bytes at most. */
void trailer_encode(unsigned char *end, const struct footer *footer);

/* As footer_decode(), for a segment that has no record of ours. */
sheaf_status trailer_decode(struct footer *out, const unsigned char *tail, uint64_t segment_bytes,
                            const char *key);

#endif
