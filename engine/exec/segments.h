/* segments.h -- the owner's side of the board's segment table: which arrays the workers may map.
 *
 * A row is given to a segment when a job first needs it, and taken back when the segment is unmapped here
 * (the close hook), or when the table is full and no job that runs names it. Its generation is odd while it
 * is in use and never comes again, so a worker knows whether the map in its cache is still the one meant. */
#ifndef SHEAF_EXEC_SEGMENTS_H
#define SHEAF_EXEC_SEGMENTS_H

#include "job/pool.h"

struct segment_rows {
    struct segment *segment[BOARD_SEGMENTS]; /* not retained: the close hook comes first */
    uint64_t serial[BOARD_SEGMENTS];         /* 0: the row is free */
    uint64_t last_use[BOARD_SEGMENTS];       /* generation of the last job that named it */
};

/* place() of process pools; pool->context is the struct segment_rows's owner, see processes.h. Errors:
 * NOT_SHARED, BUSY. */
sheaf_status segments_place(struct pool *pool, struct segment_rows *rows, struct job_place *place,
                            const struct sheaf_array *array);

/* Forgets the segment of this serial, if it is there. Under the pool's mutex. True if it was. */
bool segments_forget(struct pool *pool, struct segment_rows *rows, uint64_t serial);

/* A duplicate of the descriptor of a row, or -1 if the row is not of this generation any more. Takes the
 * pool's mutex. */
int segments_descriptor(struct pool *pool, const struct segment_rows *rows, uint64_t row,
                        uint64_t generation);

#endif
