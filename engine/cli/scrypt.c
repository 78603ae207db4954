/* scrypt.c -- sheaf scrypt: keys from passwords, one a line. Passwords come from standard input or a file
 * and never from arguments, which every user of the machine can read; they are wiped when done, and there is no
 * core dump of this command. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/print.h"

enum {
    OPTION_N = OPTION_OWN,
    OPTION_R,
    OPTION_P,
    OPTION_SALT,
    OPTION_LENGTH,
    OPTION_MEMORY,
    OPTION_VERIFY,
    AT_ONCE = 64, /* passwords in a batch: enough lanes for 8 workers */
    LENGTH_MOST = 1 << 20,
};

static const char scrypt_help[] =
    "usage: sheaf scrypt --n N --r R --p P --salt SALT [OPTIONS] [FILE]\n"
    "\n"
    "Prints the scrypt key of each password as a line of hex, in order. Passwords are the\n"
    "lines of FILE, or of standard input: bytes as they are, without the line break.\n"
    "They are never taken from arguments, which every user of the machine can read.\n"
    "\n"
    "  --n N          cost: a power of two. Memory is 128 N R bytes for each password (or\n"
    "  --r R          part of one, of P) in flight\n"
    "  --p P\n"
    "  --salt SALT    text, or hex:HEX, the same for all\n"
    "  --length L     bytes of a key (default: 64; at most 1048576)\n"
    "  --memory B     bytes that all workers together may take (default: half of what is\n"
    "                 free)\n"
    "  --verify KEYS  compare with the lines of the file KEYS, as printed before: prints\n"
    "                 OK or FAILED for each password; exit status 1 if one failed\n" WORK_HELP
        ISA_HELP "  --help         print this\n"
    "\n"
    "Example: sheaf scrypt --n 16384 --r 8 --p 1 --salt hex:00ff <passwords\n";

struct text {
    unsigned char *data;
    size_t bytes;
    size_t room;
};

struct scrypt {
    sheaf_scrypt_params params;
    sheaf_scrypt_options options;
    struct work work;
    struct text salt;
    const char *salt_text;
    const char *verify; /* NULL: print */
    struct text passwords;
    struct text expected;
};

static void drop(struct text *text)
{
    if (text->data != NULL)
        explicit_bzero(text->data, text->room);
    free(text->data);
    *text = (struct text){0};
}

/* A larger copy; the one before is wiped. */
static bool grow(struct text *text)
{
    size_t room = text->room > 0 ? 2 * text->room : 4096;
    unsigned char *data = malloc(room);
    if (data == NULL)
        return false;
    if (text->bytes > 0)
        memcpy(data, text->data, text->bytes);
    size_t bytes = text->bytes;
    drop(text);
    *text = (struct text){data, bytes, room};
    return true;
}

/* All that a descriptor gives, without a buffer of stdio's in between. */
static int read_all(struct text *text, int descriptor, const char *name)
{
    for (;;) {
        if (text->bytes == text->room && !grow(text))
            return failure("scrypt", "no memory for the lines of %s", name);
        ssize_t n = read(descriptor, text->data + text->bytes, text->room - text->bytes);
        if (n == 0)
            return DONE;
        if (n > 0)
            text->bytes += (size_t)n;
        else if (errno != EINTR)
            return failure("scrypt", "%s: %s", name, strerror(errno));
    }
}

static int read_file(struct text *text, const char *name)
{
    bool is_input = strcmp(name, "-") == 0;
    if (is_input && isatty(STDIN_FILENO))
        return failure("scrypt", "standard input is a terminal, which would show the passwords: "
                                 "give a FILE, or a pipe");
    int descriptor = is_input ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0)
        return failure("scrypt", "%s: %s", name, strerror(errno));
    int status = read_all(text, descriptor, is_input ? "standard input" : name);
    if (!is_input)
        close(descriptor);
    return status;
}

