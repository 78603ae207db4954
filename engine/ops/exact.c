/* exact.c -- the accumulator: adding, carrying, rounding. */
#include "ops/exact.h"

#include <stdbool.h>
#include <string.h>

__extension__ typedef unsigned __int128 uwide;

enum { CARRY_EVERY = 1 << 28, BIAS = 1075, WORD_BITS = 64 };

void exact_clear(struct exact *exact)
{
    memset(exact, 0, sizeof *exact);
}

/* Every digit but the last gets below 2^32; the last has the sign. */
static void carry(struct exact *exact)
{
    for (size_t i = 0; i + 1 < EXACT_DIGITS; i++) {
        exact->digit[i + 1] += exact->digit[i] >> 32; /* rounds down, also below 0 */
        exact->digit[i] &= 0xffffffff;
    }
    exact->added = 0;
}

void exact_add(struct exact *exact, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    bool is_negative = bits >> 63;
    unsigned exponent = bits >> 52 & 0x7ff;
    uint64_t fraction = bits & 0xfffffffffffff;
    if (exponent == 0x7ff) {
        exact->specials |= fraction != 0 ? EXACT_NAN
                           : is_negative ? EXACT_MINUS_INFINITY
                                         : EXACT_PLUS_INFINITY;
        return;
    }
    if (exponent > 0)
        fraction |= UINT64_C(1) << 52;
    unsigned place = exponent > 0 ? exponent : 1; /* of the last bit, in units of 2^-1075 */
    uwide shifted = (uwide)fraction << place % 32;
    int64_t *digit = exact->digit + place / 32;
    for (size_t i = 0; i < 3; i++, shifted >>= 32) {
        int64_t part = (int64_t)(shifted & 0xffffffff);
        digit[i] += is_negative ? -part : part;
    }
    if (++exact->added == CARRY_EVERY)
        carry(exact);
}

int64_t *exact_digits(struct exact *exact, size_t n)
{
    if (exact->added + n > CARRY_EVERY)
        carry(exact);
    exact->added += n;
    return exact->digit;
}

void exact_store(struct exact_words *out, struct exact *exact)
{
    carry(exact);
    for (size_t i = 0; i < EXACT_WORDS; i++)
        out->word[i] = (uint64_t)exact->digit[2 * i] | (uint64_t)exact->digit[2 * i + 1] << 32;
    out->specials = exact->specials;
}

void exact_merge(struct exact_words *out, const struct exact_words *a, const struct exact_words *b)
{
    uwide sum = 0;
    for (size_t i = 0; i < EXACT_WORDS; i++) {
        sum += (uwide)a->word[i] + b->word[i];
        out->word[i] = (uint64_t)sum;
        sum >>= WORD_BITS;
    }
    out->specials = a->specials | b->specials;
}

/* What an infinity or a NaN among the elements makes of the sum. False if there was none. */
static bool round_specials(double *out, uint64_t specials)
{
    if (specials == 0)
        return false;
    *out = specials == EXACT_PLUS_INFINITY    ? __builtin_inf()
           : specials == EXACT_MINUS_INFINITY ? -__builtin_inf()
                                              : __builtin_nan("");
    return true;
}

/* The magnitude's upper 64 bits from its first one on, those below it as a sticky last bit, and what
 * the last stands for: 2^*exponent. 0 if the sum is 0. */
static uint64_t leading_bits(const struct exact_words *exact, bool *is_negative, int *exponent)
{
    uint64_t word[EXACT_WORDS];
    size_t top = EXACT_WORDS;
    *is_negative = exact->word[EXACT_WORDS - 1] >> 63;
    uint64_t borrow = *is_negative;
    for (size_t i = 0; i < EXACT_WORDS; i++) { /* -x is ~x + 1 */
        word[i] = (*is_negative ? ~exact->word[i] : exact->word[i]) + borrow;
        borrow = borrow && word[i] == 0;
    }
    while (top > 0 && word[top - 1] == 0)
        top--;
    if (top == 0)
        return 0;
    if (top == 1) { /* as it is: nothing lies below it */
        *exponent = -BIAS;
        return word[0];
    }
    int shift = __builtin_clzll(word[top - 1]);
    uwide two = (uwide)word[top - 1] << WORD_BITS | word[top - 2];
    uint64_t bits = (uint64_t)(two >> (WORD_BITS - shift));
    bool is_sticky = (uint64_t)two << shift != 0;
    for (size_t i = 0; i + 2 < top; i++)
        is_sticky |= word[i] != 0;
    *exponent = (int)(top - 1) * WORD_BITS - shift - BIAS;
    return bits | is_sticky;
}

static double power_of_2(int exponent)
{
    uint64_t bits = (uint64_t)(1023 + exponent) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/* x * 2^exponent. Exact, or an infinity: x has few enough bits for where it ends. */
static double scale(double x, int exponent)
{
    for (; exponent > 512; exponent -= 512)
        x *= 0x1p512;
    for (; exponent < -512; exponent += 512)
        x *= 0x1p-512;
    return x * power_of_2(exponent);
}

/* For a narrower float 53 bits are cut off, exact in a double, the last of them sticky. */
double exact_round(const struct exact_words *exact, bool is_narrower)
{
    bool is_negative;
    int exponent = 0;
    double value;
    if (round_specials(&value, exact->specials))
        return value;
    uint64_t bits = leading_bits(exact, &is_negative, &exponent);
    if (is_narrower && (bits & 0x7ff) != 0 && bits >> 53 != 0)
        bits = (bits & ~UINT64_C(0x7ff)) | 0x800;
    value = scale((double)bits, exponent);
    return is_negative ? -value : value;
}
