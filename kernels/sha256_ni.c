/* sha256_ni.c -- SHA-256's compression function with the x86 SHA extensions.
 *
 * Source: FIPS 180-4, 6.2.2, and "Intel SHA Extensions" (Gulley, Gopal, Yap, Feghali, Guilford, Wolrich
 * 2013). The state is held as two registers, words a b e f and c d g h, high to low; one instruction
 * does two rounds. CMake compiles this file with -msha -msse4.1. */
#include "sha256.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#include "sha256_constants.h"

bool sheaf_sha256_has_ni(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (b & 1U << 29) == 0)
        return false;
    return __builtin_cpu_supports("sse4.1");
}

/* How many messages go side by side: two rounds wait 4 cycles for the two before, and others can start after
 * 2. Zen 4: a block of one message takes 45 ns, of one after the other 31, of two side by side 21; in AVX2's
 * lanes it takes 59. */
enum { SIDE_BY_SIDE = 2 };

struct sha256_state {
    __m128i abef_u32x4, cdgh_u32x4;
};

static inline struct sha256_state load_state(const uint32_t state[8])
{
    const __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
    const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
    return (struct sha256_state){_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0)};
}

static inline void store_state(uint32_t state[8], struct sha256_state s)
{
    const __m128i feba = _mm_shuffle_epi32(s.abef_u32x4, 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(s.cdgh_u32x4, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* One block, at x, x + 64, .., of each of n messages. */
__attribute__((always_inline)) static inline void compress(struct sha256_state *s, const uint8_t *x,
                                                           size_t n)
{
    const __m128i big_endian =
        _mm_set_epi64x((int64_t)0x0c0d0e0f08090a0b, (int64_t)0x0405060700010203);
    struct sha256_state before[SIDE_BY_SIDE];
    __m128i w_u32x4[SIDE_BY_SIDE][4];
    for (size_t m = 0; m < n; m++) {
        const __m128i *block = (const __m128i *)(x + m * SHA256_BLOCK);
        before[m] = s[m];
        for (size_t i = 0; i < 4; i++)
            w_u32x4[m][i] = _mm_shuffle_epi8(_mm_loadu_si128(block + i), big_endian);
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < 16; i++) /* four rounds each */
#pragma GCC unroll 2
        for (size_t m = 0; m < n; m++) {
            __m128i *w = &w_u32x4[m][i % 4];
            __m128i next = w_u32x4[m][(i + 1) % 4];
            __m128i third = w_u32x4[m][(i + 2) % 4];
            __m128i last = w_u32x4[m][(i + 3) % 4];
            __m128i k =
                _mm_add_epi32(*w, _mm_loadu_si128((const __m128i *)(sha256_round_words + 4 * i)));
            s[m].cdgh_u32x4 = _mm_sha256rnds2_epu32(s[m].cdgh_u32x4, s[m].abef_u32x4, k);
            s[m].abef_u32x4 =
                _mm_sha256rnds2_epu32(s[m].abef_u32x4, s[m].cdgh_u32x4, _mm_shuffle_epi32(k, 0x0e));
            *w = _mm_sha256msg2_epu32(
                _mm_add_epi32(_mm_sha256msg1_epu32(*w, next), _mm_alignr_epi8(last, third, 4)),
                last);
        }
    for (size_t m = 0; m < n; m++) {
        s[m].abef_u32x4 = _mm_add_epi32(s[m].abef_u32x4, before[m].abef_u32x4);
        s[m].cdgh_u32x4 = _mm_add_epi32(s[m].cdgh_u32x4, before[m].cdgh_u32x4);
    }
}

void sheaf_sha256_ni(uint32_t state[8], const uint8_t *x, size_t blocks)
{
    struct sha256_state s = load_state(state);
    for (; blocks > 0; blocks--, x += SHA256_BLOCK)
        compress(&s, x, 1);
    store_state(state, s);
}

void sheaf_sha256_many_ni(uint32_t *states, const uint8_t *x, size_t n)
{
    for (; n >= SIDE_BY_SIDE; n -= SIDE_BY_SIDE) {
        struct sha256_state s[SIDE_BY_SIDE] = {load_state(states), load_state(states + 8)};
        compress(s, x, SIDE_BY_SIDE);
        store_state(states, s[0]);
        store_state(states + 8, s[1]);
        states += 8 * SIDE_BY_SIDE;
        x += SHA256_BLOCK * SIDE_BY_SIDE;
    }
    if (n > 0)
        sheaf_sha256_ni(states, x, 1);
}

#else

bool sheaf_sha256_has_ni(void)
{
    return false;
}

void sheaf_sha256_ni(uint32_t state[8], const uint8_t *x, size_t blocks)
{
    sheaf_sha256_portable(state, x, blocks);
}

void sheaf_sha256_many_ni(uint32_t *states, const uint8_t *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sheaf_sha256_portable(states + 8 * i, x + SHA256_BLOCK * i, 1);
}

#endif
