/* kernels.h -- the only door between engine/ and kernels/.
 *
 * A kernel reads one contiguous run of elements and writes one partial result. Kernels are pure: no
 * allocation, no locks, no errno, no globals. One struct kernels exists per instruction set; all give
 * the same bits, and the scalar one is the reference. */
#ifndef SHEAF_KERNELS_H
#define SHEAF_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The types that kernels compute with: rows of dtypes.def. */
enum kernel_dtype {
#define X(NAME, T, elem_t, acc_t) KERNEL_##NAME,
#include "dtypes.def"
#undef X
    KERNEL_DTYPES
};

/* The types that an array may hold, and what each is computed as: rows of stored.def. */
enum kernel_stored {
#define X(NAME, T, stored_t, COMPUTED, computed_t) STORED_##NAME,
#include "stored.def"
#undef X
    KERNEL_STORED
};
extern const enum kernel_dtype sheaf_kernel_computed[KERNEL_STORED];
extern const size_t sheaf_kernel_bytes[KERNEL_DTYPES]; /* of an element */

enum {
    KERNEL_SUM_LEAF = 8192,     /* elements: the leaf of a float sum */
    KERNEL_SUM_SUB_BLOCK = 512, /* of a leaf */
    KERNEL_SUM_LANES = 32,      /* of a sub-block */
};

/* An f16 or bf16 is its bits. x: n elements, aligned to their size only. out: 8 bytes, holding
 *     max, min         one element (n at least 1); any NaN gives the canonical quiet NaN; +0 above -0
 *     nanmax, nanmin   the same of the elements that are not NaN; NaN if all are
 *     minmax           two elements, what min and max would write
 *     nonzero          u64, how many elements are not 0 (a NaN is not)
 *     numbers          u64, how many are not NaN */
typedef void reduce_kernel(const void *x, size_t n, void *out);

/* x and y: n elements each; only dot and products_of_two read y, which else must be x. out: 8 bytes, holding
 *     sum, prod, dot, nansum   of integers: i64, wrapping, of any n
 *     these and the others     f64, in the order of <sheaf/reduce.h>, for which integers are converted;
 *                              n at most KERNEL_SUM_LEAF; of nothing the neutral element, -0.0 (prod:
 *                              1.0); a NaN is the canonical one
 *         values, nanvalues    the sum of the elements; products: the product
 *         products_of_two      of x * y
 *         magnitudes           of |x|
 *         squares              of (c * x) * (c * x)
 *         deviations           of (x - c) * (x - c)
 *         nan...               with 0 in place of the term of a NaN
 *         upper                u64, of (x + 2^63) >> 32, and of u64 x >> 32, for exact sums */
typedef void fold_kernel(const void *x, const void *y, double c, size_t n, void *out);

/* One lane of neighbouring columns, of one sub-block: the same folds, of the same bits, with a c for each column.
 * sums: a double for each; of no rows the neutral element. What was summed before is merged with it: merged[0] comes to
 * stand before it, then merged[1] before that. */
struct fold_columns {
    const void *x; /* the lane's first row; elements of a row lie one after the other */
    const void *y;
    ptrdiff_t
        x_stride; /* bytes from a row of the lane to its next: KERNEL_SUM_LANES rows of the array */
    ptrdiff_t y_stride;
    size_t rows; /* at most KERNEL_SUM_SUB_BLOCK / KERNEL_SUM_LANES */
    size_t columns;
    const double *c;      /* columns of them */
    const double *merged; /* merged_count times columns of them, merged_step from one to the next */
    size_t merged_count;
    size_t merged_step;
    const void
        *next; /* NULL, or x of the call after this: asked for, not read, so it may lie anywhere */
};
typedef void fold_columns_kernel(const struct fold_columns *in, double *sums);
enum columns_fold {
    COLUMNS_VALUES,
    COLUMNS_PRODUCTS,
    COLUMNS_PRODUCTS_OF_TWO,
    COLUMNS_MAGNITUDES,
    COLUMNS_SQUARES,
    COLUMNS_DEVIATIONS,
    COLUMNS_NANVALUES,
    COLUMNS_NANDEVIATIONS,
    COLUMNS_NUMBERS, /* how many there are; c is 0 */
    COLUMNS_FOLDS
};

