/* svd.c -- sheaf svd: the singular values, and vectors, of every matrix of an array. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/team.h"

enum { OPTION_S = OPTION_OWN, OPTION_U, OPTION_VT, OPTION_VALUES, OPTION_REDUCED, OPTION_FULL };

static const char svd_help[] =
    "usage: sheaf svd KEY [OPTIONS]\n"
    "\n"
    "Prints the singular values of every matrix of an array of shape (..., m, n), f32 or\n"
    "f64: one line for each matrix, in falling order. Stores them, and the vectors of\n"
    "A = U diag(S) Vt, under new keys if asked to. With a shorter side of at most 64 they\n"
    "have the same bits everywhere; LAPACK computes larger ones, and their last bits\n"
    "depend on its build and the CPU. Results that could not be computed are NaN.\n"
    "\n"
    "  --values       singular values alone (default, unless --u or --vt is given)\n"
    "  --reduced      U of m x k and Vt of k x n as well, k = min(m, n)\n"
    "  --full         U of m x m and Vt of n x n\n"
    "  --s KEY2       store the values as a new array of shape (..., k), and print them\n"
    "                 only with --json\n"
    "  --u KEY2       store U as a new array\n"
    "  --vt KEY2      store Vt as a new array\n" WORK_HELP
    "  --json         print {\"key\", \"dtype\", \"mode\", \"executor\", \"workers\", \"shape\"\n"
    "                 (of the array), \"s\": [[...], ...] (one list for each matrix),\n"
    "                 \"status\": [...] (0 done, 1 not finite, 2 did not converge),\n"
    "                 \"failures\", \"reproducible\", \"seconds\"}\n"
    "  --help         print this\n"
    "Exit status 1 if a matrix has no results.\n"
    "\n"
    "Example: sheaf create m --shape 600x1000x10 --fill normal && sheaf svd m --json\n";

enum { S, U, VT, STORES };

/* A result that may go under a key. */
struct store {
    const char *option;
    const char *key; /* NULL: do not store */
};

struct svd {
    const char *key;
    struct store stores[STORES];
    sheaf_svd_mode mode;
    bool mode_is_given;
    struct work work;
    bool as_json;

    sheaf_array *input;
    sheaf_svd_arrays arrays;
    sheaf_array *statuses;
    sheaf_executor *executor;
    sheaf_svd_report report;
    double seconds;
};

static const char *mode_name(sheaf_svd_mode mode)
{
    return mode == SHEAF_SVD_FULL ? "full" : mode == SHEAF_SVD_REDUCED ? "reduced" : "values";
}

/* The array of the statuses, for an input of at least two dimensions. Returns an exit status. */
static int make_statuses(struct svd *svd)
{
    size_t ndim = sheaf_array_ndim(svd->input);
    if (ndim < 2)
        return failure("svd", "\"%s\" has %zu dimension%s: matrices need a shape of (..., m, n)",
                       svd->key, ndim, ndim == 1 ? "" : "s");
    if (sheaf_create_anonymous(&svd->statuses, SHEAF_I32, ndim - 2,
                               sheaf_array_shape(svd->input)) != SHEAF_OK)
        return library_failure("svd");
    return DONE;
}

static void copy_array(sheaf_array *stored, void *context)
{
    const sheaf_array *from = context;
    if (sheaf_array_bytes(from) > 0)
        memcpy(sheaf_array_data(stored), sheaf_array_data(from), sheaf_array_bytes(from));
}

/* What store() would say of its key, before the work rather than after it. */
static int check_store(const struct store *store)
{
    sheaf_array_info info;
    if (store->key == NULL)
        return DONE;
    if (strncmp(store->key, "file://", 7) == 0)
        return failure("svd", "--%s %s: the results can go to a NAME only (then: sheaf save)",
                       store->option, store->key);
    sheaf_status status = sheaf_info(&info, store->key);
    if (status == SHEAF_OK)
        return failure("svd", "--%s %s: the key is taken (sheaf remove %s)", store->option,
                       store->key, store->key);
    return status == SHEAF_ERR_NOT_FOUND ? DONE : library_failure("svd");
}

static int check_stores(const struct svd *svd)
{
    for (size_t i = 0; i < STORES; i++) {
        int status = check_store(&svd->stores[i]);
        if (status != DONE)
            return status;
    }
    return DONE;
}

/* A result goes under its key when it is complete. */
static int store(const struct store *store, sheaf_array *result)
{
    const sheaf_create_options options = {.fill = copy_array, .context = result};
    sheaf_array *stored;
    if (store->key == NULL)
        return DONE;
    if (sheaf_create(&stored, store->key, sheaf_array_dtype(result), sheaf_array_ndim(result),
                     sheaf_array_shape(result), &options) != SHEAF_OK)
        return library_failure("svd");
    sheaf_detach(stored);
    return DONE;
}

/* All results or none. */
static int store_all(const struct svd *svd)
{
    sheaf_array *const results[STORES] = {svd->arrays.s, svd->arrays.u, svd->arrays.vt};
    for (size_t i = 0; i < STORES; i++) {
        int status = store(&svd->stores[i], results[i]);
        if (status == DONE)
            continue;
        for (size_t k = 0; k < i; k++)
            if (svd->stores[k].key != NULL)
                (void)sheaf_unlink(svd->stores[k].key);
        return status;
    }
    return DONE;
}

/* Values of one matrix. */
static size_t values_each(const struct svd *svd)
{
    return sheaf_array_shape(svd->arrays.s)[sheaf_array_ndim(svd->arrays.s) - 1];
}

