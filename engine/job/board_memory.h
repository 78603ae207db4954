/* board_memory.h -- the memory of a board. */
#ifndef SHEAF_JOB_BOARD_MEMORY_H
#define SHEAF_JOB_BOARD_MEMORY_H

#include <stdbool.h>

#include <sheaf/executor.h>
#include <sheaf/status.h>

#include "job/board.h"

/* Maps a new board: zeros, its header filled. *descriptor: a sealed memfd, close-on-exec, or -1 if it is
 * not shared. Errors: NO_MEMORY, SYSTEM. */
sheaf_status board_create(struct board **out, int *descriptor, uint32_t workers, bool is_shared);

/* Maps the board behind a descriptor that a worker was given, after checking that it is one of this
 * build. Errors: FORMAT, NO_MEMORY. */
sheaf_status board_attach(struct board **out, int descriptor);

/* Who spins; before any worker starts. */
void board_set_spin(struct board *board, sheaf_spin spin);

void board_destroy(struct board *board, int descriptor);

/* Makes sure that the first `bytes` bytes of a slot have memory behind them, so that writing there cannot
 * fail; *reserved is how many have. Errors: NO_MEMORY. */
sheaf_status board_reserve(int descriptor, uint32_t slot, size_t bytes, size_t *reserved);

#endif
