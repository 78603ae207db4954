/* golden.h -- the lines of golden/reduce.txt, and the data they were computed from. */
#ifndef SHEAF_TESTS_GOLDEN_H
#define SHEAF_TESTS_GOLDEN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <sheaf/dtype.h>

struct golden {
    char op[8];
    sheaf_dtype dtype;
    size_t n;
    unsigned long long seed;
    uint64_t bits; /* of the result: i64 for a sum of integers, else of dtype */
};

/* Reads the next line; false at the end of the file. A line that is none fails the test. */
bool golden_next(struct golden *out, FILE *file);

/* Draws the n elements of a line, as golden/make_golden.py says. */
void golden_fill(void *x, sheaf_dtype dtype, size_t n, unsigned long long seed);

#endif
