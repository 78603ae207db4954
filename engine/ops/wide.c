/* wide.c -- exact sums of integers. */
#include "ops/wide.h"

#include "ops/elements.h"

__extension__ typedef unsigned __int128 uwide;

/* A leaf of i32 fits in 64 bits. Of i64 the kernels give the sum modulo 2^64, and that of the upper
 * halves of x + 2^63, which is not negative; the lower halves' then follows, for it is below 2^45. */
static wide leaf_sum(const struct op_call *call, const unsigned char *x, size_t n)
{
    const enum kernel_dtype t = elements_kernel(call);
    uint64_t sum;
    uint64_t upper;
    call->kernels->sum[t](x, x, 0, n, &sum);
    if (t == KERNEL_I32)
        return (wide)(int64_t)sum;
    call->kernels->upper(x, x, 0, n, &upper);
    uint64_t offset = (uint64_t)n << 63; /* n * 2^63, modulo 2^64 */
    uint64_t lower = sum + offset - (upper << 32);
    return (wide)(((uwide)upper << 32) + lower) - (wide)((uwide)n << 63);
}

wide wide_sum(const struct op_call *call, uint64_t first, uint64_t count)
{
    const size_t element = sheaf_dtype_size((sheaf_dtype)call->arrays[0].dtype);
    size_t n;
    const unsigned char *x = elements_run(call, first, count, &n);
    wide total = 0;
    for (size_t begin = 0; begin < n; begin += KERNEL_SUM_LEAF) {
        size_t here = n - begin < KERNEL_SUM_LEAF ? n - begin : KERNEL_SUM_LEAF;
        total += leaf_sum(call, x + begin * element, here);
    }
    return total;
}

/* As a number in base 2^64, digit by digit, until 64 bits that count are there; whether anything is
 * left is the last of them, which is below what a double has, so that the one conversion rounds right. */
double wide_divide(wide sum, uint64_t n)
{
    uwide rest = sum < 0 ? -(uwide)sum : (uwide)sum;
    if (rest == 0)
        return 0;
    /* |sum| <= n * 2^63, so the first digit is its integer part. */
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
    double value = (double)top;
    for (exponent += shift; exponent < 0; exponent += 32) /* a power of two: exact */
        value *= exponent <= -32 ? 0x1p-32 : 1 / (double)(UINT64_C(1) << -exponent);
    return sum < 0 ? -value : value;
}
