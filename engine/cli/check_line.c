/* check_line.c -- lines of hashes and names, as b3sum 1.2 reads and writes them. */
#include "cli/check_line.h"

#include <string.h>

enum { HEX_BYTES = 2 * SHEAF_HASH_BYTES, PREFIX_BYTES = HEX_BYTES + 2 };

/* The bounds of the second byte after some first bytes (Unicode 15, table 3-7). */
static bool may_follow(unsigned char first, unsigned char second)
{
    unsigned char least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    return second >= least && second <= most;
}

size_t utf8_bytes(bool *is_valid, const char *text, size_t size)
{
    const unsigned char *c = (const unsigned char *)text;
    size_t wanted = c[0] < 0x80                    ? 1
                    : c[0] >= 0xc2 && c[0] <= 0xdf ? 2
                    : c[0] >= 0xe0 && c[0] <= 0xef ? 3
                    : c[0] >= 0xf0 && c[0] <= 0xf4 ? 4
                                                   : 0;
    size_t have = 1;
    while (have < wanted && have < size &&
           (have == 1 ? may_follow(c[0], c[1]) : (c[have] & 0xc0) == 0x80))
        have++;
    *is_valid = have == wanted;
    return have;
}

bool is_utf8(const char *text, size_t size)
{
    bool is_valid = true;
    for (size_t i = 0; i < size && is_valid;)
        i += utf8_bytes(&is_valid, text + i, size - i);
    return is_valid;
}

bool name_is_escaped(const char *name)
{
    return strpbrk(name, "\\\n") != NULL;
}

void print_name(FILE *to, const char *name)
{
    for (size_t left = strlen(name); left > 0;) {
        bool is_valid;
        size_t bytes = utf8_bytes(&is_valid, name, left);
        if (!is_valid)
            fputs("\xef\xbf\xbd", to);
        else if (*name == '\\')
            fputs("\\\\", to);
        else if (*name == '\n')
            fputs("\\n", to);
        else
            fwrite(name, 1, bytes, to);
        name += bytes;
        left -= bytes;
    }
}

/* Lower case only. -1: no hex digit. */
static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *parse_hash(uint8_t *hash, const char *text)
{
    for (size_t i = 0; i < HEX_BYTES; i++)
        if ((unsigned char)text[i] >= 0x80)
            return "Non-ASCII prefix";
    if ((unsigned char)text[HEX_BYTES] >= 0x80 || (unsigned char)text[HEX_BYTES + 1] >= 0x80)
        return "Non-ASCII prefix";
    if (text[HEX_BYTES] != ' ' || text[HEX_BYTES + 1] != ' ')
        return "Invalid space";
    for (size_t i = 0; i < SHEAF_HASH_BYTES; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return "Invalid hex";
        hash[i] = (uint8_t)(high << 4 | low);
    }
    return NULL;
}

/* Returns the bytes of the path; SIZE_MAX: not an escape. */
static size_t unescape(char *path, const char *name, size_t length)
{
    size_t bytes = 0;
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        if (c == '\\') {
            if (++i == length || (name[i] != 'n' && name[i] != '\\'))
                return SIZE_MAX;
            c = name[i] == 'n' ? '\n' : '\\';
        }
        path[bytes++] = c;
    }
    return bytes;
}

const char *check_line_parse(struct check_line *out, char *path, char *line, size_t length)
{
    while (length > 0 && line[length - 1] == '\n')
        length--;
    line[length] = '\0';
    if (length == 0)
        return "Empty line";
    out->is_escaped = line[0] == '\\';
    line += out->is_escaped;
    length -= out->is_escaped;
    if (length <= PREFIX_BYTES)
        return "Short line";
    const char *wrong = parse_hash(out->hash, line);
    if (wrong != NULL)
        return wrong;
    out->name = line + PREFIX_BYTES;
    length -= PREFIX_BYTES;
    size_t bytes = length;
    if (out->is_escaped)
        bytes = unescape(path, out->name, length);
    else
        memcpy(path, out->name, length);
    if (bytes == SIZE_MAX)
        return "Invalid backslash escape";
    path[bytes] = '\0';
    if (memchr(path, '\0', bytes) != NULL)
        return "Null character in path";
    if (strstr(path, "\xef\xbf\xbd") != NULL) /* it may stand for many names */
        return "Unicode replacement character in path";
    return NULL;
}
