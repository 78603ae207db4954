/* golden.c -- reads golden/reduce.txt and draws its data. */
#include "golden.h"

#include <inttypes.h>
#include <math.h>

#include "check.h"

bool golden_next(struct golden *out, FILE *file)
{
    char line[128];
    char dtype[8];
    if (fgets(line, sizeof line, file) == NULL)
        return false;
    CHECK(sscanf(line, "%7s %7s %zu %llu %" SCNx64, out->op, dtype, &out->n, &out->seed,
                 &out->bits) == 5);
    out->dtype = sheaf_dtype_by_name(dtype);
    CHECK(out->dtype != 0);
    return true;
}

void golden_fill(void *x, sheaf_dtype dtype, size_t n, unsigned long long seed)
{
    for (size_t i = 0; i < n; i++) {
        unsigned long long z = check_random(&seed);
        int exponent = (int)(z & 31);
        switch (dtype) {
        case SHEAF_I32:
            ((int32_t *)x)[i] = (int32_t)(uint32_t)(z >> 32);
            break;
        case SHEAF_I64:
            ((int64_t *)x)[i] = (int64_t)z;
            break;
        case SHEAF_F32:
            ((float *)x)[i] = ldexpf((float)((int64_t)(z >> 40) - (1 << 23)), exponent - 39);
            break;
        case SHEAF_F64:
            ((double *)x)[i] =
                ldexp((double)((int64_t)(z >> 11) - ((int64_t)1 << 52)), exponent - 68);
            break;
        }
    }
}
