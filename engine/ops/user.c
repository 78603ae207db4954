/* user.c -- reductions of the user's own; see <sheaf/user_op.h>.
 *
 * A leaf's partial is what map() made of the identity; in a task they wait in scratch memory until their neighbour is
 * there: for each level of the task's subtree one. */
#include "ops/user.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sheaf/callable.h>
#include <sheaf/user_op.h>

#include "base/error.h"
#include "job/op.h"

static_assert(sizeof(struct user_params) <= OP_PARAMS_BYTES, "the params fit");

enum { LEAF_BYTES = 64 * 1024, ALIGNMENT = 64 };

static uint64_t items_of(const struct op_array *array)
{
    return array->ndim > 0 ? array->shape[0] : 1;
}

static size_t item_bytes_of(const struct op_array *array)
{
    size_t bytes = sheaf_dtype_size((sheaf_dtype)array->dtype);
    for (uint32_t d = 1; d < array->ndim; d++)
        bytes *= array->shape[d];
    return bytes;
}

static uint64_t leaf_items(const struct op_call *call)
{
    const sheaf_operation *own = call->symbol;
    size_t item = item_bytes_of(&call->arrays[0]);
    if (own->leaf_items != 0)
        return own->leaf_items;
    return item > 0 && item < LEAF_BYTES ? LEAF_BYTES / item : 1;
}

static sheaf_status plan(struct op_plan *out, const struct op_call *call)
{
    const struct user_params *params = call->params;
    const sheaf_operation *own = call->symbol;
    const uint64_t items = items_of(&call->arrays[0]);
    const uint64_t leaf = leaf_items(call);
    for (uint32_t i = 1; i < params->array_count; i++)
        if (items_of(&call->arrays[i]) != items)
            return SHEAF_FAIL(SHEAF_ERR_SHAPE, "array %u has %llu items, and the first %llu", i,
                              (unsigned long long)items_of(&call->arrays[i]),
                              (unsigned long long)items);
    out->leaves = items / leaf + (items % leaf != 0);
    if (out->leaves == 0)
        out->leaves = 1;
    out->leaf_bytes = 0;
    for (uint32_t i = 0; i < params->array_count; i++)
        out->leaf_bytes += leaf * item_bytes_of(&call->arrays[i]);
    if (out->leaf_bytes <
        LEAF_BYTES) /* a leaf that was asked to be small costs more than reading it */
        out->leaf_bytes = LEAF_BYTES;
    out->partial_bytes = (uint32_t)own->partial_bytes;
    return SHEAF_OK;
}

/* What is the same for a whole reduction. */
static sheaf_run run_of(const struct op_call *call)
{
    const struct user_params *params = call->params;
    sheaf_run run = {
        .arguments = call->input[0],
        .argument_bytes = params->argument_bytes,
        .array_count = params->array_count,
    };
    for (uint32_t i = 0; i < params->array_count; i++) {
        run.item_bytes[i] = item_bytes_of(&call->arrays[i]);
        run.dtype[i] = (sheaf_dtype)call->arrays[i].dtype;
    }
    return run;
}

static void write_identity(void *partial, const struct op_call *call)
{
    const sheaf_operation *own = call->symbol;
    const sheaf_run run = run_of(call);
    memset(partial, 0, own->partial_bytes);
    if (own->identity != NULL)
        own->identity(partial, &run);
}

static sheaf_status map_leaf(void *partial, const struct op_call *call, uint64_t leaf)
{
    const sheaf_operation *own = call->symbol;
    const uint64_t items = items_of(&call->arrays[0]);
    const uint64_t most = leaf_items(call);
    sheaf_run run = run_of(call);
    write_identity(partial, call);
    run.first = leaf * most;
    run.count = items - run.first < most ? items - run.first : most;
    if (run.count == 0)
        return SHEAF_OK;
    for (uint32_t i = 0; i < run.array_count; i++)
        run.items[i] = (const char *)call->data[i] + run.first * run.item_bytes[i];
    uint32_t errors = error_count();
    int code = own->map(partial, &run);
    if (code == 0)
        return SHEAF_OK;
    sheaf_status status =
        SHEAF_FAIL(SHEAF_ERR_CALLABLE, "the operation's map returned %d for items %zu to %zu%s%s",
                   code, run.first, run.first + run.count - 1, error_count() != errors ? ": " : "",
                   error_count() != errors ? sheaf_last_error() : "");
    error_code_set(code);
    return status;
}

/* From the left; after leaf i, as many pairs are complete as i has trailing ones: as a binary counter. */
static sheaf_status map_tree(char *waiting, size_t stride, const struct op_call *call,
                             uint64_t first, uint64_t count)
{
    const sheaf_operation *own = call->symbol;
    const sheaf_run run = run_of(call);
    size_t depth = 0;
    for (uint64_t i = 0; i < count; i++) {
        sheaf_status status = map_leaf(waiting + depth * stride, call, first + i);
        if (status != SHEAF_OK)
            return status;
        depth++;
        for (uint64_t pairs = i; pairs & 1; pairs >>= 1, depth--)
            own->merge(waiting + (depth - 2) * stride, waiting + (depth - 1) * stride, &run);
    }
    for (; depth > 1; depth--)
        own->merge(waiting + (depth - 2) * stride, waiting + (depth - 1) * stride, &run);
    return SHEAF_OK;
}

static sheaf_status map(const struct op_call *call, uint64_t first, uint64_t count, void *partial)
{
    const sheaf_operation *own = call->symbol;
    const size_t stride = (own->partial_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    size_t levels = 2; /* of the tree over `count` leaves, and the newest */
    if (own->size != sizeof *own)
        return SHEAF_FAIL(SHEAF_ERR_NOT_FOUND,
                          "the worker has no such operation: it was built with another "
                          "version of sheaf/user_op.h");
    if (count == 1)
        return map_leaf(partial, call, first);
    for (uint64_t left = count; left > 1; left /= 2)
        levels++;
    char *waiting = aligned_alloc(ALIGNMENT, levels * stride);
    if (waiting == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "user reduction: %zu bytes for partials",
                          levels * stride);
    sheaf_status status = map_tree(waiting, stride, call, first, count);
    if (status == SHEAF_OK)
        memcpy(partial, waiting, own->partial_bytes);
    free(waiting);
    return status;
}

static void merge(const struct op_call *call, const void *left, const void *right, void *out)
{
    const sheaf_operation *own = call->symbol;
    const sheaf_run run = run_of(call);
    memcpy(out, left, own->partial_bytes);
    own->merge(out, right, &run);
}

static void finish(const struct op_call *call, const void *root, void *result)
{
    const sheaf_operation *own = call->symbol;
    sheaf_run run = run_of(call);
    run.count = items_of(&call->arrays[0]);
    if (own->finish != NULL)
        own->finish(result, root, &run);
    else
        memcpy(result, root, own->result_bytes);
}

const struct op sheaf_op_user = {
    .name = "user",
    .plan = plan,
    .map = map,
    .merge = merge,
    .finish = finish,
};
