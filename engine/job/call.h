/* call.h -- the params of the operation that calls a function of the user's own, once or for every item of a map. */
#ifndef SHEAF_JOB_CALL_H
#define SHEAF_JOB_CALL_H

#include <stdint.h>

#include "job/op.h"

/* The params of the operation. The request's symbol is the function, its inputs are the arguments and the items, its
 * output is the results one after another; with `into` they lie in that array instead. */
struct call_params {
    uint64_t first; /* index of the first item */
    uint64_t count; /* items */
    uint64_t chunk; /* items in a leaf */
    uint64_t argument_bytes;
    uint64_t item_bytes;   /* of one */
    uint64_t result_bytes; /* of one */
    uint64_t into_bytes;   /* from the start of `into` to the first result */
    uint8_t array_count;   /* arrays of the user's, the first of the request's */
    uint8_t into;          /* array of the results, + 1; 0: the output */
};

#endif
