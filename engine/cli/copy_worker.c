/* copy_worker.c -- the other end of copies.c: `sheaf copy-worker OP ISA` reduces what standard input
 * brings and writes the values to standard output. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/options.h"

/* What one chunk is read into: as large as the largest so far. */
struct buffer {
    void *data;
    size_t bytes;
};

/* True if all bytes came. */
static bool read_all(void *data, size_t bytes)
{
    size_t at = 0;
    while (at < bytes) {
        ssize_t got = read(STDIN_FILENO, (char *)data + at, bytes - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

static bool grow(struct buffer *buffer, size_t bytes)
{
    if (bytes <= buffer->bytes)
        return true;
    free(buffer->data);
    buffer->bytes = 0;
    buffer->data = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (buffer->data == NULL)
        return false;
    buffer->bytes = bytes;
    return true;
}

static int reduce_chunk(const struct buffer *buffer, size_t bytes, sheaf_op op,
                        const sheaf_reduce_options *options)
{
    const size_t shape[] = {bytes / sizeof(double)};
    sheaf_array *array;
    sheaf_scalar value;
    if (sheaf_wrap(&array, buffer->data, SHEAF_F64, 1, shape) != SHEAF_OK)
        return library_failure("copy-worker");
    sheaf_status status = sheaf_reduce(&value, array, op, options);
    sheaf_detach(array);
    if (status != SHEAF_OK)
        return library_failure("copy-worker");
    /* 8 bytes into a pipe: whole or not at all */
    if (write(STDOUT_FILENO, value.value.bytes, sizeof(double)) != sizeof(double))
        return FAILED;
    return DONE;
}

static int serve(sheaf_op op, const sheaf_reduce_options *options)
{
    struct buffer buffer = {0};
    int status = DONE;
    uint64_t bytes;
    while (status == DONE && read_all(&bytes, sizeof bytes)) {
        if (!grow(&buffer, bytes))
            status = failure("copy-worker", "no memory for a chunk");
        else if (!read_all(buffer.data, bytes))
            status = FAILED; /* the sender has gone in the middle */
        else
            status = reduce_chunk(&buffer, bytes, op, options);
    }
    free(buffer.data);
    return status;
}

int command_copy_worker(int argc, char **argv)
{
    sheaf_reduce_options options = {0};
    sheaf_op op = argc == 3 ? sheaf_op_by_name(argv[1]) : 0;
    if (op == 0)
        return usage_error("", "copy-worker is what `sheaf compare` starts");
    options.isa = argv[2];
    if (sheaf_executor_open(&options.executor, SHEAF_SEQUENTIAL, NULL) != SHEAF_OK)
        return library_failure("copy-worker");
    int status = serve(op, &options);
    sheaf_executor_close(options.executor);
    return status;
}
