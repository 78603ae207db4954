/* blake3_rows_tmpl.h -- BLAKE3 of PER x GROUPS inputs at once, each row of a state in a quad: for one input,
 * and for those that are too few to fill registers by words (blake3_tmpl.h). Two inputs take as long as one,
 * which waits for its own steps. PER is 1, or QUADS, as many as a register has; SHAPE is the name's end.
 *
 *     state      register 4 g + i    quad j is row i of input PER g + j
 *     message    register 4 g + i    its words 0 2 4 6 and 1 3 5 7, which the columns of the first round
 *                                    take, and 14 8 10 12 and 15 9 11 13, which its diagonals take    */
#define FN(name) PASTE(name, SHAPE)
#define quads    PASTE(quads, SHAPE)
#define floats   PASTE(floats, SHAPE)
#define IN_QUADS PASTE(IN_QUADS, PER)
#define INPUTS   (PER * GROUPS)
#define REGS     (4 * GROUPS)

typedef uint32_t quads __attribute__((vector_size(16 * PER)));
typedef uint64_t FN(counters) __attribute__((vector_size(16 * PER)));
typedef float floats __attribute__((vector_size(16 * PER)));

/* Words i and j of each quad of a, then k and l of b's. As floats: x86 picks from two registers only so. */
#define PAIRS(a, b, i, j, k, l)                                                                    \
    (quads) SHUFFLE(quads, (floats)(a), (floats)(b), IN_QUADS(i, j, k + 4 * PER, l + 4 * PER))
#define PICK(a, b, i, j, k, l) SHUFFLE(quads, a, b, IN_QUADS(i, j, k, l))
#define TURN(a, i, j, k, l)    SHUFFLE(quads, a, a, IN_QUADS(i, j, k, l))
#define B(i)                   (4 * PER + i) /* a word of PICK's second register */

WORDS_INLINE quads FN(rotate_rows)(quads x, int bits)
{
#if PER > 1
    return rotate_words(x, bits);
#elif VBYTES < 64 /* else there is a rotation */
    if (bits == 16)
        return (quads)SHUFFLE(quad_bytes, (quad_bytes)x, (quad_bytes)x, 2, 3, 0, 1, 6, 7, 4, 5, 10,
                              11, 8, 9, 14, 15, 12, 13);
    if (bits == 8)
        return (quads)SHUFFLE(quad_bytes, (quad_bytes)x, (quad_bytes)x, 1, 2, 3, 0, 5, 6, 7, 4, 9,
                              10, 11, 8, 13, 14, 15, 12);
#endif
    return x >> bits | x << (32 - bits);
}

WORDS_INLINE quads FN(same_rows)(const void *row)
{
#if PER > 1
    return quad_everywhere(row);
#else
    quads rows;
    memcpy(&rows, row, sizeof rows);
    return rows;
#endif
}

WORDS_INLINE void FN(load_message)(quads m[REGS], const uint8_t *const input[INPUTS], size_t offset)
{
    for (size_t g = 0; g < GROUPS; g++) {
        quads r[4];
#if PER > 1
        for (size_t part = 0; part < 4; part += PER)
            load_quads(r + part, input + PER * g, 1, offset + 16 * part);
#else
        memcpy(r, input[g] + offset, sizeof r);
#endif
        m[4 * g] = PAIRS(r[0], r[1], 0, 2, 0, 2);
        m[4 * g + 1] = PAIRS(r[0], r[1], 1, 3, 1, 3);
        m[4 * g + 2] = TURN(PAIRS(r[2], r[3], 0, 2, 0, 2), 3, 0, 1, 2);
        m[4 * g + 3] = TURN(PAIRS(r[2], r[3], 1, 3, 1, 3), 3, 0, 1, 2);
    }
}

/* The message as the next round takes it: the permutation of the paper's table 2. */
WORDS_INLINE void FN(permute_message)(quads m[REGS])
{
    for (size_t g = 0; g < REGS; g += 4) {
        quads x = m[g], y = m[g + 1], z = m[g + 2], w = m[g + 3];
        quads even = PAIRS(x, y, 1, 2, 1, 3);
        quads odd = PAIRS(x, PICK(z, w, 0, 1, 2, B(3)), 3, 0, 2, 3);
        quads low = PICK(w, y, 0, B(0), 1, B(1));
        quads high = PAIRS(z, PICK(w, y, 2, B(2), 3, B(3)), 1, 0, 0, 1);
        m[g] = TURN(even, 0, 2, 3, 1);
        m[g + 1] = TURN(odd, 0, 2, 1, 3);
        m[g + 2] = PAIRS(low, PICK(z, w, 0, B(1), 2, 3), 0, 1, 3, 1);
        m[g + 3] = TURN(high, 0, 2, 3, 1);
    }
}

