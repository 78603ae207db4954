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
 * Source: as blake3.c. */
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

static void blake3_many(const uint8_t *x, size_t n, size_t blocks, uint64_t counter,
                        const uint32_t *key, uint32_t mode, uint32_t *cvs)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t state[16];
        memcpy(state, key, 8 * sizeof state[0]);
        for (size_t b = 0; b < blocks; b++) {
            sheaf_blake3_compress(state, x + (i * blocks + b) * BLAKE3_BLOCK, BLAKE3_BLOCK,
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
    v[a] += v[b] + x;
    v[d] = rotate_words(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = rotate_words(v[b] ^ v[c], 12);
    v[a] += v[b] + y;
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
    words counter_low, counter_high;
    words cv[8];
    for (size_t i = 0; i < BLAKE3_LANES; i++) {
        uint64_t number = blocks > 1 ? counter + i : 0;
        input[i] = x + (i < n ? i : n - 1) * blocks * BLAKE3_BLOCK;
        counter_low[i] = (uint32_t)number;
        counter_high[i] = (uint32_t)(number >> 32);
    }
    for (size_t i = 0; i < 8; i++)
        cv[i] = words_of(key[i]);
    for (size_t b = 0; b < blocks; b++) {
        words m[16];
        load_words(m, input, b * BLAKE3_BLOCK);
        compress_words(cv, m, counter_low, counter_high, mode | blake3_flags(b, blocks));
    }
    for (size_t i = 0; i < n; i++)
        for (size_t word = 0; word < 8; word++)
            cvs[8 * i + word] = cv[word][i];
}

static void blake3_many(const uint8_t *x, size_t n, size_t blocks, uint64_t counter,
                        const uint32_t *key, uint32_t mode, uint32_t *cvs)
{
    for (size_t i = 0; i < n; i += BLAKE3_LANES)
        blake3_group(x + i * blocks * BLAKE3_BLOCK, n - i < BLAKE3_LANES ? n - i : BLAKE3_LANES,
                     blocks, counter + i, key, mode, cvs + 8 * i);
}

#endif