/* The line at *at, which moves on; false at the end. A last line needs no line break. */
static bool next_line(sheaf_bytes *line, const struct text *text, size_t *at)
{
    if (*at >= text->bytes)
        return false;
    const unsigned char *begin = text->data + *at;
    const unsigned char *end = memchr(begin, '\n', text->bytes - *at);
    size_t bytes = end != NULL ? (size_t)(end - begin) : text->bytes - *at;
    *line = (sheaf_bytes){begin, bytes};
    *at += bytes + 1;
    return true;
}

static int hex_digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_hex(unsigned char *out, const char *hex, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        int high = hex_digit(hex[2 * i]);
        int low = high >= 0 ? hex_digit(hex[2 * i + 1]) : -1;
        if (low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static int read_salt(struct scrypt *scrypt)
{
    const char *text = scrypt->salt_text;
    bool is_hex = strncmp(text, "hex:", 4) == 0;
    size_t length = strlen(text);
    while (scrypt->salt.room < length + 1)
        if (!grow(&scrypt->salt))
            return failure("scrypt", "no memory for the salt");
    scrypt->salt.bytes = is_hex ? (length - 4) / 2 : length;
    if (!is_hex)
        memcpy(scrypt->salt.data, text, length);
    else if (length % 2 != 0 || !parse_hex(scrypt->salt.data, text + 4, scrypt->salt.bytes))
        return usage_error("scrypt", "--salt %s: hex: takes pairs of hex digits", text);
    return DONE;
}

/* Prints a key, or compares it with the next expected line without stopping at the first difference.
 * *at is where that line begins. */
static bool print_key(const struct scrypt *scrypt, const uint8_t *key, char *hex, size_t *at)
{
    sheaf_bytes line = {0};
    unsigned difference = 0;
    hex_text(hex, key, scrypt->params.length);
    if (scrypt->verify == NULL) {
        puts(hex);
        return true;
    }
    bool is_there = next_line(&line, &scrypt->expected, at);
    bool is_same = is_there && line.bytes == 2 * scrypt->params.length;
    for (size_t i = 0; is_same && i < line.bytes; i++) {
        int c = ((const unsigned char *)line.data)[i];
        difference |= (unsigned)((c >= 'A' && c <= 'F' ? c | 0x20 : c) ^ hex[i]);
    }
    is_same = is_same && difference == 0;
    puts(is_same ? "OK" : "FAILED");
    return is_same;
}

/* keys: AT_ONCE keys; hex: one in hex. */
static int run_batches(const struct scrypt *scrypt, uint8_t *keys, char *hex)
{
    sheaf_bytes lines[AT_ONCE];
    const sheaf_bytes salt = {scrypt->salt.data, scrypt->salt.bytes};
    size_t at = 0;
    size_t expected_at = 0;
    size_t failures = 0;
    for (;;) {
        sheaf_scrypt_batch batch = {lines, 0, &salt, 1};
        while (batch.count < AT_ONCE && next_line(&lines[batch.count], &scrypt->passwords, &at))
            batch.count++;
        if (batch.count == 0)
            break;
        if (sheaf_scrypt_many(keys, &batch, &scrypt->params, &scrypt->options) != SHEAF_OK)
            return library_failure("scrypt");
        for (size_t i = 0; i < batch.count; i++)
            failures += !print_key(scrypt, keys + i * scrypt->params.length, hex, &expected_at);
    }
    if (scrypt->verify != NULL && expected_at < scrypt->expected.bytes)
        return failure("scrypt", "%s has more lines than there are passwords", scrypt->verify);
    if (failures > 0)
        return failure("scrypt", "%zu passwords do not have the keys in %s", failures,
                       scrypt->verify);
    return DONE;
}

static int run(struct scrypt *scrypt, const char *file)
{
    const struct rlimit no_dump = {0};
    size_t keys_bytes = AT_ONCE * scrypt->params.length;
    uint8_t *keys = NULL;
    char *hex = NULL;
    setrlimit(RLIMIT_CORE, &no_dump);
    int status = read_salt(scrypt);
    if (status == DONE)
        status = read_file(&scrypt->passwords, file);
    if (status == DONE && scrypt->verify != NULL)
        status = read_file(&scrypt->expected, scrypt->verify);
    if (status == DONE)
        status = work_open(&scrypt->options.executor, &scrypt->work, "scrypt");
    if (status == DONE) {
        keys = calloc(keys_bytes, 1);
        hex = calloc(2 * scrypt->params.length + 1, 1);
        status = keys != NULL && hex != NULL ? run_batches(scrypt, keys, hex)
                                             : failure("scrypt", "no memory for the keys");
        sheaf_executor_close(scrypt->options.executor);
    }
    if (keys != NULL)
        explicit_bzero(keys, keys_bytes);
    if (hex != NULL)
        explicit_bzero(hex, 2 * scrypt->params.length + 1);
    free(keys);
    free(hex);
    drop(&scrypt->passwords);
    drop(&scrypt->expected);
    drop(&scrypt->salt);
    return status;
}

static int take_number(uint64_t *out, const char *name, const char *text, uint64_t most)
{
    if (parse_u64(out, text) && *out >= 1 && *out <= most)
        return DONE;
    return usage_error("scrypt", "--%s %s: give a number from 1 to %llu", name, text,
                       (unsigned long long)most);
}

static int take_option(struct scrypt *scrypt, int option, const char *argument)
{
    uint64_t number = 0;
    int status = DONE;
    switch (option) {
    case OPTION_N:
        return take_number(&scrypt->params.n, "n", argument, UINT64_MAX);
    case OPTION_R:
        status = take_number(&number, "r", argument, UINT32_MAX);
        scrypt->params.r = (uint32_t)number;
        return status;
    case OPTION_P:
        status = take_number(&number, "p", argument, UINT32_MAX);
        scrypt->params.p = (uint32_t)number;
        return status;
    case OPTION_LENGTH:
        status = take_number(&number, "length", argument, LENGTH_MOST);
        scrypt->params.length = (size_t)number;
        return status;
    case OPTION_MEMORY:
        return take_number(&scrypt->options.memory_limit, "memory", argument, UINT64_MAX);
    case OPTION_SALT:
        scrypt->salt_text = argument;
        return DONE;
    case OPTION_VERIFY:
        scrypt->verify = argument;
        return DONE;
    default:
        return work_option(&scrypt->work, "scrypt", option, argument);
    }
}

int command_scrypt(int argc, char **argv)
{
    static const struct option options[] = {
        {"n", required_argument, NULL, OPTION_N},
        {"r", required_argument, NULL, OPTION_R},
        {"p", required_argument, NULL, OPTION_P},
        {"salt", required_argument, NULL, OPTION_SALT},
        {"length", required_argument, NULL, OPTION_LENGTH},
        {"memory", required_argument, NULL, OPTION_MEMORY},
        {"verify", required_argument, NULL, OPTION_VERIFY},
        OPTION_ROWS_WORK,
        {"isa", required_argument, NULL, OPTION_ISA},
        OPTION_ROW_HELP,
        {0},
    };
    struct scrypt scrypt = {.params = {.length = 64}};
    int option;
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == OPTION_HELP)
            return help(scrypt_help);
        if (option == ':' || option == '?')
            return option_error("scrypt", option, argv);
        if (take_option(&scrypt, option, optarg) != DONE)
            return USAGE;
    }
    if (scrypt.params.n == 0 || scrypt.params.r == 0 || scrypt.params.p == 0 ||
        scrypt.salt_text == NULL)
        return usage_error("scrypt", "--n, --r, --p and --salt are needed");
    if (argc - optind > 1)
        return usage_error("scrypt", "one FILE at most; passwords are no arguments");
    scrypt.options.isa = scrypt.work.isa;
    return run(&scrypt, optind < argc ? argv[optind] : "-");
}
