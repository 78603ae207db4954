/* sha256.h -- SHA-256 with the instructions that some CPUs have for it; for select.c. */
#ifndef SHEAF_KERNELS_SHA256_H
#define SHEAF_KERNELS_SHA256_H

#include <stdbool.h>

#include "kernels.h"

/* Plain C, for any CPU. */
void sheaf_sha256_portable(uint32_t state[8], const uint8_t *x, size_t blocks);

/* With SHA-NI; only where sheaf_sha256_has_ni() is true. */
bool sheaf_sha256_has_ni(void);
void sheaf_sha256_ni(uint32_t state[8], const uint8_t *x, size_t blocks);
void sheaf_sha256_many_ni(uint32_t *states, const uint8_t *x, size_t n);

#endif
