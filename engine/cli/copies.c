/* copies.c -- feeding processes through pipes. */
#include "cli/copies.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cli/child.h"
#include "cli/options.h"

enum {
    LEAF = 8192, /* elements of a leaf of the sum's tree, <sheaf/reduce.h> */
    CHUNKS_MIN = 64,
    PIPE_BYTES = 1 << 20, /* what Linux allows everybody */
};

struct worker {
    struct child child; /* `to` does not block */
    size_t
        chunks[2]; /* on their way, in the order they were sent; the last may still be being sent */
    size_t chunk_count;
    size_t sent;     /* bytes of the last, header included */
    size_t received; /* bytes of the first one's value */
    unsigned char value[sizeof(double)];
};

struct copies {
    const char *command;
    sheaf_op op;
    size_t count;
    struct worker workers[SHEAF_MAX_WORKERS];
    struct pollfd polls[2 * SHEAF_MAX_WORKERS]; /* to, from, to, from, ... */
};

/* One reduction on its way. */
struct sending {
    const double *x;
    size_t n;
    size_t chunk; /* elements */
    size_t chunks;
    size_t next; /* the first chunk that nobody has */
    size_t done;
    double *values; /* of the chunks */
};

size_t copies_chunk(size_t n)
{
    size_t chunk = LEAF;
    while (n / CHUNKS_MIN >= 2 * chunk)
        chunk *= 2;
    return chunk;
}

/* Bytes of a chunk's elements. */
static uint64_t chunk_bytes(const struct sending *sending, size_t chunk)
{
    size_t left = sending->n - chunk * sending->chunk;
    return (left < sending->chunk ? left : sending->chunk) * sizeof(double);
}

static bool is_between_chunks(const struct worker *worker, const struct sending *sending)
{
    if (worker->chunk_count == 0)
        return true;
    size_t last = worker->chunks[worker->chunk_count - 1];
    return worker->sent == sizeof(uint64_t) + chunk_bytes(sending, last);
}

static bool has_to_send(const struct worker *worker, const struct sending *sending)
{
    if (!is_between_chunks(worker, sending))
        return true;
    return worker->chunk_count < 2 && sending->next < sending->chunks;
}

/* Sends what the pipe takes now. False: the process is gone. */
static bool send_some(struct worker *worker, struct sending *sending)
{
    if (is_between_chunks(worker, sending)) {
        worker->chunks[worker->chunk_count++] = sending->next++;
        worker->sent = 0;
    }
    size_t chunk = worker->chunks[worker->chunk_count - 1];
    uint64_t header = chunk_bytes(sending, chunk);
    size_t header_sent = worker->sent < sizeof header ? worker->sent : sizeof header;
    size_t data_sent = worker->sent - header_sent;
    const char *data = (const char *)(sending->x + chunk * sending->chunk);
    struct iovec parts[2] = {
        {(char *)&header + header_sent, sizeof header - header_sent},
        {(char *)data + data_sent, header - data_sent},
    };
    ssize_t written = writev(worker->child.to, parts, 2);
    if (written < 0)
        return errno == EAGAIN || errno == EINTR;
    worker->sent += (size_t)written;
    return true;
}

/* Takes what has come of the first chunk's value. False: the process is gone. */
static bool receive_some(struct worker *worker, struct sending *sending)
{
    ssize_t bytes = read(worker->child.from, worker->value + worker->received,
                         sizeof worker->value - worker->received);
    if (bytes <= 0)
        return bytes < 0 && errno == EINTR;
    worker->received += (size_t)bytes;
    if (worker->received < sizeof worker->value)
        return true;
    if (worker->chunk_count == 0) /* a value that nobody asked for */
        return false;
    memcpy(&sending->values[worker->chunks[0]], worker->value, sizeof worker->value);
    worker->received = 0;
    worker->chunks[0] = worker->chunks[1];
    worker->chunk_count--;
    sending->done++;
    return true;
}

static bool turn(struct copies *copies, struct sending *sending)
{
    for (size_t i = 0; i < copies->count; i++) {
        struct worker *worker = &copies->workers[i];
        bool wants = has_to_send(worker, sending);
        copies->polls[2 * i] =
            (struct pollfd){.fd = wants ? worker->child.to : -1, .events = POLLOUT};
        copies->polls[2 * i + 1] = (struct pollfd){.fd = worker->child.from, .events = POLLIN};
    }
    if (poll(copies->polls, 2 * copies->count, -1) < 0)
        return errno == EINTR;
    for (size_t i = 0; i < copies->count; i++) {
        struct worker *worker = &copies->workers[i];
        if (copies->polls[2 * i + 1].revents != 0 && !receive_some(worker, sending))
            return false;
        if (copies->polls[2 * i].revents != 0 && has_to_send(worker, sending) &&
            !send_some(worker, sending))
            return false;
    }
    return true;
}

/* The chunks' values merged up the left-complete tree. */
static double merge(sheaf_op op, const double *values, size_t count)
{
    size_t left = 1;
    if (count == 1)
        return values[0];
    while (2 * left < count)
        left *= 2;
    double a = merge(op, values, left);
    double b = merge(op, values + left, count - left);
    if (op == SHEAF_SUM)
        return a + b;
    return (op == SHEAF_MAX) == (a > b) ? a : b; /* our data has no NaN, and one zero */
}

int copies_reduce(double *out, struct copies *copies, const double *x, size_t n)
{
    struct sending sending = {.x = x, .n = n, .chunk = copies_chunk(n)};
    sending.chunks = (n - 1) / sending.chunk + 1;
    sending.values = malloc(sending.chunks * sizeof(double));
    if (sending.values == NULL)
        return failure(copies->command, "no memory for the chunks' values");
    bool is_well = true;
    while (is_well && sending.done < sending.chunks)
        is_well = turn(copies, &sending);
    if (is_well)
        *out = merge(copies->op, sending.values, sending.chunks);
    free(sending.values);
    if (!is_well)
        return failure(copies->command, "a process that data is copied to has ended");
    return DONE;
}

int copies_open(struct copies **out, const char *command, size_t workers, sheaf_op op,
                const char *isa)
{
    char program[] = "sheaf";
    char name[] = "copy-worker";
    char *argv[] = {program, name, (char *)sheaf_op_name(op), (char *)isa, NULL};
    struct copies *copies = calloc(1, sizeof *copies);
    if (copies == NULL)
        return failure(command, "no memory");
    copies->command = command;
    copies->op = op;
    while (copies->count < workers) {
        struct child *child = &copies->workers[copies->count].child;
        int error = child_start(child, "/proc/self/exe", argv);
        if (error != 0) {
            copies_close(copies);
            return failure(command, "cannot start a process to copy data to: %s", strerror(error));
        }
        fcntl(child->to, F_SETPIPE_SZ, PIPE_BYTES); /* refused: then it stays at 64 KiB */
        fcntl(child->to, F_SETFL, O_NONBLOCK);
        copies->count++;
    }
    *out = copies;
    return DONE;
}

void copies_close(struct copies *copies)
{
    if (copies == NULL)
        return;
    for (size_t i = 0; i < copies->count; i++)
        child_end(&copies->workers[i].child);
    free(copies);
}
