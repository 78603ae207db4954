/* blake3_tmpl.h -- BLAKE3 of many inputs at once, one in each 32-bit lane of a register.
 *
 * Every word of the state is a register that holds that word of BLAKE3_LANES inputs, so the function
 * is the scalar one with registers for words, and each lane has the scalar one's bits:
 *
 *     x:  input 0  w0 w1 .. w15            m[0]  = w0 of input 0, 1, 2, ..
 *         input 1  w0 w1 .. w15     ->     m[1]  = w1 of input 0, 1, 2, ..
 *         ..                               ..
 *
 * An input is whole blocks: 16, a chunk, or 1, a parent node. The scalar table goes input by input.
 * Source: as blake3_scalar.h. */
#include "blake3_schedule.h"
#include "words.h"

/* The flags of block b of an input of that many blocks, but for the mode's. */
static inline uint32_t blake3_flags(size_t b, size_t blocks)
{
    if (blocks == 1)
        return BLAKE3_PARENT;
    return b == 0 ? BLAKE3_CHUNK_START : b == blocks - 1 ? BLAKE3_CHUNK_END : 0;
}

#if VBYTES < 16

#include "blake3_scalar.h"

static void blake3_chunk(uint32_t *cv, const uint8_t *x, size_t blocks, uint64_t counter,
                         uint32_t mode)
{
    uint32_t state[16];
    memcpy(state, cv, 8 * sizeof state[0]);
    for (size_t b = 0; b < blocks; b++)
        blake3_one(state, x + b * BLAKE3_BLOCK, BLAKE3_BLOCK, counter,
                   b == 0 ? mode | BLAKE3_CHUNK_START : mode);
    memcpy(cv, state, 8 * sizeof state[0]);
}

static void blake3_many(const uint8_t *x, size_t n, size_t blocks, uint64_t counter,
                        const uint32_t *key, uint32_t mode, uint32_t *cvs)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t state[16];
        memcpy(state, key, 8 * sizeof state[0]);
        for (size_t b = 0; b < blocks; b++) {
            blake3_one(state, x + (i * blocks + b) * BLAKE3_BLOCK, BLAKE3_BLOCK,
                       blocks > 1 ? counter + i : 0, mode | blake3_flags(b, blocks));
        }
        memcpy(cvs + 8 * i, state, 8 * sizeof state[0]);
    }
}

#else

enum { BLAKE3_LANES = WORDS };

