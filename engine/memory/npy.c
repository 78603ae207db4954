/* npy.c -- the header of a .npy file: a small part of Python's literals, read with suspicion. */
#include "memory/npy.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "memory/little.h"
#include "memory/shape.h"

static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

enum { ALIGNMENT = 64, GROWTH_DIGITS = 21, DESCR_BYTES = 32 };

static const struct {
    sheaf_dtype dtype;
    const char *descr; /* "<f8" */
} descrs[] = {
#define X(NAME, code, c_type, name, kind, npy_descr, numpy_type) {SHEAF_##NAME, npy_descr},
#include <sheaf/dtypes.def>
#undef X
};

enum { DESCRS = sizeof descrs / sizeof descrs[0] };

/* The text that is left, and what was read of it. */
struct reader {
    const char *at;
    const char *end;
    const char *path;
    struct npy npy;
    char descr[DESCR_BYTES];
    bool is_fortran;
    bool has_descr, has_order, has_shape;
};

static sheaf_status refuse(const struct reader *in, const char *why)
{
    return SHEAF_FAIL(SHEAF_ERR_FORMAT, "%.200s: its .npy header %s", in->path, why);
}

static void skip_spaces(struct reader *in)
{
    while (in->at < in->end &&
           (*in->at == ' ' || *in->at == '\t' || *in->at == '\n' || *in->at == '\r'))
        in->at++;
}

/* Takes one character, with the spaces before it. */
static bool take(struct reader *in, char c)
{
    skip_spaces(in);
    if (in->at == in->end || *in->at != c)
        return false;
    in->at++;
    return true;
}

static bool take_word(struct reader *in, const char *word)
{
    size_t length = strlen(word);
    skip_spaces(in);
    if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0)
        return false;
    in->at += length;
    return true;
}

/* A string in single or double quotes; one with an escape is nothing that we know. */
static bool take_string(struct reader *in, char *text, size_t capacity)
{
    char quote = '\'';
    size_t used = 0;
    if (!take(in, quote)) {
        quote = '"';
        if (!take(in, quote))
            return false;
    }
    for (; in->at < in->end && *in->at != quote; in->at++) {
        if (used + 1 == capacity || *in->at == '\\' || *in->at == '\n' || *in->at == '\0')
            return false;
        text[used++] = *in->at;
    }
    text[used] = '\0';
    return take(in, quote);
}

static bool take_number(struct reader *in, size_t *number)
{
    size_t value = 0;
    skip_spaces(in);
    if (in->at == in->end || !isdigit((unsigned char)*in->at))
        return false;
    for (; in->at < in->end && isdigit((unsigned char)*in->at); in->at++)
        if (__builtin_mul_overflow(value, (size_t)10, &value) ||
            __builtin_add_overflow(value, (size_t)(*in->at - '0'), &value))
            return false;
    if (in->at < in->end && *in->at == 'L') /* Python 2 wrote 3L */
        in->at++;
    *number = value;
    return true;
}

/* A tuple: (), (3,), (3, 4), (3, 4,). */
static sheaf_status take_shape(struct reader *in)
{
    bool has_comma = true;
    if (!take(in, '('))
        return refuse(in, "has a shape that is not a tuple");
    while (!take(in, ')')) {
        if (!has_comma)
            return refuse(in, "has a shape that is not a tuple of numbers");
        if (in->npy.ndim == SHEAF_MAX_DIMS)
            return refuse(in, "has more than 32 dimensions");
        if (!take_number(in, &in->npy.shape[in->npy.ndim]))
            return refuse(in, "has an extent that is no number, or too large a one");
        in->npy.ndim++;
        has_comma = take(in, ',');
    }
    if (in->npy.ndim == 1 && !has_comma)
        return refuse(in, "has a shape that is not a tuple (a number in parentheses)");
    return SHEAF_OK;
}

