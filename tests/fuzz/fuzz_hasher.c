/* fuzz_hasher.c -- an input in pieces, with finishes and resets between, against the whole at once.
 *
 * Input: byte 0: mode (bits 0 and 1) and instruction set (the others); then steps of 3 bytes: what to do,
 * and a number. The hashed bytes are the steps themselves, over and over. */
#include "fuzz.h"

#include <string.h>

#include <sheaf/sheaf.h>

enum { MOST = 140000, OUT = 200 };

static uint8_t bytes[MOST];

static sheaf_hash_options options_of(uint8_t first)
{
    sheaf_hash_options options = {.mode = (sheaf_hash_mode)(first % 3)};
    size_t count = 0;
    while (sheaf_isa_name(count) != NULL)
        count++;
    require(count > 0);
    options.isa = sheaf_isa_name((first >> 2) % count);
    if (options.mode == SHEAF_HASH_KEYED)
        options.key = bytes;
    if (options.mode == SHEAF_HASH_DERIVE_KEY)
        options.context = "fuzz";
    return options;
}

/* The output over bytes[0..count), from `from` on, is the same both ways. */
static void compare(const sheaf_hasher *hasher, sheaf_hash_options options, size_t count,
                    size_t from)
{
    uint8_t pieces[OUT], whole[OUT];
    options.out_bytes = OUT - from % OUT;
    options.out_offset = from;
    require(sheaf_hasher_finish(pieces, options.out_bytes, from, hasher) == SHEAF_OK);
    require(sheaf_hash_bytes(whole, bytes, count, &options) == SHEAF_OK);
    require(memcmp(pieces, whole, options.out_bytes) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sheaf_hasher *hasher;
    size_t count = 0;
    if (size < 4)
        return 0;
    for (size_t i = 0; i < MOST; i++)
        bytes[i] = data[i % size];
    sheaf_hash_options options = options_of(data[0]);
    require(sheaf_hasher_open(&hasher, &options) == SHEAF_OK);
    for (size_t i = 1; i + 3 <= size && i < 60; i += 3) {
        size_t number = (size_t)data[i + 1] | (size_t)data[i + 2] << 8;
        if (data[i] % 16 == 0) {
            sheaf_hasher_reset(hasher);
            count = 0;
        } else if (data[i] % 16 < 4) {
            compare(hasher, options, count, number);
        } else {
            size_t shift = data[i] % 3; /* often many bytes */
            size_t here = number << shift < MOST - count ? number << shift : MOST - count;
            require(sheaf_hasher_update(hasher, bytes + count, here) == SHEAF_OK);
            count += here;
        }
    }
    compare(hasher, options, count, 0);
    sheaf_hasher_close(hasher);
    return 0;
}

size_t fuzz_seed(size_t i, uint8_t *to)
{
    static const uint8_t seeds[][13] = {
        {0, 4, 0, 4, 4, 1, 0, 1, 7, 0, 4, 0, 4},     /* 1024, 1, finish, 1024 */
        {5, 5, 0, 128, 5, 0, 64, 1, 0, 0, 6, 1, 0},  /* twice 64 KiB, finish, 1 */
        {10, 6, 255, 255, 7, 3, 0, 0, 0, 0, 4, 9, 9} /* with a reset */
    };
    if (i >= sizeof seeds / sizeof seeds[0])
        return 0;
    memcpy(to, seeds[i], sizeof seeds[0]);
    return sizeof seeds[0];
}
