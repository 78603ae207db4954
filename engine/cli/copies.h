/* copies.h -- processes that are sent the data: the way of Python's ProcessPoolExecutor.map() with chunks,
 * without its pickling.
 *
 *     caller   --- pipe: {bytes, elements ...} --->   `sheaf copy-worker`   one chunk after another
 *              <-- pipe: {value} ----------------     reduces its copy with the fastest kernels
 *
 * One thread of the caller feeds all pipes, as there. Chunks are runs of 2^k leaves of the sum's tree,
 * the largest such that there are 64 or more of them, dealt out as pipes take them; the caller merges
 * the chunks' values up the same tree, so that a sum has the bits of all the others. The processes are
 * started once, before any timing. They end when their pipe does, so also when the caller is
 * killed. */
#ifndef SHEAF_CLI_COPIES_H
#define SHEAF_CLI_COPIES_H

#include <stddef.h>

#include <sheaf/sheaf.h>

struct copies;

/* Starts so many processes, for reductions of f64 with op. isa: as in sheaf_reduce_options. Returns an
 * exit status. */
int copies_open(struct copies **out, const char *command, size_t workers, sheaf_op op,
                const char *isa);
void copies_close(struct copies *copies);

/* Reduces n (at least 1) elements by sending them all. Returns an exit status. */
int copies_reduce(double *out, struct copies *copies, const double *x, size_t n);

/* Elements of a chunk. */
size_t copies_chunk(size_t n);

#endif