static inline __attribute__((always_inline)) void mix_words(words v[16], int a, int b, int c, int d,
                                                            words x, words y)
{
    v[a] = v[a] + x + v[b];
    v[d] = rotate_words(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = rotate_words(v[b] ^ v[c], 12);
    v[a] = v[a] + y + v[b];
    v[d] = rotate_words(v[d] ^ v[a], 8);
    v[c] += v[d];
    v[b] = rotate_words(v[b] ^ v[c], 7);
}

static inline __attribute__((always_inline)) void mix_words_round(words v[16], const words m[16],
                                                                  const uint8_t word[16])
{
    mix_words(v, 0, 4, 8, 12, m[word[0]], m[word[1]]);
    mix_words(v, 1, 5, 9, 13, m[word[2]], m[word[3]]);
    mix_words(v, 2, 6, 10, 14, m[word[4]], m[word[5]]);
    mix_words(v, 3, 7, 11, 15, m[word[6]], m[word[7]]);
    mix_words(v, 0, 5, 10, 15, m[word[8]], m[word[9]]);
    mix_words(v, 1, 6, 11, 12, m[word[10]], m[word[11]]);
    mix_words(v, 2, 7, 8, 13, m[word[12]], m[word[13]]);
    mix_words(v, 3, 4, 9, 14, m[word[14]], m[word[15]]);
}

/* The compression function on one block of each input, whose words are m. */
static inline __attribute__((always_inline)) void compress_words(words cv[8], const words m[16],
                                                                 words counter_low,
                                                                 words counter_high, uint32_t flags)
{
    words v[16];
    for (size_t i = 0; i < 8; i++)
        v[i] = cv[i];
    for (size_t i = 0; i < 4; i++)
        v[8 + i] = words_of(sheaf_blake3_iv[i]);
    v[12] = counter_low;
    v[13] = counter_high;
    v[14] = words_of(BLAKE3_BLOCK);
    v[15] = words_of(flags);
    mix_words_round(v, m, blake3_schedule[0]);
    mix_words_round(v, m, blake3_schedule[1]);
    mix_words_round(v, m, blake3_schedule[2]);
    mix_words_round(v, m, blake3_schedule[3]);
    mix_words_round(v, m, blake3_schedule[4]);
    mix_words_round(v, m, blake3_schedule[5]);
    mix_words_round(v, m, blake3_schedule[6]);
    for (size_t i = 0; i < 8; i++)
        cv[i] = v[i] ^ v[i + 8];
}

/* At most one input a lane; the lanes without one repeat the last. */
static void blake3_group(const uint8_t *x, size_t n, size_t blocks, uint64_t counter,
                         const uint32_t *key, uint32_t mode, uint32_t *cvs)
{
    const uint8_t *input[BLAKE3_LANES];
    words counter_low = words_of(0), counter_high = words_of(0);
    words cv[8];
    for (size_t i = 0; i < BLAKE3_LANES; i++)
        input[i] = x + (i < n ? i : n - 1) * blocks * BLAKE3_BLOCK;
    if (blocks > 1) {
        counter_low = words_of((uint32_t)counter) + lane_numbers();
        counter_high = words_of((uint32_t)(counter >> 32)) -
                       (words)(counter_low < words_of((uint32_t)counter)); /* the carry */
    }
    for (size_t i = 0; i < 8; i++)
        cv[i] = words_of(key[i]);
    for (size_t b = 0; b < blocks; b++) {
        words m[16];
        load_words(m, input, b * BLAKE3_BLOCK);
        compress_words(cv, m, counter_low, counter_high, mode | blake3_flags(b, blocks));
    }
    store_words(cvs, cv, n);
}

static void blake3_many(const uint8_t *x, size_t n, size_t blocks, uint64_t counter,
                        const uint32_t *key, uint32_t mode, uint32_t *cvs)
{
    for (size_t i = 0; i < n; i += BLAKE3_LANES)
        blake3_group(x + i * blocks * BLAKE3_BLOCK, n - i < BLAKE3_LANES ? n - i : BLAKE3_LANES,
                     blocks, counter + i, key, mode, cvs + 8 * i);
}

/* ---- One block ---------------------------------------------------------------------------- */

/* Rows of the state, of four words each. */
typedef uint32_t row_words __attribute__((vector_size(16)));
typedef uint8_t row_bytes __attribute__((vector_size(16)));

WORDS_INLINE row_words rotate_row(row_words x, int bits)
{
#if VBYTES < 64 /* else there is a rotation */
    if (bits == 16)
        return (row_words)SHUFFLE(row_bytes, (row_bytes)x, (row_bytes)x, 2, 3, 0, 1, 6, 7, 4, 5, 10,
                                  11, 8, 9, 14, 15, 12, 13);
    if (bits == 8)
        return (row_words)SHUFFLE(row_bytes, (row_bytes)x, (row_bytes)x, 1, 2, 3, 0, 5, 6, 7, 4, 9,
                                  10, 11, 8, 13, 14, 15, 12);
#endif
    return x >> bits | x << (32 - bits);
}

WORDS_INLINE void mix_rows(row_words v[4], row_words x, row_words y)
{
    v[0] = v[0] + x + v[1];
    v[3] = rotate_row(v[3] ^ v[0], 16);
    v[2] += v[3];
    v[1] = rotate_row(v[1] ^ v[2], 12);
    v[0] = v[0] + y + v[1];
    v[3] = rotate_row(v[3] ^ v[0], 8);
    v[2] += v[3];
    v[1] = rotate_row(v[1] ^ v[2], 7);
}

WORDS_INLINE row_words pick(const uint32_t m[16], const uint8_t word[16], int i, int j, int k,
                            int l)
{
    return (row_words){m[word[i]], m[word[j]], m[word[k]], m[word[l]]};
}

#define TURN_ROW(x, i, j, k, l) SHUFFLE(row_words, x, x, i, j, k, l)

/* A round: the columns, then the diagonals. For those the other rows are turned to where row 1 is, which is
 * done last and needed first; so the last mix comes first. */
WORDS_INLINE void mix_rows_round(row_words v[4], const uint32_t m[16], const uint8_t word[16])
{
    mix_rows(v, pick(m, word, 0, 2, 4, 6), pick(m, word, 1, 3, 5, 7));
    v[0] = TURN_ROW(v[0], 3, 0, 1, 2);
    v[3] = TURN_ROW(v[3], 2, 3, 0, 1);
    v[2] = TURN_ROW(v[2], 1, 2, 3, 0);
    mix_rows(v, pick(m, word, 14, 8, 10, 12), pick(m, word, 15, 9, 11, 13));
    v[0] = TURN_ROW(v[0], 1, 2, 3, 0);
    v[3] = TURN_ROW(v[3], 2, 3, 0, 1);
    v[2] = TURN_ROW(v[2], 3, 0, 1, 2);
}

WORDS_INLINE void compress_rows(row_words v[4], const uint8_t *block, uint32_t block_bytes,
                                uint64_t counter, uint32_t flags)
{
    uint32_t m[16]; /* a copy: GCC then shuffles registers, and does not load word after word */
    memcpy(m, block, sizeof m);
    memcpy(&v[2], sheaf_blake3_iv, sizeof v[2]);
    v[3] = (row_words){(uint32_t)counter, (uint32_t)(counter >> 32), block_bytes, flags};
    mix_rows_round(v, m, blake3_schedule[0]);
    mix_rows_round(v, m, blake3_schedule[1]);
    mix_rows_round(v, m, blake3_schedule[2]);
    mix_rows_round(v, m, blake3_schedule[3]);
    mix_rows_round(v, m, blake3_schedule[4]);
    mix_rows_round(v, m, blake3_schedule[5]);
    mix_rows_round(v, m, blake3_schedule[6]);
    v[0] ^= v[2];
    v[1] ^= v[3];
}

static void blake3_one(uint32_t *state, const uint8_t *block, uint32_t block_bytes,
                       uint64_t counter, uint32_t flags)
{
    row_words cv[2];
    row_words v[4];
    memcpy(cv, state, sizeof cv);
    v[0] = cv[0];
    v[1] = cv[1];
    compress_rows(v, block, block_bytes, counter, flags);
    v[2] ^= cv[0];
    v[3] ^= cv[1];
    memcpy(state, v, sizeof v);
}

static void blake3_chunk(uint32_t *cv, const uint8_t *x, size_t blocks, uint64_t counter,
                         uint32_t mode)
{
    row_words v[4];
    memcpy(v, cv, sizeof v / 2);
    for (size_t b = 0; b < blocks; b++)
        compress_rows(v, x + b * BLAKE3_BLOCK, BLAKE3_BLOCK, counter,
                      b == 0 ? mode | BLAKE3_CHUNK_START : mode);
    memcpy(cv, v, sizeof v / 2);
}

#endif