/* Half a mix of four columns or diagonals. */
WORDS_INLINE void FN(mix_rows)(quads v[REGS], const quads m[REGS], size_t taken, int d, int b)
{
    for (size_t g = 0; g < REGS; g += 4) {
        v[g] = v[g] + m[g + taken] + v[g + 1];
        v[g + 3] = FN(rotate_rows)(v[g + 3] ^ v[g], d);
        v[g + 2] += v[g + 3];
        v[g + 1] = FN(rotate_rows)(v[g + 1] ^ v[g + 2], b);
    }
}

/* The columns, then the diagonals. For those the other rows are turned to where row 1 is, which is done last
 * and needed first. */
WORDS_INLINE void FN(mix_rows_round)(quads v[REGS], const quads m[REGS])
{
    FN(mix_rows)(v, m, 0, 16, 12);
    FN(mix_rows)(v, m, 1, 8, 7);
    for (size_t g = 0; g < REGS; g += 4) {
        v[g] = TURN(v[g], 3, 0, 1, 2);
        v[g + 3] = TURN(v[g + 3], 2, 3, 0, 1);
        v[g + 2] = TURN(v[g + 2], 1, 2, 3, 0);
    }
    FN(mix_rows)(v, m, 2, 16, 12);
    FN(mix_rows)(v, m, 3, 8, 7);
    for (size_t g = 0; g < REGS; g += 4) {
        v[g] = TURN(v[g], 1, 2, 3, 0);
        v[g + 3] = TURN(v[g + 3], 2, 3, 0, 1);
        v[g + 2] = TURN(v[g + 2], 3, 0, 1, 2);
    }
}

/* Rows 0 and 1 hold the chaining values, row 3 counters, lengths and flags; m is used up. */
WORDS_INLINE void FN(compress_rows)(quads v[REGS], quads m[REGS])
{
    for (size_t g = 0; g < REGS; g += 4)
        v[g + 2] = FN(same_rows)(sheaf_blake3_iv);
    for (int round = 0; round < 6; round++) {
        FN(mix_rows_round)(v, m);
        FN(permute_message)(m);
    }
    FN(mix_rows_round)(v, m);
    for (size_t g = 0; g < REGS; g += 4) {
        v[g] ^= v[g + 2];
        v[g + 1] ^= v[g + 3];
    }
}

/* Row 3 of the inputs of group g, numbers from a counter on, or 0 of all if the step is 0. */
WORDS_INLINE quads FN(row_3)(uint64_t counter, uint32_t mode, size_t g, uint64_t step)
{
    const quads_one first = {(uint32_t)counter, (uint32_t)(counter >> 32), BLAKE3_BLOCK, mode};
    FN(counters) numbers = {0};
    for (size_t i = 0; i < PER; i++)
        numbers[2 * i] = PER * g + i;
    return (quads)((FN(counters))FN(same_rows)(&first) + step * numbers);
}

/* blake3_kernel's, of at most INPUTS inputs; those that are not there repeat the last. */
static void FN(blake3_rows)(const uint8_t *x, size_t n, size_t blocks, uint64_t counter,
                            const uint32_t *key, uint32_t mode, uint32_t *cvs)
{
    static const uint32_t in_row_3[4] = {0, 0, 0, UINT32_MAX};
    const uint8_t *input[INPUTS];
    quads v[REGS], m[REGS], lengths[GROUPS];
    for (size_t i = 0; i < INPUTS; i++)
        input[i] = x + (i < n ? i : n - 1) * blocks * BLAKE3_BLOCK;
    for (size_t g = 0; g < GROUPS; g++) {
        v[4 * g] = FN(same_rows)(key);
        v[4 * g + 1] = FN(same_rows)(key + 4);
        lengths[g] = blocks > 1 ? FN(row_3)(counter, mode, g, 1) : FN(row_3)(0, mode, g, 0);
    }
    for (size_t b = 0; b < blocks; b++) {
        for (size_t g = 0; g < GROUPS; g++)
            v[4 * g + 3] =
                lengths[g] | (FN(same_rows)(in_row_3) & (blake3_flags(b, blocks) - (quads){0}));
        FN(load_message)(m, input, b * BLAKE3_BLOCK);
        FN(compress_rows)(v, m);
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(cvs + 8 * i, (uint8_t *)&v[i / PER * 4] + 16 * (i % PER), 16);
        memcpy(cvs + 8 * i + 4, (uint8_t *)&v[i / PER * 4 + 1] + 16 * (i % PER), 16);
    }
}

#undef FN
#undef quads
#undef floats
#undef IN_QUADS
#undef INPUTS
#undef REGS
#undef PAIRS
#undef PICK
#undef TURN
#undef B
#undef PER
#undef GROUPS
#undef SHAPE
