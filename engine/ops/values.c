/* values.c -- single values: rounded to a result's dtype, and from and to the type that is computed in. */
#include <string.h>

#include "ops/reduction.h"

double canonical_f64(double x)
{
    const uint64_t quiet_nan = 0x7ff8000000000000;
    if (x != x)
        memcpy(&x, &quiet_nan, sizeof x);
    return x;
}

void reduction_set_float(sheaf_scalar *out, double value)
{
    const uint32_t quiet_nan = 0x7fc00000;
    sheaf_scalar rounded = sheaf_scalar_of_f64(out->dtype, canonical_f64(value));
    if (out->dtype == SHEAF_F32 && value != value)
        memcpy(&rounded.value.f32, &quiet_nan, sizeof quiet_nan);
    memcpy(&out->value, &rounded.value, sizeof out->value);
}

double reduction_f64(enum kernel_dtype type, const void *computed)
{
    sheaf_value v = {.u64 = 0};
    memcpy(&v, computed, sheaf_kernel_bytes[type]);
    switch (type) {
    case KERNEL_I32:
        return v.i32;
    case KERNEL_I64:
        return (double)v.i64;
    case KERNEL_U64:
        return (double)v.u64;
    case KERNEL_F16:
        return sheaf_scalar_f64(&(sheaf_scalar){.dtype = SHEAF_F16, .value = v});
    case KERNEL_BF16:
        return sheaf_scalar_f64(&(sheaf_scalar){.dtype = SHEAF_BF16, .value = v});
    case KERNEL_F32:
        return (double)v.f32;
    default:
        return v.f64;
    }
}

/* Integers: the low bytes, since every element is in its dtype's range. */
void reduction_set_element(sheaf_value *out, const struct elements *e, const void *computed)
{
    size_t bytes = sheaf_dtype_size(e->dtype);
    sheaf_scalar scalar = {.dtype = e->dtype};
    if (e->is_float)
        reduction_set_float(&scalar, reduction_f64(e->type, computed));
    else
        memcpy(&scalar.value, computed, bytes);
    memcpy(out, &scalar.value, sizeof *out);
}

void reduction_get_element(void *computed, const struct elements *e, const sheaf_value *value)
{
    sheaf_scalar scalar = {.dtype = e->dtype, .value = *value};
    int64_t whole = sheaf_dtype_kind(e->dtype) == 'f' ? 0 : (int64_t)reduction_initial_u64(e);
    double x = e->is_float ? sheaf_scalar_f64(&scalar) : 0;
    float narrow = (float)x;
    int32_t small = (int32_t)whole;
    const void *of_type[KERNEL_DTYPES] = {
        [KERNEL_I32] = &small,      [KERNEL_I64] = &whole,        [KERNEL_U64] = &whole,
        [KERNEL_F16] = &value->f16, [KERNEL_BF16] = &value->bf16, [KERNEL_F32] = &narrow,
        [KERNEL_F64] = &x};
    memcpy(computed, of_type[e->type], e->bytes);
}

double reduction_initial_f64(const struct elements *e)
{
    const sheaf_scalar scalar = {.dtype = e->result, .value = e->params->initial};
    return sheaf_scalar_f64(&scalar);
}

/* With the sign where the dtype has one. */
uint64_t reduction_initial_u64(const struct elements *e)
{
    const sheaf_value *v = &e->params->initial;
    size_t bytes = sheaf_dtype_size(e->result);
    uint64_t bits = v->u64 & UINT64_MAX >> (64 - 8 * bytes);
    if (sheaf_dtype_kind(e->result) == 'i' && bytes < 8 && bits >> (8 * bytes - 1))
        bits |= UINT64_MAX << (8 * bytes);
    return bits;
}
