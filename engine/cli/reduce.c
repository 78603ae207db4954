/* reduce.c -- sheaf reduce: one value of a whole array. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/team.h"

static const char reduce_help[] =
    "usage: sheaf reduce OP KEY [OPTIONS]\n"
    "       sheaf reduce --list\n"
    "\n"
    "Reduces all elements of an array to one value and prints it so that it reads back as\n"
    "the same value. OP is one of --list. argmax and argmin print the index of the element\n"
    "(in C order), minmax the minimum and the maximum.\n"
    "The value has the same bits with every executor, number of workers and isa.\n"
    "\n" WORK_HELP ISA_HELP "  --list         print the names of the operations\n"
    "  --ddof N       var, std: divide by the count - N (default 0)\n"
    "  --second KEY   dot: the other array\n"
    "  --json         print {\"op\", \"key\", \"dtype\" (of the array), \"executor\",\n"
    "                 \"workers\", \"isa\", \"value\" (or \"NaN\", \"Infinity\",\n"
    "                 \"-Infinity\"), \"bits\" (the value's bytes in hex, in memory\n"
    "                 order), \"seconds\" (of the reduction alone)}, and \"index\" of argmax,\n"
    "                 argmin, \"values\" of minmax\n"
    "  --help         print this\n"
    "\n"
    "Example: sheaf reduce max numbers --executor processes --workers 4 --json\n";

enum { OPTION_LIST = OPTION_OWN, OPTION_DDOF, OPTION_SECOND };

struct reduce {
    sheaf_op op;
    const char *key;
    const char *second; /* NULL: none */
    double ddof;
    struct work work;
    bool as_json;
};

static bool has_index(sheaf_op op)
{
    return op == SHEAF_ARGMAX || op == SHEAF_ARGMIN || op == SHEAF_NANARGMAX ||
           op == SHEAF_NANARGMIN;
}

/* The maximum of minmax. */
static sheaf_scalar second_of(const sheaf_scalar *value)
{
    return (sheaf_scalar){.dtype = value->dtype, .value = value->second};
}

static int list_operations(void)
{
    for (int op = SHEAF_MAX; strcmp(sheaf_op_name((sheaf_op)op), "?") != 0; op++)
        puts(sheaf_op_name((sheaf_op)op));
    return DONE;
}

static void print_plain(const struct reduce *reduce, const sheaf_scalar *value)
{
    char text[SCALAR_TEXT_BYTES];
    sheaf_scalar second = second_of(value);
    scalar_text(text, value);
    if (has_index(reduce->op)) {
        printf("%lld\n", (long long)value->index);
    } else if (reduce->op == SHEAF_MINMAX) {
        printf("%s ", text);
        scalar_text(text, &second);
        puts(text);
    } else {
        puts(text);
    }
}

static int reduce_print(const struct reduce *reduce, const sheaf_array *array,
                        const sheaf_scalar *value, double seconds, size_t workers)
{
    char bits[BITS_TEXT_BYTES];
    if (!reduce->as_json) {
        print_plain(reduce, value);
        return DONE;
    }
    scalar_bits(bits, value);
    json_t *json = json_pack("{s:s, s:o, s:s, s:s, s:I, s:s, s:o, s:s, s:f}", "op",
                             sheaf_op_name(reduce->op), "key", json_of_text(reduce->key), "dtype",
                             sheaf_dtype_name(sheaf_array_dtype(array)), "executor",
                             work_executor_name(&reduce->work), "workers", (json_int_t)workers,
                             "isa", work_isa_name(&reduce->work), "value", json_of_scalar(value),
                             "bits", bits, "seconds", seconds);
    sheaf_scalar second = second_of(value);
    if (has_index(reduce->op))
        json_object_set_new(json, "index", json_integer((json_int_t)value->index));
    if (reduce->op == SHEAF_MINMAX)
        json_object_set_new(json, "values",
                            json_pack("[o, o]", json_of_scalar(value), json_of_scalar(&second)));
    return print_json("reduce", json, float_digits(value->dtype));
}

static int reduce_run(const struct reduce *reduce)
{
    const sheaf_attach_options read_only = {.access = SHEAF_READ_ONLY};
    sheaf_reduce_options options = {.isa = reduce->work.isa, .ddof = reduce->ddof};
    sheaf_array *array;
    sheaf_array *second = NULL;
    sheaf_scalar value;
    if (sheaf_attach(&array, reduce->key, &read_only) != SHEAF_OK)
        return library_failure("reduce");
    int status = DONE;
    if (reduce->second != NULL && sheaf_attach(&second, reduce->second, &read_only) != SHEAF_OK) {
        status = library_failure("reduce");
        goto detach;
    }
    options.second = second;
    status = work_open(&options.executor, &reduce->work, "reduce");
    if (status != DONE)
        goto detach;
    double start = now_seconds();
    if (sheaf_reduce(&value, array, reduce->op, &options) != SHEAF_OK) {
        status = library_failure("reduce");
        goto close_executor;
    }
    double seconds = now_seconds() - start;
    status = reduce_print(reduce, array, &value, seconds, sheaf_executor_workers(options.executor));
close_executor:
    sheaf_executor_close(options.executor);
detach:
    sheaf_detach(second);
    sheaf_detach(array);
    return status;
}

/* Takes an option of reduce's own, or one of all work. */
static int reduce_option(struct reduce *reduce, int option)
{
    char *end;
    switch (option) {
    case OPTION_JSON:
        reduce->as_json = true;
        return DONE;
    case OPTION_SECOND:
        reduce->second = optarg;
        return DONE;
    case OPTION_DDOF:
        reduce->ddof = strtod(optarg, &end);
        if (end == optarg || *end != '\0')
            return usage_error("reduce", "--ddof \"%s\": a number is wanted", optarg);
        return DONE;
    default:
        return work_option(&reduce->work, "reduce", option, optarg);
    }
}

int command_reduce(int argc, char **argv)
{
    static const struct option options[] = {
        OPTION_ROWS_WORK,
        {"isa", required_argument, NULL, OPTION_ISA},
        {"list", no_argument, NULL, OPTION_LIST},
        {"ddof", required_argument, NULL, OPTION_DDOF},
        {"second", required_argument, NULL, OPTION_SECOND},
        OPTION_ROW_JSON,
        OPTION_ROW_HELP,
        {0},
    };
    struct reduce reduce = {0};
    int option;
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == OPTION_HELP)
            return help(reduce_help);
        if (option == ':' || option == '?')
            return option_error("reduce", option, argv);
        if (option == OPTION_LIST)
            return list_operations();
        if (reduce_option(&reduce, option) != DONE)
            return USAGE;
    }
    if (optind + 2 != argc)
        return usage_error("reduce", "give OP and KEY");
    reduce.op = sheaf_op_by_name(argv[optind]);
    reduce.key = argv[optind + 1];
    if (reduce.op == 0)
        return usage_error("reduce", "unknown operation \"%s\"; sheaf reduce --list shows all",
                           argv[optind]);
    return reduce_run(&reduce);
}
