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

const char *fill_refusal(enum fill_kind kind, sheaf_dtype dtype, size_t n)
{
    bool is_integer = dtype == SHEAF_I32 || dtype == SHEAF_I64;
    if ((kind == FILL_NORMAL || kind == FILL_WIDE) && is_integer)
        return "--fill normal and wide need --dtype f32 or f64";
    if ((kind == FILL_ARANGE || kind == FILL_DESCENDING) && dtype == SHEAF_I32 &&
        n > (size_t)INT32_MAX + 1)
        return "--fill arange or descending: an element does not fit in i32; take --dtype i64";
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

static int64_t integer_at(uint64_t seed, uint64_t position)
{
    /* the upper 32 bits scaled to 2000000 values: uneven by less than one part in 2000 */
    return (int64_t)((random_at(seed, position) >> 32) * 2000000 >> 32) - 1000000;
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
    if (fill->dtype == SHEAF_F32) /* so that rounding cannot make it 1 */
        return (double)(random_at(fill->seed, i) >> 40) * 0x1p-24;
    return uniform_at(fill->seed, i);
}

static int64_t whole_at(const struct fill *fill, uint64_t i)
{
    if (fill->kind == FILL_DESCENDING)
        return (int64_t)(fill->n - 1 - i);
    return fill->kind == FILL_ARANGE ? (int64_t)i : integer_at(fill->seed, i);
}

static void fill_part(void *context, size_t index, size_t count)
{
    const struct fill *fill = context;
    size_t first = team_cut(fill->n, index, count);
    size_t past = team_cut(fill->n, index + 1, count);
    for (size_t i = first; i < past; i++) {
        switch (fill->dtype) {
        case SHEAF_I32:
            ((int32_t *)fill->data)[i] = (int32_t)whole_at(fill, i);
            break;
        case SHEAF_I64:
            ((int64_t *)fill->data)[i] = whole_at(fill, i);
            break;
        case SHEAF_F32:
            ((float *)fill->data)[i] = (float)float_at(fill, i);
            break;
        case SHEAF_F64:
            ((double *)fill->data)[i] = float_at(fill, i);
            break;
        }
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
