/* scrypt_quads_tmpl.h -- ROMix of PER x GROUPS inputs: registers of PER quads, GROUPS of them side by side.
 * PER is 1, or QUADS, as many as a register has; SHAPE is the name's end. See scrypt_tmpl.h.
 *
 *     a block:  register 4 g + d    quad i is diagonal d of lane PER g + i
 *     V:        a lane's block      its diagonals 0 to 3, 64 bytes                                   */
#define FN(name) PASTE(name, SHAPE)
#define quads    PASTE(quads, SHAPE)
#define LANES    (PER * GROUPS)
#define REGS     (4 * GROUPS)

typedef uint32_t quads __attribute__((vector_size(16 * PER)));
typedef quads FN(quads_anywhere) __attribute__((aligned(1), may_alias));

#define IN_QUADS PASTE(IN_QUADS, PER)

/* Not memcpy(): of so many bytes GCC 12 makes `rep movsq`, which took a third of the time. */
WORDS_INLINE void FN(copy_block)(quads to[REGS], const quads from[REGS])
{
#pragma GCC unroll 16
    for (size_t i = 0; i < REGS; i++)
        to[i] = from[i];
}

/* x ^= the lanes' blocks at v[lane] + offset. */
WORDS_INLINE void FN(xor_lanes)(quads x[REGS], const uint8_t *const v[LANES], size_t offset)
{
#pragma GCC unroll 4
    for (size_t g = 0; g < GROUPS; g++)
#pragma GCC unroll 4
        for (size_t part = 0; part < 4; part += PER) {
            quads *to = x + 4 * g + part;
#if PER > 1
            words r[QUADS];
            load_quads(r, v + PER * g, 1, offset + 16 * part);
#pragma GCC unroll 4
            for (size_t i = 0; i < PER; i++)
                to[i] ^= r[i];
#else
            to[0] ^= *(const FN(quads_anywhere) *)(v[g] + offset + 16 * part);
#endif
        }
}

WORDS_INLINE void FN(store_lanes)(uint8_t *const v[LANES], size_t offset, const quads x[REGS])
{
#pragma GCC unroll 4
    for (size_t g = 0; g < GROUPS; g++)
#pragma GCC unroll 4
        for (size_t part = 0; part < 4; part += PER) {
            quads r[PER];
#pragma GCC unroll 4
            for (size_t i = 0; i < PER; i++)
                r[i] = x[4 * g + part + i];
#if PER > 1
            transpose_quads(r);
#endif
#pragma GCC unroll 4
            for (size_t i = 0; i < PER; i++)
                *(FN(quads_anywhere) *)(v[PER * g + i] + offset + 16 * part) = r[i];
        }
}

WORDS_INLINE quads FN(rotate_quads)(quads x, int bits)
{
    return x << bits | x >> (32 - bits);
}

/* Salsa20/8. After the columns the diagonals are turned so that the rows are where the columns were, and
 * after the rows back again, by the same shuffles. */
WORDS_INLINE void FN(salsa)(quads x[REGS])
{
    quads v[REGS];
    FN(copy_block)(v, x);
#pragma GCC unroll 8
    for (int round = 0; round < 8; round++) {
        for (size_t g = 0; g < REGS; g += 4)
            v[g + 1] ^= FN(rotate_quads)(v[g] + v[g + 3], 7);
        for (size_t g = 0; g < REGS; g += 4)
            v[g + 2] ^= FN(rotate_quads)(v[g + 1] + v[g], 9);
        for (size_t g = 0; g < REGS; g += 4)
            v[g + 3] ^= FN(rotate_quads)(v[g + 2] + v[g + 1], 13);
        for (size_t g = 0; g < REGS; g += 4)
            v[g] ^= FN(rotate_quads)(v[g + 3] + v[g + 2], 18);
        for (size_t g = 0; g < REGS; g += 4) {
            quads b = v[g + 1];
            v[g + 1] = SHUFFLE(quads, v[g + 3], v[g + 3], IN_QUADS(1, 2, 3, 0));
            v[g + 2] = SHUFFLE(quads, v[g + 2], v[g + 2], IN_QUADS(2, 3, 0, 1));
            v[g + 3] = SHUFFLE(quads, b, b, IN_QUADS(3, 0, 1, 2));
        }
    }
    for (size_t i = 0; i < REGS; i++)
        x[i] += v[i];
}

WORDS_INLINE void FN(xor_block)(quads x[REGS], const quads y[REGS])
{
#pragma GCC unroll 16
    for (size_t i = 0; i < REGS; i++)
        x[i] ^= y[i];
}

