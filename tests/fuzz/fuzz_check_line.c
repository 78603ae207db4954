/* fuzz_check_line.c -- the lines that `sheaf hash --check` reads, from a file as anybody may have written
 * it. What is accepted has to be the line that printing the hash and the path gives. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "cli/check_line.h"

/* The line again, from what was read of it. */
static char *print_again(const struct check_line *parsed, const char *path)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    require(to != NULL);
    if (parsed->is_escaped)
        fputc('\\', to);
    for (size_t i = 0; i < sizeof parsed->hash; i++)
        fprintf(to, "%02x", parsed->hash[i]);
    fputs("  ", to);
    if (parsed->is_escaped)
        print_name(to, path);
    else
        fputs(path, to);
    require(fclose(to) == 0);
    return text;
}

/* A line, with its line break if it has one: as getline() gives it. */
static void check(const uint8_t *data, size_t size)
{
    struct check_line parsed;
    char *line = malloc(size + 1); /* of the exact size: a byte too far is seen */
    char *before = malloc(size + 1);
    char *path = malloc(size + 1);
    require(line != NULL && before != NULL && path != NULL);
    memcpy(line, data, size);
    memcpy(before, data, size);
    before[size] = '\0';
    bool is_text = is_utf8(line, size);
    const char *wrong = check_line_parse(&parsed, path, line, size);
    require(wrong == NULL || wrong[0] != '\0');
    if (wrong == NULL && is_text) {
        char *again = print_again(&parsed, path);
        if (before[size - 1] == '\n')
            before[--size] = '\0';
        require(strcmp(again, before) == 0 && strlen(before) == size);
        free(again);
    }
    free(path);
    free(before);
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    while (size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t here = end != NULL ? (size_t)(end - data) + 1 : size;
        check(data, here);
        data += here;
        size -= here;
    }
    return 0;
}

#define DIGITS "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"

size_t fuzz_seed(size_t i, uint8_t *to)
{
    static const char *const seeds[] = {DIGITS "  a\n",
                                        "\\" DIGITS "  n\\nl\\\\\n",
                                        DIGITS "  \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
                                        DIGITS "  ",
                                        "\\\n",
                                        DIGITS "  a\n\\" DIGITS "  b\n"};
    if (i >= sizeof seeds / sizeof seeds[0])
        return 0;
    memcpy(to, seeds[i], strlen(seeds[i]));
    return strlen(seeds[i]);
}
