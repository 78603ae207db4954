/* segments.c -- rows of the board's segment table: given, forgotten, looked up. */
#include "exec/segments.h"

#include <fcntl.h>
#include <string.h>

#include "base/atomics.h"
#include "base/error.h"

static uint32_t find_row(const struct segment_rows *rows, uint64_t serial)
{
    for (uint32_t i = 0; i < BOARD_SEGMENTS; i++)
        if (rows->serial[i] == serial)
            return i;
    return BOARD_SEGMENTS;
}

/* Whether a job that is in a slot names the row. */
static bool is_in_use(const struct pool *pool, uint32_t row)
{
    for (uint32_t i = 0; i < BOARD_SLOTS; i++) {
        const struct job *job = board_job(pool->board, i);
        for (uint32_t k = 0; pool->slots[i].is_taken && k < job->array_count; k++)
            if (job->places[k].segment == row)
                return true;
    }
    return false;
}

static void free_row(struct pool *pool, struct segment_rows *rows, uint32_t row)
{
    add_seq_cst(&pool->board->segment[row].generation, 1); /* even: free */
    add_seq_cst(&pool->board->segments_seq, 1);
    rows->serial[row] = 0;
    rows->segment[row] = NULL;
}

/* A free row, or that of the segment which no job has named for the longest time. generation: of the job that
 * is being placed, which is in no slot yet; its rows are kept. */
static uint32_t take_row(struct pool *pool, struct segment_rows *rows, uint64_t generation)
{
    uint32_t row = find_row(rows, 0);
    if (row < BOARD_SEGMENTS)
        return row;
    for (uint32_t i = 0; i < BOARD_SEGMENTS; i++)
        if (rows->last_use[i] < generation && !is_in_use(pool, i) &&
            (row == BOARD_SEGMENTS || rows->last_use[i] < rows->last_use[row]))
            row = i;
    if (row < BOARD_SEGMENTS)
        free_row(pool, rows, row);
    return row;
}

static void describe(struct segment_row *row, const struct segment *segment)
{
    row->device = segment->device;
    row->inode = segment->inode;
    row->bytes = segment->bytes;
    row->is_writable = segment->is_writable;
    const char *path = segment->path != NULL ? segment->path : "";
    size_t length = strlen(path);
    memset(row->path, 0, sizeof row->path);
    if (length < sizeof row->path)
        memcpy(row->path, path, length);
    /* release: the generation is odd when all else is there; workers come by way of a job that is
     * published after it. */
    store_release(&row->generation, load_relaxed(&row->generation) + 1);
}

sheaf_status segments_place(struct pool *pool, struct segment_rows *rows, struct job_place *place,
                            const struct sheaf_array *array)
{
    struct segment *segment = array->segment;
    uint64_t generation = pool->next_generation + 1; /* of the job that is being filled */
    if (segment->descriptor < 0)
        return SHEAF_FAIL(SHEAF_ERR_NOT_SHARED,
                          "worker processes cannot reach this array's private memory: use "
                          "sheaf_create() or sheaf_create_anonymous() instead of sheaf_wrap(), or "
                          "the threads executor");
    uint32_t row = find_row(rows, segment->serial);
    if (row == BOARD_SEGMENTS) {
        row = take_row(pool, rows, generation);
        if (row == BOARD_SEGMENTS)
            return SHEAF_FAIL(SHEAF_ERR_BUSY,
                              "jobs in flight use %d segments, the most that a pool "
                              "knows at once: wait for some of them",
                              BOARD_SEGMENTS);
        rows->serial[row] = segment->serial;
        rows->segment[row] = segment;
        describe(&pool->board->segment[row], segment);
    }
    rows->last_use[row] = generation;
    place->segment = row;
    place->segment_generation = load_relaxed(&pool->board->segment[row].generation);
    place->offset = array->offset;
    return SHEAF_OK;
}

bool segments_forget(struct pool *pool, struct segment_rows *rows, uint64_t serial)
{
    uint32_t row = find_row(rows, serial);
    if (row == BOARD_SEGMENTS)
        return false;
    free_row(pool, rows, row);
    return true;
}

int segments_descriptor(struct pool *pool, const struct segment_rows *rows, uint64_t row,
                        uint64_t generation)
{
    int descriptor = -1;
    pthread_mutex_lock(&pool->mutex);
    if (row < BOARD_SEGMENTS && rows->serial[row] != 0 &&
        load_relaxed(&pool->board->segment[row].generation) == generation)
        descriptor = fcntl(rows->segment[row]->descriptor, F_DUPFD_CLOEXEC, 0);
    pthread_mutex_unlock(&pool->mutex);
    return descriptor;
}
