/* array.c -- handles: creating, wrapping, letting go, and what an array is. */
#include "memory/array.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "memory/creator.h"
#include "memory/footer.h"
#include "memory/key.h"
#include "memory/layout.h"
#include "memory/shape.h"

sheaf_status array_new(sheaf_array **out, sheaf_dtype dtype, size_t ndim, const size_t *shape)
{
    size_t element_bytes = sheaf_dtype_size(dtype);
    size_t size;
    size_t bytes;
    if (element_bytes == 0)
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "there is no dtype %d", (int)dtype);
    if (ndim > SHEAF_MAX_DIMS)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "ndim is %zu, %d is the limit", ndim, SHEAF_MAX_DIMS);
    if (ndim > 0 && shape == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "ndim is %zu and shape is NULL", ndim);
    if (!shape_measure(&size, &bytes, shape, ndim, element_bytes))
        return SHEAF_FAIL(SHEAF_ERR_OVERFLOW, "the bytes of this shape do not fit in 63 bits");
    sheaf_array *array = calloc(1, sizeof *array);
    if (array == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "no memory for the handle of an array");
    array->dtype = dtype;
    array->ndim = ndim;
    for (size_t i = 0; i < ndim; i++)
        array->shape[i] = shape[i];
    array->size = size;
    array->bytes = bytes;
    array->is_dense = true;
    layout_dense(array->strides, ndim, array->shape, element_bytes);
    *out = array;
    return SHEAF_OK;
}

/* Writes the footer at the end of a draft of `bytes` bytes. */
static sheaf_status write_footer(int descriptor, size_t bytes, const sheaf_array *array,
                                 sheaf_lifetime lifetime)
{
    unsigned char page[FOOTER_BYTES];
    struct footer footer = {
        .dtype = array->dtype,
        .ndim = array->ndim,
        .data_bytes = array->bytes,
        .lifetime = lifetime,
    };
    memcpy(footer.shape, array->shape, sizeof footer.shape);
    creator_fill(&footer);
    footer_encode(page, &footer);
    ssize_t count = pwrite(descriptor, page, sizeof page, (off_t)(bytes - FOOTER_BYTES));
    if (count != (ssize_t)sizeof page)
        return SHEAF_FAIL(SHEAF_ERR_SYSTEM, "write the footer: %s",
                          count < 0 ? strerror(errno) : "cut short");
    return SHEAF_OK;
}

sheaf_status array_draft(sheaf_array *array, struct shm_draft *draft, const char *key,
                         const sheaf_create_options *options)
{
    char path[SHM_PATH_BYTES];
    const char *name;
    sheaf_lifetime lifetime = options != NULL ? options->lifetime : SHEAF_PERSISTENT;
    size_t bytes = (array->bytes + FOOTER_BYTES - 1) / FOOTER_BYTES * FOOTER_BYTES + FOOTER_BYTES;
    sheaf_status status = key_parse_name(&name, key, "create");
    if (status != SHEAF_OK)
        return status;
    if (lifetime != SHEAF_PERSISTENT && lifetime != SHEAF_OWNED)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "there is no lifetime %d", (int)lifetime);
    status = shm_draft_open(draft, name, bytes, lifetime == SHEAF_OWNED);
    if (status != SHEAF_OK)
        return status;
    status = write_footer(draft->descriptor, bytes, array, lifetime);
    if (status != SHEAF_OK)
        goto drop;
    shm_path(path, name);
    status = segment_open(&array->segment, draft->descriptor, array->bytes, true, path);
    if (status != SHEAF_OK)
        goto drop;
    draft->descriptor = -1; /* the segment's now */
    if (lifetime == SHEAF_OWNED) {
        status = segment_own(array->segment, name, draft->lock);
        if (status != SHEAF_OK)
            goto drop;
        draft->lock = -1;
    }
    draft->source = array->segment->descriptor;
    memcpy(array->key, name, strlen(name) + 1);
    return SHEAF_OK;

drop:
    shm_draft_drop(draft);
    return status;
}

