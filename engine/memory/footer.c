/* footer.c -- the bytes at the end of a segment. */
#include "memory/footer.h"

#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "memory/little.h"
#include "memory/shape.h"
#include "memory/trailer.h"

static const unsigned char magic[8] = {0x89, 'S', 'H', 'E', 'A', 'F', '\n', 0x1a};

enum { MAJOR = 1, MINOR = 0, KNOWN_FLAGS = 0, CRC_AT = 336, SHAPE_AT = 80, BOOT_AT = 56 };

/* CRC-32C (Castagnoli; RFC 3720, appendix B.4), reflected, four bits at a time. */
static uint32_t crc32c(const unsigned char *bytes, size_t count)
{
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ table[crc & 15];
        crc = (crc >> 4) ^ table[crc & 15];
    }
    return ~crc;
}

void footer_encode(unsigned char bytes[FOOTER_BYTES], const struct footer *footer)
{
    memset(bytes, 0, FOOTER_BYTES);
    memcpy(bytes, magic, sizeof magic);
    little_put(bytes + 8, MAJOR, 2);
    little_put(bytes + 10, MINOR, 2);
    little_put(bytes + 16, (uint64_t)footer->dtype, 4);
    little_put(bytes + 20, footer->ndim, 4);
    little_put(bytes + 24, footer->data_bytes, 8);
    little_put(bytes + 32, (uint64_t)footer->created_unix_ns, 8);
    little_put(bytes + 40, (uint64_t)footer->lifetime, 4);
    little_put(bytes + 44, (uint32_t)footer->creator_pid, 4);
    little_put(bytes + 48, footer->creator_start, 8);
    memcpy(bytes + BOOT_AT, footer->creator_boot, FOOTER_BOOT_ID_BYTES);
    for (size_t i = 0; i < footer->ndim; i++)
        little_put(bytes + SHAPE_AT + 8 * i, footer->shape[i], 8);
    little_put(bytes + CRC_AT, crc32c(bytes, CRC_AT), 4);
    trailer_encode(bytes + FOOTER_BYTES, footer);
}

/* The fields (5) to (7) of a record whose bytes are what its writer wrote. */
static sheaf_status decode_fields(struct footer *out, const unsigned char *record,
                                  uint64_t segment_bytes, const char *key)
{
    struct footer footer = {.is_foreign = false};
    uint64_t code = little_get(record + 16, 4);
    uint64_t ndim = little_get(record + 20, 4);
    uint64_t data_bytes = little_get(record + 24, 8);
    uint64_t lifetime = little_get(record + 40, 4);
    size_t elements;
    size_t bytes;
    if (ndim > SHEAF_MAX_DIMS)
        return SHEAF_FAIL(SHEAF_ERR_FORMAT, "\"%s\": its footer says ndim %llu, %d is the limit",
                          key, (unsigned long long)ndim, SHEAF_MAX_DIMS);
    if (lifetime > SHEAF_OWNED)
        return SHEAF_FAIL(SHEAF_ERR_FORMAT, "\"%s\": its footer says lifetime %llu, which is none",
                          key, (unsigned long long)lifetime);
    for (size_t i = 0; i < ndim; i++)
        footer.shape[i] = (size_t)little_get(record + SHAPE_AT + 8 * i, 8);
    footer.ndim = (size_t)ndim;
    footer.data_bytes = (size_t)data_bytes;
    footer.lifetime = (sheaf_lifetime)lifetime;
    footer.created_unix_ns = (int64_t)little_get(record + 32, 8);
    footer.creator_pid = (int32_t)(uint32_t)little_get(record + 44, 4);
    footer.creator_start = little_get(record + 48, 8);
    memcpy(footer.creator_boot, record + BOOT_AT, FOOTER_BOOT_ID_BYTES);
    size_t element_bytes = sheaf_dtype_size((sheaf_dtype)code);
    if (element_bytes == 0)
        return SHEAF_FAIL(
            SHEAF_ERR_DTYPE,
            "\"%s\": its elements have type code %llu, which this version does not have", key,
            (unsigned long long)code);
    footer.dtype = (sheaf_dtype)code;
    if (!shape_measure(&elements, &bytes, footer.shape, footer.ndim, element_bytes))
        return SHEAF_FAIL(SHEAF_ERR_FORMAT, "\"%s\": the product of its footer's shape overflows",
                          key);
    if (bytes != data_bytes)
        return SHEAF_FAIL(SHEAF_ERR_FORMAT,
                          "\"%s\": its footer says %llu bytes of elements, its shape makes %zu",
                          key, (unsigned long long)data_bytes, bytes);
    if (data_bytes > segment_bytes - FOOTER_BYTES)
        return SHEAF_FAIL(
            SHEAF_ERR_FORMAT,
            "\"%s\": its footer says %llu bytes of elements, the segment has room for "
            "%llu: it was cut",
            key, (unsigned long long)data_bytes,
            (unsigned long long)(segment_bytes - FOOTER_BYTES));
    *out = footer;
    return SHEAF_OK;
}

sheaf_status footer_decode(struct footer *out, const unsigned char *tail, uint64_t segment_bytes,
                           const char *key)
{
    if (segment_bytes < FOOTER_BYTES || memcmp(tail, magic, sizeof magic) != 0)
        return trailer_decode(out, tail, segment_bytes, key);
    uint64_t major = little_get(tail + 8, 2);
    if (major != MAJOR)
        return SHEAF_FAIL(SHEAF_ERR_FORMAT,
                          "\"%s\": its footer has version %llu: a newer version of sheaf made it "
                          "(this one reads %d)",
                          key, (unsigned long long)major, MAJOR);
    if (little_get(tail + CRC_AT, 4) != crc32c(tail, CRC_AT))
        return SHEAF_FAIL(SHEAF_ERR_FORMAT,
                          "\"%s\": the CRC of its footer is wrong: somebody has written over it",
                          key);
    uint64_t flags = little_get(tail + 12, 4);
    if ((flags & ~(uint64_t)KNOWN_FLAGS) != 0)
        return SHEAF_FAIL(SHEAF_ERR_FORMAT,
                          "\"%s\": its footer has must-understand flags 0x%llx: a newer version of "
                          "sheaf made it",
                          key, (unsigned long long)flags);
    return decode_fields(out, tail, segment_bytes, key);
}
