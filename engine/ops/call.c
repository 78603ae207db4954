/* call.c -- functions of the user's own, over items.
 *
 * A leaf is a chunk of items. There is nothing to merge: the partial of a node is that its items are done, which the
 * node's word says already. An item whose worker died is run again from the start, if the job allows it; its result
 * is written over. */
#include "job/call.h"

#include <assert.h>

#include <sheaf/callable.h>

#include "base/error.h"

static_assert(sizeof(struct call_params) <= OP_PARAMS_BYTES, "the params fit");

/* Nobody knows what a function costs: a leaf is worth a task of its own, and waking somebody for it. */
enum { LEAF_BYTES = 1 << 30 };

static sheaf_status plan(struct op_plan *out, const struct op_call *call)
{
    const struct call_params *params = call->params;
    out->leaves = (params->count + params->chunk - 1) / params->chunk;
    out->leaf_bytes = LEAF_BYTES;
    return SHEAF_OK;
}

/* Words that a function has failed, with what it said itself. */
static sheaf_status fail(int code, const sheaf_task *task, const char *said)
{
    sheaf_status status =
        SHEAF_FAIL(SHEAF_ERR_CALLABLE, "the callable returned %d for item %zu%s%s", code,
                   task->index, said[0] != '\0' ? ": " : "", said);
    error_code_set(code);
    return status;
}

static sheaf_status map(const struct op_call *call, uint64_t first, uint64_t count, void *partial)
{
    (void)partial;
    const struct call_params *params = call->params;
    sheaf_function function = (sheaf_function)call->symbol;
    const char *items = call->input[1];
    char *results = params->into != 0 ? call->data[params->into - 1] : call->output;
    if (params->into != 0)
        results += params->into_bytes;
    uint64_t begin = first * params->chunk;
    uint64_t end = begin + count * params->chunk;
    if (end > params->count)
        end = params->count;
    sheaf_task task = {
        .arguments = call->input[0],
        .argument_bytes = params->argument_bytes,
        .item_bytes = params->item_bytes,
        .result_bytes = params->result_bytes,
        .worker = call->worker,
        .arrays = call->data,
        .array_count = params->array_count,
    };
    for (uint64_t i = begin; i < end; i++) {
        task.index = params->first + i;
        task.item = items != NULL ? items + i * params->item_bytes : NULL;
        task.result = params->result_bytes != 0 ? results + i * params->result_bytes : NULL;
        uint32_t errors = error_count();
        int code = function(&task);
        if (code != 0)
            return fail(code, &task, error_count() != errors ? sheaf_last_error() : "");
    }
    return SHEAF_OK;
}

static void merge(const struct op_call *call, const void *left, const void *right, void *out)
{
    (void)call;
    (void)left;
    (void)right;
    (void)out;
}

static void finish(const struct op_call *call, const void *root, void *result)
{
    (void)call;
    (void)root;
    (void)result;
}

const struct op sheaf_op_call = {
    .name = "call",
    .plan = plan,
    .map = map,
    .merge = merge,
    .finish = finish,
};
