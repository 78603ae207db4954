/* half.h -- f16 (IEEE 754 binary16) and bf16 (the upper half of an f32) as floats: exact, and a NaN stays
 * one; and what else tells them apart for templates. */
#ifndef SHEAF_KERNELS_HALF_H
#define SHEAF_KERNELS_HALF_H

#include <stdint.h>
#include <string.h>

/* How far the exponent and the fraction of such a word, at the upper end of a double's bits, are from their places; what
 * such a double is to be multiplied by then; the bits of an infinity and of the canonical NaN. */
#define HALF_SHIFT_f16  6
#define HALF_SHIFT_bf16 3
#define HALF_SCALE_f16  0x1p1008
#define HALF_SCALE_bf16 0x1p896
enum {
    HALF_INFINITE_f16 = 0x7c00,
    HALF_INFINITE_bf16 = 0x7f80,
    HALF_NAN_f16 = 0x7e00,
    HALF_NAN_bf16 = 0x7fc0
};

static inline float float_of_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* With the exponent's bias changed by a product, which is exact and makes denormal numbers normal;
 * infinities and NaNs get their exponent back. */
static inline float from_f16(uint16_t x)
{
    uint32_t bits;
    uint32_t magnitude = x & 0x7fffU;
    float value = float_of_bits(magnitude << 13) * 0x1p112F;
    memcpy(&bits, &value, sizeof bits);
    bits |= magnitude >= 0x7c00 ? 0x7f800000U : 0;
    return float_of_bits(bits | (x & 0x8000U) << 16);
}

static inline float from_bf16(uint16_t x)
{
    return float_of_bits((uint32_t)x << 16);
}

#endif