static void FN(scrypt_fill)(const struct scrypt_lanes *lanes, uint8_t *const v[LANES], quads *row,
                            struct block_walk *walk)
{
    for (size_t i = 0; i < lanes->n; i++, next_row(walk)) {
        quads x[REGS];
        quads y[REGS];
        FN(copy_block)(x, row + REGS * walk->last);
        for (size_t b = 0; b <= walk->last; b++) {
            quads *block = row + REGS * next_block(walk, b);
            FN(copy_block)(y, block);
            FN(store_lanes)(v, (i * (walk->last + 1) + b) * 64, y);
            FN(xor_block)(x, y);
            FN(salsa)(x);
            FN(copy_block)(block, x);
        }
    }
}

/* Where the row that each lane asks for lies: words 0 and 1 of its last block are the first word of
 * diagonal 0 and the second of diagonal 3. */
static inline void FN(scrypt_choose)(const struct scrypt_lanes *lanes, uint8_t *const v[LANES],
                                     const quads last[REGS], const uint8_t *chosen[LANES])
{
    for (size_t lane = 0; lane < LANES; lane++) {
        const quads *x = last + lane / PER * 4;
        uint64_t j = x[0][lane % PER * 4] | (uint64_t)x[3][lane % PER * 4 + 1] << 32;
        chosen[lane] = v[lane] + (size_t)(j & (lanes->n - 1)) * lanes->r * 128;
    }
}

static inline void FN(prefetch_block)(const uint8_t *const row[LANES], size_t b)
{
    for (size_t lane = 0; lane < LANES; lane++)
        __builtin_prefetch(row[lane] + b * 64);
}

static void FN(scrypt_mix)(const struct scrypt_lanes *lanes, uint8_t *const v[LANES], quads *row,
                           struct block_walk *walk)
{
    enum { AHEAD = 4 }; /* blocks */
    const uint8_t *chosen[LANES];
    for (size_t i = 0; i < lanes->n; i++, next_row(walk)) {
        quads x[REGS];
        FN(scrypt_choose)(lanes, v, row + REGS * walk->last, chosen);
        for (size_t b = 0; b < AHEAD && b <= walk->last; b++)
            FN(prefetch_block)(chosen, b);
        FN(copy_block)(x, row + REGS * walk->last);
        FN(xor_lanes)(x, chosen, walk->last * 64);
        for (size_t b = 0; b <= walk->last; b++) {
            quads *block = row + REGS * next_block(walk, b);
            if (b + AHEAD <= walk->last)
                FN(prefetch_block)(chosen, b + AHEAD);
            FN(xor_block)(x, block);
            FN(xor_lanes)(x, chosen, b * 64);
            FN(salsa)(x);
            FN(copy_block)(block, x);
        }
    }
}

/* Where word k of a lane's block lies in the row. */
static inline uint8_t *FN(word_in_row)(quads *row, size_t block, size_t lane, size_t k)
{
    size_t diagonal = (k / 4 + 4 - k % 4) % 4;
    quads *x = row + REGS * block + lane / PER * 4 + diagonal;
    return (uint8_t *)x + 16 * (lane % PER) + 4 * (k % 4);
}

/* The lanes without an input share the last one's memory, and write the same there. */
static void FN(scrypt_romix)(const struct scrypt_lanes *lanes)
{
    struct block_walk walk = walk_row(lanes->r);
    quads *row = (quads *)lanes->row;
    uint8_t *x[LANES];
    uint8_t *v[LANES];
    for (size_t lane = 0; lane < LANES; lane++) {
        size_t input = lane < lanes->count ? lane : lanes->count - 1;
        x[lane] = lanes->x + input * lanes->r * 128;
        v[lane] = lanes->v + input * lanes->v_stride;
    }
    for (size_t b = 0; b <= walk.last; b++)
        for (size_t lane = 0; lane < LANES; lane++)
            for (size_t k = 0; k < 16; k++)
                memcpy(FN(word_in_row)(row, b, lane, k), x[lane] + 64 * b + 4 * k, 4);
    FN(scrypt_fill)(lanes, v, row, &walk);
    FN(scrypt_mix)(lanes, v, row, &walk);
    for (size_t b = 0; b <= walk.last; b++) {
        size_t block = next_block(&walk, b);
        for (size_t lane = 0; lane < lanes->count; lane++)
            for (size_t k = 0; k < 16; k++)
                memcpy(x[lane] + 64 * b + 4 * k, FN(word_in_row)(row, block, lane, k), 4);
    }
}

#undef FN
#undef quads
#undef LANES
#undef REGS
#undef IN_QUADS
#undef PER
#undef GROUPS
#undef SHAPE
