/* hash.c -- sheaf hash: BLAKE3 of files as b3sum prints it, or of an array's bytes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/team.h"

enum { OPTION_ARRAY = OPTION_OWN };

static const char hash_help[] =
    "usage: sheaf hash [FILE...] [--isa NAME] [--json]\n"
    "       sheaf hash --array KEY [OPTIONS]\n"
    "\n"
    "Prints the BLAKE3 hash of each FILE as b3sum does: 64 hex digits, two blanks, the\n"
    "name. No FILE, or `-`, is standard input. With --array: of the array's elements, as\n"
    "of a file of the same bytes; dtype and shape are not in it.\n"
    "\n"
    "  --array KEY    hash an array; the next two options are for this only\n" WORK_HELP ISA_HELP
    "  --json         files: print [{\"file\", \"hash\"}, ...]; an array: {\"key\",\n"
    "                 \"dtype\", \"bytes\", \"executor\", \"workers\", \"isa\", \"hash\",\n"
    "                 \"seconds\"}\n"
    "  --help         print this\n"
    "\n"
    "Example: sheaf hash --array numbers --executor threads\n";

struct hash {
    const char *key; /* NULL: files */
    struct work work;
    bool as_json;
};

/* As b3sum: a name with a backslash or a line break is escaped, and a backslash begins the line. */
static void print_hash_line(const char *hex, const char *name)
{
    bool is_escaped = strpbrk(name, "\\\n") != NULL;
    printf("%s%s  ", is_escaped ? "\\" : "", hex);
    for (const char *c = name; *c != '\0'; c++) {
        if (*c == '\\')
            fputs("\\\\", stdout);
        else if (*c == '\n')
            fputs("\\n", stdout);
        else
            putchar(*c);
    }
    putchar('\n');
}

static int hash_file(const struct hash *hash, const char *name, json_t *list)
{
    const sheaf_hash_options options = {.isa = hash->work.isa};
    uint8_t bytes[SHEAF_HASH_BYTES];
    char hex[HASH_TEXT_BYTES];
    bool is_input = strcmp(name, "-") == 0;
    int descriptor = is_input ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0)
        return failure("hash", "%s: %s", name, strerror(errno));
    sheaf_status status = sheaf_hash_descriptor(bytes, descriptor, &options);
    if (!is_input)
        close(descriptor);
    if (status != SHEAF_OK)
        return failure("hash", "%s: %s", name, sheaf_last_error());
    hex_text(hex, bytes, sizeof bytes);
    if (list != NULL)
        json_array_append_new(list,
                              json_pack("{s:o, s:s}", "file", json_of_text(name), "hash", hex));
    else
        print_hash_line(hex, name);
    return DONE;
}

static int hash_files(const struct hash *hash, int count, char **names)
{
    static char input[] = "-";
    char *only_input[] = {input};
    json_t *list = hash->as_json ? json_array() : NULL;
    int status = DONE;
    if (count == 0) {
        count = 1;
        names = only_input;
    }
    for (int i = 0; i < count; i++) {
        if (hash_file(hash, names[i], list) != DONE)
            status = FAILED; /* and go on with the others */
    }
    if (list == NULL)
        return status;
    int printed = print_json("hash", list, 17);
    return status == DONE ? printed : status;
}

static int hash_print(const struct hash *hash, const sheaf_array *array, const uint8_t *bytes,
                      double seconds, size_t workers)
{
    char hex[HASH_TEXT_BYTES];
    hex_text(hex, bytes, SHEAF_HASH_BYTES);
    if (!hash->as_json) {
        print_hash_line(hex, hash->key);
        return DONE;
    }
    return print_json("hash",
                      json_pack("{s:o, s:s, s:I, s:s, s:I, s:s, s:s, s:f}", "key",
                                json_of_text(hash->key), "dtype",
                                sheaf_dtype_name(sheaf_array_dtype(array)), "bytes",
                                (json_int_t)sheaf_array_bytes(array), "executor",
                                work_executor_name(&hash->work), "workers", (json_int_t)workers,
                                "isa", work_isa_name(&hash->work), "hash", hex, "seconds", seconds),
                      17);
}

static int hash_array(const struct hash *hash)
{
    const sheaf_attach_options read_only = {.access = SHEAF_READ_ONLY};
    sheaf_hash_options options = {.isa = hash->work.isa};
    uint8_t bytes[SHEAF_HASH_BYTES];
    sheaf_array *array;
    if (sheaf_attach(&array, hash->key, &read_only) != SHEAF_OK)
        return library_failure("hash");
    int status = work_open(&options.executor, &hash->work, "hash");
    if (status != DONE)
        goto detach;
    double start = now_seconds();
    if (sheaf_hash(bytes, array, &options) != SHEAF_OK) {
        status = library_failure("hash");
        goto close_executor;
    }
    double seconds = now_seconds() - start;
    status = hash_print(hash, array, bytes, seconds, sheaf_executor_workers(options.executor));
close_executor:
    sheaf_executor_close(options.executor);
detach:
    sheaf_detach(array);
    return status;
}

int command_hash(int argc, char **argv)
{
    static const struct option options[] = {
        {"array", required_argument, NULL, OPTION_ARRAY},
        OPTION_ROWS_WORK,
        {"isa", required_argument, NULL, OPTION_ISA},
        OPTION_ROW_JSON,
        OPTION_ROW_HELP,
        {0},
    };
    struct hash hash = {0};
    int option;
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == OPTION_HELP)
            return help(hash_help);
        if (option == ':' || option == '?')
            return option_error("hash", option, argv);
        if (option == OPTION_JSON)
            hash.as_json = true;
        else if (option == OPTION_ARRAY)
            hash.key = optarg;
        else if (work_option(&hash.work, "hash", option, optarg) != DONE)
            return USAGE;
    }
    if (hash.key != NULL && optind != argc)
        return usage_error("hash", "give files or --array KEY, not both");
    if (hash.key != NULL)
        return hash_array(&hash);
    if (hash.work.backend != 0 || hash.work.workers != 0)
        return usage_error("hash", "--executor and --workers need --array: files are hashed in "
                                   "the caller");
    return hash_files(&hash, argc - optind, argv + optind);
}
