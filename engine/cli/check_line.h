/* check_line.h -- file names as b3sum prints them, and the lines that b3sum --check reads. */
#ifndef SHEAF_CLI_CHECK_LINE_H
#define SHEAF_CLI_CHECK_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <sheaf/sheaf.h>

struct check_line {
    uint8_t hash[SHEAF_HASH_BYTES];
    bool is_escaped;
    const char *name; /* as it stands in the line, which it is a part of */
};

/* Reads `HASH  NAME` or `\HASH  ESCAPED NAME`: length bytes of valid UTF-8, whose only line break, which does
 * not count, may be at the end. path gets the file's name: room for length + 1 bytes. Returns NULL, or what is
 * wrong. The line break is replaced by a NUL; there is room for one after the line in any case. */
const char *check_line_parse(struct check_line *out, char *path, char *line, size_t length);

/* The bytes of the first character of text[0..size), size at least 1. If it is not valid UTF-8: *is_valid is
 * false, and the bytes are those that one replacement character stands for. */
size_t utf8_bytes(bool *is_valid, const char *text, size_t size);

bool is_utf8(const char *text, size_t size);

/* Whether a name has to be escaped in a line of hashes, which then begins with a backslash. */
bool name_is_escaped(const char *name);

/* The name, escaped, and with the replacement character for what is not UTF-8. */
void print_name(FILE *to, const char *name);

#endif
