/* scrypt_scalar.h -- scrypt's ROMix of one input in plain C: the reference. See scrypt_tmpl.h. */
#ifndef SHEAF_KERNELS_SCRYPT_SCALAR_H
#define SHEAF_KERNELS_SCRYPT_SCALAR_H

static inline uint32_t rotate_left(uint32_t x, int bits)
{
    return x << bits | x >> (32 - bits);
}

static inline void salsa_quarter(uint32_t v[16], int a, int b, int c, int d)
{
    v[b] ^= rotate_left(v[a] + v[d], 7);
    v[c] ^= rotate_left(v[b] + v[a], 9);
    v[d] ^= rotate_left(v[c] + v[b], 13);
    v[a] ^= rotate_left(v[d] + v[c], 18);
}

/* Salsa20/8: columns, then rows, four times. */
static inline void salsa(uint32_t x[16])
{
    uint32_t v[16];
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

static inline void xor_block(uint32_t x[16], const uint32_t y[16])
{
    for (size_t i = 0; i < 16; i++)
        x[i] ^= y[i];
}

/* row = BlockMix(row), or of row xor chosen; what row was goes to remembered. Either may be NULL. */
static void block_mix_scalar(uint32_t *row, uint32_t *remembered, const uint32_t *chosen,
                             struct block_walk *walk)
{
    uint32_t x[16];
    memcpy(x, row + 16 * walk->last, sizeof x);
    if (chosen != NULL)
        xor_block(x, chosen + 16 * walk->last);
    for (size_t b = 0; b <= walk->last; b++) {
        uint32_t *block = row + 16 * next_block(walk, b);
        if (remembered != NULL)
            memcpy(remembered + 16 * b, block, sizeof x);
        if (chosen != NULL)
            xor_block(x, chosen + 16 * b);
        xor_block(x, block);
        salsa(x);
        memcpy(block, x, sizeof x);
    }
    next_row(walk);
}

static void scrypt_romix_scalar(const struct scrypt_lanes *lanes)
{
    const size_t row_words = 32 * lanes->r;
    struct block_walk walk = walk_row(lanes->r);
    uint32_t *row = (uint32_t *)lanes->row;
    uint32_t *v = (uint32_t *)lanes->v;
    memcpy(row, lanes->x, 4 * row_words);
    for (size_t i = 0; i < lanes->n; i++)
        block_mix_scalar(row, v + i * row_words, NULL, &walk);
    for (size_t i = 0; i < lanes->n; i++) {
        const uint32_t *last = row + 16 * walk.last;
        uint64_t j = (last[0] | (uint64_t)last[1] << 32) & (lanes->n - 1);
        block_mix_scalar(row, NULL, v + (size_t)j * row_words, &walk);
    }
    for (size_t b = 0; b <= walk.last; b++)
        memcpy(lanes->x + 64 * b, row + 16 * next_block(&walk, b), 64);
}

#endif
