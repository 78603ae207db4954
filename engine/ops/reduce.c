/* reduce.c -- max and min of all elements, and nanmax and nanmin, for which NaNs do not count.
 *
 * The order is free (any order gives the same bits), so a run of leaves is one kernel call. The partial
 * is what the kernel writes, an element, where every NaN is the canonical one, so that partials too are
 * equal bit for bit. nanmax of NaNs alone is NaN, as NumPy's. */
#include "ops/elements.h"

#include <string.h>

static sheaf_status plan_max(struct op_plan *out, const struct op_call *call)
{
    return elements_plan_some(out, call, "max");
}

static sheaf_status plan_min(struct op_plan *out, const struct op_call *call)
{
    return elements_plan_some(out, call, "min");
}

/* The kernel over both: the rules for NaN and zeros stand in one place. */
static void merge(reduce_kernel *const *row, const struct op_call *call, const void *left,
                  const void *right, void *out)
{
    size_t element = sheaf_dtype_size((sheaf_dtype)call->arrays[0].dtype);
    sheaf_value pair[2];
    sheaf_value value = {.i64 = 0};
    memcpy(pair, left, element);
    memcpy((unsigned char *)pair + element, right, element);
    row[elements_kernel(call)](pair, 2, &value);
    memcpy(out, &value, sizeof value);
}

/* In blocks that fit into the cache: where the extreme is a zero, the kernel looks for its sign in a
 * second pass. */
static sheaf_status map(reduce_kernel *const *row, const struct op_call *call, uint64_t first,
                        uint64_t count, void *partial)
{
    enum { BLOCK = 2 * KERNEL_SUM_LEAF };
    const size_t element = sheaf_dtype_size((sheaf_dtype)call->arrays[0].dtype);
    sheaf_value value = {.i64 = 0};
    size_t n;
    const unsigned char *x = elements_run(call, first, count, &n);
    for (size_t begin = 0; begin < n; begin += BLOCK) {
        sheaf_value here = {.i64 = 0};
        size_t length = n - begin < BLOCK ? n - begin : BLOCK;
        row[elements_kernel(call)](x + begin * element, length, &here);
        if (begin == 0)
            value = here;
        else
            merge(row, call, &value, &here, &value);
    }
    memcpy(partial, &value, sizeof value);
    return SHEAF_OK;
}

static sheaf_status map_max(const struct op_call *call, uint64_t first, uint64_t count,
                            void *partial)
{
    return map(call->kernels->max, call, first, count, partial);
}

static sheaf_status map_min(const struct op_call *call, uint64_t first, uint64_t count,
                            void *partial)
{
    return map(call->kernels->min, call, first, count, partial);
}

static sheaf_status map_nanmax(const struct op_call *call, uint64_t first, uint64_t count,
                               void *partial)
{
    return map(call->kernels->nanmax, call, first, count, partial);
}

static sheaf_status map_nanmin(const struct op_call *call, uint64_t first, uint64_t count,
                               void *partial)
{
    return map(call->kernels->nanmin, call, first, count, partial);
}

static void merge_max(const struct op_call *call, const void *left, const void *right, void *out)
{
    merge(call->kernels->max, call, left, right, out);
}

static void merge_min(const struct op_call *call, const void *left, const void *right, void *out)
{
    merge(call->kernels->min, call, left, right, out);
}

static void merge_nanmax(const struct op_call *call, const void *left, const void *right, void *out)
{
    merge(call->kernels->nanmax, call, left, right, out);
}

static void merge_nanmin(const struct op_call *call, const void *left, const void *right, void *out)
{
    merge(call->kernels->nanmin, call, left, right, out);
}

static void finish(const struct op_call *call, const void *root, void *result)
{
    sheaf_scalar scalar = {.dtype = (sheaf_dtype)call->arrays[0].dtype};
    memcpy(&scalar.value, root, sizeof scalar.value);
    elements_write(result, &scalar);
}

const struct op sheaf_op_max = {
    .name = "max",
    .partial_bytes = sizeof(sheaf_value),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = plan_max,
    .map = map_max,
    .merge = merge_max,
    .finish = finish,
};

const struct op sheaf_op_min = {
    .name = "min",
    .partial_bytes = sizeof(sheaf_value),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = plan_min,
    .map = map_min,
    .merge = merge_min,
    .finish = finish,
};

const struct op sheaf_op_nanmax = {
    .name = "nanmax",
    .partial_bytes = sizeof(sheaf_value),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = plan_max,
    .map = map_nanmax,
    .merge = merge_nanmax,
    .finish = finish,
};

const struct op sheaf_op_nanmin = {
    .name = "nanmin",
    .partial_bytes = sizeof(sheaf_value),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = plan_min,
    .map = map_nanmin,
    .merge = merge_nanmin,
    .finish = finish,
};
