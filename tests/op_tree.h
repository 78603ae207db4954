/* op_tree.h -- runs an operation without a job: the left-complete tree, by recursion, in the caller. */
#ifndef SHEAF_TESTS_OP_TREE_H
#define SHEAF_TESTS_OP_TREE_H

#include <stddef.h>
#include <stdint.h>

#include <sheaf/dtype.h>
#include <sheaf/status.h>

#include "job/op.h"

/* One array of an operation. */
struct op_array op_tree_array(sheaf_dtype dtype, size_t ndim, const size_t *shape);

/* Plans, maps tasks of at most task_leaves (a power of two) leaves, merges them, and finishes. The
 * root's partial goes to partial unless that is NULL. */
sheaf_status op_tree_run(const char *name, const struct op_call *call, uint64_t task_leaves,
                         void *partial, void *result);

#endif
