/* blake3.c -- BLAKE3's tree, by subtrees and by streams.
 *
 * Source: O'Connor, Aumasson, Neves, Wilcox-O'Hearn, "BLAKE3: one function, fast everywhere", 2.1. */
#include "ops/blake3.h"

#include <assert.h>
#include <string.h>

enum { BEGINS_WITH_KEY = BLAKE3_PARENT | BLAKE3_CHUNK_START };

static void store_words(uint8_t *out, const uint32_t *words, size_t n)
{
    for (size_t i = 0; i < 4 * n; i++)
        out[i] = (uint8_t)(words[i / 4] >> (8 * (i % 4)));
}

static void parent_node(struct blake3_node *out, const struct blake3 *how, const uint32_t left[8],
                        const uint32_t right[8])
{
    out->counter = 0;
    out->block_bytes = BLAKE3_BLOCK;
    out->flags = how->mode->flags | BLAKE3_PARENT;
    memset(out->cv, 0, sizeof out->cv);
    store_words(out->block, left, 8);
    store_words(out->block + BLAKE3_BLOCK / 2, right, 8);
}

static void chaining_value(uint32_t out[8], const struct blake3 *how,
                           const struct blake3_node *node)
{
    uint32_t state[16];
    memcpy(state, node->flags & BEGINS_WITH_KEY ? how->mode->key : node->cv, sizeof node->cv);
    how->kernels->blake3_one(state, node->block, node->block_bytes, node->counter, node->flags);
    memcpy(out, state, sizeof node->cv);
}

/* A chunk of 0 to 1024 bytes, up to its last block. */
static void chunk_node(struct blake3_node *out, const struct blake3 *how, const uint8_t *x,
                       size_t bytes, uint64_t counter)
{
    assert(bytes <= BLAKE3_CHUNK);
    uint32_t state[16] = {0};
    uint32_t start = BLAKE3_CHUNK_START;
    if (bytes > BLAKE3_BLOCK)
        memcpy(state, how->mode->key, sizeof out->cv);
    for (; bytes > BLAKE3_BLOCK; bytes -= BLAKE3_BLOCK, x += BLAKE3_BLOCK) {
        how->kernels->blake3_one(state, x, BLAKE3_BLOCK, counter, how->mode->flags | start);
        start = 0;
    }
    out->counter = counter;
    out->flags = how->mode->flags | start | BLAKE3_CHUNK_END;
    out->block_bytes = (uint32_t)bytes;
    memcpy(out->cv, state, sizeof out->cv);
    memset(out->block, 0, sizeof out->block);
    if (bytes > 0)
        memcpy(out->block, x, bytes);
}

static void merge_top(struct blake3_stack *stack, const struct blake3 *how)
{
    assert(stack->depth >= 2);
    struct blake3_node parent;
    uint32_t(*top)[8] = &stack->cv[stack->depth - 2];
    parent_node(&parent, how, top[0], top[1]);
    chaining_value(top[0], how, &parent);
    stack->depth--;
}

static size_t bits_in(uint64_t x)
{
    return (size_t)__builtin_popcountll(x);
}

/* Pushes the value of the next subtree, of that many chunks. */
static void push(struct blake3_stack *stack, const struct blake3 *how, const uint32_t cv[8],
                 uint64_t chunks)
{
    while (stack->depth > bits_in(stack->chunks))
        merge_top(stack, how);
    memcpy(stack->cv[stack->depth++], cv, sizeof stack->cv[0]);
    stack->chunks += chunks;
}

/* Pushes whole chunks, at most a batch. Of a full batch the kernel makes the parents too, but for the
 * uppermost one, since it may be the top of the whole tree. */
static void push_chunks(struct blake3_stack *stack, const struct blake3 *how, const uint8_t *x,
                        size_t chunks, uint64_t first)
{
    uint32_t cvs[BLAKE3_BATCH][8];
    const struct blake3_mode *mode = how->mode;
    size_t values = chunks;
    how->kernels->blake3(x, chunks, BLAKE3_CHUNK / BLAKE3_BLOCK, first, mode->key, mode->flags,
                         cvs[0]);
    for (; chunks == BLAKE3_BATCH && values > 2; values /= 2)
        how->kernels->blake3((const uint8_t *)cvs, values / 2, 1, 0, mode->key, mode->flags,
                             cvs[0]);
    for (size_t i = 0; i < values; i++)
        push(stack, how, cvs[i], chunks / values);
}

/* Pushes the rest of the input, of which chunk number first is the next one; out: the node of it all. */
static void push_rest(struct blake3_node *out, struct blake3_stack *stack, const struct blake3 *how,
                      const uint8_t *x, size_t bytes, uint64_t first)
{
    while (bytes >= BLAKE3_CHUNK) {
        size_t chunks = bytes / BLAKE3_CHUNK < BLAKE3_BATCH ? bytes / BLAKE3_CHUNK : BLAKE3_BATCH;
        push_chunks(stack, how, x, chunks, first);
        x += chunks * BLAKE3_CHUNK;
        first += chunks;
        bytes -= chunks * BLAKE3_CHUNK;
    }
    if (bytes > 0) {
        struct blake3_node chunk;
        uint32_t cv[8];
        chunk_node(&chunk, how, x, bytes, first);
        chaining_value(cv, how, &chunk);
        push(stack, how, cv, 1);
    }
    while (stack->depth > 2)
        merge_top(stack, how);
    parent_node(out, how, stack->cv[0], stack->cv[1]);
}

