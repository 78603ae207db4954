/* dtype.c -- the table of element types, and values of any of them. */
#include <sheaf/dtype.h>

#include <stdbool.h>
#include <string.h>

static const struct {
    sheaf_dtype dtype;
    size_t bytes;
    const char *name;
    char kind;
} dtypes[] = {
#define X(NAME, code, c_type, name, kind, npy_descr, numpy_type)                                   \
    [code] = {SHEAF_##NAME, sizeof(c_type), name, kind},
#include <sheaf/dtypes.def>
#undef X
};

enum { DTYPES = sizeof dtypes / sizeof dtypes[0] };

/* A float format: bits of the fraction, and the exponent of the least normal number. */
struct format {
    int fraction;
    int least;
    uint16_t infinity;
    uint16_t nan; /* the quiet one */
};

static const struct format f16 = {10, -14, 0x7c00, 0x7e00};
static const struct format bf16 = {7, -126, 0x7f80, 0x7fc0};

static bool is_known(sheaf_dtype dtype)
{
    return (size_t)dtype < DTYPES && dtypes[dtype].bytes != 0;
}

size_t sheaf_dtype_size(sheaf_dtype dtype)
{
    return is_known(dtype) ? dtypes[dtype].bytes : 0;
}

const char *sheaf_dtype_name(sheaf_dtype dtype)
{
    return is_known(dtype) ? dtypes[dtype].name : "?";
}

char sheaf_dtype_kind(sheaf_dtype dtype)
{
    if (!is_known(dtype))
        return '\0';
    return dtypes[dtype].kind;
}

sheaf_dtype sheaf_dtype_by_name(const char *name)
{
    for (size_t i = 0; name != NULL && i < DTYPES; i++)
        if (dtypes[i].bytes != 0 && strcmp(dtypes[i].name, name) == 0)
            return dtypes[i].dtype;
    return (sheaf_dtype)0;
}

static double power_of_2(int exponent)
{
    uint64_t bits = (uint64_t)(1023 + exponent) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/* From a double at once: by way of an f32 it would be rounded twice. The last bit that counts is made a
 * whole number's, and adding 2^52 rounds to it. */
static uint16_t narrow(double x, const struct format *format)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 48 & 0x8000);
    int exponent = (int)(bits >> 52 & 0x7ff) - 1023;
    if (x != x)
        return format->nan;
    if (exponent == 1024)
        return sign | format->infinity;
    exponent = exponent > format->least ? exponent : format->least;
    double whole = __builtin_fabs(x) * power_of_2(format->fraction - exponent);
    whole = (whole + 0x1p52) - 0x1p52;
    /* the implied bit adds 1 to the exponent, and so does a carry */
    uint32_t code = ((uint32_t)(exponent - format->least) << format->fraction) + (uint32_t)whole;
    return (uint16_t)(sign | (code < format->infinity ? code : format->infinity));
}

static double widen(uint16_t x, const struct format *format)
{
    int exponent = (x & 0x7fff) >> format->fraction;
    uint32_t fraction = x & ((1U << format->fraction) - 1);
    double value = __builtin_inf();
    if ((x & 0x7fff) > format->infinity)
        return __builtin_nan("");
    if ((x & 0x7fff) < format->infinity) {
        fraction |= exponent > 0 ? 1U << format->fraction : 0;
        exponent += exponent == 0;
        value = (double)fraction * power_of_2(exponent - 1 + format->least - format->fraction);
    }
    return x & 0x8000 ? -value : value;
}

double sheaf_scalar_f64(const sheaf_scalar *scalar)
{
    const sheaf_value *v = &scalar->value;
    switch (scalar->dtype) {
    case SHEAF_BOOL:
        return v->boolean != 0;
    case SHEAF_I8:
        return v->i8;
    case SHEAF_I16:
        return v->i16;
    case SHEAF_I32:
        return v->i32;
    case SHEAF_I64:
        return (double)v->i64;
    case SHEAF_U8:
        return v->u8;
    case SHEAF_U16:
        return v->u16;
    case SHEAF_U32:
        return v->u32;
    case SHEAF_U64:
        return (double)v->u64;
    case SHEAF_F16:
        return widen(v->f16, &f16);
    case SHEAF_BF16:
        return widen(v->bf16, &bf16);
    case SHEAF_F32:
        return (double)v->f32;
    case SHEAF_F64:
        return v->f64;
    }
    return 0;
}

/* Held within the limits of an integer of so many bits; as the bytes of one. */
static int64_t to_signed(double x, int bits)
{
    double limit = power_of_2(bits - 1);
    if (x != x)
        return 0;
    if (x >= limit)
        return (int64_t)((UINT64_C(1) << (bits - 1)) - 1);
    return x <= -limit ? -(int64_t)((UINT64_C(1) << (bits - 1)) - 1) - 1 : (int64_t)x;
}

static uint64_t to_unsigned(double x, int bits)
{
    if (!(x > 0))
        return 0;
    return x >= power_of_2(bits) ? UINT64_MAX >> (64 - bits) : (uint64_t)x;
}

/* The fields of value overlap at its first byte: little-endian. */
sheaf_scalar sheaf_scalar_of_f64(sheaf_dtype dtype, double x)
{
    sheaf_scalar scalar = {.dtype = dtype};
    int bits = 8 * (int)sheaf_dtype_size(dtype);
    switch (sheaf_dtype_kind(dtype)) {
    case 'b':
        scalar.value.boolean = x != 0;
        return scalar;
    case 'u':
        scalar.value.u64 = to_unsigned(x, bits);
        return scalar;
    case 'i':
        scalar.value.u64 = (uint64_t)to_signed(x, bits) & UINT64_MAX >> (64 - bits);
        return scalar;
    default:
        break;
    }
    if (dtype == SHEAF_F64)
        scalar.value.f64 = x;
    else if (dtype == SHEAF_F32)
        scalar.value.f32 = (float)x;
    else if (dtype != 0)
        scalar.value.u16 = narrow(x, dtype == SHEAF_F16 ? &f16 : &bf16);
    return scalar;
}
