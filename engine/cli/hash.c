/* hash.c -- sheaf hash: BLAKE3 of files as b3sum prints and checks it, or of an array. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/hash_files.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/team.h"

enum {
    OPTION_ARRAY = OPTION_OWN,
    OPTION_CONTENT,
    OPTION_KEYED,
    OPTION_DERIVE_KEY,
    OPTION_NO_NAMES,
    OPTION_RAW,
    OPTION_QUIET,
    OPTION_CHECK = 'c',
    OPTION_LENGTH = 'l',
};

static const char hash_help[] =
    "usage: sheaf hash [FILE...] [--keyed | --derive-key CONTEXT] [--length N]\n"
    "                  [--no-names | --raw | --json] [--isa NAME]\n"
    "       sheaf hash --check [--quiet] [FILE...]\n"
    "       sheaf hash --array KEY [--content] [OPTIONS]\n"
    "\n"
    "Prints the BLAKE3 hash of each FILE as b3sum does: hex digits, two blanks, the name;\n"
    "after a backslash if the name has a backslash or a line break, which are escaped. No\n"
    "FILE, or `-`, is standard input. With --array: of the array's elements, as of a file\n"
    "of the same bytes; dtype and shape are not in it.\n"
    "\n"
    "  -c, --check    read lines of hashes and names, and tell whether the files still\n"
    "                 have those hashes: NAME: OK, or FAILED (exit status 1)\n"
    "  --quiet        with --check: only those that have not\n"
    "  --keyed        the key, 32 raw bytes, is read from standard input\n"
    "  --derive-key CONTEXT\n"
    "                 a key derived from the input, for this context\n"
    "  -l, --length N\n"
    "                 bytes of output (default: 32)\n"
    "  --no-names     print the hash alone\n"
    "  --raw          write the bytes of the hash themselves; for one input\n"
    "  --array KEY    hash an array; the next three options are for this only\n"
    "  --content      a hash of dtype, shape and elements (see sheaf/hash.h)\n" WORK_HELP ISA_HELP
    "  --json         files: print [{\"file\", \"hash\"}, ...]; an array: {\"key\",\n"
    "                 \"dtype\", \"bytes\", \"executor\", \"workers\", \"isa\", \"hash\",\n"
    "                 \"seconds\"}\n"
    "  --help         print this\n"
    "\n"
    "Example: sheaf hash --array numbers --executor threads\n";

struct hash {
    const char *key; /* of an array; NULL: files */
    const char *context;
    struct work work;
    struct hash_form form;
    bool as_json;
    bool is_check;
    bool is_keyed;
    bool is_content;
    bool has_length;
};

/* The secret key: standard input, which holds nothing else. */
static int read_key(uint8_t key[SHEAF_HASH_KEY_BYTES])
{
    uint8_t bytes[SHEAF_HASH_KEY_BYTES + 1];
    size_t done = 0;
    ssize_t n;
    do {
        n = read(STDIN_FILENO, bytes + done, sizeof bytes - done);
        done += n > 0 ? (size_t)n : 0;
    } while (n > 0 && done < sizeof bytes);
    memcpy(key, bytes, SHEAF_HASH_KEY_BYTES);
    explicit_bzero(bytes, sizeof bytes);
    if (n < 0)
        return failure("hash", "cannot read the key from standard input");
    if (done != SHEAF_HASH_KEY_BYTES)
        return failure("hash", "the key has to be 32 bytes of standard input, found %s%zu",
                       done > SHEAF_HASH_KEY_BYTES ? "at least " : "", done);
    return DONE;
}

static int hash_print(const struct hash *hash, const sheaf_array *array, const uint8_t *bytes,
                      double seconds, size_t workers)
{
    char hex[HASH_TEXT_BYTES];
    if (!hash->as_json) {
        print_before(&hash->form, hash->key);
        print_part(&hash->form, bytes, (size_t)hash->form.length);
        print_after(&hash->form, hash->key);
        return DONE;
    }
    hex_text(hex, bytes, SHEAF_HASH_BYTES);
    return print_json("hash",
                      json_pack("{s:o, s:s, s:I, s:s, s:I, s:s, s:s, s:f}", "key",
                                json_of_text(hash->key), "dtype",
                                sheaf_dtype_name(sheaf_array_dtype(array)), "bytes",
                                (json_int_t)sheaf_array_bytes(array), "executor",
                                work_executor_name(&hash->work), "workers", (json_int_t)workers,
                                "isa", work_isa_name(&hash->work), "hash", hex, "seconds", seconds),
                      17);
}

static int hash_array(const struct hash *hash, sheaf_hash_options options)
{
    const sheaf_attach_options read_only = {.access = SHEAF_READ_ONLY};
    sheaf_array *array;
    options.content = hash->is_content;
    options.out_bytes = (size_t)hash->form.length; /* 0: the default, of which nothing is printed */
    if (sheaf_attach(&array, hash->key, &read_only) != SHEAF_OK)
        return library_failure("hash");
    int status = work_open(&options.executor, &hash->work, "hash");
    if (status != DONE)
        goto detach;
    uint8_t *bytes =
        malloc(options.out_bytes > SHEAF_HASH_BYTES ? options.out_bytes : SHEAF_HASH_BYTES);
    if (bytes == NULL) {
        status = failure("hash", "no memory for %zu bytes of output", options.out_bytes);
        goto close_executor;
    }
    double start = now_seconds();
    if (sheaf_hash(bytes, array, &options) != SHEAF_OK) {
        status = library_failure("hash");
        goto free_bytes;
    }
    double seconds = now_seconds() - start;
    status = hash_print(hash, array, bytes, seconds, sheaf_executor_workers(options.executor));
free_bytes:
    free(bytes);
close_executor:
    sheaf_executor_close(options.executor);
detach:
    sheaf_detach(array);
    return status;
}

