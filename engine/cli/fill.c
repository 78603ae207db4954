/* fill.c -- splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014),
 * read at any position: its state there is seed + (position + 1) * gamma. */
#include "cli/fill.h"

#include <math.h>
#include <string.h>

#include "cli/team.h"

static const char *const names[FILL_KINDS] = {"zeros",  "arange",     "uniform",
                                              "normal", "descending", "wide"};

struct fill {
    void *data;
    sheaf_dtype dtype;
    size_t n;
    enum fill_kind kind;
    uint64_t seed;
};

enum fill_kind fill_by_name(const char *name)
{
    int kind = 0;
    while (kind < FILL_KINDS && strcmp(names[kind], name) != 0)
        kind++;
    return (enum fill_kind)kind;
}

const char *fill_name(enum fill_kind kind)
{
    return names[kind];
}

/* The greatest value of an integer dtype. */
static uint64_t greatest(sheaf_dtype dtype)
{
    size_t bits = 8 * sheaf_dtype_size(dtype) - (sheaf_dtype_kind(dtype) == 'i');
    return sheaf_dtype_kind(dtype) == 'b' ? 1 : UINT64_MAX >> (64 - bits);
}

const char *fill_refusal(enum fill_kind kind, sheaf_dtype dtype, size_t n)
{
    bool is_float = sheaf_dtype_kind(dtype) == 'f';
    bool is_half = is_float && sheaf_dtype_size(dtype) == 2;
    if (kind == FILL_WIDE && (!is_float || is_half))
        return "--fill wide needs --dtype f32 or f64";
    if (kind == FILL_NORMAL && !is_float)
        return "--fill normal needs --dtype f16, bf16, f32 or f64";
    if ((kind == FILL_ARANGE || kind == FILL_DESCENDING) && !is_float && n > 0 &&
        n - 1 > greatest(dtype))
        return "--fill arange or descending: an element does not fit in the dtype; take --dtype "
               "i64";
    return NULL;
}

static uint64_t random_at(uint64_t seed, uint64_t position)
{
    uint64_t z = seed + (position + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double uniform_at(uint64_t seed, uint64_t position)
{
    return (double)(random_at(seed, position) >> 11) * 0x1p-53;
}

static uint64_t integer_at(const struct fill *fill, uint64_t position)
{
    uint64_t random = random_at(fill->seed, position);
    if (greatest(fill->dtype) <= UINT16_MAX)
        return random >> 32; /* its low bytes are the element */
    /* the upper 32 bits scaled to 2000000 values: uneven by less than one part in 2000 */
    return ((random >> 32) * 2000000 >> 32) - (sheaf_dtype_kind(fill->dtype) == 'i' ? 1000000 : 0);
}

/* Elements 2k and 2k+1 are the two of one pair. */
static double normal_at(uint64_t seed, uint64_t position)
{
    uint64_t pair = position & ~UINT64_C(1);
    double radius = sqrt(-2 * log1p(-uniform_at(seed, pair)));
    double angle = 6.283185307179586 * uniform_at(seed, pair + 1);
    return radius * ((position & 1) == 0 ? cos(angle) : sin(angle));
}

static double wide_at(const struct fill *fill, uint64_t position)
{
    uint64_t bits = random_at(fill->seed, position);
    int most = fill->dtype == SHEAF_F32 ? 120 : 990;
    int exponent = (int)(bits % (uint64_t)(2 * most + 1)) - most;
    double magnitude = ldexp(1 + (double)(bits >> 12) * 0x1p-53, exponent);
    return (bits & UINT64_C(0x800)) != 0 ? -magnitude : magnitude;
}

static double float_at(const struct fill *fill, uint64_t i)
{
    if (fill->kind == FILL_ARANGE)
        return (double)i;
    if (fill->kind == FILL_DESCENDING)
        return (double)(fill->n - 1 - i);
    if (fill->kind == FILL_WIDE)
        return wide_at(fill, i);
    if (fill->kind == FILL_NORMAL)
        return normal_at(fill->seed, i);
    if (fill->dtype == SHEAF_F64)
        return uniform_at(fill->seed, i);
    int bits = fill->dtype == SHEAF_F32 ? 24 : fill->dtype == SHEAF_F16 ? 11 : 8;
    return ldexp((double)(random_at(fill->seed, i) >> (64 - bits)),
                 -bits); /* it cannot round to 1 */
}

static sheaf_scalar element_at(const struct fill *fill, uint64_t i)
{
    sheaf_scalar element = {.dtype = fill->dtype};
    if (sheaf_dtype_kind(fill->dtype) == 'f')
        return sheaf_scalar_of_f64(fill->dtype, float_at(fill, i));
    element.value.u64 = fill->kind == FILL_ARANGE       ? i
                        : fill->kind == FILL_DESCENDING ? fill->n - 1 - i
                                                        : integer_at(fill, i);
    if (fill->dtype == SHEAF_BOOL)
        element.value.u64 &= 1;
    return element;
}

static void fill_part(void *context, size_t index, size_t count)
{
    const struct fill *fill = context;
    const size_t bytes = sheaf_dtype_size(fill->dtype);
    size_t first = team_cut(fill->n, index, count);
    size_t past = team_cut(fill->n, index + 1, count);
    if (fill->dtype == SHEAF_F64) { /* the usual ones, without a call for each */
        for (size_t i = first; i < past; i++)
            ((double *)fill->data)[i] = float_at(fill, i);
        return;
    }
    for (size_t i = first; i < past; i++) {
        sheaf_scalar element = element_at(fill, i);
        memcpy((unsigned char *)fill->data + i * bytes, &element.value, bytes);
    }
}

void fill_array(sheaf_array *array, enum fill_kind kind, uint64_t seed, size_t workers)
{
    struct fill fill = {
        .data = sheaf_array_data(array),
        .dtype = sheaf_array_dtype(array),
        .n = sheaf_array_size(array),
        .kind = kind,
        .seed = seed,
    };
    if (kind != FILL_ZEROS)
        team_run(workers, fill_part, &fill);
}
