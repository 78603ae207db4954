/* crc32c.h -- CRC-32C bit by bit: another way than the library's. */
#ifndef SHEAF_TESTS_CRC32C_H
#define SHEAF_TESTS_CRC32C_H

#include <stddef.h>
#include <stdint.h>

static inline uint32_t crc32c(const unsigned char *bytes, size_t count)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < count; i++)
        for (int bit = 0; bit < 8; bit++)
            crc =
                ((crc ^ (uint32_t)(bytes[i] >> bit)) & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
    return ~crc;
}

#endif
