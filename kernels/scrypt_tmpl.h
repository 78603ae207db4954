/* scrypt_tmpl.h -- scrypt's ROMix of many inputs at once, one in each 32-bit lane of a register.
 *
 * Source: RFC 7914 (Percival, Josefsson 2016), 3 to 5. A row is 2 r blocks of 64 bytes. While it is
 * worked on, a row of every lane is held as registers, 16 for each block: word w of all lanes. The rows
 * that are remembered (V) lie lane by lane, since each lane asks for another one: a block is
 * transposed on its way there and back, 64 of the 480 or so instructions that it takes.
 *
 *     fill   V[i] = row; row = BlockMix(row)                  for i in 0 .. n-1
 *     mix    row = BlockMix(row xor V[row's last block mod n])     n times
 *
 * BlockMix gives its blocks in another order: even ones first, then odd ones. Nothing is moved for
 * that, and there is no second row. Block i of the new row is block 2 i mod (2 r - 1) of the one before
 * (the last stays the last), so after k times it is found at 2^k i mod (2 r - 1): a walk with a stride.
 *
 * Measured, AVX-512, ns a block (a lane's Salsa20/8): 7.8 for (n, r) = (128, 1024) and 7.9 for
 * (16384, 8). Streaming stores would give 7.3 for the first and lose where V fits in a cache. */

/* Where the blocks of a row lie, in order. */
struct block_walk {
    size_t last; /* 2 r - 1 */
    size_t stride;
    size_t at;
};

static inline size_t next_block(struct block_walk *walk, size_t i)
{
    size_t here = i == walk->last ? i : walk->at;
    walk->at += walk->stride;
    if (walk->at >= walk->last)
        walk->at -= walk->last;
    return here;
}

/* The row has been through BlockMix once more. */
static inline void next_row(struct block_walk *walk)
{
    walk->at = 0;
    walk->stride *= 2;
    if (walk->stride >= walk->last)
        walk->stride -= walk->last;
}

static inline struct block_walk walk_row(size_t r)
{
    return (struct block_walk){.last = 2 * r - 1, .stride = r > 1 ? 1 : 0};
}

#if VBYTES < 16

enum { SCRYPT_LANES = 1 };
typedef uint32_t words;

static inline words rotate_words(words x, int bits)
{
    return x >> bits | x << (32 - bits);
}

static inline void load_words(words r[16], const uint8_t *const input[1], size_t offset)
{
    memcpy(r, input[0] + offset, 64);
}

static inline void store_words_at(uint8_t *const output[1], size_t offset, const words r[16])
{
    memcpy(output[0] + offset, r, 64);
}

static inline uint32_t word_of_lane(words x, size_t lane)
{
    (void)lane;
    return x;
}

#else

enum { SCRYPT_LANES = WORDS };

static inline uint32_t word_of_lane(words x, size_t lane)
{
    return x[lane];
}

#endif

static inline void salsa_quarter(words v[16], int a, int b, int c, int d)
{
    v[b] ^= rotate_words(v[a] + v[d], 32 - 7);
    v[c] ^= rotate_words(v[b] + v[a], 32 - 9);
    v[d] ^= rotate_words(v[c] + v[b], 32 - 13);
    v[a] ^= rotate_words(v[d] + v[c], 32 - 18);
}

/* Salsa20/8: columns, then rows, four times. */
static inline void salsa(words x[16])
{
    words v[16];
    memcpy(v, x, sizeof v);
    for (int i = 0; i < 4; i++) {
        salsa_quarter(v, 0, 4, 8, 12);
        salsa_quarter(v, 5, 9, 13, 1);
        salsa_quarter(v, 10, 14, 2, 6);
        salsa_quarter(v, 15, 3, 7, 11);
        salsa_quarter(v, 0, 1, 2, 3);
        salsa_quarter(v, 5, 6, 7, 4);
        salsa_quarter(v, 10, 11, 8, 9);
        salsa_quarter(v, 15, 12, 13, 14);
    }
    for (size_t i = 0; i < 16; i++)
        x[i] += v[i];
}

