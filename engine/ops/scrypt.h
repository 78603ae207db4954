/* scrypt.h -- the middle of scrypt as an operation: what its params and arrays hold.
 *
 *     arrays[0]   keys     a struct pbkdf2 for each password
 *     arrays[1]   blocks   128 r bytes for each of the p inputs of each password, written
 *
 * An input is expanded from its password's key, goes through ROMix, and lies in blocks then. A leaf is
 * `group` inputs, of which `lanes` at a time are in flight in each worker: that is where the time and
 * the memory of scrypt go. Which inputs share a leaf changes no bit. The owner does the rest: the keys
 * before and the last PBKDF2 after, so neither password nor salt reaches a worker. */
#ifndef SHEAF_OPS_SCRYPT_H
#define SHEAF_OPS_SCRYPT_H

#include <stdint.h>

#include "job/op.h"

enum { SCRYPT_KEYS, SCRYPT_BLOCKS };

struct scrypt_params {
    uint64_t n;
    uint64_t inputs; /* p for each password */
    uint64_t group;
    uint32_t lanes;
    uint32_t r;
    uint32_t p;
};

_Static_assert(sizeof(struct scrypt_params) <= OP_PARAMS_BYTES, "params fit in a job");

/* Bytes of a worker: those for each input in flight, and those it takes in any case. */
uint64_t sheaf_scrypt_lane_bytes(uint64_t n, uint32_t r);
uint64_t sheaf_scrypt_worker_bytes(const struct kernels *kernels, uint32_t r);

#endif
