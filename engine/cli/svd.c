/* svd.c -- sheaf svd: the singular values of every matrix of an array. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/team.h"

enum { OPTION_S = OPTION_OWN };

static const char svd_help[] =
    "usage: sheaf svd KEY [OPTIONS]\n"
    "\n"
    "Prints the singular values of every matrix of an array of shape (..., m, n), f32 or\n"
    "f64: one line for each matrix, in falling order. With a shorter side of at most 64\n"
    "they have the same bits everywhere; LAPACK computes larger ones, and their last bits\n"
    "depend on its build and the CPU. Values that could not be computed are NaN.\n"
    "\n" WORK_HELP
    "  --s KEY2       store the values as a new array of shape (..., min(m, n)), and\n"
    "                 print them only with --json\n"
    "  --json         print {\"key\", \"dtype\", \"executor\", \"workers\", \"shape\" (of\n"
    "                 the array), \"s\": [[...], ...] (one list for each matrix),\n"
    "                 \"status\": [...] (0 done, 1 not finite, 2 did not converge),\n"
    "                 \"failures\", \"reproducible\", \"seconds\"}\n"
    "  --help         print this\n"
    "Exit status 1 if a matrix has no values.\n"
    "\n"
    "Example: sheaf create m --shape 600x1000x10 --fill normal && sheaf svd m --json\n";

struct svd {
    const char *key;
    const char *store_key; /* NULL: do not store */
    struct work work;
    bool as_json;

    sheaf_array *input;
    sheaf_array *values;
    sheaf_array *statuses;
    sheaf_executor *executor;
    sheaf_svd_report report;
    double seconds;
};

/* The arrays of the results, for an input of at least two dimensions. Returns an exit status. */
static int make_outputs(struct svd *svd)
{
    size_t shape[SHEAF_MAX_DIMS];
    size_t ndim = sheaf_array_ndim(svd->input);
    if (ndim < 2)
        return failure("svd", "\"%s\" has %zu dimension%s: matrices need a shape of (..., m, n)",
                       svd->key, ndim, ndim == 1 ? "" : "s");
    memcpy(shape, sheaf_array_shape(svd->input), ndim * sizeof shape[0]);
    if (shape[ndim - 1] < shape[ndim - 2])
        shape[ndim - 2] = shape[ndim - 1];
    if (sheaf_create_anonymous(&svd->values, sheaf_array_dtype(svd->input), ndim - 1, shape) !=
            SHEAF_OK ||
        sheaf_create_anonymous(&svd->statuses, SHEAF_I32, ndim - 2, shape) != SHEAF_OK)
        return library_failure("svd");
    return DONE;
}

static void copy_values(sheaf_array *stored, void *context)
{
    const sheaf_array *values = context;
    if (sheaf_array_bytes(values) > 0)
        memcpy(sheaf_array_data(stored), sheaf_array_data(values), sheaf_array_bytes(values));
}

/* What store() would say of its key, before the work rather than after it. */
static int check_store_key(const char *key)
{
    sheaf_array_info info;
    if (strncmp(key, "file://", 7) == 0)
        return failure("svd", "--s %s: the values can go to a NAME only (then: sheaf save)", key);
    sheaf_status status = sheaf_info(&info, key);
    if (status == SHEAF_OK)
        return failure("svd", "--s %s: the key is taken (sheaf remove %s)", key, key);
    return status == SHEAF_ERR_NOT_FOUND ? DONE : library_failure("svd");
}

/* The values go under their key when they are complete. */
static int store(const struct svd *svd)
{
    const sheaf_create_options options = {.fill = copy_values, .context = svd->values};
    sheaf_array *stored;
    if (sheaf_create(&stored, svd->store_key, sheaf_array_dtype(svd->values),
                     sheaf_array_ndim(svd->values), sheaf_array_shape(svd->values),
                     &options) != SHEAF_OK)
        return library_failure("svd");
    sheaf_detach(stored);
    return DONE;
}

/* Values of one matrix. */
static size_t values_each(const struct svd *svd)
{
    return sheaf_array_shape(svd->values)[sheaf_array_ndim(svd->values) - 1];
}

