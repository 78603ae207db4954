/* blake3.c -- BLAKE3 of the bytes of arrays[0]: the tree. A leaf is one chunk of 1 KiB, and the tree of
 * jobs is BLAKE3's own.
 *
 * Source: O'Connor, Aumasson, Neves, Wilcox-O'Hearn, "BLAKE3: one function, fast everywhere", 2.1. */
#include "ops/blake3.h"

#include <assert.h>
#include <string.h>

#include <sheaf/hash.h>

#include "job/op.h"

enum {
    BATCH = 64,  /* chunks hashed in one go; 64 chaining values are 2 KiB of stack */
    LEVELS = 56, /* of the tree over 2^64 bytes, and two to spare */
};

/* Chaining values of complete subtrees, from the left, waiting for their right siblings. `chunks` were
 * pushed so far; once merged, there is one value for each bit of it. A merge is put off until the
 * next push, so that the top of the whole tree is never compressed here. */
struct stack {
    uint64_t chunks;
    size_t depth;
    uint32_t cv[LEVELS][8];
};

static void store_words(uint8_t *out, const uint32_t *words, size_t n)
{
    for (size_t i = 0; i < 4 * n; i++)
        out[i] = (uint8_t)(words[i / 4] >> (8 * (i % 4)));
}

static void parent_node(struct blake3_node *out, const uint32_t left[8], const uint32_t right[8])
{
    out->counter = 0;
    out->block_bytes = BLAKE3_BLOCK;
    out->flags = BLAKE3_PARENT;
    memcpy(out->cv, sheaf_blake3_iv, sizeof out->cv);
    store_words(out->block, left, 8);
    store_words(out->block + BLAKE3_BLOCK / 2, right, 8);
}

static void chaining_value(uint32_t out[8], const struct blake3_node *node, uint32_t more_flags)
{
    uint32_t cv[8];
    memcpy(cv, node->cv, sizeof cv);
    sheaf_blake3_compress(cv, node->block, node->block_bytes, node->counter,
                          node->flags | more_flags);
    memcpy(out, cv, sizeof cv);
}

/* A chunk of 0 to 1024 bytes, up to its last block. */
static void chunk_node(struct blake3_node *out, const uint8_t *x, size_t bytes, uint64_t counter)
{
    assert(bytes <= BLAKE3_CHUNK);
    out->counter = counter;
    out->flags = BLAKE3_CHUNK_START;
    memcpy(out->cv, sheaf_blake3_iv, sizeof out->cv);
    for (; bytes > BLAKE3_BLOCK; bytes -= BLAKE3_BLOCK, x += BLAKE3_BLOCK) {
        sheaf_blake3_compress(out->cv, x, BLAKE3_BLOCK, counter, out->flags);
        out->flags = 0;
    }
    out->flags |= BLAKE3_CHUNK_END;
    out->block_bytes = (uint32_t)bytes;
    memset(out->block, 0, sizeof out->block);
    if (bytes > 0)
        memcpy(out->block, x, bytes);
}

static void merge_top(struct stack *stack)
{
    struct blake3_node parent;
    uint32_t(*top)[8] = &stack->cv[stack->depth - 2];
    parent_node(&parent, top[0], top[1]);
    chaining_value(top[0], &parent, 0);
    stack->depth--;
}

static size_t bits_in(uint64_t x)
{
    return (size_t)__builtin_popcountll(x);
}

/* Pushes the value of the next subtree, of that many chunks. */
static void push(struct stack *stack, const uint32_t cv[8], uint64_t chunks)
{
    while (stack->depth > bits_in(stack->chunks))
        merge_top(stack);
    memcpy(stack->cv[stack->depth++], cv, sizeof stack->cv[0]);
    stack->chunks += chunks;
}

/* Pushes whole chunks, at most a batch. Of a full batch the kernel makes the parents too, but for the
 * uppermost one, since it may be the top of the whole tree. */
