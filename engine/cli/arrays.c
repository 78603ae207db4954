/* arrays.c -- sheaf create, load, save: arrays come and go. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/fill.h"
#include "cli/options.h"
#include "cli/print.h"

enum { OPTION_DTYPE = OPTION_OWN, OPTION_FILL };

static const char create_help[] =
    "usage: sheaf create KEY --shape SHAPE [OPTIONS]\n"
    "\n"
    "Creates an array in shared memory. It stays until `sheaf remove KEY`.\n"
    "\n"
    "  --shape SHAPE  300000000, 6x1000x10 or 6,1000,10; `scalar` has no dimension\n"
    "  --dtype T      bool, i8, i16, i32, i64, u8, u16, u32, u64, f16, bf16, f32 or f64\n"
    "                 (default: f64)\n"
    "  --fill F       zeros, arange (0, 1, 2, ...), descending (to 0), uniform (floats:\n"
    "                 0 up to but not 1; bool, i8, i16, u8, u16: all values; i32, i64:\n"
    "                 -1000000 to 999999; u32, u64: 0 to 1999999), normal (floats:\n"
    "                 mean 0, variance 1) or wide (f32 and f64 of any sign and\n"
    "                 magnitude, as far as sums do not overflow) (default: zeros)\n"
    "  --seed N       of uniform and normal; element i depends on N and i alone\n"
    "                 (default: 1)\n"
    "  --json         print what `sheaf info --json` does\n"
    "  --help         print this\n"
    "\n"
    "Example: sheaf create numbers --dtype f64 --shape 300000000 --fill uniform\n";

struct create {
    const char *key;
    sheaf_dtype dtype;
    size_t ndim;
    size_t shape[SHEAF_MAX_DIMS];
    enum fill_kind fill;
    uint64_t seed;
    bool has_shape;
    bool as_json;
};

static int create_option(struct create *create, int option)
{
    switch (option) {
    case OPTION_SHAPE:
        create->has_shape = true;
        return parse_shape(create->shape, &create->ndim, "create", optarg);
    case OPTION_DTYPE:
        create->dtype = sheaf_dtype_by_name(optarg);
        if (create->dtype == 0)
            return usage_error("create", "unknown dtype \"%s\": sheaf create --help lists them",
                               optarg);
        return DONE;
    case OPTION_FILL:
        create->fill = fill_by_name(optarg);
        if (create->fill == FILL_KINDS)
            return usage_error(
                "create", "unknown fill \"%s\": zeros, arange, descending, uniform, normal or wide",
                optarg);
        return DONE;
    case OPTION_SEED:
        if (!parse_u64(&create->seed, optarg) || create->seed > INT64_MAX)
            return usage_error("create", "--seed %s: give a number from 0 to 2^63 - 1", optarg);
        return DONE;
    default:
        create->as_json = true;
        return DONE;
    }
}

static void print_made(const char *what, const sheaf_array *array)
{
    char shape[SHAPE_TEXT_BYTES];
    char bytes[24];
    shape_text(shape, sheaf_array_ndim(array), sheaf_array_shape(array));
    bytes_text(bytes, (double)sheaf_array_bytes(array));
    printf("%s %s: %s %s, %s\n", what, sheaf_array_key(array),
           sheaf_dtype_name(sheaf_array_dtype(array)), shape, bytes);
}

/* SIZE_MAX if they are too many: the library says it better. */
static size_t elements(const struct create *create)
{
    size_t count = 1;
    for (size_t i = 0; i < create->ndim; i++) {
        if (__builtin_mul_overflow(count, create->shape[i], &count))
            return SIZE_MAX;
    }
    return count;
}

static void fill(sheaf_array *array, void *context)
{
    const struct create *create = context;
    fill_array(array, create->fill, create->seed, sheaf_executor_workers(NULL));
}

static int create_run(struct create *create)
{
    const sheaf_create_options options = {.fill = fill, .context = create};
    sheaf_array *array;
    int status = DONE;
    const char *refusal = fill_refusal(create->fill, create->dtype, elements(create));
    if (refusal != NULL)
        return usage_error("create", "%s", refusal);
    if (sheaf_create(&array, create->key, create->dtype, create->ndim, create->shape, &options) !=
        SHEAF_OK)
        return library_failure("create");
    if (create->as_json)
        status = print_key_info("create", create->key, true);
    else
        print_made("created", array);
    sheaf_detach(array);
    return status;
}