/* The extremes of neighbouring columns, the bits of max, min, nanmax and nanmin. best: an element for each column,
 * which counts as one more row if is_begun, and is written. places: NULL, or for each column an integer as wide as its
 * elements, which becomes `place` where a row is above (below) the best so far, or is the first NaN, or the first
 * number if NaNs do not count; zeros are equal. */
struct extreme_columns {
    const void *x;    /* the first row; elements of a row lie one after the other */
    ptrdiff_t stride; /* bytes from row to row */
    size_t rows;      /* at least 1 */
    size_t columns;
    const void *next; /* as in struct fold_columns */
    bool is_begun;
    int32_t place; /* 0 or more */
    void *places;
};
typedef void extreme_columns_kernel(const struct extreme_columns *in, void *best);
enum columns_extreme {
    COLUMNS_MAXIMA,
    COLUMNS_MINIMA,
    COLUMNS_NANMAXIMA,
    COLUMNS_NANMINIMA,
    COLUMNS_EXTREMES
};

/* n elements, stride bytes apart, to n of the type that they are computed as. */
typedef void convert_kernel(const void *x, ptrdiff_t stride, size_t n, void *out);

/* The same of a tile: the elements of a column come one after the other, pitch elements from column to
 * column. */
struct tile {
    const void *x;
    ptrdiff_t row_stride; /* bytes */
    ptrdiff_t column_stride;
    size_t rows;
    size_t columns;
    size_t pitch;
};
typedef void transpose_kernel(const struct tile *tile, void *out);

/* The index of the first element that equals *value, one element; if that is a NaN, of the first NaN. n
 * if there is none. Zeros of both signs are equal. */
typedef size_t find_kernel(const void *x, size_t n, const void *value);

/* Adds the exact sum of the first so many of n elements (at most KERNEL_EXACT_RUN), as doubles, to
 * KERNEL_EXACT_DIGITS digits, and says how many: fewer than n if one of the others is not finite. Digit i stands for
 * 2^(32 i - 1075), and to each is added less than n * 2^33. */
enum { KERNEL_EXACT_RUN = 8192, KERNEL_EXACT_DIGITS = 68 };
typedef size_t exact_kernel(const void *x, size_t n, int64_t *digit);

/* The chaining values, 8 words each, of n inputs that lie one after the other: chunks number counter,
 * counter + 1, .. (blocks: 16), or parent nodes of two chaining values each (blocks: 1). None is the
 * root. key: 8 words that each of them begins with; mode: the flags that all blocks have. cvs may be x. */
typedef void blake3_kernel(const uint8_t *x, size_t n, size_t blocks, uint64_t counter,
                           const uint32_t *key, uint32_t mode, uint32_t *cvs);

/* BLAKE3's compression function. state: 8 words of chaining value; then all 16 words of the output, of
 * which the first 8 are the next chaining value. block: 64 bytes. */
typedef void blake3_compress(uint32_t *state, const uint8_t *block, uint32_t block_bytes,
                             uint64_t counter, uint32_t flags);

/* The same for the first blocks of a chunk, whole ones, one after the other. cv: 8 words, what the chunk
 * begins with; then the chaining value after them. */
typedef void blake3_first_blocks(uint32_t *cv, const uint8_t *x, size_t blocks, uint64_t counter,
                                 uint32_t mode);

/* The singular value decompositions of count matrices of m x n, in C order, one after the other, at most
 * KERNEL_SVD_COLUMNS_MAX on their shorter side, k. */
struct kernel_svd {
    const void *x;
    size_t count, m, n;
    void *s; /* k for each, falling */
    int32_t
        *status; /* for each: 0; 1: not finite, its values are NaN; 2: QR did not converge. A vector
                        of one that is not 0 means nothing */
    void *u, *vt; /* of svd_vectors() alone: m x k and k x n each, or m x m and n x n */
    bool is_full;
    size_t
        sweeps_for_one; /* how many dqds may take, for each value of a matrix, before that matrix is
                              bisected: KERNEL_SVD_SWEEPS, or less to test that */
    void *scratch;      /* sheaf_svd_scratch() bytes at a multiple of 64 */
};
typedef void svd_kernel(const struct kernel_svd *call);

enum { KERNEL_SVD_COLUMNS_MAX = 64, KERNEL_SVD_SWEEPS = 40 };