static int run(const struct hash *hash, int count, char **names)
{
    static char input[] = "-";
    char *only_input[] = {input};
    uint8_t key[SHEAF_HASH_KEY_BYTES];
    sheaf_hash_options options = {.isa = hash->work.isa, .context = hash->context};
    json_t *list = NULL;
    int status = DONE;
    if (hash->context != NULL)
        options.mode = SHEAF_HASH_DERIVE_KEY;
    if (hash->is_keyed) {
        options.mode = SHEAF_HASH_KEYED;
        options.key = key;
        status = read_key(key);
    }
    if (count == 0) {
        count = 1;
        names = only_input;
    }
    if (status == DONE && hash->key != NULL) {
        status = hash_array(hash, options);
    } else if (status == DONE && hash->is_check) {
        status = check_files(&options, &hash->form, count, names);
    } else if (status == DONE) {
        list = hash->as_json ? json_array() : NULL;
        status = hash_files(&options, &hash->form, count, names, list);
    }
    explicit_bzero(key, sizeof key);
    if (list == NULL)
        return status;
    int printed = print_json("hash", list, 17);
    return status == DONE ? printed : status;
}

/* What does not go together. */
static int check_usage(const struct hash *hash, int count)
{
    const char *wrong = NULL;
    bool has_form = hash->form.is_raw || hash->form.has_no_names || hash->has_length;
    if (hash->key != NULL && count != 0)
        wrong = "give files or --array KEY, not both";
    else if (hash->key == NULL && (hash->work.backend != 0 || hash->work.workers != 0))
        wrong = "--executor and --workers need --array: files are hashed in the caller";
    else if (hash->key == NULL && hash->is_content)
        wrong = "--content needs --array";
    else if (hash->is_keyed && hash->context != NULL)
        wrong = "give --keyed or --derive-key, not both";
    else if (hash->is_check && (has_form || hash->is_keyed || hash->context != NULL ||
                                hash->key != NULL || hash->as_json))
        wrong = "--check goes with --quiet and --isa only";
    else if (hash->form.is_quiet && !hash->is_check)
        wrong = "--quiet needs --check";
    else if (hash->as_json && has_form)
        wrong = "--json goes with neither --length nor --no-names nor --raw";
    else if (hash->is_keyed && hash->key == NULL && count == 0)
        wrong = "--keyed needs files: standard input is the key";
    else if (hash->form.is_raw && count > 1)
        wrong = "--raw is for one input";
    return wrong != NULL ? usage_error("hash", "%s", wrong) : DONE;
}

static int take_option(struct hash *hash, int option)
{
    switch (option) {
    case OPTION_JSON:
        hash->as_json = true;
        return DONE;
    case OPTION_ARRAY:
        hash->key = optarg;
        return DONE;
    case OPTION_CONTENT:
        hash->is_content = true;
        return DONE;
    case OPTION_KEYED:
        hash->is_keyed = true;
        return DONE;
    case OPTION_DERIVE_KEY:
        hash->context = optarg;
        return DONE;
    case OPTION_NO_NAMES:
        hash->form.has_no_names = true;
        return DONE;
    case OPTION_RAW:
        hash->form.is_raw = true;
        return DONE;
    case OPTION_QUIET:
        hash->form.is_quiet = true;
        return DONE;
    case OPTION_CHECK:
        hash->is_check = true;
        return DONE;
    case OPTION_LENGTH:
        hash->has_length = true;
        if (!parse_u64(&hash->form.length, optarg))
            return usage_error("hash", "--length %s: not a number of bytes", optarg);
        return DONE;
    default:
        return work_option(&hash->work, "hash", option, optarg);
    }
}

int command_hash(int argc, char **argv)
{
    static const struct option options[] = {
        {"array", required_argument, NULL, OPTION_ARRAY},
        {"content", no_argument, NULL, OPTION_CONTENT},
        {"check", no_argument, NULL, OPTION_CHECK},
        {"quiet", no_argument, NULL, OPTION_QUIET},
        {"keyed", no_argument, NULL, OPTION_KEYED},
        {"derive-key", required_argument, NULL, OPTION_DERIVE_KEY},
        {"length", required_argument, NULL, OPTION_LENGTH},
        {"no-names", no_argument, NULL, OPTION_NO_NAMES},
        {"raw", no_argument, NULL, OPTION_RAW},
        OPTION_ROWS_WORK,
        {"isa", required_argument, NULL, OPTION_ISA},
        OPTION_ROW_JSON,
        OPTION_ROW_HELP,
        {0},
    };
    struct hash hash = {.form.length = SHEAF_HASH_BYTES};
    int option;
    while ((option = getopt_long(argc, argv, ":hcl:", options, NULL)) != -1) {
        if (option == OPTION_HELP)
            return help(hash_help);
        if (option == ':' || option == '?')
            return option_error("hash", option, argv);
        if (take_option(&hash, option) != DONE)
            return USAGE;
    }
    int status = check_usage(&hash, argc - optind);
    return status == DONE ? run(&hash, argc - optind, argv + optind) : status;
}
