/* scrypt_words.h -- ROMix of as many inputs as a register of 32 bytes has words: register k of a block is word k
 * of every lane's block. V lies lane by lane here too: the words change places on their way there and back. See
 * scrypt_tmpl.h.
 *
 * Salsa20/8 takes 640 instructions so, for 8 lanes, and 736 in quads, which needs shuffles. A loop of nothing
 * but those 640, in which all but the last two of a round's words are free to wait, takes 203 to 214 cycles on a
 * Zen 4, whatever their order (160 if four could start in each; 167 without their dependencies): 9 ns a lane.
 * This takes 10.0, and with a block's loads, transposition and stores 11.3. */
#ifndef SHEAF_KERNELS_SCRYPT_WORDS_H
#define SHEAF_KERNELS_SCRYPT_WORDS_H

#define IN_MEMORY(word) __asm__("" : "+m"(word))

WORDS_INLINE words turned_sum(words a, words b, int bits)
{
    words sum = a + b;
    return sum << bits | sum >> (32 - bits);
}

/* Four quarter-rounds side by side: of words a, b, c and d, in this order.
 *
 * Words a are written in the last step, and not needed in the third of the next round; words c are written
 * in the second, and not needed in the first. So an a and a c share a register, and what a word was
 * before comes from memory, where it has been for most of a round: to `rest`, from `from`. With 16
 * registers nothing else is spilled. */
WORDS_INLINE void salsa_round(words v[16], words rest[16], const words from[16], const int b[4],
                              const int c[4], const int d[4])
{
    static const int a[4] = {0, 5, 10, 15};
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        v[b[i]] ^= turned_sum(v[a[i]], v[d[i]], 7);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        v[c[i]] = turned_sum(v[b[i]], v[a[i]], 9) ^ from[c[i]];
        rest[c[i]] = v[c[i]];
        IN_MEMORY(rest[c[i]]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        v[d[i]] ^= turned_sum(v[c[i]], v[b[i]], 13);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        v[a[i]] = turned_sum(v[d[i]], v[c[i]], 18) ^ from[a[i]];
        rest[a[i]] = v[a[i]];
        IN_MEMORY(rest[a[i]]);
    }
}

/* The columns, then the rows. */
WORDS_INLINE void salsa_double_round(words v[16], words rest[16], const words from[16])
{
    static const int b[2][4] = {{4, 9, 14, 3}, {1, 6, 11, 12}};
    static const int c[2][4] = {{8, 13, 2, 7}, {2, 7, 8, 13}};
    static const int d[2][4] = {{12, 1, 6, 11}, {3, 4, 9, 14}};
    salsa_round(v, rest, from, b[0], c[0], d[0]);
    salsa_round(v, rest, rest, b[1], c[1], d[1]);
}

/* Words 4 quad to 4 quad + 3 of a block, to the lanes' blocks at v[lane] + offset. */
WORDS_INLINE void store_quad(uint8_t *const v[WORDS], size_t offset, const words block[16],
                             size_t quad)
{
    words t[4];
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++)
        t[i] = block[4 * quad + i];
    transpose_in_quads(t);
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++)
        store_two_quads(v[i] + offset + 16 * quad, v[i + 4] + offset + 16 * quad, t[i]);
}

WORDS_INLINE void load_quad(words t[4], const uint8_t *const v[WORDS], size_t offset, size_t quad)
{
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++)
        t[i] = load_two_quads(v[i] + offset + 16 * quad, v[i + 4] + offset + 16 * quad);
    transpose_in_quads(t);
}

/* y = block ^ the lanes' blocks at v[lane] + offset, of these words. */
WORDS_INLINE void recall_quad(words y[16], const uint8_t *const v[WORDS], size_t offset,
                              const words block[16], size_t quad)
{
    words t[4];
    load_quad(t, v, offset, quad);
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++)
        y[4 * quad + i] = t[i] ^ block[4 * quad + i];
}

/* Rows of 1 MiB (r = 1024) leave the L2 between two visits, and their order is none that is guessed. */
static inline void prefetch_block_words(const words block[16])
{
    for (size_t k = 0; k < 16; k += 64 / sizeof *block)
        __builtin_prefetch(block + k);
}

/* Which block goes to V, or comes from there, is known before the one before is done, and a quarter of it is
 * moved after every double round, where there is room for it: 12.7 ns without. */