/* The bytes that svd_values(), or else svd_vectors(), needs for matrices of m x n; 0 if it does not take
 * them. */
size_t sheaf_svd_scratch(size_t m, size_t n, bool has_vectors, bool is_full);

/* Rows of a tall matrix, at most KERNEL_SVD_COLUMNS_MAX columns: element (i, j) is the i * row_step + j *
 * column_step-th from x on. */
struct tall_rows {
    const void *x;
    size_t rows, columns, row_step, column_step;
};

/* A'A of the rows times `scale`, a power of two: the upper triangle of g, n x n by rows. work: sheaf_gram_scratch()
 * bytes. The same bits whatever the steps. */
typedef void gram_kernel(const struct tall_rows *rows, double scale, double *work, double *g);
size_t sheaf_gram_scratch(size_t columns);

enum { KERNEL_TALL_ZERO = INT32_MIN };

/* The QR factorisation of a leaf of a tall matrix: sheaf_tall_rows() rows; the last has the rest, at least 8 n
 * and less than sheaf_tall_rows() + 8 n. r: n x n by rows, upper
 * triangular, of the rows times 2^-*exponent, which is KERNEL_TALL_ZERO for zeros. Returns 1 if any element is
 * not finite, else 0. scratch: sheaf_tall_scratch() bytes at a multiple of 64. */
typedef int32_t tall_factor_kernel(const struct tall_rows *rows, double *r, int32_t *exponent,
                                   void *scratch);

/* The rows of Q [z; 0], written to q, for the Q of tall_factor(), which is computed again. z: n x n by rows.
 * The rows are finite. */
typedef void tall_expand_kernel(const struct tall_rows *rows, const double *z,
                                const struct tall_rows *q, void *scratch);

/* The R of [r; b], both of tall_factor() with the same exponent; b becomes what unmerge() needs, as marks, 2 n
 * doubles. unmerge: [z; out] = Q [z; 0] of that. */
typedef void tall_merge_kernel(double *r, double *b, size_t n, double *marks);
typedef void tall_unmerge_kernel(double *z, double *out, const double *b, size_t n,
                                 const double *marks);

/* The rows of a leaf, and the bytes that factor() and (is_back) expand() need. */
size_t sheaf_tall_rows(size_t columns);
size_t sheaf_tall_scratch(size_t columns, bool is_back);

/* Columns first .. first + count - 1 of one matrix, no fewer rows than columns, to bidiagonal form, as LAPACK's dgebrd has
 * it. For the k-th of them, first + k: left(); then each share from 0 on, by anybody, at the same time if wanted; then
 * right(). The last column of all has left() alone. The bits depend on the number of shares.
 *
 * Column-major, pitch (a multiple of 8, as row_pitch is) from column to column, and 0 below the last row; all arrays at
 * multiples of 64. Behind these columns and rows A - vx yu' is due to the matrix, before the next panel. */
struct kernel_bidiagonal {
    double *
        a; /* below the diagonal the reflections from the left afterwards; rows are left as they are */
    size_t columns, pitch, row_pitch, first, count; /* row_pitch: columns, made a multiple of 8 */
    size_t shares;                                  /* 1 or more */
    double *d, *e, *tauq, *taup;                    /* of `columns` elements; e and taup one less */
    double *vx,
        *yu; /* 2 count columns, pitch and row_pitch long: v, x, v, x .. and y, u, y, u .. */
    double *scratch; /* (shares + 1) pitch + 2 row_pitch + 4 (2 count + 8) */
};
typedef void bidiagonal_kernel(const struct kernel_bidiagonal *call, size_t k);
typedef void bidiagonal_share_kernel(const struct kernel_bidiagonal *call, size_t k, size_t share);

/* SHA-256's compression of `blocks` blocks of x into one state. */
typedef void sha256_kernel(uint32_t state[8], const uint8_t *x, size_t blocks);

/* The same for n states, one after the other, of one block of x each. */
typedef void sha256_many_kernel(uint32_t *states, const uint8_t *x, size_t n);

