/* reduce.c -- sheaf reduce: one value of a whole array, or those along axes. */
#include <errno.h>
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
    "(in C order), minmax the minimum and the maximum. Along axes, or with --out, the\n"
    "result is an array, printed a row a line; of minmax the minima, then the maxima.\n"
    "A value has the same bits with every executor, number of workers and isa.\n"
    "\n" WORK_HELP ISA_HELP "  --list         print the names of the operations\n"
    "  --ddof N       var, std: divide by the count - N (default 0)\n"
    "  --second KEY   dot: the other array\n"
    "  --axis N,..    along these dimensions alone (negative ones count from the end)\n"
    "  --keepdims     the result keeps them, with one element each\n"
    "  --initial X    sum, prod, max, min and their nan forms: begin with X\n"
    "  --dtype T      sum, prod, mean, var, std and their nan forms: of the result\n"
    "  --out KEY      write the result as a new array, and print its shape alone\n"
    "  --json         print {\"op\", \"key\", \"dtype\" (of the array), \"executor\",\n"
    "                 \"workers\", \"isa\", \"value\" (or \"NaN\", \"Infinity\",\n"
    "                 \"-Infinity\"), \"bits\" (the value's bytes in hex, in memory\n"
    "                 order), \"seconds\" (of the reduction alone)}, and \"index\" of argmax,\n"
    "                 argmin, \"values\" of minmax. Of an array: \"shape\", and \"values\"\n"
    "                 or \"index\" as nested lists, or \"out\"\n"
    "  --help         print this\n"
    "\n"
    "Example: sheaf reduce max numbers --executor processes --workers 4 --json\n";

enum {
    OPTION_LIST = OPTION_OWN,
    OPTION_DDOF,
    OPTION_SECOND,
    OPTION_AXIS,
    OPTION_KEEPDIMS,
    OPTION_INITIAL,
    OPTION_DTYPE,
    OPTION_OUT,
};

