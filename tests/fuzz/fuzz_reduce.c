/* fuzz_reduce.c -- reductions over any operation, dtype, shape, strides and axes: never wrong memory, and
 * always the bits of a dense copy. */
#include "fuzz.h"

#include <string.h>

#include "../reduce_case.h"

enum { SEEDS = 24, SEED_BYTES = 40, MOST_ELEMENTS = 20000 };

size_t fuzz_seed(size_t i, uint8_t *to)
{
    uint64_t state = i * 77 + 1;
    if (i >= SEEDS)
        return 0;
    for (size_t k = 0; k < SEED_BYTES; k++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        to[k] = (uint8_t)(state >> 56);
    }
    return SEED_BYTES;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sheaf_executor *executor;
    if (executor == NULL)
        require(sheaf_executor_open(&executor, SHEAF_SEQUENTIAL, NULL) == SHEAF_OK);
    require(reduce_case(data, size, MOST_ELEMENTS, executor));
    return 0;
}
