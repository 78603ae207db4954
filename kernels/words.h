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

#if (VBYTES == 32 && defined(__AVX2__)) || (VBYTES == 64 && defined(__AVX512F__))
#include <immintrin.h>
#endif

#if VBYTES >= 16

enum { WORDS = VBYTES / 4 };
typedef uint32_t words __attribute__((vector_size(VBYTES)));
typedef words words_anywhere __attribute__((aligned(1), may_alias)); /* to load from bytes */

/* Of a and b in turn: the first and the second half of each quad's words (128 bits are a quad); the first
 * and the second half of the quads. Those that stay in their quad are the cheap ones. */
#if VBYTES == 64
#define QUADS        4
#define FIRST_WORDS  0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29
#define SECOND_WORDS 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31
#define FIRST_QUADS  0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23
#define SECOND_QUADS 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31
#elif VBYTES == 32
#define QUADS        2
#define FIRST_WORDS  0, 8, 1, 9, 4, 12, 5, 13
#define SECOND_WORDS 2, 10, 3, 11, 6, 14, 7, 15
#define FIRST_QUADS  0, 1, 2, 3, 8, 9, 10, 11
#define SECOND_QUADS 4, 5, 6, 7, 12, 13, 14, 15
#else
#define QUADS        1
#define FIRST_WORDS  0, 4, 1, 5
#define SECOND_WORDS 2, 6, 3, 7
#endif

/* The same four indices in each of 1, 2, 4 quads. */
#define IN_QUADS_1(a, b, c, d) a, b, c, d
#define IN_QUADS_2(a, b, c, d) IN_QUADS_1(a, b, c, d), IN_QUADS_1(a + 4, b + 4, c + 4, d + 4)
#define IN_QUADS_4(a, b, c, d) IN_QUADS_2(a, b, c, d), IN_QUADS_2(a + 8, b + 8, c + 8, d + 8)

/* GCC before 12 and Clang have no common name for it. */
#ifdef __clang__
#define SHUFFLE(type, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(type, a, b, ...) __builtin_shuffle(a, b, (type){__VA_ARGS__})
#endif

/* Inlined always: only then schedules are constants, and words stay in registers (GCC 12 left BLAKE3's
 * rounds as calls, at half the speed). */
#define WORDS_INLINE static inline __attribute__((always_inline))

/* Register a's quad b becomes register b's quad a. A round doubles both numbers, the highest bit of each
 * becoming the lowest of the other; after log2(QUADS) of them they have changed places. */
WORDS_INLINE void transpose_quads(words r[QUADS])
{
#if VBYTES > 16
    for (size_t round = 1; round < QUADS; round *= 2) {
        words t[QUADS];
        for (size_t i = 0; i < QUADS / 2; i++) {
            t[2 * i] = SHUFFLE(words, r[i], r[i + QUADS / 2], FIRST_QUADS);
            t[2 * i + 1] = SHUFFLE(words, r[i], r[i + QUADS / 2], SECOND_QUADS);
        }
        memcpy(r, t, sizeof t);
    }
#else
    (void)r;
#endif
}

/* The 16 bytes there, in each quad. */
WORDS_INLINE words quad_everywhere(const void *quad)
{
#if VBYTES == 32 && defined(__AVX2__)
    return (words)_mm256_broadcastsi128_si256(_mm_loadu_si128(quad));
#elif VBYTES == 64 && defined(__AVX512F__)
    return (words)_mm512_broadcast_i32x4(_mm_loadu_si128(quad));
#else
    words all;
    for (size_t i = 0; i < QUADS; i++)
        memcpy((uint8_t *)&all + 16 * i, quad, 16);
    return all;
#endif
}

#if VBYTES == 32
/* Two places' 16 bytes, in a quad each. What is loaded into both quads and blended asks nothing of the
 * ports that shuffle; inserted quads do. */
WORDS_INLINE words load_two_quads(const void *first, const void *second)
{
#if defined(__AVX2__)
    return (words)_mm256_blend_epi32(_mm256_castsi128_si256(_mm_loadu_si128(first)),
                                     (__m256i)quad_everywhere(second), 0xf0);
#else
    words both;
    memcpy(&both, first, 16);
    memcpy((uint8_t *)&both + 16, second, 16);
    return both;
#endif
}

WORDS_INLINE void store_two_quads(void *first, void *second, words both)
{
    memcpy(first, &both, 16);
#if defined(__AVX2__)
    _mm_storeu_si128(second, _mm256_extracti128_si256((__m256i)both, 1));
#else
    memcpy(second, (const uint8_t *)&both + 16, 16);
#endif
}
#endif

