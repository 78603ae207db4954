/* blake3_scalar.h -- BLAKE3's compression function in plain C: the reference.
 *
 * Source: O'Connor, Aumasson, Neves, Wilcox-O'Hearn, "BLAKE3: one function, fast everywhere", 2.2:
 * sixteen words, seven rounds; a round mixes the columns, then the diagonals. */
#ifndef SHEAF_KERNELS_BLAKE3_SCALAR_H
#define SHEAF_KERNELS_BLAKE3_SCALAR_H

#include "blake3_schedule.h"

static inline uint32_t load_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint32_t rotate_word(uint32_t x, unsigned bits)
{
    return x >> bits | x << (32 - bits);
}

static inline __attribute__((always_inline)) void mix(uint32_t v[16], int a, int b, int c, int d,
                                                      uint32_t x, uint32_t y)
{
    v[a] += v[b] + x;
    v[d] = rotate_word(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = rotate_word(v[b] ^ v[c], 12);
    v[a] += v[b] + y;
    v[d] = rotate_word(v[d] ^ v[a], 8);
    v[c] += v[d];
    v[b] = rotate_word(v[b] ^ v[c], 7);
}

static inline __attribute__((always_inline)) void mix_round(uint32_t v[16], const uint32_t m[16],
                                                            const uint8_t word[16])
{
    mix(v, 0, 4, 8, 12, m[word[0]], m[word[1]]);
    mix(v, 1, 5, 9, 13, m[word[2]], m[word[3]]);
    mix(v, 2, 6, 10, 14, m[word[4]], m[word[5]]);
    mix(v, 3, 7, 11, 15, m[word[6]], m[word[7]]);
    mix(v, 0, 5, 10, 15, m[word[8]], m[word[9]]);
    mix(v, 1, 6, 11, 12, m[word[10]], m[word[11]]);
    mix(v, 2, 7, 8, 13, m[word[12]], m[word[13]]);
    mix(v, 3, 4, 9, 14, m[word[14]], m[word[15]]);
}

static void blake3_one(uint32_t *state, const uint8_t *block, uint32_t block_bytes,
                       uint64_t counter, uint32_t flags)
{
    uint32_t m[16];
    uint32_t v[16];
    for (size_t i = 0; i < 16; i++)
        m[i] = load_le32(block + 4 * i);
    memcpy(v, state, 8 * sizeof v[0]);
    memcpy(v + 8, sheaf_blake3_iv, 4 * sizeof v[0]);
    v[12] = (uint32_t)counter;
    v[13] = (uint32_t)(counter >> 32);
    v[14] = block_bytes;
    v[15] = flags;

    /* Seven calls, not a loop: then the schedule is constants, and the words stay in registers. */
    mix_round(v, m, blake3_schedule[0]);
    mix_round(v, m, blake3_schedule[1]);
    mix_round(v, m, blake3_schedule[2]);
    mix_round(v, m, blake3_schedule[3]);
    mix_round(v, m, blake3_schedule[4]);
    mix_round(v, m, blake3_schedule[5]);
    mix_round(v, m, blake3_schedule[6]);

    for (size_t i = 0; i < 8; i++) {
        uint32_t cv = state[i];
        state[i] = v[i] ^ v[i + 8];
        state[i + 8] = v[i + 8] ^ cv;
    }
}

#endif
