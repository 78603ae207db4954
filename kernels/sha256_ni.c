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

void sheaf_sha256_ni(uint32_t state[8], const uint8_t *x, size_t blocks)
{
    const __m128i big_endian =
        _mm_set_epi64x((int64_t)0x0c0d0e0f08090a0b, (int64_t)0x0405060700010203);
    const __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
    const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
    __m128i abef_u32x4 = _mm_alignr_epi8(cdab, efgh, 8);
    __m128i cdgh_u32x4 = _mm_blend_epi16(efgh, cdab, 0xf0);
    for (; blocks > 0; blocks--, x += SHA256_BLOCK) {
        __m128i abef_before = abef_u32x4;
        __m128i cdgh_before = cdgh_u32x4;
        __m128i w_u32x4[4];
        for (size_t i = 0; i < 4; i++)
            w_u32x4[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)x + i), big_endian);
#pragma GCC unroll 16
        for (size_t i = 0; i < 16; i++) { /* four rounds each */
            __m128i *w = &w_u32x4[i % 4];
            __m128i next = w_u32x4[(i + 1) % 4];
            __m128i third = w_u32x4[(i + 2) % 4];
            __m128i last = w_u32x4[(i + 3) % 4];
            __m128i k =
                _mm_add_epi32(*w, _mm_loadu_si128((const __m128i *)(sha256_round_words + 4 * i)));
            cdgh_u32x4 = _mm_sha256rnds2_epu32(cdgh_u32x4, abef_u32x4, k);
            abef_u32x4 = _mm_sha256rnds2_epu32(abef_u32x4, cdgh_u32x4, _mm_shuffle_epi32(k, 0x0e));
            *w = _mm_sha256msg2_epu32(
                _mm_add_epi32(_mm_sha256msg1_epu32(*w, next), _mm_alignr_epi8(last, third, 4)),
                last);
        }
        abef_u32x4 = _mm_add_epi32(abef_u32x4, abef_before);
        cdgh_u32x4 = _mm_add_epi32(cdgh_u32x4, cdgh_before);
    }
    const __m128i feba = _mm_shuffle_epi32(abef_u32x4, 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(cdgh_u32x4, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
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

#endif