/* scrypt's ROMix (RFC 7914, 5) of `count` inputs at once: at least 1, at most the table's scrypt_lanes. */
struct scrypt_lanes {
    uint8_t *x; /* the inputs of 128 r bytes, one after the other; replaced by the results */
    size_t count;
    size_t n;        /* a power of two, 2 or more */
    size_t r;        /* 1 or more */
    uint8_t *v;      /* input i remembers its rows, n * 128 r bytes, at v + i * v_stride */
    size_t v_stride; /* a multiple of 64, as v is */
    uint8_t *row;    /* to work in: scrypt_lanes * 128 r bytes, aligned to 64 */
};
typedef void scrypt_kernel(const struct scrypt_lanes *lanes);

struct kernels {
    const char *isa; /* a name in isas.def: "scalar", "avx2", "avx512", "neon" */
    reduce_kernel *max[KERNEL_DTYPES];
    reduce_kernel *min[KERNEL_DTYPES];
    reduce_kernel *nanmax[KERNEL_DTYPES];
    reduce_kernel *nanmin[KERNEL_DTYPES];
    reduce_kernel *minmax[KERNEL_DTYPES];
    find_kernel *find[KERNEL_DTYPES];
    reduce_kernel *nonzero[KERNEL_DTYPES];
    reduce_kernel *numbers[KERNEL_DTYPES];
    fold_kernel *sum[KERNEL_DTYPES];
    fold_kernel *prod[KERNEL_DTYPES];
    fold_kernel *dot[KERNEL_DTYPES];
    fold_kernel *nansum[KERNEL_DTYPES];
    fold_kernel *values[KERNEL_DTYPES];
    fold_kernel *products[KERNEL_DTYPES];
    fold_kernel *products_of_two[KERNEL_DTYPES];
    fold_kernel *nanvalues[KERNEL_DTYPES];
    fold_kernel *magnitudes[KERNEL_DTYPES];
    fold_kernel *squares[KERNEL_DTYPES];
    fold_kernel *deviations[KERNEL_DTYPES];
    fold_kernel *nandeviations[KERNEL_DTYPES];
    fold_kernel *upper[KERNEL_DTYPES]; /* NULL but for integers of 64 bits */
    fold_columns_kernel *columns[COLUMNS_FOLDS][KERNEL_DTYPES];
    extreme_columns_kernel *extremes[COLUMNS_EXTREMES][KERNEL_DTYPES];
    convert_kernel *convert[KERNEL_STORED];
    transpose_kernel *transpose[KERNEL_STORED];
    exact_kernel *exact[KERNEL_DTYPES];
    blake3_kernel *blake3;
    blake3_compress *blake3_one;
    blake3_first_blocks *blake3_chunk;
    svd_kernel *svd_values[KERNEL_DTYPES]; /* NULL but for floats, as the next */
    svd_kernel *svd_vectors[KERNEL_DTYPES];
    gram_kernel *gram[KERNEL_DTYPES]; /* NULL but for floats, as the next */
    tall_factor_kernel *tall_factor[KERNEL_DTYPES];
    tall_expand_kernel *tall_expand[KERNEL_DTYPES];
    tall_merge_kernel *tall_merge;
    tall_unmerge_kernel *tall_unmerge;
    bidiagonal_kernel *bidiagonal_left, *bidiagonal_right;
    bidiagonal_share_kernel *bidiagonal_share;
    sha256_kernel *sha256;
    sha256_many_kernel *sha256_many;
    scrypt_kernel *scrypt;
    size_t scrypt_lanes;
};

/* BLAKE3; see blake3_scalar.h for the source. */
enum {
    BLAKE3_BLOCK = 64, /* bytes */
    BLAKE3_CHUNK = 1024,
    BLAKE3_CHUNK_START = 1, /* flags */
    BLAKE3_CHUNK_END = 2,
    BLAKE3_PARENT = 4,
    BLAKE3_ROOT = 8,
    BLAKE3_KEYED_HASH = 16,
    BLAKE3_DERIVE_KEY_CONTEXT = 32,
    BLAKE3_DERIVE_KEY_MATERIAL = 64,
};

/* The chaining value that a chunk and a parent node begin with, if there is no key. */
extern const uint32_t sheaf_blake3_iv[8];

enum { SHA256_BLOCK = 64 }; /* bytes */
extern const uint32_t sheaf_sha256_iv[8];

/* Table i of those that this build has and this CPU (and its system) runs, slowest first: 0 is
 * scalar. NULL past the last. Thread-safe. */
const struct kernels *sheaf_kernels_at(size_t i);

#endif
