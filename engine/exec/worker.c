/* worker.c -- a worker process: it says hello, and runs the worker loop of job/work.c on the board that it
 * was given. It maps arrays when a job first needs them, and keeps the maps until the owner forgets the
 * segment. It ends with its owner: the kernel kills it when the thread that started it is gone, and each
 * time it wakes from sleep it looks for itself. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <sheaf/executor.h>

#include "base/atomics.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "exec/message.h"
#include "exec/spawn.h"
#include "exec/symbols.h"
#include "exec/worker_path.h"
#include "job/board_memory.h"
#include "job/run.h"
#include "job/work.h"
#include "memory/segment.h"

enum { EXIT_NO_BOARD = 3, EXIT_NO_OWNER = 4, EXIT_USAGE = 2 };

/* A mapped segment; its index is its row in the board's table. */
struct map {
    uint64_t generation; /* of the row, when it was mapped; 0: nothing is mapped */
    void *address;
    size_t bytes;
};

struct process_worker {
    pid_t owner;
    uint32_t segments_seen; /* board->segments_seq when the maps were last looked through */
    struct map maps[BOARD_SEGMENTS];
    struct found_symbol symbols[BOARD_SYMBOLS];
};

/* For sheaf_executor_stats(). */
static void note_attached(struct worker *worker)
{
    const struct process_worker *self = worker->context;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < BOARD_SEGMENTS; i++)
        bytes += self->maps[i].address != NULL ? self->maps[i].bytes : 0;
    store_relaxed(&worker->board->worker[worker->row].attached_bytes, bytes);
}

static void unmap(struct map *map)
{
    if (map->address != NULL)
        munmap(map->address, map->bytes);
    memset(map, 0, sizeof *map);
}

/* Gets the descriptor from the owner: there is no path, or it leads elsewhere by now. */
static sheaf_status map_descriptor(struct map *map, uint64_t row, uint64_t generation,
                                   bool is_writable)
{
    struct message want = {BOARD_MAGIC, MESSAGE_WANT, {row, generation}};
    struct message give;
    int descriptor;
    bool is_sent = message_send(SPAWN_SOCKET_FD, &want, -1);
    FAILPOINT("wanting");
    if (!is_sent || !message_receive(SPAWN_SOCKET_FD, &give, &descriptor))
        _exit(EXIT_NO_OWNER);
    if (descriptor < 0)
        return SHEAF_FAIL(SHEAF_ERR_SYSTEM,
                          "a worker did not get an array's descriptor from its owner: "
                          "are too many files open?");
    sheaf_status status = segment_map(&map->address, descriptor, map->bytes, is_writable);
    close(descriptor);
    return status;
}

static sheaf_status map_row(struct worker *worker, uint32_t row, uint64_t generation)
{
    struct process_worker *self = worker->context;
    const struct segment_row *shared = &worker->board->segment[row];
    struct map *map = &self->maps[row];
    if (map->generation == generation)
        return SHEAF_OK;
    unmap(map);
    map->bytes = shared->bytes;
    sheaf_status status = SHEAF_ERR_NOT_FOUND;
    if (shared->path[0] != '\0')
        status = segment_map_path(&map->address, shared->path, shared->device, shared->inode,
                                  map->bytes, shared->is_writable);
    if (status != SHEAF_OK)
        status = map_descriptor(map, row, generation, shared->is_writable);
    if (status == SHEAF_OK)
        map->generation = generation;
    note_attached(worker);
    return status;
}

/* Unmaps what the owner has forgotten. */
static void drop_forgotten(struct worker *worker)
{
    struct process_worker *self = worker->context;
    struct board *board = worker->board;
    uint32_t seen = load_acquire(&board->segments_seq);
    if (seen == self->segments_seen)
        return;
    for (uint32_t row = 0; row < BOARD_SEGMENTS; row++)
        if (self->maps[row].generation != 0 &&
            load_acquire(&board->segment[row].generation) != self->maps[row].generation)
            unmap(&self->maps[row]);
    self->segments_seen = seen;
    note_attached(worker);
}

static sheaf_status resolve(struct worker *worker, const struct job *job, struct op_call *call)
{
    struct process_worker *self = worker->context;
    drop_forgotten(worker);
    for (uint32_t i = 0; i < job->array_count; i++) {
        const struct job_place *place = &job->places[i];
        sheaf_status status = map_row(worker, place->segment, place->segment_generation);
        if (status != SHEAF_OK)
            return status;
        char *base = self->maps[place->segment].address;
        call->data[i] = base == NULL ? NULL : base + place->offset;
    }
    return job->symbol.row == BOARD_SYMBOLS
               ? SHEAF_OK
               : symbols_find(&call->symbol, self->symbols, worker->board, &job->symbol);
}

/* Before sleep: leave if the owner has. */
static void look_around(struct worker *worker)
{
    struct process_worker *self = worker->context;
    if (getppid() != self->owner)
        _exit(EXIT_NO_OWNER);
    drop_forgotten(worker);
}

/* The arguments of spawn_worker(): three decimal numbers. */
static bool parse(char **argv, uint32_t *row, uint64_t *incarnation, pid_t *owner)
{
    unsigned long long numbers[3];
    for (int i = 0; i < 3; i++) {
        char *end;
        errno = 0;
        numbers[i] = strtoull(argv[2 + i], &end, 10);
        if (errno != 0 || end == argv[2 + i] || *end != '\0')
            return false;
    }
    *row = (uint32_t)numbers[0];
    *incarnation = numbers[1];
    *owner = (pid_t)numbers[2];
    return numbers[0] < BOARD_WORKERS;
}

static int serve(char **argv)
{
    static struct process_worker self;
    struct worker worker = {.resolve = resolve, .idle = look_around, .context = &self};
    if (!parse(argv, &worker.row, &worker.incarnation, &self.owner))
        return EXIT_USAGE;
    FAILPOINT_ARM(worker.incarnation);
    FAILPOINT("starting");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != self.owner)
        return EXIT_NO_OWNER; /* it died before the line above */
    close_range(SPAWN_SOCKET_FD + 1, ~0U, 0);
    sheaf_status status = board_attach(&worker.board, SPAWN_BOARD_FD);
    if (status != SHEAF_OK && status != SHEAF_ERR_FORMAT)
        return EXIT_NO_BOARD;
    struct message hello = {
        BOARD_MAGIC, MESSAGE_HELLO, {BOARD_ABI, registry_hash(), symbol_registry_hash()}};
    FAILPOINT("hello");
    if (!message_send(SPAWN_SOCKET_FD, &hello, -1))
        return EXIT_NO_OWNER;
    FAILPOINT("greeted");
    if (status != SHEAF_OK)
        return EXIT_NO_BOARD; /* of another build: the owner refuses the hello, and says so */
    prctl(PR_SET_NAME, "sheaf-worker");
    if (!work_initialize(&worker))
        return SPAWN_EXIT_INITIALIZER;
    struct message ready = {.magic = BOARD_MAGIC, .kind = MESSAGE_READY};
    if (worker.board->has_initializer && !message_send(SPAWN_SOCKET_FD, &ready, -1))
        return EXIT_NO_OWNER;
    return (int)work_until_stopped(&worker);
}

void sheaf_worker_main(int argc, char **argv)
{
    if (argc != 5 || strcmp(argv[1], SPAWN_ARGUMENT) != 0) {
        worker_path_set_own();
        return;
    }
    _exit(serve(argv)); /* no atexit handler of the program: it has done nothing */
}
