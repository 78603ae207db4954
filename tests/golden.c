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

static double float_of(sheaf_dtype dtype, unsigned long long z)
{
    int exponent = (int)(z & (dtype == SHEAF_F16 ? 15 : 31));
    switch (dtype) {
    case SHEAF_F16:
        return ldexp((double)((int64_t)(z >> 53) - (1 << 10)), exponent - 14);
    case SHEAF_BF16:
        return ldexp((double)((int64_t)(z >> 56) - (1 << 7)), exponent - 23);
    case SHEAF_F32:
        return ldexp((double)((int64_t)(z >> 40) - (1 << 23)), exponent - 39);
    default:
        return ldexp((double)((int64_t)(z >> 11) - ((int64_t)1 << 52)), exponent - 68);
    }
}

void golden_fill(void *x, sheaf_dtype dtype, size_t n, unsigned long long seed)
{
    const size_t bytes = sheaf_dtype_size(dtype);
    for (size_t i = 0; i < n; i++) {
        unsigned long long z = check_random(&seed);
        sheaf_scalar element = {.dtype = dtype};
        if (sheaf_dtype_kind(dtype) == 'f')
            element = sheaf_scalar_of_f64(dtype, float_of(dtype, z));
        else
            element.value.u64 = dtype == SHEAF_BOOL ? z >> 63 : z >> (64 - 8 * bytes);
        memcpy((unsigned char *)x + i * bytes, &element.value, bytes);
    }
}
