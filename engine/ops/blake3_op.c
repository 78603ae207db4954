/* blake3_op.c -- BLAKE3 of the bytes of arrays[0], in C order, as an operation. A leaf is one chunk of 1 KiB, and the
 * tree of jobs is BLAKE3's own. */
#include "ops/blake3.h"

#include <string.h>

#include "job/op.h"
#include "memory/layout.h"

_Static_assert(sizeof(struct blake3_params) <= OP_PARAMS_BYTES, "params");
_Static_assert(sizeof(struct blake3_result) <= OP_RESULT_BYTES_MAX, "result");

static const struct blake3_params *params_of(const struct op_call *call)
{
    return call->params;
}

static struct blake3 how_of(const struct op_call *call)
{
    return (struct blake3){call->kernels, &params_of(call)->mode};
}

static uint64_t bytes_of(const struct op_array *a)
{
    return a->size * sheaf_dtype_size((sheaf_dtype)a->dtype);
}

static sheaf_status plan(struct op_plan *out, const struct op_call *call)
{
    uint64_t bytes = bytes_of(&call->arrays[0]);
    uint64_t chunks = bytes / BLAKE3_CHUNK + (bytes % BLAKE3_CHUNK != 0);
    out->leaves = chunks > 0 ? chunks : 1;
    out->leaf_bytes =
        UINT64_C(4) * BLAKE3_CHUNK; /* hashing takes 2 to 16 times as long as reading */
    return SHEAF_OK;
}

/* Of a task of this many chunks: the bytes that there are. */
static size_t task_bytes(const struct op_call *call, uint64_t first, uint64_t count)
{
    uint64_t left = bytes_of(&call->arrays[0]) - first * BLAKE3_CHUNK;
    uint64_t most = count * BLAKE3_CHUNK;
    return (size_t)(left < most ? left : most);
}

/* The subtree over chunks of a view, gathered a batch at a time. Elements divide a chunk. */
static void view_subtree(struct blake3_node *out, const struct op_call *call,
                         const struct layout *layout, uint64_t first, uint64_t count)
{
    struct blake3 how = how_of(call);
    if (count > BLAKE3_BATCH) {
        struct blake3_node right;
        uint64_t left = BLAKE3_BATCH;
        while (2 * left < count)
            left *= 2;
        view_subtree(out, call, layout, first, left);
        view_subtree(&right, call, layout, first + left, count - left);
        sheaf_blake3_parent(out, &how, out, &right);
        return;
    }
    _Alignas(64) uint8_t batch[BLAKE3_BATCH * BLAKE3_CHUNK];
    size_t element = sheaf_dtype_size((sheaf_dtype)call->arrays[0].dtype);
    size_t bytes = task_bytes(call, first, count);
    layout_gather(batch, layout, call->data[0], element, first * (BLAKE3_CHUNK / element),
                  bytes / element);
    sheaf_blake3_subtree(out, &how, batch, bytes, first);
}

static sheaf_status map(const struct op_call *call, uint64_t first, uint64_t count, void *partial)
{
    const struct op_array *array = &call->arrays[0];
    struct blake3_node node;
    if (array->is_dense) {
        struct blake3 how = how_of(call);
        const uint8_t *x = call->data[0];
        sheaf_blake3_subtree(&node, &how, first > 0 ? x + first * BLAKE3_CHUNK : x,
                             task_bytes(call, first, count), first);
    } else {
        struct layout layout;
        layout_simplify(&layout, array->ndim, array->shape, array->strides);
        view_subtree(&node, call, &layout, first, count);
    }
    memcpy(partial, &node, sizeof node);
    return SHEAF_OK;
}

static void merge(const struct op_call *call, const void *left, const void *right, void *out)
{
    struct blake3_node nodes[2];
    struct blake3 how = how_of(call);
    memcpy(&nodes[0], left, sizeof nodes[0]);
    memcpy(&nodes[1], right, sizeof nodes[1]);
    sheaf_blake3_parent(&nodes[0], &how, &nodes[0], &nodes[1]);
    memcpy(out, &nodes[0], sizeof nodes[0]);
}

static uint8_t *put_le(uint8_t *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> (8 * i));
    return to + bytes;
}

/* From the root over the elements to the root over what <sheaf/hash.h> says of the content. */
static void content_root(struct blake3_node *root, const struct op_call *call)
{
    static const char magic[16] = "sheaf content 1";
    uint8_t text[sizeof magic + 4 + 4 + 8 * SHEAF_MAX_DIMS + 32];
    const struct op_array *array = &call->arrays[0];
    struct blake3 how = how_of(call);
    memcpy(text, magic, sizeof magic);
    uint8_t *end = put_le(text + sizeof magic, array->dtype, 4);
    end = put_le(end, array->ndim, 4);
    for (uint32_t i = 0; i < array->ndim; i++)
        end = put_le(end, array->shape[i], 8);
    sheaf_blake3_output(end, 32, 0, call->kernels, root);
    sheaf_blake3_subtree(root, &how, text, (size_t)(end + 32 - text), 0);
    sheaf_blake3_complete(root, how.mode);
}

static void finish(const struct op_call *call, const void *root, void *result)
{
    struct blake3_result found = {.kernels = call->kernels, .offset = params_of(call)->offset};
    memcpy(&found.root, root, sizeof found.root);
    sheaf_blake3_complete(&found.root, &params_of(call)->mode);
    if (params_of(call)->is_content)
        content_root(&found.root, call);
    memcpy(result, &found, sizeof found);
    explicit_bzero(&found, sizeof found);
}

void sheaf_blake3_write(void *out, size_t bytes, const void *result)
{
    struct blake3_result found;
    memcpy(&found, result, sizeof found);
    sheaf_blake3_output(out, bytes, found.offset, found.kernels, &found.root);
    explicit_bzero(&found, sizeof found);
}

const struct op sheaf_op_blake3 = {
    .name = "blake3",
    .partial_bytes = sizeof(struct blake3_node),
    .result_bytes = sizeof(struct blake3_result),
    .views = 1,
    .plan = plan,
    .map = map,
    .merge = merge,
    .finish = finish,
};
