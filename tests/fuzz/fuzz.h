/* fuzz.h -- what a fuzzer gives: libFuzzer's entry point, and the inputs to start from. */
#ifndef SHEAF_TESTS_FUZZ_H
#define SHEAF_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <sheaf/array.h>

enum { FUZZ_INPUT_BYTES = 16384 };

/* One input. Aborts if something is wrong. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes input i to start from, FUZZ_INPUT_BYTES at most. Returns its bytes; 0 after the last. */
size_t fuzz_seed(size_t i, uint8_t *to);

static inline void require(bool condition)
{
    if (!condition)
        abort();
}

/* The product of a shape that was accepted is what it says, and fits. */
static inline void require_shape(sheaf_dtype dtype, size_t ndim, const size_t *shape,
                                 uint64_t data_bytes, uint64_t file_bytes)
{
    unsigned __int128 product = sheaf_dtype_size(dtype);
    require(ndim <= SHEAF_MAX_DIMS && product > 0);
    for (size_t i = 0; i < ndim; i++)
        if (shape[i] == 0)
            product = 0;
    for (size_t i = 0; i < ndim && product > 0; i++) {
        product *= shape[i];
        require(product <= file_bytes);
    }
    require(product == data_bytes && data_bytes <= file_bytes);
}

#endif