static void push_chunks(struct stack *stack, const struct kernels *kernels, const uint8_t *x,
                        size_t chunks, uint64_t first)
{
    uint32_t cvs[BATCH][8];
    size_t values = chunks;
    kernels->blake3(x, chunks, BLAKE3_CHUNK / BLAKE3_BLOCK, first, cvs[0]);
    for (; chunks == BATCH && values > 2; values /= 2)
        kernels->blake3((const uint8_t *)cvs, values / 2, 1, 0, cvs[0]);
    for (size_t i = 0; i < values; i++)
        push(stack, cvs[i], chunks / values);
}

void sheaf_blake3_subtree(struct blake3_node *out, const struct kernels *kernels, const uint8_t *x,
                          size_t bytes, uint64_t first)
{
    if (bytes <= BLAKE3_CHUNK) {
        chunk_node(out, x, bytes, first);
        return;
    }
    struct stack stack;
    stack.chunks = 0;
    stack.depth = 0;
    while (bytes >= BLAKE3_CHUNK) {
        size_t chunks = bytes / BLAKE3_CHUNK < BATCH ? bytes / BLAKE3_CHUNK : BATCH;
        push_chunks(&stack, kernels, x, chunks, first);
        x += chunks * BLAKE3_CHUNK;
        first += chunks;
        bytes -= chunks * BLAKE3_CHUNK;
    }
    if (bytes > 0) {
        struct blake3_node chunk;
        uint32_t cv[8];
        chunk_node(&chunk, x, bytes, first);
        chaining_value(cv, &chunk, 0);
        push(&stack, cv, 1);
    }
    while (stack.depth > 2)
        merge_top(&stack);
    parent_node(out, stack.cv[0], stack.cv[1]);
}

void sheaf_blake3_parent(struct blake3_node *out, const struct blake3_node *left,
                         const struct blake3_node *right)
{
    uint32_t cv[2][8];
    chaining_value(cv[0], left, 0);
    chaining_value(cv[1], right, 0);
    parent_node(out, cv[0], cv[1]);
}

void sheaf_blake3_root(uint8_t out[32], const struct blake3_node *root)
{
    uint32_t words[8];
    struct blake3_node node = *root;
    node.counter = 0; /* from here it counts blocks of output */
    chaining_value(words, &node, BLAKE3_ROOT);
    store_words(out, words, 8);
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

static sheaf_status map(const struct op_call *call, uint64_t first, uint64_t count, void *partial)
{
    struct blake3_node node;
    const uint8_t *x = call->data[0];
    uint64_t bytes = bytes_of(&call->arrays[0]);
    uint64_t begin = first * BLAKE3_CHUNK;
    uint64_t here = count * BLAKE3_CHUNK;
    assert(begin <= bytes);
    if (here > bytes - begin)
        here = bytes - begin;
    sheaf_blake3_subtree(&node, call->kernels, begin > 0 ? x + begin : x, (size_t)here, first);
    memcpy(partial, &node, sizeof node);
    return SHEAF_OK;
}

static void merge(const struct op_call *call, const void *left, const void *right, void *out)
{
    struct blake3_node nodes[2];
    (void)call;
    memcpy(&nodes[0], left, sizeof nodes[0]);
    memcpy(&nodes[1], right, sizeof nodes[1]);
    sheaf_blake3_parent(&nodes[0], &nodes[0], &nodes[1]);
    memcpy(out, &nodes[0], sizeof nodes[0]);
}

static void finish(const struct op_call *call, const void *root, void *result)
{
    struct blake3_node node;
    (void)call;
    memcpy(&node, root, sizeof node);
    sheaf_blake3_root(result, &node);
}

const struct op sheaf_op_blake3 = {
    .name = "blake3",
    .partial_bytes = sizeof(struct blake3_node),
    .result_bytes = SHEAF_HASH_BYTES,
    .plan = plan,
    .map = map,
    .merge = merge,
    .finish = finish,
};
