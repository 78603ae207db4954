/* trailer.c -- the trailer of Python's SharedArray. Its layout is a fact (memory/footer.h); none of its
 * code is used. */
#include "memory/trailer.h"

#include <string.h>

#include "base/error.h"
#include "memory/little.h"
#include "memory/shape.h"

enum { MAGIC_BYTES = 16 };

static const unsigned char magic[MAGIC_BYTES] = "[SharedArray]\0\0";

/* Where the fields of each version's trailer lie. */
static const struct layout {
    size_t bytes;
    size_t itemsize_at; /* 0: it has none */
    size_t ndim_at;
    size_t shape_at;
    size_t ndim_max;
} layouts[] = {
    {548, 28, 32, 36, 64},
    {292, 28, 32, 36, 32},
    {288, 0, 28, 32, 32},
    {160, 0, 28, 32, 16},
};

enum { LAYOUTS = sizeof layouts / sizeof layouts[0], NUMPY_LONGLONG = 9 };

static const struct {
    sheaf_dtype dtype;
    int64_t number; /* -1: NumPy does not have it */
} numpy_types[] = {
#define X(NAME, code, c_type, name, kind, npy_descr, numpy_type) {SHEAF_##NAME, numpy_type},
#include <sheaf/dtypes.def>
#undef X
    {SHEAF_I64, NUMPY_LONGLONG}, /* read only: long is int64 already */
};

enum { NUMPY_TYPES = sizeof numpy_types / sizeof numpy_types[0] };

static void encode_one(unsigned char *at, const struct layout *layout, const struct footer *footer,
                       uint64_t number)
{
    memset(at, 0, layout->bytes);
    memcpy(at, magic, MAGIC_BYTES);
    little_put(at + 16, footer->data_bytes, 8);
    little_put(at + 24, number, 4);
    little_put(at + layout->itemsize_at, sheaf_dtype_size(footer->dtype), 4);
    little_put(at + layout->ndim_at, footer->ndim, 4);
    for (size_t i = 0; i < footer->ndim; i++)
        little_put(at + layout->shape_at + 8 * i, footer->shape[i], 8);
}

void trailer_encode(unsigned char *end, const struct footer *footer)
{
    const struct layout *wide = &layouts[0];
    const struct layout *narrow = &layouts[1];
    int64_t number = -1;
    for (size_t i = NUMPY_TYPES; i-- > 0;)
        if (numpy_types[i].dtype == footer->dtype)
            number = numpy_types[i].number;
    if (number < 0)
        return;
    encode_one(end - wide->bytes, wide, footer, (uint64_t)number);
    if (wide->shape_at + 8 * footer->ndim <= wide->bytes - narrow->bytes)
        encode_one(end - narrow->bytes, narrow, footer, (uint64_t)number);
}

static sheaf_status refuse(const char *key, const struct layout *layout, const char *why)
{
    return SHEAF_FAIL(SHEAF_ERR_FORMAT, "\"%s\": its SharedArray trailer of %zu bytes %s", key,
                      layout->bytes, why);
}

static sheaf_status decode_one(struct footer *out, const unsigned char *at,
                               const struct layout *layout, uint64_t segment_bytes, const char *key)
{
    struct footer footer = {.is_foreign = true};
    uint64_t data_bytes = little_get(at + 16, 8);
    uint64_t number = little_get(at + 24, 4);
    uint64_t ndim = little_get(at + layout->ndim_at, 4);
    size_t elements;
    size_t bytes;
    if (ndim > layout->ndim_max)
        return refuse(key, layout, "says more dimensions than it holds");
    if (data_bytes > segment_bytes - layout->bytes)
        return refuse(key, layout, "says more bytes of elements than the segment holds");
    for (size_t i = 0; i < NUMPY_TYPES; i++)
        if (numpy_types[i].number == (int64_t)number)
            footer.dtype = numpy_types[i].dtype;
    if (footer.dtype == 0)
        return SHEAF_FAIL(SHEAF_ERR_DTYPE,
                          "\"%s\": a SharedArray of NumPy's type number %llu, which sheaf does not "
                          "have",
                          key, (unsigned long long)number);
    if (ndim > SHEAF_MAX_DIMS)
        return refuse(key, layout, "has more than 32 dimensions");
    for (size_t i = 0; i < ndim; i++)
        footer.shape[i] = (size_t)little_get(at + layout->shape_at + 8 * i, 8);
    size_t element_bytes = sheaf_dtype_size(footer.dtype);
    if (layout->itemsize_at != 0 && little_get(at + layout->itemsize_at, 4) != element_bytes)
        return refuse(key, layout, "says another size of an element than its type has");
    if (!shape_measure(&elements, &bytes, footer.shape, (size_t)ndim, element_bytes))
        return refuse(key, layout, "has a shape whose product overflows");
    if (bytes != data_bytes)
        return refuse(key, layout, "says other bytes of elements than its shape makes");
    if (data_bytes != segment_bytes - layout->bytes)
        return refuse(key, layout, "does not follow the elements: the segment was cut or extended");
    footer.ndim = (size_t)ndim;
    footer.data_bytes = bytes;
    *out = footer;
    return SHEAF_OK;
}

sheaf_status trailer_decode(struct footer *out, const unsigned char *tail, uint64_t segment_bytes,
                            const char *key)
{
    uint64_t tail_bytes = segment_bytes < FOOTER_BYTES ? segment_bytes : FOOTER_BYTES;
    sheaf_status status = SHEAF_ERR_FORMAT;
    bool was_found = false;
    for (size_t i = 0; i < LAYOUTS; i++) {
        if (tail_bytes < layouts[i].bytes)
            continue;
        const unsigned char *at = tail + (tail_bytes - layouts[i].bytes);
        if (memcmp(at, magic, MAGIC_BYTES) != 0)
            continue;
        was_found = true;
        status = decode_one(out, at, &layouts[i], segment_bytes, key);
        if (status != SHEAF_ERR_FORMAT)
            return status;
    }
    if (was_found)
        return status;
    return SHEAF_FAIL(SHEAF_ERR_FORMAT,
                      "\"%s\" is no array: its last %llu bytes are neither a footer of sheaf nor a "
                      "trailer of SharedArray",
                      key, (unsigned long long)tail_bytes);
}
