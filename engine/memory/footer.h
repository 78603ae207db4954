/* footer.h -- the format of an array's segment.
 *
 *     0                data_bytes            S - 4096                         S = bytes of the segment
 *     | elements ...   | anything            | footer: record  zeros  trailer |
 *
 * The elements lie at offset 0, dense, in C order, little-endian. What we write has S = data_bytes
 * rounded up to 4096, plus 4096, and zeros in between; a reader does not look there. The last 4096
 * bytes, whatever the page size, are the footer. All numbers are little-endian.
 *
 *     offset  bytes  the record, at S - 4096
 *          0      8  magic: 89 53 48 45 41 46 0A 1A ("\x89SHEAF\n\x1A")
 *          8      2  major version, 1: another one lays the rest out in another way
 *         10      2  minor version, 0: a later one may use what is zero here; readers ignore it
 *         12      4  must-understand flags, none given out yet: a reader that does not know a bit
 *                    that is set must refuse the segment
 *         16      4  dtype, the code in <sheaf/dtypes.def>
 *         20      4  ndim, 0 to 32
 *         24      8  bytes of the elements
 *         32      8  creation time, nanoseconds since 1970 (UTC), signed
 *         40      4  lifetime: 0 persistent, 1 owned
 *         44      4  creator: pid, in its own pid namespace
 *         48      8  creator: start time, clock ticks since boot (/proc/PID/stat, field 22); 0 unknown
 *         56     16  creator: boot id (/proc/sys/kernel/random/boot_id), its 16 bytes as written;
 *                    0 unknown
 *         72      8  zero
 *         80    256  shape[32]; zero from ndim on
 *        336      4  CRC-32C of the bytes 0 to 335
 *        340   3208  zero
 *       3548    548  trailer of SharedArray, or zero
 *
 * A record is valid if
 *   (1) S is at least 4096 and the magic is there,
 *   (2) the major version is 1,
 *   (3) the CRC is right,
 *   (4) no unknown must-understand flag is set,
 *   (5) ndim is 32 at most, lifetime is 0 or 1, and the shape's extents are below 2^63,
 *   (6) the dtype is one that the reader has,
 *   (7) the bytes of the elements are the dtype's size times the product of the shape, computed
 *       without overflow, and at most S - 4096.
 * The creator's start time and boot id tell a reader of `sheaf info` whether the pid can still be that
 * process; nothing is ever decided by them. Whether an owned array has lost its owner is decided by
 * the lock that the owner holds (memory/shm.h).
 *
 * The trailer is what Python's SharedArray (PyPI, 3.1.0 and later) looks for at the end of a segment.
 * It is a packed C struct whose size depends on the NumPy that SharedArray was compiled with:
 *
 *     offset  bytes  trailer, at S - 548 (NumPy 2) or S - 292 (NumPy 1)
 *          0     16  magic: "[SharedArray]" and three zeros
 *         16      8  bytes of the elements
 *         24      4  NumPy's type number
 *         28      4  bytes of one element
 *         32      4  ndim
 *         36    8*N  shape[N], N = 64 (NumPy 2) or 32 (NumPy 1); not read from ndim on
 *
 * The shorter one lies in shape[27.5 ...] of the longer one, so an array of ndim <= 27 carries both:
 * the long one is written first, the short one over its tail. With 28 to 32 only the long one fits.
 *
 * Segments made by SharedArray itself have no record. They are recognised by a trailer at S - 548,
 * S - 292, S - 288 (SharedArray 2.0 to 3.0: ndim at 28, shape[32] at 32) or S - 160 (0.4 to 1.0: the
 * same with shape[16]); it is valid if the bytes of the elements fit the type and the shape, and end
 * where the trailer begins (a part of one of our trailers, cut, can look like a shorter one). Its writer puts the magic first and the fields later, without a barrier, so one that is just being
 * made is refused as malformed rather than misread. */
#ifndef SHEAF_MEMORY_FOOTER_H
#define SHEAF_MEMORY_FOOTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sheaf/array.h>

enum { FOOTER_BYTES = 4096, FOOTER_BOOT_ID_BYTES = 16 };

struct footer {
    sheaf_dtype dtype;
    sheaf_lifetime lifetime;
    size_t ndim;
    size_t shape[SHEAF_MAX_DIMS];
    size_t data_bytes;
    int64_t created_unix_ns;
    uint64_t creator_start;
    unsigned char creator_boot[FOOTER_BOOT_ID_BYTES];
    int32_t creator_pid;
    bool is_foreign; /* made by SharedArray: nothing is known of its creator */
};

/* Writes the last FOOTER_BYTES of a segment. */
void footer_encode(unsigned char bytes[FOOTER_BYTES], const struct footer *footer);

/* Reads the end of a segment of segment_bytes bytes: tail holds its last min(segment_bytes,
 * FOOTER_BYTES) bytes, copied out of it. key is for the text of an error.
 * Errors: FORMAT; DTYPE if it is an array of ours or SharedArray's, of elements we do not have. */
sheaf_status footer_decode(struct footer *out, const unsigned char *tail, uint64_t segment_bytes,
                           const char *key);

#endif