static void scrypt_fill_words(const struct scrypt_lanes *lanes, uint8_t *const v[WORDS], words *row,
                              struct block_walk *walk)
{
    for (size_t i = 0; i < lanes->n; i++, next_row(walk)) {
        words x[16], s[16], rest[16];
        memcpy(x, row + 16 * walk->last, sizeof x);
        for (size_t b = 0; b <= walk->last; b++) {
            words *block = row + 16 * next_block(walk, b);
            size_t offset = (i * (walk->last + 1) + b) * 64;
            prefetch_block_words(row + 16 * walk->at); /* which mostly is the next */
#pragma GCC unroll 16
            for (size_t k = 0; k < 16; k++)
                s[k] = x[k] ^= block[k];
#pragma GCC unroll 4
            for (size_t quad = 0; quad < 4; quad++) {
                salsa_double_round(s, rest, quad == 0 ? x : rest);
                store_quad(v, offset, block, quad);
            }
#pragma GCC unroll 16
            for (size_t k = 0; k < 16; k++)
                block[k] = x[k] += s[k];
        }
    }
}

static inline void prefetch_words(const uint8_t *const row[WORDS], size_t b)
{
    for (size_t lane = 0; lane < WORDS; lane++)
        __builtin_prefetch(row[lane] + b * 64);
}

/* Words 0 and 1 of a row's last block say where the row that each lane asks for lies. */
static inline void choose_words(const struct scrypt_lanes *lanes, uint8_t *const v[WORDS],
                                const words last[16], const uint8_t *chosen[WORDS])
{
    for (size_t lane = 0; lane < WORDS; lane++) {
        uint64_t j = last[0][lane] | (uint64_t)last[1][lane] << 32;
        chosen[lane] = v[lane] + (size_t)(j & (lanes->n - 1)) * lanes->r * 128;
    }
}

static void scrypt_mix_words(const struct scrypt_lanes *lanes, uint8_t *const v[WORDS], words *row,
                             struct block_walk *walk)
{
    enum { AHEAD = 2 }; /* blocks: 200 ns. (16384, 8): 16.0 ns, with 4: 17.4, with 8: 20.9 */
    const uint8_t *chosen[WORDS];
    for (size_t i = 0; i < lanes->n; i++, next_row(walk)) {
        words x[16], y[16], s[16], rest[16];
        choose_words(lanes, v, row + 16 * walk->last, chosen);
        for (size_t b = 0; b < AHEAD && b <= walk->last; b++)
            prefetch_words(chosen, b);
        words *block = row + 16 * next_block(walk, 0);
#pragma GCC unroll 4
        for (size_t quad = 0; quad < 4; quad++) {
            recall_quad(x, chosen, walk->last * 64, row + 16 * walk->last, quad);
            recall_quad(y, chosen, 0, block, quad);
        }
        for (size_t b = 0; b <= walk->last; b++) {
            size_t coming = b < walk->last ? b + 1 : b; /* after the last it is for nothing */
            words *next = row + 16 * (b < walk->last ? next_block(walk, coming) : b);
            if (b + AHEAD <= walk->last)
                prefetch_words(chosen, b + AHEAD);
#pragma GCC unroll 16
            for (size_t k = 0; k < 16; k++)
                s[k] = x[k] ^= y[k];
#pragma GCC unroll 4
            for (size_t quad = 0; quad < 4; quad++) {
                salsa_double_round(s, rest, quad == 0 ? x : rest);
                recall_quad(y, chosen, coming * 64, next, quad);
            }
#pragma GCC unroll 16
            for (size_t k = 0; k < 16; k++)
                block[k] = x[k] += s[k];
            block = next;
        }
    }
}

/* The lanes without an input share the last one's memory, and write the same there. */
static void scrypt_romix_words(const struct scrypt_lanes *lanes)
{
    struct block_walk walk = walk_row(lanes->r);
    words *row = (words *)lanes->row;
    uint8_t *x[WORDS];
    uint8_t *v[WORDS];
    for (size_t lane = 0; lane < WORDS; lane++) {
        size_t input = lane < lanes->count ? lane : lanes->count - 1;
        x[lane] = lanes->x + input * lanes->r * 128;
        v[lane] = lanes->v + input * lanes->v_stride;
    }
    for (size_t b = 0; b <= walk.last; b++)
        for (size_t quad = 0; quad < 4; quad++)
            load_quad(row + 16 * b + 4 * quad, (const uint8_t *const *)x, 64 * b, quad);
    scrypt_fill_words(lanes, v, row, &walk);
    scrypt_mix_words(lanes, v, row, &walk);
    for (size_t b = 0; b <= walk.last; b++) {
        const words *block = row + 16 * next_block(&walk, b);
        for (size_t quad = 0; quad < 4; quad++)
            store_quad(x, 64 * b, block, quad);
    }
}

#endif
