/* blake3.c -- BLAKE3's tree, by subtrees and by streams.
 *
 * Source: O'Connor, Aumasson, Neves, Wilcox-O'Hearn, "BLAKE3: one function, fast everywhere", 2.1. */
#include "ops/blake3.h"

#include <assert.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are bytes as they lie");

enum { BEGINS_WITH_KEY = BLAKE3_PARENT | BLAKE3_CHUNK_START };

static void parent_node(struct blake3_node *out, const struct blake3 *how, const uint32_t left[8],
                        const uint32_t right[8])
{
    out->counter = 0;
    out->block_bytes = BLAKE3_BLOCK;
    out->flags = how->mode->flags | BLAKE3_PARENT;
    memset(out->cv, 0, sizeof out->cv);
    memcpy(out->block, left, BLAKE3_BLOCK / 2);
    memcpy(out->block + BLAKE3_BLOCK / 2, right, BLAKE3_BLOCK / 2);
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
    size_t blocks = bytes > 0 ? (bytes - 1) / BLAKE3_BLOCK : 0; /* all but the last */
    if (blocks > 0) {
        memcpy(out->cv, how->mode->key, sizeof out->cv);
        how->kernels->blake3_chunk(out->cv, x, blocks, counter, how->mode->flags);
        x += blocks * BLAKE3_BLOCK;
        bytes -= blocks * BLAKE3_BLOCK;
    } else {
        memset(out->cv, 0, sizeof out->cv);
    }
    out->counter = counter;
    out->flags = how->mode->flags | BLAKE3_CHUNK_END | (blocks > 0 ? 0 : BLAKE3_CHUNK_START);
    out->block_bytes = (uint32_t)bytes;
    if (bytes == BLAKE3_BLOCK) {
        memcpy(out->block, x, BLAKE3_BLOCK);
        return;
    }
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

static size_t power_of_two_in(size_t n) /* the largest */
{
    return (size_t)1 << (63 - __builtin_clzll(n));
}

/* Pushes whole chunks, at most a batch, that begin at a multiple of a batch. The kernel makes the parents of
 * complete subtrees too, but for the uppermost one, since it may be the top of the whole tree. */
static void push_chunks(struct blake3_stack *stack, const struct blake3 *how, const uint8_t *x,
                        size_t chunks, uint64_t first)
{
    uint32_t cvs[BLAKE3_BATCH][8];
    const struct blake3_mode *mode = how->mode;
    how->kernels->blake3(x, chunks, BLAKE3_CHUNK / BLAKE3_BLOCK, first, mode->key, mode->flags,
                         cvs[0]);
    for (size_t done = 0; done < chunks;) {
        uint32_t(*tree)[8] = cvs + done;
        size_t leaves = power_of_two_in(chunks - done);
        size_t values = leaves;
        for (; values > 2; values /= 2)
            how->kernels->blake3((const uint8_t *)tree, values / 2, 1, 0, mode->key, mode->flags,
                                 tree[0]);
        for (size_t i = 0; i < values; i++)
            push(stack, how, tree[i], leaves / values);
        done += leaves;
    }
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
        uint32_t state[16];
        size_t skipped = (size_t)(offset % BLAKE3_BLOCK);
        size_t here = BLAKE3_BLOCK - skipped < bytes ? BLAKE3_BLOCK - skipped : bytes;
        memcpy(state, root->cv, sizeof root->cv);
        kernels->blake3_one(state, root->block, root->block_bytes, i, root->flags);
        if (here == BLAKE3_BLOCK / 2 && skipped == 0) /* the usual hash, in two moves */
            memcpy(out, state, BLAKE3_BLOCK / 2);
        else
            memcpy(out, (const uint8_t *)state + skipped, here);
        out += here;
        bytes -= here;
        offset = 0;
    }
}

void sheaf_blake3_block(uint8_t *out, size_t out_bytes, const struct blake3 *how, const uint8_t *x,
                        size_t bytes)
{
    assert(out_bytes <= BLAKE3_BLOCK && bytes <= BLAKE3_BLOCK);
    const uint32_t flags = how->mode->flags | BLAKE3_CHUNK_START | BLAKE3_CHUNK_END | BLAKE3_ROOT;
    uint32_t state[16];
    uint8_t block[BLAKE3_BLOCK];
    if (bytes < BLAKE3_BLOCK) {
        memset(block, 0, sizeof block);
        if (bytes > 0)
            memcpy(block, x, bytes);
        x = block;
    }
    memcpy(state, how->mode->key, sizeof how->mode->key);
    how->kernels->blake3_one(state, x, (uint32_t)bytes, 0, flags);
    if (out_bytes == BLAKE3_BLOCK / 2) /* the usual hash, in two moves */
        memcpy(out, state, BLAKE3_BLOCK / 2);
    else
        memcpy(out, state, out_bytes);
}

void sheaf_blake3_mode_plain(struct blake3_mode *mode)
{
    memcpy(mode->key, sheaf_blake3_iv, sizeof mode->key);
    mode->flags = 0;
}

static void load_key(struct blake3_mode *mode, const uint8_t key[32])
{
    memcpy(mode->key, key, sizeof mode->key);
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
