/* run.c -- requests: planning, cutting, and the run in the caller's own thread. */
#include "job/run.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <sheaf/version.h>

#include "base/error.h"
#include "base/hash.h"
#include "job/board.h"
#include "kernels.h"

/* A task is at least this much reading: 20 us or so, against about 0.2 us to claim it. */
enum { TASK_BYTES_MIN = 128 * 1024 };

/* Field by field, each stored as wide as it is read: a struct that is zeroed, filled and copied is read in wider pieces
 * than it was stored in, which waits for the stores, and took a quarter of a call on a hundred elements. */
static void fill_call(struct op_call *call, const struct request *request, bool with_data)
{
    call->op = sheaf_ops[request->op];
    call->kernels = sheaf_kernels_at(request->isa);
    call->params = request->params;
    call->arrays = request->shapes;
    call->symbol = request->symbol != NULL ? request->symbol->address : NULL;
    call->worker = -1;
    call->output = NULL;
    for (uint32_t i = 0; i < OP_INPUTS_MAX; i++)
        call->input[i] = request->input[i];
    for (uint32_t i = 0; i < OP_ARRAYS_MAX; i++)
        call->data[i] =
            with_data && i < request->array_count ? sheaf_array_data(request->arrays[i]) : NULL;
}

sheaf_status request_plan(struct request *request)
{
    for (uint32_t i = 0; i < request->array_count; i++) {
        const struct sheaf_array *array = request->arrays[i];
        struct op_array *shape = &request->shapes[i];
        if ((sheaf_ops[request->op]->writes >> i & 1) != 0 && !array->segment->is_writable)
            return SHEAF_FAIL(SHEAF_ERR_ACCESS,
                              "\"%s\" would be written, and is attached read-only", array->key);
        if ((sheaf_ops[request->op]->views >> i & 1) == 0 && !array->is_dense)
            return SHEAF_FAIL(SHEAF_ERR_UNSUPPORTED,
                              "%s: this view is not dense in C order: give a sheaf_copy() of it",
                              sheaf_ops[request->op]->name);
        shape->is_dense = array->is_dense;
        shape->dtype = (uint32_t)array->dtype;
        shape->ndim = (uint32_t)array->ndim;
        shape->size = array->size;
        for (size_t d = 0; d < array->ndim; d++) {
            shape->shape[d] = array->shape[d];
            shape->strides[d] = array->strides[d];
        }
    }
    struct op_call call;
    fill_call(&call, request, false);
    request->plan.partial_bytes = 0;
    request->plan.sweeps = 1;
    request->plan.together = 0;
    return sheaf_ops[request->op]->plan(&request->plan, &call);
}

double request_bytes(const struct request *request)
{
    return (double)request->plan.leaves * (double)request->plan.leaf_bytes;
}

uint32_t request_partial_bytes(const struct request *request)
{
    uint32_t planned = request->plan.partial_bytes;
    return planned != 0 ? planned : sheaf_ops[request->op]->partial_bytes;
}

size_t request_result_bytes(const struct request *request)
{
    size_t bytes = sheaf_ops[request->op]->result_bytes;
    return bytes != 0 ? bytes : request->output_bytes;
}

