/* scrypt_tmpl.h -- scrypt's ROMix, of one input or of several at once.
 *
 * Source: RFC 7914 (Percival, Josefsson 2016), 3 to 5. A row is 2 r blocks of 64 bytes.
 *
 *     fill   V[i] = row; row = BlockMix(row)                  for i in 0 .. n-1
 *     mix    row = BlockMix(row xor V[row's last block mod n])     n times
 *
 * Salsa20/8 works on the four diagonals of a 4 x 4 square of words. A quad, 128 bits, is one of them; a
 * register has as many quads as fit, each of another input (a lane), and two or three registers' worth
 * of lanes go side by side, since every step waits for the one before. Rows are kept as quads. V lies
 * lane by lane, as each lane asks for another row: quads change places on their way there and back.
 * AVX2, which has no rotations to save, fills up to 8 lanes by words (scrypt_words.h).
 *
 * Nanoseconds a block (a lane's Salsa20/8), for (n, r) = (128, 1024) and (16384, 8).
 *
 *     AVX2 (Zen 4; OpenSSL: 103 to 107)    1 lane 47, 53    2 24, 28    2 x 2 15, 18.5    2 x 3 13, 16.5
 *                by words, 8 lanes: 12, 14.2 (OpenSSL that day: 82 to 86)
 *     AVX-512 (Sapphire Rapids, before copies and loads of the row were mended; OpenSSL: 85 to 91)
 *                1 lane 36, 40    4 lanes  9.8, 11.9    4 x 2  8.0, 8.8    4 x 3  8.0, 8.1
 *                a word of 16 lanes in each register: 7.5, 7.9, with twice the memory of 4 x 2
 *
 * Streaming stores gain 9 % or lose 11 %, and where V fits in a cache they lose much. */
#include "scrypt_walk.h"

#if VBYTES < 16

#include "scrypt_scalar.h"
enum { SCRYPT_LANES = 1 };

static void scrypt_romix(const struct scrypt_lanes *lanes)
{
    scrypt_romix_scalar(lanes);
}

#else

#define PER    1
#define GROUPS 1
#define SHAPE  one
#include "scrypt_quads_tmpl.h"
#define PER    QUADS
#define GROUPS 1
#define SHAPE  few
#include "scrypt_quads_tmpl.h"
#define PER    QUADS
#define GROUPS 2
#define SHAPE  some
#include "scrypt_quads_tmpl.h"
#if VBYTES == 64
enum { SCRYPT_LANES = 2 * QUADS };
#else
#define PER    QUADS
#define GROUPS 3
#define SHAPE  many
#include "scrypt_quads_tmpl.h"
#if VBYTES == 32
#include "scrypt_words.h"
enum { SCRYPT_LANES = WORDS };
#else
enum { SCRYPT_LANES = 3 * QUADS };
#endif
#endif

static void scrypt_romix(const struct scrypt_lanes *lanes)
{
    if (lanes->count == 1)
        scrypt_romix_one(lanes);
    else if (lanes->count <= QUADS)
        scrypt_romix_few(lanes);
    else if (lanes->count <= (size_t)2 * QUADS)
        scrypt_romix_some(lanes);
#if VBYTES != 64
    else if (lanes->count <= (size_t)3 * QUADS)
        scrypt_romix_many(lanes);
#endif
#if VBYTES == 32
    else
        scrypt_romix_words(lanes);
#endif
}

#endif
