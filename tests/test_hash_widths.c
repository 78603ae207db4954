/* test_hash_widths.c -- the templates of the hashes at WIDTH bytes a register, compiled for any CPU, against the
 * scalar table: so AVX-512's are run where there is none, and NEON's on x86. */
#define VBYTES       WIDTH
#define PASTE_(a, b) a##_##b
#define PASTE(a, b)  PASTE_(a, b)
#pragma GCC diagnostic ignored "-Wpsabi" /* nothing of this width is passed to another file */

#include "kernels.h"
#include "sha256.h"

#include "check.h"

#include "blake3_tmpl.h"
#include "scrypt_tmpl.h"
#include "sha256_many_tmpl.h"

enum { INPUTS = 70, INPUT = 1024 };
static uint8_t bytes[INPUTS * INPUT];
static uint32_t expected[INPUTS][8], found[INPUTS][8], before[INPUTS][8];

static void fill(void *memory, size_t count)
{
    static unsigned long long state = 1;
    for (size_t i = 0; i < count; i++)
        ((uint8_t *)memory)[i] = (uint8_t)check_random(&state);
}

static void blake3_is_the_scalar_one(void)
{
    const struct kernels *scalar = sheaf_kernels_at(0);
    fill(bytes, sizeof bytes);
    for (size_t n = 1; n <= INPUTS; n++)
        for (size_t blocks = 1; blocks <= 16; blocks += 15) {
            uint64_t counter = n % 3 != 0 ? UINT32_MAX - n / 2 : n; /* over the 32 bits' end */
            scalar->blake3(bytes, n, blocks, counter, sheaf_blake3_iv, 16, expected[0]);
            blake3_many(bytes, n, blocks, counter, sheaf_blake3_iv, 16, found[0]);
            CHECK(memcmp(expected, found, n * sizeof found[0]) == 0);
        }
    for (uint32_t i = 0; i < 64; i++) {
        uint32_t theirs[16], ours[16];
        fill(theirs, sizeof theirs);
        memcpy(ours, theirs, sizeof ours);
        scalar->blake3_one(theirs, bytes + i, i, i * UINT64_C(77777777777), i);
        blake3_one(ours, bytes + i, i, i * UINT64_C(77777777777), i);
        CHECK(memcmp(theirs, ours, sizeof ours) == 0);
        scalar->blake3_chunk(theirs, bytes + i, i % 16, i, 0);
        blake3_chunk(ours, bytes + i, i % 16, i, 0);
        CHECK(memcmp(theirs, ours, 32) == 0);
    }
}

static void sha256_is_the_scalar_one(void)
{
    for (size_t n = 1; n <= INPUTS; n++) {
        fill(expected, sizeof expected);
        memcpy(found, expected, sizeof found);
        memcpy(before, expected, sizeof before);
        sheaf_kernels_at(0)->sha256_many(expected[0], bytes, n);
        sha256_many(found[0], bytes, n);
        CHECK(memcmp(expected, found, sizeof found) == 0);
        for (size_t k = 1; sheaf_kernels_at(k) != NULL; k++) { /* SHA-NI, where there is */
            memcpy(found, before, sizeof found);
            sheaf_kernels_at(k)->sha256_many(found[0], bytes, n);
            CHECK(memcmp(expected, found, sizeof found) == 0);
        }
    }
}

static void compare_scrypt(size_t n, size_t r, size_t count)
{
    static _Alignas(64) uint8_t theirs[1 << 16], ours[1 << 16], memory[1 << 21];
    struct scrypt_lanes lanes = {.count = 1, .n = n, .r = r, .row = memory};
    lanes.v = memory + 128 * r * SCRYPT_LANES;
    lanes.v_stride = n * 128 * r + 64;
    CHECK(lanes.v + lanes.v_stride * count <= memory + sizeof memory);
    fill(theirs, 128 * r * count);
    memcpy(ours, theirs, 128 * r * count);
    for (size_t i = 0; i < count; i++) {
        lanes.x = theirs + 128 * r * i;
        sheaf_kernels_at(0)->scrypt(&lanes);
    }
    lanes.x = ours;
    lanes.count = count;
    scrypt_romix(&lanes);
    CHECK(memcmp(theirs, ours, 128 * r * count) == 0);
}

static void scrypt_is_the_scalar_one(void)
{
    for (size_t count = 1; count <= SCRYPT_LANES; count++)
        for (size_t n = 2; n <= 64; n *= 4)
            for (size_t r = 1; r <= 21; r += 1 + r / 2)
                compare_scrypt(n, r, count);
}

CHECK_MAIN(CASE(blake3_is_the_scalar_one), CASE(sha256_is_the_scalar_one),
           CASE(scrypt_is_the_scalar_one))