static inline void xor_block(words x[16], const words y[16])
{
    for (size_t i = 0; i < 16; i++)
        x[i] ^= y[i];
}

static void scrypt_fill(const struct scrypt_lanes *lanes, uint8_t *const v[SCRYPT_LANES],
                        words *row, struct block_walk *walk)
{
    for (size_t i = 0; i < lanes->n; i++, next_row(walk)) {
        words x[16];
        memcpy(x, row + 16 * walk->last, sizeof x);
        for (size_t b = 0; b <= walk->last; b++) {
            words *block = row + 16 * next_block(walk, b);
            store_words_at(v, (i * (walk->last + 1) + b) * 64, block);
            xor_block(x, block);
            salsa(x);
            memcpy(block, x, sizeof x);
        }
    }
}

/* Where the row that each lane asks for lies. */
static inline void scrypt_choose(const struct scrypt_lanes *lanes, uint8_t *const v[SCRYPT_LANES],
                                 const words *last, const uint8_t *chosen[SCRYPT_LANES])
{
    for (size_t lane = 0; lane < SCRYPT_LANES; lane++) {
        uint64_t j = word_of_lane(last[0], lane) | (uint64_t)word_of_lane(last[1], lane) << 32;
        chosen[lane] = v[lane] + (size_t)(j & (lanes->n - 1)) * lanes->r * 128;
    }
}

static inline void prefetch_block(const uint8_t *const row[SCRYPT_LANES], size_t b)
{
    for (size_t lane = 0; lane < SCRYPT_LANES; lane++)
        __builtin_prefetch(row[lane] + b * 64);
}

static void scrypt_mix(const struct scrypt_lanes *lanes, uint8_t *const v[SCRYPT_LANES], words *row,
                       struct block_walk *walk)
{
    enum { AHEAD = 4 }; /* blocks; (16384, 8): 7.9 ns with it, 9.7 without */
    const uint8_t *chosen[SCRYPT_LANES];
    for (size_t i = 0; i < lanes->n; i++, next_row(walk)) {
        words x[16];
        words y[16];
        scrypt_choose(lanes, v, row + 16 * walk->last, chosen);
        for (size_t b = 0; b < AHEAD && b <= walk->last; b++)
            prefetch_block(chosen, b);
        load_words(y, chosen, walk->last * 64);
        memcpy(x, row + 16 * walk->last, sizeof x);
        xor_block(x, y);
        for (size_t b = 0; b <= walk->last; b++) {
            words *block = row + 16 * next_block(walk, b);
            if (b + AHEAD <= walk->last)
                prefetch_block(chosen, b + AHEAD);
            load_words(y, chosen, b * 64);
            xor_block(x, block);
            xor_block(x, y);
            salsa(x);
            memcpy(block, x, sizeof x);
        }
    }
}

/* The lanes without an input share the last one's memory, and write the same there. */
static void scrypt_romix(const struct scrypt_lanes *lanes)
{
    struct block_walk walk = walk_row(lanes->r);
    words *row = (words *)lanes->row;
    uint8_t *x[SCRYPT_LANES];
    uint8_t *v[SCRYPT_LANES];
    for (size_t lane = 0; lane < SCRYPT_LANES; lane++) {
        size_t input = lane < lanes->count ? lane : lanes->count - 1;
        x[lane] = lanes->x + input * lanes->r * 128;
        v[lane] = lanes->v + input * lanes->v_stride;
    }
    for (size_t b = 0; b <= walk.last; b++)
        load_words(row + 16 * b, (const uint8_t *const *)x, b * 64);
    scrypt_fill(lanes, v, row, &walk);
    scrypt_mix(lanes, v, row, &walk);
    for (size_t b = 0; b <= walk.last; b++)
        store_words_at(x, b * 64, row + 16 * next_block(&walk, b));
}