/* Quad i of input 0, step, 2 * step, .., to register i. */
WORDS_INLINE void load_quads(words r[QUADS], const uint8_t *const *input, size_t step,
                             size_t offset)
{
    for (size_t i = 0; i < QUADS; i++)
#if VBYTES == 32 && defined(__AVX2__)
        r[i] = (words)_mm256_inserti128_si256(
            _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(input[0] + offset) + i)),
            _mm_loadu_si128((const __m128i *)(input[step] + offset) + i), 1);
#else
        r[i] = *(const words_anywhere *)(input[i * step] + offset);
    transpose_quads(r);
#endif
}

/* Register a's word b of each quad becomes register b's word a of that quad. */
WORDS_INLINE void transpose_in_quads(words r[4])
{
    for (size_t round = 0; round < 2; round++) {
        words t[4];
        for (size_t i = 0; i < 2; i++) {
            t[2 * i] = SHUFFLE(words, r[i], r[i + 2], FIRST_WORDS);
            t[2 * i + 1] = SHUFFLE(words, r[i], r[i + 2], SECOND_WORDS);
        }
        memcpy(r, t, sizeof t);
    }
}

/* Rows become columns. */
WORDS_INLINE void transpose_words(words r[WORDS])
{
    for (size_t row = 0; row < 4; row++) {
        words t[QUADS];
        for (size_t i = 0; i < QUADS; i++)
            t[i] = r[4 * i + row];
        transpose_quads(t);
        for (size_t i = 0; i < QUADS; i++)
            r[4 * i + row] = t[i];
    }
    for (size_t i = 0; i < QUADS; i++)
        transpose_in_quads(r + 4 * i);
}

/* Sixteen words at input[lane] + offset, of every lane. */
WORDS_INLINE void load_words(words r[16], const uint8_t *const input[WORDS], size_t offset)
{
    for (size_t part = 0; part < 16; part += WORDS) {
        for (size_t lane = 0; lane < 4; lane++) {
            words t[QUADS];
            load_quads(t, input + lane, 4, offset + 4 * part);
            for (size_t i = 0; i < QUADS; i++)
                r[part + 4 * i + lane] = t[i];
        }
        for (size_t i = 0; i < QUADS; i++)
            transpose_in_quads(r + part + 4 * i);
    }
}

/* Eight words of each of the first n lanes, to out. */
WORDS_INLINE void store_words(uint32_t *out, const words r[8], size_t n)
{
    for (size_t part = 0; part < 8; part += WORDS) {
        words t[WORDS];
        for (size_t i = 0; i < WORDS; i++)
            t[i] = r[part + i % 8];
        transpose_words(t);
        for (size_t lane = 0; lane < n; lane++)
            memcpy(out + 8 * lane + part, &t[lane], WORDS < 8 ? sizeof t[0] : 32);
    }
}

/* 0, 1, 2, .. */
WORDS_INLINE words lane_numbers(void)
{
    words numbers;
    for (uint32_t i = 0; i < WORDS; i++)
        numbers[i] = i;
    return numbers;
}

WORDS_INLINE words words_of(uint32_t word)
{
    return word - (words){0};
}

#if VBYTES == 32 && defined(__AVX2__)
/* One shuffle of bytes where there is no rotation (AVX-512 has one). In asm, for the mask to stay in memory: it
 * would take a register from BLAKE3's sixteen words. */
#define TWICE(...)                                                                                 \
    {                                                                                              \
        __VA_ARGS__, __VA_ARGS__                                                                   \
    }
static const uint8_t turn_1[32] __attribute__((aligned(32))) =
    TWICE(1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
static const uint8_t turn_2[32] __attribute__((aligned(32))) =
    TWICE(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
WORDS_INLINE words turn_bytes(words x, const uint8_t mask[32])
{
    words turned;
    __asm__("vpshufb %2, %1, %0" : "=x"(turned) : "x"(x), "m"(*(const words *)mask));
    return turned;
}
#endif

/* To the right. */
WORDS_INLINE words rotate_words(words x, int bits)
{
#if VBYTES == 32 && defined(__AVX2__)
    if (bits == 8 || bits == 16)
        return turn_bytes(x, bits == 8 ? turn_1 : turn_2);
#endif
    return x >> bits | x << (32 - bits);
}

#endif
#endif
