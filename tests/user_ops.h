/* user_ops.h -- what the operations of user_ops.c give. */
#ifndef SHEAF_TESTS_USER_OPS_H
#define SHEAF_TESTS_USER_OPS_H

#include <sheaf/sheaf.h>

enum { TOP_MOST = 1000, BUCKETS = 8192 };

/* "top_k": the k greatest of f64, falling, the earlier of equals first. Arguments: k, a uint32_t up to TOP_MOST. */
struct top {
    uint64_t count;
    struct place {
        double value;
        uint64_t index;
    } best[TOP_MOST];
};

/* "spell": a hash of all bytes in their order, which nothing but the right order gives. */
struct spelling {
    uint64_t hash;
    uint64_t power; /* of the base, to the number of bytes */
};

/* "histogram": u64, how many items of u8 are each value, in a partial of the largest size. */

#endif
