/* words.h -- registers of 32-bit words, each lane another input, for hashes that work on words.
 *
 *     input 0  w0 w1 .. w15            r[0]  = w0 of input 0, 1, 2, ..
 *     input 1  w0 w1 .. w15     ->     r[1]  = w1 of input 0, 1, 2, ..
 *     ..                               ..
 *
 * Not for plain scalars (VBYTES 8), which go input by input. */
#ifndef SHEAF_KERNELS_WORDS_H
#define SHEAF_KERNELS_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are loaded as they lie");

#if VBYTES >= 16

enum { WORDS = VBYTES / 4 };
typedef uint32_t words __attribute__((vector_size(VBYTES)));

/* The first and the second half of a and b, lane by lane in turn. Clang and GCC before 12 have no
 * common name for it. */
#if VBYTES == 64
#define FIRST_HALVES  0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define SECOND_HALVES 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif VBYTES == 32
#define FIRST_HALVES  0, 8, 1, 9, 2, 10, 3, 11
#define SECOND_HALVES 4, 12, 5, 13, 6, 14, 7, 15
#else
#define FIRST_HALVES  0, 4, 1, 5
#define SECOND_HALVES 2, 6, 3, 7
#endif
#ifdef __clang__
#define INTERLEAVE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define INTERLEAVE(a, b, ...) __builtin_shuffle(a, b, (words){__VA_ARGS__})
#endif

/* Inlined always: only then schedules are constants, and words stay in registers (GCC 12 left BLAKE3's
 * rounds as calls, at half the speed). */
#define WORDS_INLINE static inline __attribute__((always_inline))

/* Rows become columns. A round doubles the row's and the column's numbers, the highest bit of each
 * becoming the lowest of the other; after log2(lanes) rounds they have changed places. */
WORDS_INLINE void transpose_words(words r[WORDS])
{
    for (size_t round = 1; round < WORDS; round *= 2) {
        words t[WORDS];
        for (size_t i = 0; i < WORDS / 2; i++) {
            t[2 * i] = INTERLEAVE(r[i], r[i + WORDS / 2], FIRST_HALVES);
            t[2 * i + 1] = INTERLEAVE(r[i], r[i + WORDS / 2], SECOND_HALVES);
        }
        memcpy(r, t, sizeof t);
    }
}

/* Sixteen words at input[lane] + offset, of every lane. */
WORDS_INLINE void load_words(words r[16], const uint8_t *const input[WORDS], size_t offset)
{
    for (size_t part = 0; part < 16; part += WORDS) {
        for (size_t i = 0; i < WORDS; i++)
            memcpy(&r[part + i], input[i] + offset + 4 * part, sizeof r[0]);
        transpose_words(r + part);
    }
}

WORDS_INLINE words words_of(uint32_t word)
{
    return word - (words){0};
}

WORDS_INLINE words rotate_words(words x, int bits)
{
    return x >> bits | x << (32 - bits);
}

#endif
#endif
