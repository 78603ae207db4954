/* fuzz_footer.c -- the end of a segment, as anybody may have written it.
 *
 * Input: byte 0: bit 0 = put the right CRC; byte 1: how many times 4096 bytes the segment is longer than
 * what follows; the rest: the end of the segment. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "../crc32c.h"
#include "memory/footer.h"

static void put_crc(uint8_t *tail)
{
    uint32_t crc = crc32c(tail, 336);
    for (int i = 0; i < 4; i++)
        tail[336 + i] = (uint8_t)(crc >> (8 * i));
}

/* Whatever was accepted is safe to map and to count through. */
static void check_accepted(const struct footer *footer, uint64_t segment_bytes)
{
    unsigned char again[FOOTER_BYTES];
    struct footer back;
    require_shape(footer->dtype, footer->ndim, footer->shape, footer->data_bytes, segment_bytes);
    footer_encode(again, footer);
    require(footer_decode(&back, again, segment_bytes + FOOTER_BYTES, "again") == SHEAF_OK);
    require(back.dtype == footer->dtype && back.ndim == footer->ndim &&
            back.data_bytes == footer->data_bytes && back.lifetime == footer->lifetime &&
            memcmp(back.shape, footer->shape, sizeof back.shape) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct footer footer;
    if (size < 2)
        return 0;
    size_t rest = size - 2;
    size_t tail_bytes = rest < FOOTER_BYTES ? rest : FOOTER_BYTES;
    uint64_t longer = tail_bytes == FOOTER_BYTES ? (uint64_t)data[1] * 4096 : 0;
    uint8_t *tail =
        malloc(tail_bytes > 0 ? tail_bytes : 1); /* exactly: ASan sees a byte too many */
    require(tail != NULL);
    memcpy(tail, data + size - tail_bytes, tail_bytes);
    if ((data[0] & 1) != 0 && tail_bytes == FOOTER_BYTES)
        put_crc(tail);
    if (footer_decode(&footer, tail, rest + longer, "fuzz") == SHEAF_OK)
        check_accepted(&footer, rest + longer);
    free(tail);
    return 0;
}

size_t fuzz_seed(size_t i, uint8_t *to)
{
    static const struct footer seeds[] = {
        {.dtype = SHEAF_F64, .ndim = 2, .shape = {3, 5}, .data_bytes = 120},
        {.dtype = SHEAF_F32, .ndim = 0, .data_bytes = 4, .lifetime = SHEAF_OWNED},
        {.dtype = SHEAF_I64, .ndim = 3, .shape = {4, 0, 7}},
        {.dtype = SHEAF_I32, .ndim = 28, .shape = {1, 1, 2, 2}},
    };
    enum { SEEDS = sizeof seeds / sizeof seeds[0] };
    static const size_t foreign[] = {548, 292}; /* the trailers alone, after their elements */
    unsigned char page[FOOTER_BYTES];
    if (i >= (size_t)3 * SEEDS)
        return 0;
    footer_encode(page, &seeds[i % SEEDS]);
    to[0] = 1;
    to[1] = (uint8_t)(i / SEEDS);
    size_t bytes = i < SEEDS ? FOOTER_BYTES : foreign[i / SEEDS - 1];
    size_t data_bytes = seeds[i % SEEDS].data_bytes;
    memset(to + 2, 0, data_bytes);
    memcpy(to + 2 + data_bytes, page + FOOTER_BYTES - bytes, bytes);
    if (bytes == 548) /* without the short one, which would hide nothing but the long one's tail */
        memset(to + 2 + data_bytes + 256, 0, 292);
    return 2 + data_bytes + bytes;
}