struct reduce {
    sheaf_op op;
    const char *key;
    const char *second; /* NULL: none */
    double ddof;
    int64_t axes[SHEAF_MAX_DIMS];
    size_t axis_count;
    bool keepdims;
    const char *initial; /* its text; NULL: none */
    sheaf_dtype dtype;   /* 0: the usual one */
    const char *out;     /* NULL: none */
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

/* What every --json begins with. */
static json_t *json_head(const struct reduce *reduce, const sheaf_array *array, double seconds,
                         size_t workers)
{
    return json_pack("{s:s, s:o, s:s, s:s, s:I, s:s, s:f}", "op", sheaf_op_name(reduce->op), "key",
                     json_of_text(reduce->key), "dtype", sheaf_dtype_name(sheaf_array_dtype(array)),
                     "executor", work_executor_name(&reduce->work), "workers", (json_int_t)workers,
                     "isa", work_isa_name(&reduce->work), "seconds", seconds);
}

static int print_value(const struct reduce *reduce, json_t *json, const sheaf_scalar *value)
{
    char bits[BITS_TEXT_BYTES];
    sheaf_scalar second = second_of(value);
    if (!reduce->as_json) {
        print_plain(reduce, value);
        return DONE;
    }
    scalar_bits(bits, value);
    json_object_set_new(json, "value", json_of_scalar(value));
    json_object_set_new(json, "bits", json_string(bits));
    if (has_index(reduce->op))
        json_object_set_new(json, "index", json_integer((json_int_t)value->index));
    if (reduce->op == SHEAF_MINMAX)
        json_object_set_new(json, "values",
                            json_pack("[o, o]", json_of_scalar(value), json_of_scalar(&second)));
    return print_json("reduce", json, float_digits(value->dtype));
}

/* Dimension d and those after it, from element *at on. */
static json_t *nested(const sheaf_array *array, size_t d, size_t *at)
{
    if (d == sheaf_array_ndim(array)) {
        sheaf_scalar element = array_element(array, (*at)++);
        return json_of_scalar(&element);
    }
    json_t *list = json_array();
    for (size_t i = 0; i < sheaf_array_shape(array)[d]; i++)
        json_array_append_new(list, nested(array, d + 1, at));
    return list;
}

static void print_rows(const sheaf_array *array)
{
    const size_t ndim = sheaf_array_ndim(array);
    const size_t row = ndim > 0 ? sheaf_array_shape(array)[ndim - 1] : 1;
    for (size_t i = 0; i < sheaf_array_size(array); i++) {
        char text[SCALAR_TEXT_BYTES];
        sheaf_scalar element = array_element(array, i);
        scalar_text(text, &element);
        printf("%s%c", text, (i + 1) % row == 0 ? '\n' : ' ');
    }
}

static int print_array(const struct reduce *reduce, json_t *json, const sheaf_array *results)
{
    char shape[SHAPE_TEXT_BYTES];
    size_t at = 0;
    shape_text(shape, sheaf_array_ndim(results), sheaf_array_shape(results));
    if (!reduce->as_json && reduce->out != NULL) {
        printf("created %s: %s %s\n", reduce->out, sheaf_dtype_name(sheaf_array_dtype(results)),
               shape);
        return DONE;
    }
    if (!reduce->as_json) {
        print_rows(results);
        return DONE;
    }
    json_object_set_new(json, "shape",
                        json_of_shape(sheaf_array_ndim(results), sheaf_array_shape(results)));
    if (reduce->out != NULL)
        json_object_set_new(json, "out", json_of_text(reduce->out));
    else
        json_object_set_new(json, has_index(reduce->op) ? "index" : "values",
                            nested(results, 0, &at));
    return print_json("reduce", json, float_digits(sheaf_array_dtype(results)));
}

static bool gives_array(const struct reduce *reduce)
{
    return reduce->axis_count > 0 || reduce->keepdims || reduce->out != NULL;
}

/* The number that --initial says, in the dtype of the result. */
static int read_initial(sheaf_scalar *out, const struct reduce *reduce, sheaf_dtype dtype)
{
    char *end;
    sheaf_dtype result = sheaf_reduce_dtype(reduce->op, dtype, reduce->dtype);
    const char *text = reduce->initial;
    errno = 0;
    *out = sheaf_scalar_of_f64(result, strtod(text, &end));
    if (sheaf_dtype_kind(result) == 'i') /* beyond 2^53 a double is not enough */
        out->value.i64 = strtoll(text, &end, 10);
    else if (sheaf_dtype_kind(result) == 'u')
        out->value.u64 = strtoull(text, &end, 10);
    if (end == text || *end != '\0' || (errno != 0 && sheaf_dtype_kind(result) != 'f'))
        return usage_error("reduce", "--initial \"%s\": a number of dtype %s is wanted", text,
                           sheaf_dtype_name(result));
    return DONE;
}

/* Reduces and prints. */
static int reduce_array(const struct reduce *reduce, const sheaf_array *array,
                        const sheaf_reduce_options *options)
{
    const size_t workers = sheaf_executor_workers(options->executor);
    sheaf_array *results = NULL;
    sheaf_array *stored = NULL;
    sheaf_scalar value = {.index = 0};
    double start = now_seconds();
    sheaf_status status = gives_array(reduce)
                              ? sheaf_reduce_axes(&results, array, reduce->op, options)
                              : sheaf_reduce(&value, array, reduce->op, options);
    double seconds = now_seconds() - start;
    if (status == SHEAF_OK && reduce->out != NULL)
        status = sheaf_copy(&stored, results, reduce->out, NULL);
    sheaf_detach(stored);
    if (status != SHEAF_OK) {
        sheaf_detach(results);
        return library_failure("reduce");
    }
    json_t *json = reduce->as_json ? json_head(reduce, array, seconds, workers) : NULL;
    int done =
        results != NULL ? print_array(reduce, json, results) : print_value(reduce, json, &value);
    sheaf_detach(results);
    return done;
}

static int reduce_run(const struct reduce *reduce)
{
    const sheaf_attach_options read_only = {.access = SHEAF_READ_ONLY};
    sheaf_reduce_options options = {
        .isa = reduce->work.isa,
        .ddof = reduce->ddof,
        .axes = reduce->axes,
        .axis_count = reduce->axis_count,
        .keepdims = reduce->keepdims,
        .dtype = reduce->dtype,
    };
    sheaf_scalar initial;
    sheaf_array *array;
    sheaf_array *second = NULL;
    if (sheaf_attach(&array, reduce->key, &read_only) != SHEAF_OK)
        return library_failure("reduce");
    int status = DONE;
    if (reduce->second != NULL && sheaf_attach(&second, reduce->second, &read_only) != SHEAF_OK) {
        status = library_failure("reduce");
        goto detach;
    }
    options.second = second;
    if (reduce->initial != NULL) {
        status = read_initial(&initial, reduce, sheaf_array_dtype(array));
        options.initial = &initial;
    }
    if (status == DONE)
        status = work_open(&options.executor, &reduce->work, "reduce");
    if (status != DONE)
        goto detach;
    status = reduce_array(reduce, array, &options);
    sheaf_executor_close(options.executor);
detach:
    sheaf_detach(second);
    sheaf_detach(array);
    return status;
}

/* "0", "-1", "0,2". */
static int read_axes(struct reduce *reduce, const char *text)
{
    const char *at = text;
    for (;;) {
        char *end;
        errno = 0;
        long long axis = strtoll(at, &end, 10);
        if (end == at || errno != 0 || reduce->axis_count == SHEAF_MAX_DIMS)
            return usage_error("reduce", "--axis %s: give dimensions like 0 or -1 or 0,2", text);
        reduce->axes[reduce->axis_count++] = axis;
        if (*end == '\0')
            return DONE;
        if (*end != ',')
            return usage_error("reduce", "--axis %s: give dimensions like 0 or -1 or 0,2", text);
        at = end + 1;
    }
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
    case OPTION_AXIS:
        return read_axes(reduce, optarg);
    case OPTION_KEEPDIMS:
        reduce->keepdims = true;
        return DONE;
    case OPTION_INITIAL:
        reduce->initial = optarg;
        return DONE;
    case OPTION_OUT:
        reduce->out = optarg;
        return DONE;
    case OPTION_DTYPE:
        reduce->dtype = sheaf_dtype_by_name(optarg);
        if (reduce->dtype == 0)
            return usage_error("reduce", "unknown dtype \"%s\": sheaf create --help lists them",
                               optarg);
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
        {"axis", required_argument, NULL, OPTION_AXIS},
        {"keepdims", no_argument, NULL, OPTION_KEEPDIMS},
        {"initial", required_argument, NULL, OPTION_INITIAL},
        {"dtype", required_argument, NULL, OPTION_DTYPE},
        {"out", required_argument, NULL, OPTION_OUT},
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
