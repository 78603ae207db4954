/* attach.c -- mapping arrays that exist. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "memory/array.h"
#include "memory/key.h"
#include "memory/npy.h"

sheaf_status array_open(int *descriptor, struct footer *footer, struct stat *st, const char *name,
                        bool is_writable)
{
    unsigned char tail[FOOTER_BYTES];
    int fd;
    sheaf_status status = shm_open_existing(&fd, st, name, is_writable);
    if (status != SHEAF_OK)
        return status;
    size_t count = st->st_size < FOOTER_BYTES ? (size_t)st->st_size : FOOTER_BYTES;
    status = file_read(tail, fd, (size_t)st->st_size - count, count, name);
    if (status == SHEAF_OK)
        status = footer_decode(footer, tail, (uint64_t)st->st_size, name);
    if (status != SHEAF_OK)
        close(fd);
    else
        *descriptor = fd;
    return status;
}

static void shape_text(char *text, size_t capacity, const size_t *shape, size_t ndim)
{
    size_t used = (size_t)snprintf(text, capacity, "(");
    for (size_t i = 0; i < ndim && used < capacity; i++)
        used += (size_t)snprintf(text + used, capacity - used, i == 0 ? "%zu" : ", %zu", shape[i]);
    if (used < capacity)
        snprintf(text + used, capacity - used, ")");
}

static sheaf_status check_expected(const sheaf_array *array, const char *key,
                                   const sheaf_attach_options *options)
{
    char expected[160];
    char found[160];
    if (options->dtype != 0 && options->dtype != array->dtype)
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "\"%.120s\" has elements of %s, not %s", key,
                          sheaf_dtype_name(array->dtype), sheaf_dtype_name(options->dtype));
    if (options->shape == NULL ||
        (options->ndim == array->ndim &&
         memcmp(options->shape, array->shape, options->ndim * sizeof(size_t)) == 0))
        return SHEAF_OK;
    shape_text(expected, sizeof expected, options->shape, options->ndim);
    shape_text(found, sizeof found, array->shape, array->ndim);
    return SHEAF_FAIL(SHEAF_ERR_SHAPE, "\"%.120s\" has the shape %s, not %s", key, found, expected);
}

/* Maps what was opened; the descriptor goes to the segment, or is closed. */
static sheaf_status map_opened(sheaf_array **out, sheaf_array *array, int descriptor,
                               const char *path, const sheaf_attach_options *options)
{
    size_t bytes = array->offset + array->bytes;
    const char *name = array->key[0] != '\0' || path == NULL ? array->key : path;
    sheaf_status status = check_expected(array, name, options);
    if (status == SHEAF_OK)
        status = segment_open(&array->segment, descriptor, bytes,
                              options->access == SHEAF_READ_WRITE, path);
    if (status != SHEAF_OK) {
        close(descriptor);
        sheaf_detach(array);
        return status;
    }
    *out = array;
    return SHEAF_OK;
}

static sheaf_status attach_name(sheaf_array **out, const char *name,
                                const sheaf_attach_options *options)
{
    char path[SHM_PATH_BYTES];
    struct footer footer;
    struct stat st;
    sheaf_array *array;
    int fd;
    sheaf_status status = array_open(&fd, &footer, &st, name, options->access == SHEAF_READ_WRITE);
    if (status != SHEAF_OK)
        return status;
    status = array_new(&array, footer.dtype, footer.ndim, footer.shape);
    if (status != SHEAF_OK) {
        close(fd);
        return status;
    }
    memcpy(array->key, name, strlen(name) + 1);
    shm_path(path, name);
    return map_opened(out, array, fd, path, options);
}

/* The key of a mapped file is file:// and its absolute path, if that is not too long for a key. */
static sheaf_status attach_file(sheaf_array **out, const char *path,
                                const sheaf_attach_options *options)
{
    char absolute[PATH_MAX];
    struct stat st;
    struct npy npy;
    sheaf_array *array;
    int fd;
    sheaf_status status = npy_open(&fd, &npy, &st, path, options->access == SHEAF_READ_WRITE);
    if (status != SHEAF_OK)
        return status;
    if (npy.offset % sheaf_dtype_size(npy.dtype) != 0) {
        status = SHEAF_FAIL(SHEAF_ERR_FORMAT,
                            "%.200s: its elements begin at byte %zu, which is not aligned: load it "
                            "(sheaf_load, sheaf load) instead of mapping it",
                            path, npy.offset);
        goto close_fd;
    }
    status = array_new(&array, npy.dtype, npy.ndim, npy.shape);
    if (status != SHEAF_OK)
        goto close_fd;
    array->offset = npy.offset;
    const char *real = realpath(path, absolute);
    if (real != NULL && strlen(real) + 7 <= SHEAF_KEY_MAX)
        snprintf(array->key, sizeof array->key, "file://%.193s", real);
    return map_opened(out, array, fd, real, options);

close_fd:
    close(fd);
    return status;
}

sheaf_status sheaf_attach(sheaf_array **out, const char *key, const sheaf_attach_options *options)
{
    static const sheaf_attach_options defaults = {.access = SHEAF_READ_WRITE};
    struct key parsed;
    if (out == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "out is NULL");
    if (options == NULL)
        options = &defaults;
    if (options->access != SHEAF_READ_WRITE && options->access != SHEAF_READ_ONLY)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "there is no access %d", (int)options->access);
    if (options->dtype != 0 && sheaf_dtype_size(options->dtype) == 0)
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "there is no dtype %d", (int)options->dtype);
    sheaf_status status = key_parse(&parsed, key);
    if (status != SHEAF_OK)
        return status;
    return parsed.is_file ? attach_file(out, parsed.name, options)
                          : attach_name(out, parsed.name, options);
}