int command_create(int argc, char **argv)
{
    static const struct option options[] = {
        {"shape", required_argument, NULL, OPTION_SHAPE},
        {"dtype", required_argument, NULL, OPTION_DTYPE},
        {"fill", required_argument, NULL, OPTION_FILL},
        {"seed", required_argument, NULL, OPTION_SEED},
        OPTION_ROW_JSON,
        OPTION_ROW_HELP,
        {0},
    };
    struct create create = {.dtype = SHEAF_F64, .seed = 1};
    int option;
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == OPTION_HELP)
            return help(create_help);
        if (option == ':' || option == '?')
            return option_error("create", option, argv);
        int status = create_option(&create, option);
        if (status != DONE)
            return status;
    }
    if (optind + 1 != argc)
        return usage_error("create", "give one KEY");
    if (!create.has_shape)
        return usage_error("create", "--shape is missing");
    create.key = argv[optind];
    return create_run(&create);
}

/* The options of load and save: --json and --help. Returns -1 to go on, else an exit status. */
static int two_operands(int argc, char **argv, const char *text, const char *operands,
                        bool *as_json)
{
    static const struct option options[] = {OPTION_ROW_JSON, OPTION_ROW_HELP, {0}};
    int option;
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == OPTION_HELP)
            return help(text);
        if (option != OPTION_JSON)
            return option_error(argv[0], option, argv);
        *as_json = true;
    }
    if (optind + 2 != argc)
        return usage_error(argv[0], "give %s", operands);
    return -1;
}

static const char load_help[] =
    "usage: sheaf load FILE.npy KEY [--json]\n"
    "\n"
    "Copies a .npy file (C order, little-endian; i4, i8, f4 or f8) into a new array in\n"
    "shared memory. It stays until `sheaf remove KEY`.\n"
    "\n"
    "  --json  print what `sheaf info --json` does\n"
    "  --help  print this\n"
    "\n"
    "Example: sheaf load measured.npy measured\n";

int command_load(int argc, char **argv)
{
    bool as_json = false;
    sheaf_array *array;
    int status = two_operands(argc, argv, load_help, "FILE.npy and KEY", &as_json);
    if (status != -1)
        return status;
    if (sheaf_load(&array, argv[optind], argv[optind + 1], NULL) != SHEAF_OK)
        return library_failure("load");
    status = DONE;
    if (as_json)
        status = print_key_info("load", argv[optind + 1], true);
    else
        print_made("loaded", array);
    sheaf_detach(array);
    return status;
}

static const char save_help[] =
    "usage: sheaf save KEY FILE.npy [--json]\n"
    "\n"
    "Writes an array as a .npy file, byte for byte as numpy.save does. The file appears\n"
    "whole or not at all, in place of one that is there.\n"
    "\n"
    "  --json  print {\"key\", \"file\", \"bytes\"}; bytes are the elements'\n"
    "  --help  print this\n"
    "\n"
    "Example: sheaf save measured measured.npy\n";

int command_save(int argc, char **argv)
{
    const sheaf_attach_options read_only = {.access = SHEAF_READ_ONLY};
    bool as_json = false;
    sheaf_array *array;
    int status = two_operands(argc, argv, save_help, "KEY and FILE.npy", &as_json);
    if (status != -1)
        return status;
    const char *key = argv[optind];
    const char *path = argv[optind + 1];
    if (sheaf_attach(&array, key, &read_only) != SHEAF_OK)
        return library_failure("save");
    status = DONE;
    if (sheaf_save(array, path) != SHEAF_OK)
        status = library_failure("save");
    else if (as_json)
        status =
            print_json("save",
                       json_pack("{s:o, s:o, s:I}", "key", json_of_text(key), "file",
                                 json_of_text(path), "bytes", (json_int_t)sheaf_array_bytes(array)),
                       17);
    else
        print_made("saved", array);
    sheaf_detach(array);
    return status;
}
