/* sheaf.h -- Sheaf: arrays in shared memory, and parallel reductions, SVD and hashing over them.
 *
 * The whole public interface. A first program:
 *
 *     sheaf_array *array;
 *     sheaf_scalar max;
 *     size_t shape[] = {1000000};
 *     if (sheaf_create(&array, "numbers", SHEAF_F64, 1, shape, NULL) != SHEAF_OK ||
 *         sheaf_reduce(&max, array, SHEAF_MAX, NULL) != SHEAF_OK)
 *         fprintf(stderr, "%s\n", sheaf_last_error());
 *
 * Conventions, which hold for every function:
 *   - Functions return a sheaf_status. Out-parameters come first and are written on success only.
 *   - Option structs may be NULL. Zero in a field means its default; initialise them with {0}.
 *   - Release functions return void and accept NULL.
 *   - Every function may be called from any thread. One sheaf_array may be read from many threads
 *     at once; to detach it is the caller's last use of it.
 *   - A result depends on the data, its dtype and its shape alone: not on the executor, the number
 *     of workers or the instruction set. */
#ifndef SHEAF_SHEAF_H
#define SHEAF_SHEAF_H

#include <sheaf/export.h>
#include <sheaf/version.h>
#include <sheaf/status.h>
#include <sheaf/dtype.h>
#include <sheaf/array.h>
#include <sheaf/view.h>
#include <sheaf/op.h>
#include <sheaf/executor.h>
#include <sheaf/future.h>
#include <sheaf/callable.h>
#include <sheaf/map.h>
#include <sheaf/user_op.h>
#include <sheaf/reduce.h>
#include <sheaf/svd.h>
#include <sheaf/qr.h>
#include <sheaf/hash.h>
#include <sheaf/scrypt.h>

#endif
