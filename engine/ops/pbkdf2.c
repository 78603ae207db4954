/* pbkdf2.c -- PBKDF2-HMAC-SHA256 with one iteration, many blocks at a time.
 *
 * Source: RFC 8018 (PKCS #5 2.1), 5.2; RFC 2104 (HMAC); FIPS 180-4 (SHA-256). */
#include "ops/pbkdf2.h"

#include <string.h>

#include "base/wipe.h"

enum {
    BATCH = 64,       /* blocks of output made at once */
    LENGTH_BYTES = 8, /* at the end of a SHA-256 message's last block */
    INNER_PAD = 0x36,
    OUTER_PAD = 0x5c,
};

static void store_be32(uint8_t *out, uint32_t x)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    x = __builtin_bswap32(x);
#endif
    memcpy(out, &x, sizeof x);
}

static void store_digest(uint8_t out[32], const uint32_t state[8])
{
    for (size_t i = 0; i < 8; i++)
        store_be32(out + 4 * i, state[i]);
}

/* Ends a message of `bytes` bytes in all: its last `used` bytes are in block, which has room for one or
 * two blocks. Returns how many it takes. */
static size_t pad_message(uint8_t *block, size_t used, uint64_t bytes)
{
    size_t blocks = used + 1 + LENGTH_BYTES <= SHA256_BLOCK ? 1 : 2;
    uint8_t *length = block + blocks * SHA256_BLOCK - LENGTH_BYTES;
    block[used] = 0x80;
    memset(block + used + 1, 0, blocks * SHA256_BLOCK - LENGTH_BYTES - used - 1);
    store_be32(length, (uint32_t)(bytes >> 29)); /* in bits */
    store_be32(length + 4, (uint32_t)(bytes << 3));
    return blocks;
}

static void sha256(uint8_t digest[32], const struct kernels *kernels, const uint8_t *x,
                   size_t bytes)
{
    uint32_t state[8];
    uint8_t last[2 * SHA256_BLOCK];
    size_t used = bytes % SHA256_BLOCK;
    memcpy(state, sheaf_sha256_iv, sizeof state);
    kernels->sha256(state, x, bytes / SHA256_BLOCK);
    memcpy(last, x + (bytes - used), used);
    kernels->sha256(state, last, pad_message(last, used, bytes));
    store_digest(digest, state);
    wipe(state, sizeof state);
    wipe(last, sizeof last);
}

/* The state after one block of the key, each byte of which is xored with pad. */
static void begin_pad(uint32_t state[8], const struct kernels *kernels,
                      const uint8_t key[SHA256_BLOCK], uint8_t pad)
{
    uint8_t block[SHA256_BLOCK];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = key[i] ^ pad;
    memcpy(state, sheaf_sha256_iv, 8 * sizeof state[0]);
    kernels->sha256(state, block, 1);
    wipe(block, sizeof block);
}

void sheaf_pbkdf2_begin(struct pbkdf2 *out, const struct kernels *kernels, const void *password,
                        size_t password_bytes, const void *salt, size_t salt_bytes)
{
    uint8_t key[SHA256_BLOCK] = {0};
    size_t used = salt_bytes % SHA256_BLOCK;
    if (password_bytes > sizeof key)
        sha256(key, kernels, password, password_bytes);
    else if (password_bytes > 0)
        memcpy(key, password, password_bytes);
    memset(out, 0, sizeof *out);
    begin_pad(out->inner, kernels, key, INNER_PAD);
    begin_pad(out->outer, kernels, key, OUTER_PAD);
    wipe(key, sizeof key);
    out->salt_bytes = salt_bytes;
    if (salt_bytes > 0) {
        kernels->sha256(out->inner, salt, salt_bytes / SHA256_BLOCK);
        memcpy(out->tail, (const uint8_t *)salt + (salt_bytes - used), used);
    }
}

/* What one call of batch() works in. */
struct batch {
    uint32_t states[BATCH][8];
    uint8_t messages[2][BATCH][SHA256_BLOCK]; /* first blocks, second blocks */
};

static void make_batch(struct batch *batch, const struct kernels *kernels,
                       const struct pbkdf2 *pbkdf2, uint32_t first, size_t count)
{
    uint8_t message[2 * SHA256_BLOCK];
    size_t used = (size_t)(pbkdf2->salt_bytes % SHA256_BLOCK);
    size_t blocks = 0;
    memcpy(message, pbkdf2->tail, used);
    for (size_t i = 0; i < count; i++) {
        store_be32(message + used, first + (uint32_t)i);
        blocks = pad_message(message, used + 4, SHA256_BLOCK + pbkdf2->salt_bytes + 4);
        memcpy(batch->messages[0][i], message, SHA256_BLOCK);
        memcpy(batch->messages[1][i], message + SHA256_BLOCK, (blocks - 1) * SHA256_BLOCK);
        memcpy(batch->states[i], pbkdf2->inner, sizeof batch->states[i]);
    }
    for (size_t b = 0; b < blocks; b++)
        kernels->sha256_many(batch->states[0], batch->messages[b][0], count);
    for (size_t i = 0; i < count; i++) {
        store_digest(batch->messages[0][i], batch->states[i]);
        pad_message(batch->messages[0][i], PBKDF2_BLOCK, SHA256_BLOCK + PBKDF2_BLOCK);
        memcpy(batch->states[i], pbkdf2->outer, sizeof batch->states[i]);
    }
    kernels->sha256_many(batch->states[0], batch->messages[0][0], count);
    wipe(message, sizeof message);
}

void sheaf_pbkdf2_blocks(uint8_t *out, const struct kernels *kernels, const struct pbkdf2 *pbkdf2,
                         uint32_t first, size_t count)
{
    struct batch batch;
    for (size_t done = 0; done < count; done += BATCH) {
        size_t here = count - done < BATCH ? count - done : BATCH;
        make_batch(&batch, kernels, pbkdf2, first + (uint32_t)done, here);
        for (size_t i = 0; i < here; i++)
            store_digest(out + (done + i) * PBKDF2_BLOCK, batch.states[i]);
    }
    wipe(&batch, sizeof batch);
}

void sheaf_pbkdf2_output(uint8_t *out, size_t bytes, const struct kernels *kernels,
                         const struct pbkdf2 *pbkdf2)
{
    uint8_t last[PBKDF2_BLOCK];
    size_t whole = bytes / PBKDF2_BLOCK;
    sheaf_pbkdf2_blocks(out, kernels, pbkdf2, 1, whole);
    if (bytes % PBKDF2_BLOCK == 0)
        return;
    sheaf_pbkdf2_blocks(last, kernels, pbkdf2, (uint32_t)whole + 1, 1);
    memcpy(out + whole * PBKDF2_BLOCK, last, bytes % PBKDF2_BLOCK);
    wipe(last, sizeof last);
}
