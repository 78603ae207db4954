/* drive.c -- mutates a fuzzer's seeds by a fixed sequence: the everyday run of what libFuzzer runs for
 * hours. Usage: PROGRAM [ROUNDS] */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../check.h"

static size_t mutate(uint8_t *data, size_t size, unsigned long long *state)
{
    static const uint8_t edges[] = {0,   1,   0x7f, 0x80, 0xff, '\'', '{',
                                    '}', '(', ')',  ',',  ' ',  '9'};
    size_t at = size > 0 ? (size_t)(check_random(state) % size) : 0;
    size_t count = (size_t)(check_random(state) % 9);
    switch (check_random(state) % 6) {
    case 0: /* a bit */
        if (size > 0)
            data[at] ^= (uint8_t)(1u << (check_random(state) % 8));
        return size;
    case 1: /* a byte that is often special */
        if (size > 0)
            data[at] = edges[check_random(state) % sizeof edges];
        return size;
    case 2: /* a run of one byte */
        for (size_t i = at; i < size && i < at + count; i++)
            data[i] = edges[check_random(state) % sizeof edges];
        return size;
    case 3: /* the end cut off */
        return at;
    case 4: /* some bytes out of the middle */
        count = count < size - at ? count : size - at;
        memmove(data + at, data + at + count, size - at - count);
        return size - count;
    default: /* some bytes twice */
        if (size + count > FUZZ_INPUT_BYTES || count > size - at)
            return size;
        memmove(data + at + count, data + at, size - at);
        return size + count;
    }
}

int main(int argc, char **argv)
{
    static uint8_t data[FUZZ_INPUT_BYTES];
    unsigned long long state = 1;
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 4000;
    size_t seeds = 0;
    while (fuzz_seed(seeds, data) > 0)
        seeds++;
    CHECK(seeds > 0);
    for (long round = 0; round < rounds; round++) {
        size_t size = fuzz_seed((size_t)(check_random(&state) % seeds), data);
        for (unsigned long long n = check_random(&state) % 5; n > 0; n--)
            size = mutate(data, size, &state);
        LLVMFuzzerTestOneInput(data, size);
    }
    printf("%ld inputs from %zu seeds passed\n", rounds, seeds);
    return 0;
}
