/* svd.h -- what the api tells the SVD beside the arrays. */
#ifndef SHEAF_OPS_SVD_H
#define SHEAF_OPS_SVD_H

#include <stdint.h>

/* The params of "svd_values". */
struct svd_params {
    uint32_t reproducible; /* not 0: refuse what LAPACK would have to compute */
};

#endif
