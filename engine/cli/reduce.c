/* reduce.c -- sheaf reduce: one value of a whole array. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/team.h"

static const char reduce_help[] =
    "usage: sheaf reduce OP KEY [OPTIONS]\n"
    "\n"
    "Reduces all elements of an array to one value and prints it so that it reads back as\n"
    "the same value. OP is\n"
    "  max, min  any NaN gives NaN; +0 is above -0; of nothing: an error\n"
    "  sum       in a fixed order (f32 accumulates in f64); integers wrap in 64 bits\n"
    "The value has the same bits with every executor, number of workers and isa.\n"
    "\n" WORK_HELP ISA_HELP
    "  --json         print {\"op\", \"key\", \"dtype\" (of the array), \"executor\",\n"
    "                 \"workers\", \"isa\", \"value\" (or \"NaN\", \"Infinity\",\n"
    "                 \"-Infinity\"), \"bits\" (the value's bytes in hex, in memory\n"
    "                 order), \"seconds\" (of the reduction alone)}\n"
    "  --help         print this\n"
    "\n"
    "Example: sheaf reduce max numbers --executor processes --workers 4 --json\n";

struct reduce {
    sheaf_op op;
    const char *key;
    struct work work;
    bool as_json;
};

static int reduce_print(const struct reduce *reduce, const sheaf_array *array,
                        const sheaf_scalar *value, double seconds, size_t workers)
{
    char text[SCALAR_TEXT_BYTES];
    char bits[BITS_TEXT_BYTES];
    if (!reduce->as_json) {
        scalar_text(text, value);
        puts(text);
        return DONE;
    }
    scalar_bits(bits, value);
    json_t *json = json_pack("{s:s, s:o, s:s, s:s, s:I, s:s, s:o, s:s, s:f}", "op",
                             sheaf_op_name(reduce->op), "key", json_of_text(reduce->key), "dtype",
                             sheaf_dtype_name(sheaf_array_dtype(array)), "executor",
                             work_executor_name(&reduce->work), "workers", (json_int_t)workers,
                             "isa", work_isa_name(&reduce->work), "value", json_of_scalar(value),
                             "bits", bits, "seconds", seconds);
    return print_json("reduce", json, value->dtype == SHEAF_F32 ? 9 : 17);
}

static int reduce_run(const struct reduce *reduce)
{
    const sheaf_attach_options read_only = {.access = SHEAF_READ_ONLY};
    sheaf_reduce_options options = {.isa = reduce->work.isa};
    sheaf_array *array;
    sheaf_scalar value;
    if (sheaf_attach(&array, reduce->key, &read_only) != SHEAF_OK)
        return library_failure("reduce");
    int status = work_open(&options.executor, &reduce->work, "reduce");
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
    sheaf_detach(array);
    return status;
}

int command_reduce(int argc, char **argv)
{
    static const struct option options[] = {
        OPTION_ROWS_WORK,
        {"isa", required_argument, NULL, OPTION_ISA},
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
        if (option == OPTION_JSON)
            reduce.as_json = true;
        else if (work_option(&reduce.work, "reduce", option, optarg) != DONE)
            return USAGE;
    }
    if (optind + 2 != argc)
        return usage_error("reduce", "give OP and KEY");
    reduce.op = sheaf_op_by_name(argv[optind]);
    reduce.key = argv[optind + 1];
    if (reduce.op == 0)
        return usage_error("reduce", "unknown operation \"%s\": max, min or sum", argv[optind]);
    return reduce_run(&reduce);
}
