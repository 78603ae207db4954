/* minmax.c -- both extremes in one pass, and what follows from them: ptp, the greatest minus the least,
 * and norm_inf, the greatest magnitude. The partial is two elements, as the kernel writes them. */
#include "ops/elements.h"

#include <string.h>

enum { PAIR_BYTES = 2 * sizeof(double) };

static sheaf_status plan_minmax(struct op_plan *out, const struct op_call *call)
{
    return elements_plan_some(out, call, "minmax");
}

static sheaf_status plan_ptp(struct op_plan *out, const struct op_call *call)
{
    return elements_plan_some(out, call, "ptp");
}

/* The kernel over all four: the rules for NaN and zeros stand in one place. */
static void merge(const struct op_call *call, const void *left, const void *right, void *out)
{
    size_t two = 2 * sheaf_dtype_size((sheaf_dtype)call->arrays[0].dtype);
    _Alignas(8) unsigned char four[2 * PAIR_BYTES];
    unsigned char pair[PAIR_BYTES] = {0};
    memcpy(four, left, two);
    memcpy(four + two, right, two);
    call->kernels->minmax[elements_kernel(call)](four, 4, pair);
    memcpy(out, pair, sizeof pair);
}

/* In blocks that fit into the cache: where an extreme is a zero, the kernel looks for its sign in a
 * second pass. */
static sheaf_status map(const struct op_call *call, uint64_t first, uint64_t count, void *partial)
{
    enum { BLOCK = 2 * KERNEL_SUM_LEAF };
    const size_t element = sheaf_dtype_size((sheaf_dtype)call->arrays[0].dtype);
    unsigned char pair[PAIR_BYTES] = {0}; /* of nothing: zeros, which norm_inf wants */
    size_t n;
    const unsigned char *x = elements_run(call, first, count, &n);
    for (size_t begin = 0; begin < n; begin += BLOCK) {
        unsigned char here[PAIR_BYTES] = {0};
        size_t length = n - begin < BLOCK ? n - begin : BLOCK;
        call->kernels->minmax[elements_kernel(call)](x + begin * element, length, here);
        if (begin == 0)
            memcpy(pair, here, sizeof pair);
        else
            merge(call, pair, here, pair);
    }
    memcpy(partial, pair, sizeof pair);
    return SHEAF_OK;
}

static void read_pair(sheaf_value out[2], const struct op_call *call, const void *root)
{
    size_t element = sheaf_dtype_size((sheaf_dtype)call->arrays[0].dtype);
    memset(out, 0, 2 * sizeof out[0]);
    memcpy(&out[0], root, element);
    memcpy(&out[1], (const unsigned char *)root + element, element);
}

static void finish_minmax(const struct op_call *call, const void *root, void *result)
{
    sheaf_value pair[2];
    read_pair(pair, call, root);
    elements_write(result, &(sheaf_scalar){.dtype = (sheaf_dtype)call->arrays[0].dtype,
                                           .value = pair[0],
                                           .second = pair[1]});
}

/* In the dtype of the elements; integers wrap, as NumPy's do. */
static void finish_ptp(const struct op_call *call, const void *root, void *result)
{
    sheaf_scalar scalar = {.dtype = (sheaf_dtype)call->arrays[0].dtype};
    sheaf_value pair[2];
    read_pair(pair, call, root);
    switch (call->arrays[0].dtype) {
    case SHEAF_I32:
        scalar.value.i32 = (int32_t)((uint32_t)pair[1].i32 - (uint32_t)pair[0].i32);
        break;
    case SHEAF_I64:
        scalar.value.i64 = (int64_t)((uint64_t)pair[1].i64 - (uint64_t)pair[0].i64);
        break;
    case SHEAF_F32:
        scalar.value.f32 = canonical_f32(pair[1].f32 - pair[0].f32);
        break;
    default:
        scalar.value.f64 = canonical_f64(pair[1].f64 - pair[0].f64);
        break;
    }
    elements_write(result, &scalar);
}

/* The larger magnitude; a NaN if both are (the kernel gives two, or none). */
static double larger(double a, double b)
{
    double x = __builtin_fabs(a);
    double y = __builtin_fabs(b);
    return x > y ? x : y;
}

/* Floats: of their own dtype. Integers: f64, rounded once; as doubles, for there is no -INT64_MIN. */
static void finish_norm_inf(const struct op_call *call, const void *root, void *result)
{
    sheaf_scalar scalar = {.dtype = SHEAF_F64};
    sheaf_value pair[2];
    read_pair(pair, call, root);
    switch (call->arrays[0].dtype) {
    case SHEAF_I32:
        scalar.value.f64 = larger((double)pair[0].i32, (double)pair[1].i32);
        break;
    case SHEAF_I64:
        scalar.value.f64 = larger((double)pair[0].i64, (double)pair[1].i64);
        break;
    case SHEAF_F32:
        scalar.dtype = SHEAF_F32;
        scalar.value.f32 = canonical_f32((float)larger((double)pair[0].f32, (double)pair[1].f32));
        break;
    default:
        scalar.value.f64 = canonical_f64(larger(pair[0].f64, pair[1].f64));
        break;
    }
    elements_write(result, &scalar);
}

const struct op sheaf_op_minmax = {
    .name = "minmax",
    .partial_bytes = PAIR_BYTES,
    .result_bytes = sizeof(sheaf_scalar),
    .plan = plan_minmax,
    .map = map,
    .merge = merge,
    .finish = finish_minmax,
};

const struct op sheaf_op_ptp = {
    .name = "ptp",
    .partial_bytes = PAIR_BYTES,
    .result_bytes = sizeof(sheaf_scalar),
    .plan = plan_ptp,
    .map = map,
    .merge = merge,
    .finish = finish_ptp,
};

const struct op sheaf_op_norm_inf = {
    .name = "norm_inf",
    .partial_bytes = PAIR_BYTES,
    .result_bytes = sizeof(sheaf_scalar),
    .plan = elements_plan,
    .map = map,
    .merge = merge,
    .finish = finish_norm_inf,
};