static void print_values(const struct svd *svd)
{
    char text[SCALAR_TEXT_BYTES];
    size_t each = values_each(svd);
    for (size_t i = 0; i < sheaf_array_size(svd->statuses); i++) {
        for (size_t k = 0; k < each; k++) {
            sheaf_scalar value = array_element(svd->values, i * each + k);
            scalar_text(text, &value);
            printf("%s%s", k > 0 ? " " : "", text);
        }
        putchar('\n');
    }
}

static int print_as_json(const struct svd *svd)
{
    json_t *matrices = json_array();
    json_t *statuses = json_array();
    size_t each = values_each(svd);
    for (size_t i = 0; i < sheaf_array_size(svd->statuses); i++) {
        json_t *values = json_array();
        for (size_t k = 0; k < each; k++) {
            sheaf_scalar value = array_element(svd->values, i * each + k);
            json_array_append_new(values, json_of_scalar(&value));
        }
        json_array_append_new(matrices, values);
        json_array_append_new(statuses, json_integer(array_element(svd->statuses, i).value.i32));
    }
    json_t *json =
        json_pack("{s:o, s:s, s:s, s:I, s:o, s:o, s:o, s:I, s:b, s:f}", "key",
                  json_of_text(svd->key), "dtype", sheaf_dtype_name(sheaf_array_dtype(svd->input)),
                  "executor", work_executor_name(&svd->work), "workers",
                  (json_int_t)sheaf_executor_workers(svd->executor), "shape",
                  json_of_shape(sheaf_array_ndim(svd->input), sheaf_array_shape(svd->input)), "s",
                  matrices, "status", statuses, "failures", (json_int_t)svd->report.failures,
                  "reproducible", svd->report.reproducible, "seconds", svd->seconds);
    return print_json("svd", json, sheaf_array_dtype(svd->input) == SHEAF_F32 ? 9 : 17);
}

static int compute(struct svd *svd)
{
    const sheaf_svd_options options = {.executor = svd->executor, .status = svd->statuses};
    double start = now_seconds();
    if (sheaf_svd_values(svd->values, &svd->report, svd->input, &options) != SHEAF_OK)
        return library_failure("svd");
    svd->seconds = now_seconds() - start;
    int status = svd->store_key != NULL ? store(svd) : DONE;
    if (status != DONE)
        return status;
    if (svd->as_json)
        status = print_as_json(svd);
    else if (svd->store_key == NULL)
        print_values(svd);
    if (status == DONE && svd->report.failures > 0)
        return failure("svd", "\"%s\": %lld of %zu matrices are not finite or did not converge",
                       svd->key, (long long)svd->report.failures, sheaf_array_size(svd->statuses));
    return status;
}

static int svd_run(struct svd *svd)
{
    const sheaf_attach_options read_only = {.access = SHEAF_READ_ONLY};
    if (sheaf_attach(&svd->input, svd->key, &read_only) != SHEAF_OK)
        return library_failure("svd");
    int status = make_outputs(svd);
    if (status == DONE && svd->store_key != NULL)
        status = check_store_key(svd->store_key);
    if (status == DONE)
        status = work_open(&svd->executor, &svd->work, "svd");
    if (status == DONE)
        status = compute(svd);
    sheaf_executor_close(svd->executor);
    sheaf_detach(svd->statuses);
    sheaf_detach(svd->values);
    sheaf_detach(svd->input);
    return status;
}

int command_svd(int argc, char **argv)
{
    static const struct option options[] = {
        OPTION_ROWS_WORK,
        {"s", required_argument, NULL, OPTION_S},
        OPTION_ROW_JSON,
        OPTION_ROW_HELP,
        {0},
    };
    struct svd svd = {0};
    int option;
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == OPTION_HELP)
            return help(svd_help);
        if (option == ':' || option == '?')
            return option_error("svd", option, argv);
        if (option == OPTION_JSON)
            svd.as_json = true;
        else if (option == OPTION_S)
            svd.store_key = optarg;
        else if (work_option(&svd.work, "svd", option, optarg) != DONE)
            return USAGE;
    }
    if (optind + 1 != argc)
        return usage_error("svd", "give one KEY");
    svd.key = argv[optind];
    return svd_run(&svd);
}