static void print_values(const struct svd *svd)
{
    char text[SCALAR_TEXT_BYTES];
    size_t each = values_each(svd);
    for (size_t i = 0; i < sheaf_array_size(svd->statuses); i++) {
        for (size_t k = 0; k < each; k++) {
            sheaf_scalar value = array_element(svd->arrays.s, i * each + k);
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
            sheaf_scalar value = array_element(svd->arrays.s, i * each + k);
            json_array_append_new(values, json_of_scalar(&value));
        }
        json_array_append_new(matrices, values);
        json_array_append_new(statuses, json_integer(array_element(svd->statuses, i).value.i32));
    }
    json_t *json =
        json_pack("{s:o, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:I, s:b, s:f}", "key",
                  json_of_text(svd->key), "dtype", sheaf_dtype_name(sheaf_array_dtype(svd->input)),
                  "mode", mode_name(svd->mode), "executor", work_executor_name(&svd->work),
                  "workers", (json_int_t)sheaf_executor_workers(svd->executor), "shape",
                  json_of_shape(sheaf_array_ndim(svd->input), sheaf_array_shape(svd->input)), "s",
                  matrices, "status", statuses, "failures", (json_int_t)svd->report.failures,
                  "reproducible", svd->report.reproducible, "seconds", svd->seconds);
    return print_json("svd", json, float_digits(sheaf_array_dtype(svd->input)));
}

static int compute(struct svd *svd)
{
    const sheaf_svd_options options = {
        .executor = svd->executor, .mode = svd->mode, .status = svd->statuses};
    double start = now_seconds();
    if (sheaf_svd(&svd->arrays, &svd->report, svd->input, &options) != SHEAF_OK)
        return library_failure("svd");
    svd->seconds = now_seconds() - start;
    int status = store_all(svd);
    if (status != DONE)
        return status;
    if (svd->as_json)
        status = print_as_json(svd);
    else if (svd->stores[S].key == NULL)
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
    int status = make_statuses(svd);
    if (status == DONE)
        status = check_stores(svd);
    if (status == DONE)
        status = work_open(&svd->executor, &svd->work, "svd");
    if (status == DONE)
        status = compute(svd);
    sheaf_executor_close(svd->executor);
    sheaf_detach(svd->statuses);
    sheaf_detach(svd->arrays.u);
    sheaf_detach(svd->arrays.s);
    sheaf_detach(svd->arrays.vt);
    sheaf_detach(svd->input);
    return status;
}

/* Returns DONE, or tells and returns USAGE. */
static int set_mode(struct svd *svd, sheaf_svd_mode mode)
{
    if (svd->mode_is_given && svd->mode != mode)
        return usage_error("svd", "--values, --reduced and --full: give one of them");
    svd->mode = mode;
    svd->mode_is_given = true;
    return DONE;
}

static int take_option(struct svd *svd, int option)
{
    switch (option) {
    case OPTION_JSON:
        svd->as_json = true;
        return DONE;
    case OPTION_S:
        svd->stores[S].key = optarg;
        return DONE;
    case OPTION_U:
        svd->stores[U].key = optarg;
        return DONE;
    case OPTION_VT:
        svd->stores[VT].key = optarg;
        return DONE;
    case OPTION_VALUES:
        return set_mode(svd, SHEAF_SVD_VALUES);
    case OPTION_REDUCED:
        return set_mode(svd, SHEAF_SVD_REDUCED);
    case OPTION_FULL:
        return set_mode(svd, SHEAF_SVD_FULL);
    default:
        return work_option(&svd->work, "svd", option, optarg);
    }
}

/* What follows from all options together. Returns DONE, or tells and returns USAGE. */
static int settle(struct svd *svd)
{
    bool wants_vectors = svd->stores[U].key != NULL || svd->stores[VT].key != NULL;
    if (wants_vectors && !svd->mode_is_given)
        svd->mode = SHEAF_SVD_REDUCED;
    if (wants_vectors && svd->mode == SHEAF_SVD_VALUES)
        return usage_error("svd", "--values computes no vectors for --u and --vt");
    for (size_t i = 0; i < STORES; i++)
        for (size_t k = 0; k < i; k++)
            if (svd->stores[i].key != NULL && svd->stores[k].key != NULL &&
                strcmp(svd->stores[i].key, svd->stores[k].key) == 0)
                return usage_error("svd", "--%s and --%s name the same key, \"%s\"",
                                   svd->stores[k].option, svd->stores[i].option,
                                   svd->stores[i].key);
    return DONE;
}

int command_svd(int argc, char **argv)
{
    static const struct option options[] = {
        OPTION_ROWS_WORK,
        {"s", required_argument, NULL, OPTION_S},
        {"u", required_argument, NULL, OPTION_U},
        {"vt", required_argument, NULL, OPTION_VT},
        {"values", no_argument, NULL, OPTION_VALUES},
        {"reduced", no_argument, NULL, OPTION_REDUCED},
        {"full", no_argument, NULL, OPTION_FULL},
        OPTION_ROW_JSON,
        OPTION_ROW_HELP,
        {0},
    };
    struct svd svd = {.stores = {{"s", NULL}, {"u", NULL}, {"vt", NULL}}};
    int option;
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == OPTION_HELP)
            return help(svd_help);
        if (option == ':' || option == '?')
            return option_error("svd", option, argv);
        if (take_option(&svd, option) != DONE)
            return USAGE;
    }
    if (optind + 1 != argc)
        return usage_error("svd", "give one KEY");
    svd.key = argv[optind];
    int status = settle(&svd);
    return status == DONE ? svd_run(&svd) : status;
}
