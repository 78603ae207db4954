/* convert_tmpl.h -- from memory to the type that is computed with, for one stored type, T: a run with any
 * stride, and a tile that is transposed. Strides that slices often have are constants, for which a compiler has
 * instructions. */
#ifndef READ
#define READ(x) (x)
#endif
#define stored   PASTE(stored, T)
#define computed PASTE(computed, T)
#define FN(name) PASTE(name, T)

static inline computed FN(read)(const unsigned char *at)
{
    stored x;
    memcpy(&x, at, sizeof x);
    return (computed)READ(x);
}

static void FN(convert)(const void *data, ptrdiff_t stride, size_t n, void *out)
{
    const unsigned char *at = data;
    computed *to = out;
    if (stride == sizeof(stored))
        for (size_t i = 0; i < n; i++)
            to[i] = FN(read)(at + i * sizeof(stored));
    else if (stride == 2 * (ptrdiff_t)sizeof(stored))
        for (size_t i = 0; i < n; i++)
            to[i] = FN(read)(at + 2 * i * sizeof(stored));
    else if (stride == -(ptrdiff_t)sizeof(stored))
        for (size_t i = 0; i < n; i++)
            to[i] = FN(read)(at - i * sizeof(stored));
    else
        for (size_t i = 0; i < n; i++, at += stride)
            to[i] = FN(read)(at);
}

/* Asks for the lines of one row of a tile. */
static inline void FN(ask)(const struct tile *tile, const unsigned char *row)
{
    enum { LINE = 64 };
    const ptrdiff_t last = ((ptrdiff_t)tile->columns - 1) * tile->column_stride;
    const uintptr_t from = (uintptr_t)row + (uintptr_t)(last < 0 ? last : 0);
    const uintptr_t past = (uintptr_t)row + (uintptr_t)(last < 0 ? 0 : last) + sizeof(stored);
    for (uintptr_t at = from / LINE * LINE; at < past; at += LINE)
        __builtin_prefetch((const void *)at, 0, 2);
}

/* By blocks of 8 rows: a line of each column is written whole, and of each row read. Those of a block two further down are
 * asked for where columns share lines: each row may lie in a page of its own. */
static void FN(transpose)(const struct tile *tile, void *out)
{
    enum { BLOCK = 8, NEAR = 32 };
    const bool asks = tile->column_stride <= NEAR && tile->column_stride >= -NEAR;
    const unsigned char *row = tile->x;
    computed *to = out;
    size_t r = 0;
    for (; r + BLOCK <= tile->rows; r += BLOCK, row += BLOCK * tile->row_stride) {
        for (ptrdiff_t k = 2 * BLOCK; asks && r + 3 * BLOCK <= tile->rows && k < 3 * BLOCK; k++)
            FN(ask)(tile, row + k * tile->row_stride);
        for (size_t c = 0; c < tile->columns; c++)
            for (size_t k = 0; k < BLOCK; k++)
                to[c * tile->pitch + r + k] = FN(read)(row + (ptrdiff_t)k * tile->row_stride +
                                                       (ptrdiff_t)c * tile->column_stride);
    }
    for (; r < tile->rows; r++, row += tile->row_stride)
        for (size_t c = 0; c < tile->columns; c++)
            to[c * tile->pitch + r] = FN(read)(row + (ptrdiff_t)c * tile->column_stride);
}

#undef READ
#undef stored
#undef computed
#undef FN
#undef T
