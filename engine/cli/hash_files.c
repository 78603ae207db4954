/* hash_files.c -- files hashed, printed and checked as b3sum 1.2 does. */
#include "cli/hash_files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/check_line.h"
#include "cli/options.h"
#include "cli/print.h"

enum { PIECE_BYTES = 1 << 18, PART_BYTES = 1 << 12 };

/* In keyed mode standard input is the key: there is no file `-`. errno is 0 then. */
static int open_file(const char *name, const sheaf_hash_options *options)
{
    if (strcmp(name, "-") != 0)
        return open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    errno = 0;
    return options->mode == SHEAF_HASH_KEYED ? -1 : STDIN_FILENO;
}

/* Returns 0, or an errno. */
static int hash_descriptor(sheaf_hasher *hasher, int descriptor)
{
    static uint8_t piece[PIECE_BYTES];
    sheaf_hasher_reset(hasher);
    for (;;) {
        ssize_t bytes = read(descriptor, piece, sizeof piece);
        if (bytes == 0)
            return 0;
        if (bytes > 0) {
            sheaf_hasher_update(hasher, piece, (size_t)bytes);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd readable = {.fd = descriptor, .events = POLLIN};
            poll(&readable, 1, -1);
        } else if (errno != EINTR) {
            return errno;
        }
    }
}

/* Returns 0, or an errno, or -1: there is no `-` in keyed mode. */
static int hash_name(sheaf_hasher *hasher, const char *name, const sheaf_hash_options *options)
{
    int descriptor = open_file(name, options);
    if (descriptor < 0)
        return errno != 0 ? errno : -1;
    int error = hash_descriptor(hasher, descriptor);
    if (descriptor != STDIN_FILENO)
        close(descriptor);
    return error;
}

void print_before(const struct hash_form *form, const char *name)
{
    if (!form->is_raw && !form->has_no_names && name_is_escaped(name))
        putchar('\\');
}

void print_part(const struct hash_form *form, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count && !form->is_raw; i++)
        printf("%02x", bytes[i]);
    if (form->is_raw)
        fwrite(bytes, 1, count, stdout);
}

void print_after(const struct hash_form *form, const char *name)
{
    if (form->is_raw)
        return;
    if (!form->has_no_names) {
        fputs("  ", stdout);
        print_name(stdout, name);
    }
    putchar('\n');
}

static void print_hash(const sheaf_hasher *hasher, const struct hash_form *form, const char *name)
{
    uint8_t part[PART_BYTES];
    print_before(form, name);
    for (uint64_t done = 0; done < form->length && !ferror(stdout);) {
        uint64_t left = form->length - done;
        size_t here = left < sizeof part ? (size_t)left : sizeof part;
        if (sheaf_hasher_finish(part, here, done, hasher) != SHEAF_OK)
            break;
        print_part(form, part, here);
        done += here;
    }
    print_after(form, name);
}

static void append_hash(json_t *list, const sheaf_hasher *hasher, const char *name)
{
    uint8_t bytes[SHEAF_HASH_BYTES];
    char hex[HASH_TEXT_BYTES];
    sheaf_hasher_finish(bytes, sizeof bytes, 0, hasher);
    hex_text(hex, bytes, sizeof bytes);
    json_array_append_new(list, json_pack("{s:o, s:s}", "file", json_of_text(name), "hash", hex));
}

int hash_files(const sheaf_hash_options *options, const struct hash_form *form, int count,
               char **names, json_t *list)
{
    sheaf_hasher *hasher;
    int status = DONE;
    if (sheaf_hasher_open(&hasher, options) != SHEAF_OK)
        return library_failure("hash");
    for (int i = 0; i < count; i++) {
        int error = hash_name(hasher, names[i], options);
        if (error != 0) {
            status = failure("hash", "%s: %s", names[i],
                             error > 0 ? strerror(error) : "standard input is the key, no file");
            continue;
        }
        if (list != NULL)
            append_hash(list, hasher, names[i]);
        else
            print_hash(hasher, form, names[i]);
    }
    sheaf_hasher_close(hasher);
    return status;
}

/* ---- Checking ----------------------------------------------------------------------------- */

static int check_line(sheaf_hasher *hasher, const sheaf_hash_options *options,
                      const struct hash_form *form, char *path, char *line, size_t length)
{
    struct check_line parsed;
    uint8_t found[SHEAF_HASH_BYTES];
    const char *wrong = check_line_parse(&parsed, path, line, length);
    if (wrong != NULL)
        return failure("hash", "%s", wrong);
    const char *mark = parsed.is_escaped ? "\\" : "";
    int error = hash_name(hasher, path, options);
    if (error != 0) {
        printf("%s%s: FAILED (%s (os error %d))\n", mark, parsed.name, strerror(error), error);
        return FAILED;
    }
    sheaf_hasher_finish(found, sizeof found, 0, hasher);
    if (memcmp(found, parsed.hash, sizeof found) != 0) {
        printf("%s%s: FAILED\n", mark, parsed.name);
        return FAILED;
    }
    if (!form->is_quiet)
        printf("%s%s: OK\n", mark, parsed.name);
    return DONE;
}

/* *is_over: the lines cannot be read any further. */
static int check_lines(bool *is_over, FILE *file, const char *name, sheaf_hasher *hasher,
                       const sheaf_hash_options *options, const struct hash_form *form)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    int status = DONE;
    *is_over = true;
    while ((length = getline(&line, &size, file)) > 0) {
        if (!is_utf8(line, (size_t)length)) {
            status = failure("hash", "%s: not valid UTF-8", name);
            goto free_line;
        }
        char *path = malloc((size_t)length + 1);
        if (path == NULL) {
            status = failure("hash", "%s: no memory for a line", name);
            goto free_line;
        }
        if (check_line(hasher, options, form, path, line, (size_t)length) != DONE)
            status = FAILED;
        free(path);
    }
    if (feof(file))
        *is_over = false;
    else
        status = failure("hash", "%s: %s", name, strerror(errno));
free_line:
    free(line);
    return status;
}

int check_files(const sheaf_hash_options *options, const struct hash_form *form, int count,
                char **names)
{
    sheaf_hasher *hasher;
    int status = DONE;
    bool is_over = false;
    if (sheaf_hasher_open(&hasher, options) != SHEAF_OK)
        return library_failure("hash");
    for (int i = 0; i < count && !is_over; i++) {
        bool is_input = strcmp(names[i], "-") == 0;
        FILE *file = is_input ? stdin : fopen(names[i], "re");
        if (file == NULL) {
            status = failure("hash", "%s: %s", names[i], strerror(errno));
            break;
        }
        if (check_lines(&is_over, file, names[i], hasher, options, form) != DONE)
            status = FAILED;
        if (!is_input)
            fclose(file);
    }
    sheaf_hasher_close(hasher);
    return status;
}