static sheaf_status take_descr(struct reader *in)
{
    skip_spaces(in);
    if (in->at < in->end && *in->at == '[')
        return refuse(in, "says structured elements; save one field of plain numbers: "
                          "np.save(f, a['NAME'])");
    if (!take_string(in, in->descr, sizeof in->descr))
        return refuse(in, "has a 'descr' that is no string we know");
    return SHEAF_OK;
}

static sheaf_status take_order(struct reader *in)
{
    if (take_word(in, "True"))
        in->is_fortran = true;
    else if (!take_word(in, "False"))
        return refuse(in, "has a 'fortran_order' that is neither True nor False");
    return SHEAF_OK;
}

static sheaf_status take_item(struct reader *in)
{
    static const struct {
        const char *key;
        size_t flag;
        sheaf_status (*take)(struct reader *in);
    } items[] = {
        {"descr", offsetof(struct reader, has_descr), take_descr},
        {"fortran_order", offsetof(struct reader, has_order), take_order},
        {"shape", offsetof(struct reader, has_shape), take_shape},
    };
    char key[DESCR_BYTES];
    if (!take_string(in, key, sizeof key) || !take(in, ':'))
        return refuse(in, "is no dict of 'descr', 'fortran_order' and 'shape'");
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        bool *has = (bool *)((char *)in + items[i].flag);
        if (strcmp(key, items[i].key) != 0)
            continue;
        if (*has)
            return refuse(in, "has a key twice");
        *has = true;
        return items[i].take(in);
    }
    return refuse(in, "has a key that is none of 'descr', 'fortran_order' and 'shape'");
}

static sheaf_status take_dict(struct reader *in)
{
    if (!take(in, '{'))
        return refuse(in, "is no dict");
    bool has_comma = true;
    while (!take(in, '}')) {
        if (!has_comma)
            return refuse(in, "is no dict: a comma is missing, or its end");
        sheaf_status status = take_item(in);
        if (status != SHEAF_OK)
            return status;
        has_comma = take(in, ',');
    }
    skip_spaces(in);
    if (in->at != in->end)
        return refuse(in, "has something after the dict");
    if (!in->has_descr || !in->has_order || !in->has_shape)
        return refuse(in, "lacks one of 'descr', 'fortran_order' and 'shape'");
    return SHEAF_OK;
}

/* '<f8', and what NumPy takes for the same on this machine: '=f8', '|f8', 'f8'. */
static sheaf_status find_dtype(struct reader *in)
{
    const char *kind = in->descr;
    char order = '=';
    if (*kind != '\0' && strchr("<>=|", *kind) != NULL)
        order = *kind++;
    if (*kind == 'O')
        return refuse(in, "says Python objects, which only Python can read; save numbers: "
                          "np.save(f, a.astype(np.float64))");
    if (order == '>' && kind[0] != '\0' && strcmp(kind + 1, "1") != 0)
        return refuse(in, "says big-endian elements; convert them: "
                          "np.save(f, a.astype(a.dtype.newbyteorder('<')))");
    for (size_t i = 0; i < DESCRS; i++)
        if (strcmp(descrs[i].descr + 1, kind) == 0)
            in->npy.dtype = descrs[i].dtype;
    if (in->npy.dtype == 0)
        return SHEAF_FAIL(
            SHEAF_ERR_DTYPE,
            "%.200s: its elements are '%s', which sheaf does not have; convert them "
            "to an integer or float type of up to 8 bytes: np.save(f, a.astype(TYPE))",
            in->path, in->descr);
    return SHEAF_OK;
}

/* Fortran order is C order where one extent at most is more than 1. */
static bool is_order_the_same(const struct npy *npy)
{
    size_t long_extents = 0;
    for (size_t i = 0; i < npy->ndim; i++) {
        if (npy->shape[i] == 0)
            return true;
        long_extents += npy->shape[i] > 1;
    }
    return long_extents <= 1;
}

