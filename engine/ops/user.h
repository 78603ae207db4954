/* user.h -- the operation that runs a user's own reduction. */
#ifndef SHEAF_OPS_USER_H
#define SHEAF_OPS_USER_H

#include <stdint.h>

/* The params of the operation. The request's symbol is a sheaf_operation, its input 0 the arguments, its output has the
 * result's bytes. */
struct user_params {
    uint64_t argument_bytes;
    uint32_t array_count;
};

#endif
