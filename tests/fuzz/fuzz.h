/* fuzz.h -- what a fuzzer gives: libFuzzer's entry point, and the inputs to start from. */
#ifndef SHEAF_TESTS_FUZZ_H
#define SHEAF_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

enum { FUZZ_INPUT_BYTES = 16384 };

/* One input. Aborts if something is wrong. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes input i to start from, FUZZ_INPUT_BYTES at most. Returns its bytes; 0 after the last. */
size_t fuzz_seed(size_t i, uint8_t *to);

#endif
