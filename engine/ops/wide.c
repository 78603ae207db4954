/* wide.c -- exact sums of integers. */
#include "ops/wide.h"

__extension__ typedef unsigned __int128 uwide;

/* Elements of 32 bits: the sum fits in 64. Of those of 64 bits the kernels give the sum modulo 2^64, and
 * that of the upper halves (of i64 those of x + 2^63, which is not negative); the lower halves' then
 * follows, for a run is short enough to keep it below 2^47. */
wide wide_sum(const struct elements *e, const struct run *run)
{
    uint64_t sum;
    uint64_t upper;
    e->kernels->sum[e->type](run->x, run->x, 0, run->n, &sum);
    if (e->type == KERNEL_I32)
        return (wide)(int64_t)sum;
    e->kernels->upper[e->type](run->x, run->x, 0, run->n, &upper);
    uwide offset = e->type == KERNEL_I64 ? (uwide)run->n << 63 : 0;
    uint64_t lower = sum + (uint64_t)offset - (upper << 32);
    return (wide)(((uwide)upper << 32) + lower) - (wide)offset;
}

/* As a number in base 2^64, digit by digit, until 64 bits that count are there; whether anything is
 * left is the last of them, which is below what a double has, so that the one conversion rounds right. For a
 * narrower float 53 bits are kept, of which the last says the same. */
double wide_divide(wide sum, uint64_t n, sheaf_dtype result)
{
    uwide rest = sum < 0 ? -(uwide)sum : (uwide)sum;
    if (rest == 0)
        return 0;
    /* |sum| < n * 2^64, so the first digit is its integer part. */
    uwide digits = rest / n;
    int exponent = 0;
    rest %= n;
    while (digits >> 64 == 0) {
        digits = digits << 64 | (rest << 64) / n;
        rest = (rest << 64) % n;
        exponent -= 64;
    }
    int shift = 64 - __builtin_clzll((uint64_t)(digits >> 64));
    uint64_t top = (uint64_t)(digits >> shift);
    if (rest != 0 || digits << (128 - shift) != 0)
        top |= 1;
    if (result != SHEAF_F64) {
        bool is_more = (top & 0x7ff) != 0;
        top = (top & ~UINT64_C(0x7ff)) | (is_more ? 0x800 : 0);
    }
    double value = (double)top;
    for (exponent += shift; exponent < 0; exponent += 32) /* a power of two: exact */
        value *= exponent <= -32 ? 0x1p-32 : 1 / (double)(UINT64_C(1) << -exponent);
    return sum < 0 ? -value : value;
}
