/* symbols.h -- the board's table of symbols: rows that the owner gives, and the cache of addresses that a worker
 * process keeps. A row is given to a symbol when a job first uses it, and to another one when the table is full and no
 * job that runs names it. Its generation is odd while it is in use and never comes again, so a worker knows whether
 * what it has found is still the one meant. */
#ifndef SHEAF_EXEC_SYMBOLS_H
#define SHEAF_EXEC_SYMBOLS_H

#include <stdbool.h>

#include "job/pool.h"

/* The owner's side. Under the pool's mutex. */
struct symbol_rows {
    uint64_t serial[BOARD_SYMBOLS];   /* 0: the row is free */
    uint64_t last_use[BOARD_SYMBOLS]; /* generation of the last job that named it */
    bool is_sheaf_worker; /* workers have registered nothing: only shared objects are found */
};

/* place_symbol() of process pools. Errors: NOT_FOUND (the worker program has not registered it), BUSY. */
sheaf_status symbols_place(struct pool *pool, struct symbol_rows *rows, struct job_symbol *place,
                           const struct symbol *symbol);

/* A worker's side: what it has found. */
struct found_symbol {
    uint64_t generation; /* of the row, when it was found; 0: nothing is */
    const void *address;
    void *object;
};

/* The address of a job's symbol in this process. Errors: NOT_FOUND. */
sheaf_status symbols_find(const void **address, struct found_symbol *cache, struct board *board,
                          const struct job_symbol *place);

#endif
