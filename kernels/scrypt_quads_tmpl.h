/* scrypt_quads_tmpl.h -- ROMix of QUADS x GROUPS inputs: registers of QUADS quads, GROUPS of them side by
 * side. SHAPE is the name's end. See scrypt_tmpl.h.
 *
 *     a block:  register 4 g + d    quad i is diagonal d of lane QUADS g + i
 *     V:        a lane's block      its diagonals 0 to 3, 64 bytes                                   */
#define FN(name) PASTE(name, SHAPE)
#define quads    PASTE(quads, SHAPE)
#define LANES    (QUADS * GROUPS)
#define REGS     (4 * GROUPS)

typedef uint32_t quads __attribute__((vector_size(16 * QUADS)));

#if QUADS == 4
#define IN_QUADS(a, b, c, d)                                                                       \
    a, b, c, d, a + 4, b + 4, c + 4, d + 4, a + 8, b + 8, c + 8, d + 8, a + 12, b + 12, c + 12,    \
        d + 12
#define FIRST_QUADS  0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23
#define SECOND_QUADS 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31
#elif QUADS == 2
#define IN_QUADS(a, b, c, d) a, b, c, d, a + 4, b + 4, c + 4, d + 4
#define FIRST_QUADS          0, 1, 2, 3, 8, 9, 10, 11
#define SECOND_QUADS         4, 5, 6, 7, 12, 13, 14, 15
#else
#define IN_QUADS(a, b, c, d) a, b, c, d
#endif
#ifdef __clang__
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (quads){__VA_ARGS__})
#endif

/* Registers of quads become quads of registers; as transpose_words(). */
static inline void FN(transpose_quads)(quads r[QUADS])
{
#if QUADS > 1
    for (size_t round = 1; round < QUADS; round *= 2) {
        quads t[QUADS];
        for (size_t i = 0; i < QUADS / 2; i++) {
            t[2 * i] = SHUFFLE(r[i], r[i + QUADS / 2], FIRST_QUADS);
            t[2 * i + 1] = SHUFFLE(r[i], r[i + QUADS / 2], SECOND_QUADS);
        }
        memcpy(r, t, sizeof t);
    }
#else
    (void)r;
#endif
}

static inline void FN(load_block)(quads x[REGS], const uint8_t *const v[LANES], size_t offset)
{
    for (size_t g = 0; g < GROUPS; g++)
        for (size_t part = 0; part < 4; part += QUADS) {
            quads *r = x + 4 * g + part;
            for (size_t i = 0; i < QUADS; i++)
                memcpy(&r[i], v[QUADS * g + i] + offset + 16 * part, sizeof r[i]);
            FN(transpose_quads)(r);
        }
}

static inline void FN(store_block)(uint8_t *const v[LANES], size_t offset, const quads x[REGS])
{
    for (size_t g = 0; g < GROUPS; g++)
        for (size_t part = 0; part < 4; part += QUADS) {
            quads r[QUADS];
            memcpy(r, x + 4 * g + part, sizeof r);
            FN(transpose_quads)(r);
            for (size_t i = 0; i < QUADS; i++)
                memcpy(v[QUADS * g + i] + offset + 16 * part, &r[i], sizeof r[i]);
        }
}

static inline quads FN(rotate_quads)(quads x, int bits)
{
    return x << bits | x >> (32 - bits);
}

/* Salsa20/8. After the columns the diagonals are turned so that the rows are where the columns were, and
 * after the rows back again, by the same shuffles. */
static inline void FN(salsa)(quads x[REGS])
{
    quads v[REGS];
    memcpy(v, x, sizeof v);
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
            v[g + 1] = SHUFFLE(v[g + 3], v[g + 3], IN_QUADS(1, 2, 3, 0));
            v[g + 2] = SHUFFLE(v[g + 2], v[g + 2], IN_QUADS(2, 3, 0, 1));
            v[g + 3] = SHUFFLE(b, b, IN_QUADS(3, 0, 1, 2));
        }
    }
    for (size_t i = 0; i < REGS; i++)
        x[i] += v[i];
}

static inline void FN(xor_block)(quads x[REGS], const quads y[REGS])
{
    for (size_t i = 0; i < REGS; i++)
        x[i] ^= y[i];
}

static void FN(scrypt_fill)(const struct scrypt_lanes *lanes, uint8_t *const v[LANES], quads *row,
                            struct block_walk *walk)
{
    for (size_t i = 0; i < lanes->n; i++, next_row(walk)) {
        quads x[REGS];
        quads y[REGS];
        memcpy(x, row + REGS * walk->last, sizeof x);
        for (size_t b = 0; b <= walk->last; b++) {
            quads *block = row + REGS * next_block(walk, b);
            memcpy(y, block, sizeof y);
            FN(store_block)(v, (i * (walk->last + 1) + b) * 64, y);
            FN(xor_block)(x, y);
            FN(salsa)(x);
            memcpy(block, x, sizeof x);
        }
    }
}

/* Where the row that each lane asks for lies: words 0 and 1 of its last block are the first word of
 * diagonal 0 and the second of diagonal 3. */
static inline void FN(scrypt_choose)(const struct scrypt_lanes *lanes, uint8_t *const v[LANES],
                                     const quads last[REGS], const uint8_t *chosen[LANES])
{
    for (size_t lane = 0; lane < LANES; lane++) {
        const quads *x = last + lane / QUADS * 4;
        uint64_t j = x[0][lane % QUADS * 4] | (uint64_t)x[3][lane % QUADS * 4 + 1] << 32;
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
        quads y[REGS];
        FN(scrypt_choose)(lanes, v, row + REGS * walk->last, chosen);
        for (size_t b = 0; b < AHEAD && b <= walk->last; b++)
            FN(prefetch_block)(chosen, b);
        FN(load_block)(y, chosen, walk->last * 64);
        memcpy(x, row + REGS * walk->last, sizeof x);
        FN(xor_block)(x, y);
        for (size_t b = 0; b <= walk->last; b++) {
            quads *block = row + REGS * next_block(walk, b);
            if (b + AHEAD <= walk->last)
                FN(prefetch_block)(chosen, b + AHEAD);
            FN(load_block)(y, chosen, b * 64);
            FN(xor_block)(x, block);
            FN(xor_block)(x, y);
            FN(salsa)(x);
            memcpy(block, x, sizeof x);
        }
    }
}

/* Where word k of a lane's block lies in the row. */
static inline uint8_t *FN(word_in_row)(quads *row, size_t block, size_t lane, size_t k)
{
    size_t diagonal = (k / 4 + 4 - k % 4) % 4;
    quads *x = row + REGS * block + lane / QUADS * 4 + diagonal;
    return (uint8_t *)x + 16 * (lane % QUADS) + 4 * (k % 4);
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
#undef FIRST_QUADS
#undef SECOND_QUADS
#undef SHUFFLE
#undef QUADS
#undef GROUPS
#undef SHAPE
