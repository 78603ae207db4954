/* sha256.c -- SHA-256's compression function, in portable C. Source: FIPS 180-4, 6.2.2. */
#include "sha256.h"

#include <string.h>

#include "sha256_constants.h"

const uint32_t sheaf_sha256_iv[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static inline uint32_t rotate_right(uint32_t x, int bits)
{
    return x >> bits | x << (32 - bits);
}

static inline uint32_t load_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

/* Word t of the schedule, which takes the place of word t - 16. */
static inline uint32_t extend(uint32_t w[16], size_t t)
{
    uint32_t a = w[(t + 1) % 16];
    uint32_t b = w[(t + 14) % 16];
    w[t % 16] += (rotate_right(a, 7) ^ rotate_right(a, 18) ^ a >> 3) + w[(t + 9) % 16] +
                 (rotate_right(b, 17) ^ rotate_right(b, 19) ^ b >> 10);
    return w[t % 16];
}

static void compress(uint32_t state[8], uint32_t w[16])
{
    uint32_t s[8];
    memcpy(s, state, sizeof s);
    for (size_t t = 0; t < 64; t++) {
        /* The eight words change places each round; their indices do, rather than they. */
        uint32_t a = s[(64 - t) % 8], b = s[(65 - t) % 8], c = s[(66 - t) % 8];
        uint32_t e = s[(68 - t) % 8], f = s[(69 - t) % 8], g = s[(70 - t) % 8];
        uint32_t *d = &s[(67 - t) % 8], *h = &s[(71 - t) % 8];
        *h += (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) +
              ((e & f) ^ (~e & g)) + sha256_round_words[t] + (t < 16 ? w[t] : extend(w, t));
        *d += *h;
        *h += (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22)) +
              ((a & b) ^ (a & c) ^ (b & c));
    }
    for (size_t i = 0; i < 8; i++)
        state[i] += s[i];
}

void sheaf_sha256_portable(uint32_t state[8], const uint8_t *x, size_t blocks)
{
    for (size_t block = 0; block < blocks; block++, x += SHA256_BLOCK) {
        uint32_t w[16];
        for (size_t i = 0; i < 16; i++)
            w[i] = load_be32(x + 4 * i);
        compress(state, w);
    }
}
