/* fuzz_npy.c -- the header of a .npy file, as anybody may have written it.
 *
 * Input: byte 0: how many times 64 bytes the file would be longer, if it is longer than a header can be
 * anyway; the rest: the file. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "memory/npy.h"

static void check_accepted(const struct npy *npy, uint64_t file_bytes)
{
    unsigned char head[NPY_WRITE_MAX];
    struct npy back;
    require_shape(npy->dtype, npy->ndim, npy->shape, npy->data_bytes, file_bytes);
    require(npy->offset <= file_bytes);
    require(npy->data_bytes <= file_bytes - npy->offset);
    size_t bytes = npy_encode(head, npy->dtype, npy->ndim, npy->shape);
    require(bytes % 64 == 0 && bytes <= sizeof head);
    uint64_t again_bytes = bytes + npy->data_bytes;
    if (again_bytes > sizeof head) { /* a buffer as long as the contract says */
        unsigned char *all = calloc(1, NPY_HEADER_MAX);
        require(all != NULL);
        memcpy(all, head, bytes);
        require(npy_decode(&back, all, again_bytes, "again") == SHEAF_OK);
        free(all);
    } else {
        require(npy_decode(&back, head, again_bytes, "again") == SHEAF_OK);
    }
    require(back.dtype == npy->dtype && back.ndim == npy->ndim && back.offset == bytes &&
            memcmp(back.shape, npy->shape, npy->ndim * sizeof npy->shape[0]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct npy npy;
    if (size < 1)
        return 0;
    size_t head_bytes = size - 1 < NPY_HEADER_MAX ? size - 1 : NPY_HEADER_MAX;
    uint64_t longer = head_bytes == NPY_HEADER_MAX ? (uint64_t)data[0] * 64 : 0;
    uint8_t *head =
        malloc(head_bytes > 0 ? head_bytes : 1); /* exactly: ASan sees a byte too many */
    require(head != NULL);
    memcpy(head, data + 1, head_bytes);
    if (npy_decode(&npy, head, size - 1 + longer, "fuzz") == SHEAF_OK)
        check_accepted(&npy, size - 1 + longer);
    free(head);
    return 0;
}

size_t fuzz_seed(size_t i, uint8_t *to)
{
    static const char *const dicts[] = {
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }",
        "{'descr': '<i4', 'fortran_order': False, 'shape': (), }",
        "{\"shape\":(7,),\"descr\":\"=f4\",\"fortran_order\":True}",
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (3L, 0)}",
        "{'descr': '>i8', 'fortran_order': True, 'shape': (1, 5, 1)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (18446744073709551615,), }",
    };
    static const uint8_t magic[12] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    enum { DICTS = sizeof dicts / sizeof dicts[0] };
    if (i >= (size_t)3 * DICTS)
        return 0;
    uint8_t version = (uint8_t)(i / DICTS + 1);
    size_t before = version == 1 ? 10 : 12;
    size_t length = strlen(dicts[i % DICTS]);
    size_t total = (before + length + 64) / 64 * 64;
    to[0] = 3;
    memset(to + 1, ' ', total);
    memcpy(to + 1, magic, before);
    to[7] = version;
    to[9] = (uint8_t)(total - before);
    for (size_t k = 0; k < length; k++)
        to[1 + before + k] = (uint8_t)dicts[i % DICTS][k];
    to[total] = '\n';
    memset(to + 1 + total, 0, 128);
    return 1 + total + 128;
}