sheaf_status sheaf_create(sheaf_array **out, const char *key, sheaf_dtype dtype, size_t ndim,
                          const size_t *shape, const sheaf_create_options *options)
{
    struct shm_draft draft;
    sheaf_array *array = NULL;
    if (out == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "out is NULL");
    sheaf_status status = array_new(&array, dtype, ndim, shape);
    if (status != SHEAF_OK)
        return status;
    status = array_draft(array, &draft, key, options);
    if (status != SHEAF_OK)
        goto detach;
    if (options != NULL && options->fill != NULL)
        options->fill(array, options->context);
    status = shm_draft_publish(&draft);
    shm_draft_drop(&draft);
    if (status != SHEAF_OK)
        goto detach;
    *out = array;
    return SHEAF_OK;

detach:
    sheaf_detach(array);
    return status;
}

/* A memfd of these many bytes, all reserved, whose size nobody can change. */
static sheaf_status reserve_anonymous(int *out, size_t bytes)
{
    int fd = memfd_create("sheaf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return SHEAF_FAIL(SHEAF_ERR_SYSTEM, "memfd_create: %s", strerror(errno));
    int error = shm_reserve(fd, bytes);
    if (error == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        error = errno;
    if (error != 0) {
        close(fd);
        return shm_refuse_memory("(no key)", bytes, error == ENOSPC ? ENOMEM : error);
    }
    *out = fd;
    return SHEAF_OK;
}

sheaf_status sheaf_create_anonymous(sheaf_array **out, sheaf_dtype dtype, size_t ndim,
                                    const size_t *shape)
{
    sheaf_array *array = NULL;
    int fd = -1;
    if (out == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "out is NULL");
    sheaf_status status = array_new(&array, dtype, ndim, shape);
    if (status != SHEAF_OK)
        return status;
    status = reserve_anonymous(&fd, array->bytes);
    if (status != SHEAF_OK)
        goto detach;
    status = segment_open(&array->segment, fd, array->bytes, true, NULL);
    if (status != SHEAF_OK)
        goto close_fd;
    *out = array;
    return SHEAF_OK;

close_fd:
    close(fd);
detach:
    sheaf_detach(array);
    return status;
}

sheaf_status sheaf_wrap(sheaf_array **out, void *data, sheaf_dtype dtype, size_t ndim,
                        const size_t *shape)
{
    sheaf_array *array = NULL;
    if (out == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "out is NULL");
    sheaf_status status = array_new(&array, dtype, ndim, shape);
    if (status != SHEAF_OK)
        return status;
    if (data == NULL && array->bytes > 0)
        status = SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "wrap: data is NULL");
    else if ((uintptr_t)data % sheaf_dtype_size(dtype) != 0)
        status =
            SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "wrap: data is not aligned to its elements of %zu bytes",
                       sheaf_dtype_size(dtype));
    else
        status = segment_wrap(&array->segment, data, array->bytes);
    if (status != SHEAF_OK)
        sheaf_detach(array);
    else
        *out = array;
    return status;
}

void sheaf_detach(sheaf_array *array)
{
    if (array == NULL)
        return;
    if (array->segment != NULL) {
        if (!array->is_view)
            segment_disown(array->segment); /* now, though submitted work may keep the memory */
        segment_release(array->segment);
    }
    free(array);
}

void *sheaf_array_data(const sheaf_array *array)
{
    unsigned char *address = array->segment->address;
    return address != NULL ? address + array->offset : NULL;
}

sheaf_dtype sheaf_array_dtype(const sheaf_array *array)
{
    return array->dtype;
}

size_t sheaf_array_ndim(const sheaf_array *array)
{
    return array->ndim;
}

const size_t *sheaf_array_shape(const sheaf_array *array)
{
    return array->shape;
}

size_t sheaf_array_size(const sheaf_array *array)
{
    return array->size;
}

size_t sheaf_array_bytes(const sheaf_array *array)
{
    return array->bytes;
}

const char *sheaf_array_key(const sheaf_array *array)
{
    return array->key;
}