void sheaf_blake3_subtree(struct blake3_node *out, const struct blake3 *how, const uint8_t *x,
                          size_t bytes, uint64_t first)
{
    if (bytes <= BLAKE3_CHUNK) {
        chunk_node(out, how, x, bytes, first);
        return;
    }
    struct blake3_stack stack;
    stack.chunks = 0;
    stack.depth = 0;
    push_rest(out, &stack, how, x, bytes, first);
}

void sheaf_blake3_parent(struct blake3_node *out, const struct blake3 *how,
                         const struct blake3_node *left, const struct blake3_node *right)
{
    uint32_t cv[2][8];
    chaining_value(cv[0], how, left);
    chaining_value(cv[1], how, right);
    parent_node(out, how, cv[0], cv[1]);
}

void sheaf_blake3_begin(struct blake3_stream *stream)
{
    stream->stack.chunks = 0;
    stream->stack.depth = 0;
    stream->buffered = 0;
}

/* Something always stays in the buffer: so each batch that is pushed has something to its right. */
void sheaf_blake3_update(struct blake3_stream *stream, const struct blake3 *how, const uint8_t *x,
                         size_t bytes)
{
    struct blake3_stack *stack = &stream->stack;
    while (bytes > 0) {
        size_t room = sizeof stream->buffer - stream->buffered;
        if (room == 0) {
            push_chunks(stack, how, stream->buffer, BLAKE3_BATCH, stack->chunks);
            stream->buffered = 0;
        } else if (stream->buffered == 0 && bytes > sizeof stream->buffer) {
            push_chunks(stack, how, x, BLAKE3_BATCH, stack->chunks);
            x += sizeof stream->buffer;
            bytes -= sizeof stream->buffer;
        } else {
            size_t here = bytes < room ? bytes : room;
            memcpy(stream->buffer + stream->buffered, x, here);
            stream->buffered += here;
            x += here;
            bytes -= here;
        }
    }
}

void sheaf_blake3_end(struct blake3_node *out, const struct blake3_stream *stream,
                      const struct blake3 *how)
{
    if (stream->stack.chunks == 0) {
        sheaf_blake3_subtree(out, how, stream->buffer, stream->buffered, 0);
        return;
    }
    struct blake3_stack stack;
    stack.chunks = stream->stack.chunks;
    stack.depth = stream->stack.depth;
    memcpy(stack.cv, stream->stack.cv, stack.depth * sizeof stack.cv[0]);
    push_rest(out, &stack, how, stream->buffer, stream->buffered, stack.chunks);
}

void sheaf_blake3_complete(struct blake3_node *root, const struct blake3_mode *mode)
{
    if (root->flags & BEGINS_WITH_KEY)
        memcpy(root->cv, mode->key, sizeof root->cv);
    root->flags |= BLAKE3_ROOT;
    root->counter = 0; /* from here it counts blocks of output */
}

void sheaf_blake3_output(uint8_t *out, size_t bytes, uint64_t offset, const struct kernels *kernels,
                         const struct blake3_node *root)
{
    for (uint64_t i = offset / BLAKE3_BLOCK; bytes > 0; i++) {
        uint32_t state[16] = {0};
        uint8_t block[BLAKE3_BLOCK];
        size_t skipped = (size_t)(offset % BLAKE3_BLOCK);
        size_t here = BLAKE3_BLOCK - skipped < bytes ? BLAKE3_BLOCK - skipped : bytes;
        memcpy(state, root->cv, sizeof root->cv);
        kernels->blake3_one(state, root->block, root->block_bytes, i, root->flags);
        store_words(block, state, 16);
        memcpy(out, block + skipped, here);
        out += here;
        bytes -= here;
        offset = 0;
    }
}

void sheaf_blake3_mode_plain(struct blake3_mode *mode)
{
    memcpy(mode->key, sheaf_blake3_iv, sizeof mode->key);
    mode->flags = 0;
}

static void load_key(struct blake3_mode *mode, const uint8_t key[32])
{
    for (size_t i = 0; i < 8; i++)
        mode->key[i] = (uint32_t)key[4 * i] | (uint32_t)key[4 * i + 1] << 8 |
                       (uint32_t)key[4 * i + 2] << 16 | (uint32_t)key[4 * i + 3] << 24;
}

void sheaf_blake3_mode_keyed(struct blake3_mode *mode, const uint8_t key[32])
{
    load_key(mode, key);
    mode->flags = BLAKE3_KEYED_HASH;
}

void sheaf_blake3_mode_derive(struct blake3_mode *mode, const struct kernels *kernels,
                              const char *context)
{
    struct blake3_node root;
    uint8_t key[32];
    struct blake3 how = {kernels, mode};
    sheaf_blake3_mode_plain(mode);
    mode->flags = BLAKE3_DERIVE_KEY_CONTEXT;
    sheaf_blake3_subtree(&root, &how, (const uint8_t *)context, strlen(context), 0);
    sheaf_blake3_complete(&root, mode);
    sheaf_blake3_output(key, sizeof key, 0, kernels, &root);
    load_key(mode, key);
    mode->flags = BLAKE3_DERIVE_KEY_MATERIAL;
}