static size_t round_up(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

size_t request_lay_out(struct job_bytes *out, const struct request *request, size_t start)
{
    size_t at = round_up(start);
    *out = (struct job_bytes){.array = request->bytes_array, .output_bytes = request->output_bytes};
    for (uint32_t i = 0; i < OP_INPUTS_MAX; i++) {
        out->input[i] = at;
        out->has_input |= (uint32_t)(request->input[i] != NULL) << i;
        at += round_up(request->input_bytes[i]);
    }
    out->output = at;
    out->end = at + round_up(request->output_bytes);
    return out->end;
}

/* How many tasks, with a word for each sweep and a partial for each node, a slot has room for. */
static uint64_t tasks_most(uint32_t partial_stride)
{
    uint64_t nodes = (BOARD_NODES_BYTES - 64) / (2 * 8 + (uint64_t)partial_stride);
    uint64_t room = (nodes + 1) / 2;
    return room < BOARD_TASKS_MAX ? room : BOARD_TASKS_MAX;
}

static_assert((BOARD_NODES_BYTES - 64) / (2 * 8 + BOARD_PARTIAL_BYTES_MAX) >= 3,
              "two tasks at least");

bool request_fits(const struct request *request)
{
    uint64_t most = tasks_most(request_stride(request));
    uint64_t tasks = request->plan.leaves < most ? request->plan.leaves : most;
    struct job_bytes bytes;
    for (uint32_t i = 0; i < OP_INPUTS_MAX; i++)
        if (request->input_bytes[i] > BOARD_SLOT_BYTES)
            return false;
    return request->output_bytes <= BOARD_SLOT_BYTES &&
           request_lay_out(&bytes, request,
                           job_nodes_end((uint32_t)tasks, request->plan.sweeps,
                                         request_stride(request))) <= BOARD_SLOT_BYTES;
}

uint32_t request_stride(const struct request *request)
{
    return (request_partial_bytes(request) + 63) / 64 * 64;
}

static _Thread_local uint32_t depth;

void run_enter(void)
{
    depth++;
}

void run_leave(void)
{
    depth--;
}

bool run_is_inside(void)
{
    return depth > 0;
}

sheaf_status request_run(const struct request *request, void *result)
{
    const struct op *op = sheaf_ops[request->op];
    struct op_call call;
    fill_call(&call, request, true);
    _Alignas(64) unsigned char small[OP_PARTIAL_BYTES_MAX];
    uint32_t partial = request_partial_bytes(request);
    void *large = partial > sizeof small ? aligned_alloc(64, round_up(partial)) : NULL;
    void *root = partial > sizeof small ? large : small;
    if (root == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "no memory for a result of %u bytes", partial);
    if (request->bytes_array != 0) {
        struct job_bytes bytes;
        request_lay_out(&bytes, request, 0);
        job_bind_bytes(&call, &bytes, NULL);
    }
    if (request->output_bytes != 0)
        call.output = memset(result, 0, request->output_bytes);
    struct fp_mode mode = fp_mode_enter();
    run_enter();
    sheaf_status status = op->map(&call, 0, request->plan.leaves, root);
    if (status == SHEAF_OK && request->plan.sweeps == 2)
        status = op->down(&call, 0, request->plan.leaves, &(struct op_up){.partials = root});
    if (status == SHEAF_OK)
        op->finish(&call, root, result);
    if (op->leave != NULL)
        op->leave();
    run_leave();
    fp_mode_leave(mode);
    free(large);
    return status;
}

/* The greatest power of two that is not above n, which is not 0. */
static uint64_t power_below(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n));
}

uint32_t task_shift(const struct op_plan *plan, uint32_t partial_stride, uint32_t workers)
{
    uint64_t most = tasks_most(partial_stride);
    uint64_t share = workers > 0 ? (plan->leaves + workers - 1) / workers : plan->leaves;
    uint64_t together = plan->together < share ? plan->together : power_below(share);
    for (uint32_t shift = 0;; shift++) {
        if (UINT64_C(1) << shift < together)
            continue;
        uint64_t tasks = (plan->leaves + (UINT64_C(1) << shift) - 1) >> shift;
        double bytes = (double)plan->leaf_bytes * (double)(UINT64_C(1) << shift);
        if (tasks <= most && (bytes >= TASK_BYTES_MIN || tasks <= workers))
            return shift;
    }
}

uint64_t registry_hash(void)
{
    const uint64_t sizes[] = {BOARD_ABI, sizeof(struct board), sizeof(struct job), BOARD_SLOTS_AT};
    uint64_t hash = hash_mix(HASH_START, SHEAF_VERSION, sizeof SHEAF_VERSION);
    hash = hash_mix(hash, sizes, sizeof sizes);
    for (uint32_t i = 0; i < sheaf_op_count; i++) {
        const struct op *op = sheaf_ops[i];
        const uint32_t numbers[] = {op->partial_bytes, op->result_bytes, op->writes, op->views};
        hash = hash_mix(hash, op->name, strlen(op->name) + 1);
        hash = hash_mix(hash, numbers, sizeof numbers);
    }
    for (size_t i = 0; sheaf_kernels_at(i) != NULL; i++)
        hash = hash_mix(hash, sheaf_kernels_at(i)->isa, strlen(sheaf_kernels_at(i)->isa) + 1);
    return hash;
}
