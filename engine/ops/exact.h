/* exact.h -- an accumulator that holds every sum of doubles exactly.
 *
 *     digit     0       1       2    ..    67
 *     weight  2^-1075 2^-1043 2^-1011 ..  2^1069       each is an i64 that holds 32 bits and carries
 *
 * A double has at most 53 bits, so it is added to three digits; carries are passed on now and then. Runs of
 * elements are added by a kernel.
 * Source: Neal, "Fast Exact Summation Using Small and Large Superaccumulators", 2015. */
#ifndef SHEAF_OPS_EXACT_H
#define SHEAF_OPS_EXACT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels.h"

enum { EXACT_DIGITS = KERNEL_EXACT_DIGITS, EXACT_WORDS = EXACT_DIGITS / 2 };
enum { EXACT_NAN = 1, EXACT_PLUS_INFINITY = 2, EXACT_MINUS_INFINITY = 4 };

struct exact {
    int64_t digit[EXACT_DIGITS];
    uint64_t specials; /* which have been met */
    uint64_t added;    /* since carries were passed on: at most 2^28 */
};

/* The same as plain bytes: a number in two's complement, the least word first. */
struct exact_words {
    uint64_t word[EXACT_WORDS];
    uint64_t specials;
};

void exact_clear(struct exact *exact);
void exact_add(struct exact *exact, double x);

/* The digits, for a kernel that adds at most n elements to them. */
int64_t *exact_digits(struct exact *exact, size_t n);

void exact_store(struct exact_words *out, struct exact *exact);
void exact_merge(struct exact_words *out, const struct exact_words *a, const struct exact_words *b);

/* The sum, rounded once to nearest, ties to even: to an f64; for a narrower float, to what rounds to the
 * same one as the sum itself. A zero is +0; infinities of both signs are a NaN. */
double exact_round(const struct exact_words *exact, bool is_narrower);

#endif
