/* sha256_many_tmpl.h -- SHA-256's compression of one block of many inputs at once, one in each 32-bit
 * lane of a register: the scalar function with registers for words. Source: as sha256.c. */
#include "sha256_constants.h"
#include "words.h"

#if VBYTES < 16

static void sha256_many(uint32_t *states, const uint8_t *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sheaf_sha256_portable(states + 8 * i, x + i * SHA256_BLOCK, 1);
}

#else

/* Word t of the schedule, which takes the place of word t - 16. */
static inline words sha256_extend(words w[16], size_t t)
{
    words a = w[(t + 1) % 16];
    words b = w[(t + 14) % 16];
    w[t % 16] += (rotate_words(a, 7) ^ rotate_words(a, 18) ^ a >> 3) + w[(t + 9) % 16] +
                 (rotate_words(b, 17) ^ rotate_words(b, 19) ^ b >> 10);
    return w[t % 16];
}

static inline void sha256_rounds(words s[8], words w[16])
{
#pragma GCC unroll 64
    for (size_t t = 0; t < 64; t++) {
        words a = s[(64 - t) % 8], b = s[(65 - t) % 8], c = s[(66 - t) % 8];
        words e = s[(68 - t) % 8], f = s[(69 - t) % 8], g = s[(70 - t) % 8];
        words *d = &s[(67 - t) % 8], *h = &s[(71 - t) % 8];
        *h += (rotate_words(e, 6) ^ rotate_words(e, 11) ^ rotate_words(e, 25)) +
              ((e & f) ^ (~e & g)) + sha256_round_words[t] + (t < 16 ? w[t] : sha256_extend(w, t));
        *d += *h;
        *h += (rotate_words(a, 2) ^ rotate_words(a, 13) ^ rotate_words(a, 22)) +
              ((a & b) ^ (a & c) ^ (b & c));
    }
}

/* At most one input a lane; the lanes without one repeat the last. */
static void sha256_group(uint32_t *states, const uint8_t *x, size_t n)
{
    const uint8_t *input[WORDS];
    words state[8];
    words s[8];
    words w[16];
    for (size_t i = 0; i < WORDS; i++) {
        size_t lane = i < n ? i : n - 1;
        input[i] = x + lane * SHA256_BLOCK;
        for (size_t word = 0; word < 8; word++)
            state[word][i] = states[8 * lane + word];
    }
    load_words(w, input, 0);
    for (size_t i = 0; i < 16; i++)
        w[i] = (rotate_words(w[i], 8) & 0xff00ff00) | (rotate_words(w[i], 24) & 0x00ff00ff);
    memcpy(s, state, sizeof s);
    sha256_rounds(s, w);
    for (size_t word = 0; word < 8; word++) {
        s[word] += state[word];
        for (size_t i = 0; i < n; i++)
            states[8 * i + word] = s[word][i];
    }
}

static void sha256_many(uint32_t *states, const uint8_t *x, size_t n)
{
    for (size_t i = 0; i < n; i += WORDS)
        sha256_group(states + 8 * i, x + i * SHA256_BLOCK, n - i < WORDS ? n - i : WORDS);
}

#endif
