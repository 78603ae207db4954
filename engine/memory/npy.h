/* npy.h -- the .npy format of NumPy (numpy/lib/format.py), and files of it.
 *
 *     offset  bytes
 *          0      6  magic: 93 4E 55 4D 50 59 ("\x93NUMPY")
 *          6      2  version: major 1, 2 or 3, minor 0
 *          8   2, 4  n, the bytes of the header: 2 in version 1, else 4, little-endian
 *    10, 12      n  a Python dict in text: {'descr': '<f8', 'fortran_order': False, 'shape': (3,), }
 *                   and spaces and a newline, so that the elements begin at a multiple of 64
 *                elements
 *
 * We read the keys in any order, with any spaces; the type of an element is a plain string ('<f8', with
 * '=', '|' or nothing for the machine's own order as NumPy has it), and the order C, or Fortran where
 * that makes no difference. We write what numpy.save of NumPy 1.23.2 and later writes, byte for byte: spaces
 * after the dict that let the first extent grow to 21 digits, and 64 rather than 0 of padding. */
#ifndef SHEAF_MEMORY_NPY_H
#define SHEAF_MEMORY_NPY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <sheaf/array.h>

enum {
    NPY_HEADER_MAX = 65536, /* a header's bytes, with what is before it; longer is refused */
    NPY_WRITE_MAX = 1024,   /* what npy_encode() writes at most */
};

struct npy {
    sheaf_dtype dtype;
    size_t ndim;
    size_t shape[SHEAF_MAX_DIMS];
    size_t data_bytes;
    size_t offset; /* of the elements in the file */
};

/* Reads the header of a file of file_bytes bytes: head holds its first min(file_bytes, NPY_HEADER_MAX)
 * bytes. path is for the text of an error. Errors: FORMAT; DTYPE for plain types that we do not have. */
sheaf_status npy_decode(struct npy *out, const unsigned char *head, uint64_t file_bytes,
                        const char *path);

/* Writes a header. Returns its bytes, a multiple of 64. */
size_t npy_encode(unsigned char head[NPY_WRITE_MAX], sheaf_dtype dtype, size_t ndim,
                  const size_t *shape);

/* Reads bytes [from, from + count) of any file: by read, not by a map, so that a file that is cut meanwhile
 * is an error and not a SIGBUS. name is for the text of an error. Errors: FORMAT (cut), SYSTEM. */
sheaf_status file_read(void *to, int descriptor, size_t from, size_t count, const char *name);

/* Opens a file and reads its header. The descriptor is the caller's.
 * Errors: NOT_FOUND, ACCESS, FORMAT, DTYPE, NO_MEMORY, SYSTEM. */
sheaf_status npy_open(int *descriptor, struct npy *out, struct stat *st, const char *path,
                      bool is_writable);

#endif
