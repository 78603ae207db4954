/* pbkdf2.h -- PBKDF2-HMAC-SHA256 with one iteration, which is how scrypt begins and ends.
 *
 * Block i of the output (from 1) is HMAC(password, salt || i). All that does not depend on i is computed
 * once and kept as plain data, so that blocks can be made anywhere, many at a time, without the
 * password or the salt. What is kept is as secret as the password is. */
#ifndef SHEAF_OPS_PBKDF2_H
#define SHEAF_OPS_PBKDF2_H

#include <stddef.h>
#include <stdint.h>

#include "kernels.h"

enum { PBKDF2_BLOCK = 32 }; /* bytes */

struct pbkdf2 {
    uint32_t inner[8];          /* SHA-256 over the key's inner pad and the salt's whole blocks */
    uint32_t outer[8];          /* .. over its outer pad */
    uint64_t salt_bytes;        /* in all */
    uint8_t tail[SHA256_BLOCK]; /* the salt's last salt_bytes % SHA256_BLOCK bytes */
};

/* Begins. The whole salt must be given at once. */
void sheaf_pbkdf2_begin(struct pbkdf2 *out, const struct kernels *kernels, const void *password,
                        size_t password_bytes, const void *salt, size_t salt_bytes);

/* Blocks first to first + count - 1 of the output, the first being number 1. */
void sheaf_pbkdf2_blocks(uint8_t *out, const struct kernels *kernels, const struct pbkdf2 *pbkdf2,
                         uint32_t first, size_t count);

/* The first `bytes` bytes of the output. */
void sheaf_pbkdf2_output(uint8_t *out, size_t bytes, const struct kernels *kernels,
                         const struct pbkdf2 *pbkdf2);

#endif
