/* truth.c -- any, all and count_nonzero. An element is true if it is not zero; a NaN is true.
 *
 * any and all look at a block at a time, and a run ends with the first block that decides it. */
#include "ops/elements.h"

#include <string.h>

enum { BLOCK = 2048 };

static uint64_t true_ones(const struct op_call *call, const unsigned char *x, size_t n)
{
    uint64_t count;
    call->kernels->nonzero[elements_kernel(call)](x, n, &count);
    return count;
}

static sheaf_status map_count(const struct op_call *call, uint64_t first, uint64_t count,
                              void *partial)
{
    size_t n;
    const unsigned char *x = elements_run(call, first, count, &n);
    uint64_t total = true_ones(call, x, n);
    memcpy(partial, &total, sizeof total);
    return SHEAF_OK;
}

/* 1 if there is a true element (wanted) or a false one (not wanted), else 0. */
static uint64_t has(const struct op_call *call, uint64_t first, uint64_t count, bool wanted)
{
    const size_t element = sheaf_dtype_size((sheaf_dtype)call->arrays[0].dtype);
    size_t n;
    const unsigned char *x = elements_run(call, first, count, &n);
    while (n > 0) {
        size_t here = n < BLOCK ? n : BLOCK;
        uint64_t found = true_ones(call, x, here);
        if ((wanted ? found : here - found) > 0)
            return 1;
        x += here * element;
        n -= here;
    }
    return 0;
}

static sheaf_status map_any(const struct op_call *call, uint64_t first, uint64_t count,
                            void *partial)
{
    uint64_t value = has(call, first, count, true);
    memcpy(partial, &value, sizeof value);
    return SHEAF_OK;
}

static sheaf_status map_all(const struct op_call *call, uint64_t first, uint64_t count,
                            void *partial)
{
    uint64_t value = !has(call, first, count, false);
    memcpy(partial, &value, sizeof value);
    return SHEAF_OK;
}

static void read_two(uint64_t value[2], const void *left, const void *right)
{
    memcpy(&value[0], left, sizeof value[0]);
    memcpy(&value[1], right, sizeof value[1]);
}

static void merge_count(const struct op_call *call, const void *left, const void *right, void *out)
{
    uint64_t value[2];
    (void)call;
    read_two(value, left, right);
    value[0] += value[1];
    memcpy(out, &value[0], sizeof value[0]);
}

static void merge_any(const struct op_call *call, const void *left, const void *right, void *out)
{
    uint64_t value[2];
    (void)call;
    read_two(value, left, right);
    value[0] |= value[1];
    memcpy(out, &value[0], sizeof value[0]);
}

static void merge_all(const struct op_call *call, const void *left, const void *right, void *out)
{
    uint64_t value[2];
    (void)call;
    read_two(value, left, right);
    value[0] &= value[1];
    memcpy(out, &value[0], sizeof value[0]);
}

static void finish(const struct op_call *call, const void *root, void *result)
{
    sheaf_scalar scalar = {.dtype = SHEAF_I64};
    (void)call;
    memcpy(&scalar.value.i64, root, sizeof scalar.value.i64);
    elements_write(result, &scalar);
}

/* What ends a job early: once a worker has it, the rest of the elements do not count. */
static const uint64_t some = 1;
static const uint64_t none = 0;

const struct op sheaf_op_any = {
    .name = "any",
    .partial_bytes = sizeof(uint64_t),
    .result_bytes = sizeof(sheaf_scalar),
    .absorbing = &some,
    .plan = elements_plan,
    .map = map_any,
    .merge = merge_any,
    .finish = finish,
};

const struct op sheaf_op_all = {
    .name = "all",
    .partial_bytes = sizeof(uint64_t),
    .result_bytes = sizeof(sheaf_scalar),
    .absorbing = &none,
    .plan = elements_plan,
    .map = map_all,
    .merge = merge_all,
    .finish = finish,
};

const struct op sheaf_op_count_nonzero = {
    .name = "count_nonzero",
    .partial_bytes = sizeof(uint64_t),
    .result_bytes = sizeof(sheaf_scalar),
    .plan = elements_plan,
    .map = map_count,
    .merge = merge_count,
    .finish = finish,
};
