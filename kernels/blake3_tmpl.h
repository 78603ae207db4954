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

enum { BLAKE3_LANES = WORDS, KEPT_WORD = 11 };

#if VBYTES == 32
#define KEEP_IN_MEMORY(word) __asm__("" : "+m"(word))
#else
#define KEEP_IN_MEMORY(word) ((void)0)
#endif

/* Half a mix of four columns or diagonals, step by step side by side: of words a, 0 to 3, with b, c, d and
 * message words x. Word 11 lies at *kept.
 *
 * AVX2 has a register less than sixteen words and something to work with take. GCC 12, left to choose, spilled
 * words on the way to their next use (157 ns for the blocks of 8 inputs on a Zen 4); a c rests between
 * its uses for as long as its way through memory takes (149 ns; hand-placed instructions: 147). */
WORDS_INLINE void mix_words(words v[16], words *kept, const int b[4], const int c[4],
                            const int d[4], const words *const x[4], const int bits[2])
{
#pragma GCC unroll 4
    for (int a = 0; a < 4; a++)
        v[a] += *x[a];
#pragma GCC unroll 4
    for (int a = 0; a < 4; a++)
        v[a] += v[b[a]];
#pragma GCC unroll 4
    for (int a = 0; a < 4; a++)
        v[d[a]] = rotate_words(v[d[a]] ^ v[a], bits[0]);
#pragma GCC unroll 4
    for (int a = 0; a < 4; a++) {
        words *word = c[a] == KEPT_WORD ? kept : &v[c[a]];
        words sum = *word + v[d[a]];
        *word = sum;
        v[b[a]] ^= sum;
    }
    KEEP_IN_MEMORY(*kept);
#pragma GCC unroll 4
    for (int a = 0; a < 4; a++)
        v[b[a]] = rotate_words(v[b[a]], bits[1]);
}

WORDS_INLINE void mix_words_round(words v[16], words *kept, const words m[16],
                                  const uint8_t word[16])
{
    static const int b[2][4] = {{4, 5, 6, 7}, {5, 6, 7, 4}};
    static const int c[2][4] = {{8, 9, 10, 11}, {10, 11, 8, 9}};
    static const int d[2][4] = {{12, 13, 14, 15}, {15, 12, 13, 14}};
    static const int bits[2][2] = {{16, 12}, {8, 7}};
#pragma GCC unroll 4
    for (int half = 0; half < 4; half++) { /* the columns', the diagonals' */
        const uint8_t *taken = word + half / 2 * 8 + half % 2;
        const words *const x[4] = {m + taken[0], m + taken[2], m + taken[4], m + taken[6]};
        mix_words(v, kept, b[half / 2], c[half / 2], d[half / 2], x, bits[half % 2]);
    }
}

/* The compression function on one block of each input, whose words are m. */
WORDS_INLINE void compress_words(words cv[8], const words m[16], words counter_low,
                                 words counter_high, uint32_t flags)
{
    words v[16], kept;
    for (size_t i = 0; i < 8; i++)
        v[i] = cv[i];
    for (size_t i = 0; i < 3; i++)
        v[8 + i] = words_of(sheaf_blake3_iv[i]);
    kept = words_of(sheaf_blake3_iv[3]);
    v[12] = counter_low;
    v[13] = counter_high;
    v[14] = words_of(BLAKE3_BLOCK);
    v[15] = words_of(flags);
    mix_words_round(v, &kept, m, blake3_schedule[0]);
    mix_words_round(v, &kept, m, blake3_schedule[1]);
    mix_words_round(v, &kept, m, blake3_schedule[2]);
    mix_words_round(v, &kept, m, blake3_schedule[3]);
    mix_words_round(v, &kept, m, blake3_schedule[4]);
    mix_words_round(v, &kept, m, blake3_schedule[5]);
    mix_words_round(v, &kept, m, blake3_schedule[6]);
    for (size_t i = 0; i < 8; i++)
        cv[i] = v[i] ^ (8 + i == KEPT_WORD ? kept : v[8 + i]);
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

/* ---- In rows ------------------------------------------------------------------------------ */

typedef uint8_t quad_bytes __attribute__((vector_size(16)));

#define PER    1
#define GROUPS 1
#define SHAPE  one
#include "blake3_rows_tmpl.h"
#if VBYTES > 16
#define PER    QUADS
#define GROUPS 1
#define SHAPE  few
#include "blake3_rows_tmpl.h"
#endif
#define PER    QUADS
#define GROUPS 2
#define SHAPE  some
#include "blake3_rows_tmpl.h"

static void blake3_many(const uint8_t *x, size_t n, size_t blocks, uint64_t counter,
                        const uint32_t *key, uint32_t mode, uint32_t *cvs)
{
    while (n > 0) {
        size_t here = n < BLAKE3_LANES ? n : BLAKE3_LANES;
        if (here > (size_t)2 * QUADS)
            blake3_group(x, here, blocks, counter, key, mode, cvs);
        else if (here > QUADS)
            blake3_rows_some(x, here, blocks, counter, key, mode, cvs);
#if VBYTES > 16
        else if (here > 1)
            blake3_rows_few(x, here, blocks, counter, key, mode, cvs);
#endif
        else
            blake3_rows_one(x, here, blocks, counter, key, mode, cvs);
        n -= here;
        x += here * blocks * BLAKE3_BLOCK;
        counter += here;
        cvs += 8 * here;
    }
}

static void blake3_one(uint32_t *state, const uint8_t *block, uint32_t block_bytes,
                       uint64_t counter, uint32_t flags)
{
    quads_one cv[2], v[4], m[4];
    memcpy(cv, state, sizeof cv);
    v[0] = cv[0];
    v[1] = cv[1];
    v[3] = (quads_one){(uint32_t)counter, (uint32_t)(counter >> 32), block_bytes, flags};
    load_message_one(m, &block, 0);
    compress_rows_one(v, m);
    v[2] ^= cv[0];
    v[3] ^= cv[1];
    memcpy(state, v, sizeof v);
}

static void blake3_chunk(uint32_t *cv, const uint8_t *x, size_t blocks, uint64_t counter,
                         uint32_t mode)
{
    quads_one v[4], m[4];
    memcpy(v, cv, sizeof v / 2);
    for (size_t b = 0; b < blocks; b++) {
        uint32_t flags = b == 0 ? mode | BLAKE3_CHUNK_START : mode;
        v[3] = (quads_one){(uint32_t)counter, (uint32_t)(counter >> 32), BLAKE3_BLOCK, flags};
        load_message_one(m, &x, b * BLAKE3_BLOCK);
        compress_rows_one(v, m);
    }
    memcpy(cv, v, sizeof v / 2);
}

#endif