static sheaf_status check_sizes(struct reader *in, uint64_t file_bytes)
{
    size_t elements;
    size_t element_bytes = sheaf_dtype_size(in->npy.dtype);
    if (in->is_fortran && !is_order_the_same(&in->npy))
        return refuse(in, "says Fortran order; save it in C order: "
                          "np.save(f, np.ascontiguousarray(a))");
    if (!shape_measure(&elements, &in->npy.data_bytes, in->npy.shape, in->npy.ndim, element_bytes))
        return refuse(in, "has a shape whose product overflows");
    if (in->npy.data_bytes > file_bytes - in->npy.offset)
        return SHEAF_FAIL(
            SHEAF_ERR_FORMAT,
            "%.200s: its .npy header promises %zu bytes of elements, the file has %llu: "
            "it was cut",
            in->path, in->npy.data_bytes, (unsigned long long)(file_bytes - in->npy.offset));
    return SHEAF_OK;
}

sheaf_status npy_decode(struct npy *out, const unsigned char *head, uint64_t file_bytes,
                        const char *path)
{
    struct reader in = {.path = path};
    if (file_bytes < sizeof magic + 4 || memcmp(head, magic, sizeof magic) != 0)
        return SHEAF_FAIL(SHEAF_ERR_FORMAT, "%.200s is no .npy file", path);
    unsigned major = head[6];
    unsigned minor = head[7];
    if (major < 1 || major > 3 || minor != 0)
        return SHEAF_FAIL(SHEAF_ERR_FORMAT,
                          "%.200s: its .npy version is %u.%u, sheaf reads 1.0, 2.0 and 3.0", path,
                          major, minor);
    size_t length_bytes = major == 1 ? 2 : 4;
    size_t before = sizeof magic + 2 + length_bytes;
    if (file_bytes < before)
        return refuse(&in, "ends in its first line");
    uint64_t length = little_get(head + 8, length_bytes);
    if (length > file_bytes - before)
        return refuse(&in, "says that it is longer than the file");
    if (length > NPY_HEADER_MAX - before)
        return refuse(&in, "is longer than 64 KiB");
    in.at = (const char *)head + before;
    in.end = in.at + length;
    in.npy.offset = before + (size_t)length;
    sheaf_status status = take_dict(&in);
    if (status == SHEAF_OK)
        status = find_dtype(&in);
    if (status == SHEAF_OK)
        status = check_sizes(&in, file_bytes);
    if (status == SHEAF_OK)
        *out = in.npy;
    return status;
}

size_t npy_encode(unsigned char head[NPY_WRITE_MAX], sheaf_dtype dtype, size_t ndim,
                  const size_t *shape)
{
    enum { BEFORE = 10 };
    char text[NPY_WRITE_MAX]; /* 32 extents of 19 digits and ", " are 672 bytes */
    const char *descr = "";
    int growth = 0;
    size_t used;
    for (size_t i = 0; i < DESCRS; i++)
        if (descrs[i].dtype == dtype)
            descr = descrs[i].descr;
    used = (size_t)snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                            descr);
    for (size_t i = 0; i < ndim; i++) {
        int digits = snprintf(text + used, sizeof text - used, "%zu", shape[i]);
        used += (size_t)digits;
        if (i == 0)
            growth = GROWTH_DIGITS - digits;
        if (i + 1 < ndim || ndim == 1)
            used += (size_t)snprintf(text + used, sizeof text - used, i + 1 < ndim ? ", " : ",");
    }
    used += (size_t)snprintf(text + used, sizeof text - used, "), }%*s", growth, "");
    size_t padding = ALIGNMENT - (BEFORE + used + 1) % ALIGNMENT;
    size_t total = BEFORE + used + padding + 1;
    memcpy(head, magic, sizeof magic);
    head[6] = 1;
    head[7] = 0;
    little_put(head + 8, total - BEFORE, 2);
    memcpy(head + BEFORE, text, used);
    memset(head + BEFORE + used, ' ', padding);
    head[total - 1] = '\n';
    return total;
}
