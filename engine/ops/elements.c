/* elements.c -- leaves of elements, canonical NaNs, results as bytes. */
#include "ops/elements.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"

bool elements_are_floats(const struct op_call *call)
{
    return call->arrays[0].dtype == SHEAF_F32 || call->arrays[0].dtype == SHEAF_F64;
}

enum kernel_dtype elements_kernel(const struct op_call *call)
{
    switch (call->arrays[0].dtype) {
    case SHEAF_I32:
        return KERNEL_I32;
    case SHEAF_I64:
        return KERNEL_I64;
    case SHEAF_F32:
        return KERNEL_F32;
    case SHEAF_F64:
        return KERNEL_F64;
    default:
        return KERNEL_DTYPES;
    }
}

sheaf_status elements_plan(struct op_plan *out, const struct op_call *call)
{
    const struct op_array *a = &call->arrays[0];
    if (elements_kernel(call) == KERNEL_DTYPES)
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "reduce: no dtype has the code %u", (unsigned)a->dtype);
    uint64_t leaves = a->size / KERNEL_SUM_LEAF + (a->size % KERNEL_SUM_LEAF != 0);
    out->leaves = leaves > 0 ? leaves : 1;
    out->leaf_bytes = KERNEL_SUM_LEAF * sheaf_dtype_size((sheaf_dtype)a->dtype);
    return SHEAF_OK;
}

sheaf_status elements_plan_some(struct op_plan *out, const struct op_call *call, const char *what)
{
    if (call->arrays[0].size == 0)
        return SHEAF_FAIL(SHEAF_ERR_EMPTY, "%s of no elements has no value", what);
    return elements_plan(out, call);
}

const unsigned char *elements_run(const struct op_call *call, uint64_t first, uint64_t count,
                                  size_t *n)
{
    const struct op_array *a = &call->arrays[0];
    const unsigned char *x = call->data[0];
    uint64_t begin = first * KERNEL_SUM_LEAF;
    assert(begin <= a->size);
    uint64_t left = a->size - begin;
    *n = (size_t)(count > left / KERNEL_SUM_LEAF ? left : count * KERNEL_SUM_LEAF);
    return begin > 0 ? x + begin * sheaf_dtype_size((sheaf_dtype)a->dtype) : x;
}

const unsigned char *elements_at(const struct op_call *call, uint64_t begin)
{
    const unsigned char *x = call->data[0];
    return begin > 0 ? x + begin * sheaf_dtype_size((sheaf_dtype)call->arrays[0].dtype) : x;
}

const unsigned char *elements_beside(const struct op_call *call, uint64_t begin)
{
    const unsigned char *y = call->data[1] != NULL ? call->data[1] : call->data[0];
    return begin > 0 ? y + begin * sheaf_dtype_size((sheaf_dtype)call->arrays[0].dtype) : y;
}

/* From the left: after leaf i, as many pairs are complete as i has trailing ones. What then waits is a
 * full subtree for each bit of the count, the larger ones to the left, and the right one is the last to
 * have been made. */
void elements_tree(const struct op_call *call, uint64_t first, uint64_t count, void *partial,
                   size_t bytes, elements_leaf *leaf, elements_merge *merge)
{
    enum { LEVELS = 64 }; /* of the tree over less than 2^64 leaves */
    _Alignas(16) unsigned char waiting[LEVELS][ELEMENTS_PARTIAL_MAX];
    _Alignas(16) unsigned char newest[ELEMENTS_PARTIAL_MAX];
    const uint64_t size = call->arrays[0].size;
    size_t depth = 0;
    assert(bytes <= ELEMENTS_PARTIAL_MAX);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t begin = (first + i) * KERNEL_SUM_LEAF;
        uint64_t left = size > begin ? size - begin : 0;
        if (i > 0)
            memcpy(waiting[depth++], newest, bytes);
        leaf(call, begin, (size_t)(left < KERNEL_SUM_LEAF ? left : KERNEL_SUM_LEAF), newest);
        for (uint64_t pairs = i; pairs & 1; pairs >>= 1)
            merge(call, waiting[--depth], newest, newest);
    }
    while (depth > 0)
        merge(call, waiting[--depth], newest, newest);
    memcpy(partial, newest, bytes);
}

void elements_write_float(void *result, const struct op_call *call, double value)
{
    sheaf_scalar scalar = {.dtype = SHEAF_F64};
    if (call->arrays[0].dtype == SHEAF_F32) {
        scalar.dtype = SHEAF_F32;
        scalar.value.f32 = canonical_f32((float)value);
    } else {
        scalar.value.f64 = canonical_f64(value);
    }
    elements_write(result, &scalar);
}

double canonical_f64(double x)
{
    const uint64_t quiet_nan = 0x7ff8000000000000;
    if (x != x)
        memcpy(&x, &quiet_nan, sizeof x);
    return x;
}

float canonical_f32(float x)
{
    const uint32_t quiet_nan = 0x7fc00000;
    if (x != x)
        memcpy(&x, &quiet_nan, sizeof x);
    return x;
}

void elements_write(void *result, const sheaf_scalar *scalar)
{
    unsigned char *bytes = result;
    size_t size = sheaf_dtype_size(scalar->dtype);
    memset(bytes, 0, sizeof *scalar);
    memcpy(bytes + offsetof(sheaf_scalar, dtype), &scalar->dtype, sizeof scalar->dtype);
    memcpy(bytes + offsetof(sheaf_scalar, value), &scalar->value, size);
    memcpy(bytes + offsetof(sheaf_scalar, second), &scalar->second, size);
    memcpy(bytes + offsetof(sheaf_scalar, index), &scalar->index, sizeof scalar->index);
}
