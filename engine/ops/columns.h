/* columns.h -- neighbouring columns of rows that lie apart: read a line at a time, and folded together, or
 * transposed. */
#ifndef SHEAF_OPS_COLUMNS_H
#define SHEAF_OPS_COLUMNS_H

#include "memory/layout.h"
#include "ops/reduction.h"

/* Some columns, and all of their rows. */
struct columns {
    const unsigned char *data; /* of the first column in row 0 */
    const struct layout *rows; /* where the others lie */
    int64_t column_stride;     /* bytes */
    enum kernel_stored type;
    bool is_direct; /* a row's elements can be computed with where they are */
};

/* A leaf of rows. */
struct column_leaf {
    struct columns x;
    struct columns y; /* x again, if there is no second array */
    bool has_second;
    uint64_t begin;
    size_t rows;    /* a leaf at most */
    size_t columns; /* COLUMNS_MAX / apart at most */
    size_t
        apart; /* elements from a column to the next, where a row is read in place; what lies between is read,
                       too, and dropped, as the lines are there */
    bool is_run; /* one column whose elements lie two apart, in place, and the fold is in doubles */
    void *room;  /* columns_fold_room() bytes at a multiple of 64 */
};

enum {
    COLUMNS_MAX =
        7680, /* elements of a row: 60 KiB of doubles, so that those of a lane's counter fit into L2 */
    COLUMNS_TILE = 512 * 1024, /* bytes of a transposed tile */
    COLUMNS_PAD = 8, /* elements after each of its columns, so that they share no cache sets */
};

/* Bytes of room that a leaf of so many columns needs for a fold, and a tile of them for being transposed. */
size_t columns_fold_room(size_t columns, size_t apart);
size_t columns_tile_room(size_t columns);

/* runs.c: columns_fold() of a leaf that is a run. */
void columns_fold_run(double *out, const struct elements *e, const struct column_leaf *leaf,
                      enum columns_fold which, const double *c);

/* Columns that become runs: column c has its rows begin .. begin + rows - 1 at room, c * pitch elements on.
 * Returns pitch. rows * columns elements fit into COLUMNS_TILE. */
size_t columns_transpose(void *room, const struct elements *e, const struct columns *in,
                         uint64_t begin, size_t rows, size_t columns);

#endif
