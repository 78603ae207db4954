/* op_tree.c -- the recursion is the definition of the tree: the left child holds the largest power of
 * two of leaves that leaves something for the right. */
#include "op_tree.h"

#include <string.h>

#include "check.h"
#include "memory/layout.h"

struct op_array op_tree_array(sheaf_dtype dtype, size_t ndim, const size_t *shape)
{
    struct op_array array = {.dtype = dtype, .ndim = (uint32_t)ndim, .size = 1};
    for (size_t i = 0; i < ndim; i++) {
        array.shape[i] = shape[i];
        array.size *= shape[i];
    }
    array.is_dense = 1;
    layout_dense(array.strides, ndim, array.shape, sheaf_dtype_size(dtype));
    return array;
}

static sheaf_status run_node(const struct op *op, const struct op_call *call, uint64_t first,
                             uint64_t count, uint64_t task_leaves, unsigned char *partial)
{
    unsigned char left[OP_PARTIAL_BYTES_MAX];
    unsigned char right[OP_PARTIAL_BYTES_MAX];
    uint64_t half = 1;
    sheaf_status status;
    if (count <= task_leaves)
        return op->map(call, first, count, partial);
    while (2 * half < count)
        half *= 2;
    status = run_node(op, call, first, half, task_leaves, left);
    if (status == SHEAF_OK)
        status = run_node(op, call, first + half, count - half, task_leaves, right);
    if (status == SHEAF_OK)
        op->merge(call, left, right, partial);
    return status;
}

sheaf_status op_tree_run(const char *name, const struct op_call *call, uint64_t task_leaves,
                         void *partial, void *result)
{
    uint32_t id = sheaf_op_find(name);
    CHECK(id < sheaf_op_count);
    const struct op *op = sheaf_ops[id];
    CHECK(op->partial_bytes <= OP_PARTIAL_BYTES_MAX && op->result_bytes <= OP_RESULT_BYTES_MAX);

    unsigned char root[OP_PARTIAL_BYTES_MAX];
    struct op_plan plan = {0};
    struct op_call given = *call;
    static const unsigned char no_params[OP_PARAMS_BYTES];
    given.op = op;
    given.params = call->params != NULL ? call->params : no_params;
    call = &given;
    struct op_call bare = *call; /* no data in plan and finish */
    memset(bare.data, 0, sizeof bare.data);
    sheaf_status status = op->plan(&plan, &bare);
    if (status != SHEAF_OK)
        return status;
    CHECK(plan.leaves >= 1 && plan.leaf_bytes >= 1);
    status = run_node(op, call, 0, plan.leaves, task_leaves, root);
    if (status != SHEAF_OK)
        return status;
    if (partial != NULL)
        memcpy(partial, root, op->partial_bytes);
    op->finish(&bare, root, result);
    return SHEAF_OK;
}
