/* compare.c -- sheaf compare: reads the options, and compares one kernel or all. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/compare.h"
#include "cli/file.h"
#include "cli/interrupt.h"
#include "cli/options.h"

enum {
    OPTION_ELEMENTS = OPTION_OWN,
    OPTION_REPEAT,
    OPTION_DTYPE,
    OPTION_FILL,
    OPTION_PEERS,
    OPTION_JSON_FILE,
    OPTION_PLOT,
    OPTION_SWEEP,
};

/* Rounds of each size of a sweep: an interval takes six. */
enum { SWEEP_ROUNDS = 7 };

static const char compare_help[] =
    "usage: sheaf compare [KERNEL] [OPTIONS]\n"
    "\n"
    "Does the same work in every way there is - one plain loop, each instruction set,\n"
    "threads, processes that are sent the data, processes that attach it by key - in\n"
    "rounds on the same memory, and prints what each took. KERNEL is max (default), min,\n"
    "sum or another reduction (sheaf reduce --list), hash, svd, scrypt, executors (an\n"
    "empty job, handed over and back), or all: max, sum and the others, one after another.\n"
    "\n"
    "  --dtype D      of the array of a reduction (default: f64)\n"
    "  --fill F       what is in it, as in sheaf create (default: uniform)\n"
    "  --elements N   random doubles to work on (default: 300000000, that is 2.4 GB;\n"
    "                 hash: 30000000)\n"
    "  --shape SHAPE  svd: the matrices (default: 600x1000x10); scrypt: passwords x N x r x\n"
    "                 p (default: 1x128x1024x32)\n"
    "  --sweep        svd: sizes around --shape COUNTxMxN (default: 6x1000x10), more,\n"
    "                 longer and larger matrices, and from which size on each pays: SIMD,\n"
    "                 threads, processes, LAPACK spread by OpenMP. Half a minute\n"
    "  --workers N    threads and processes, 1 to 224 (default: the CPUs that this\n"
    "                 process may use)\n"
    "  --repeat R     rounds, 1 to 1000 (default: 6 to 15, until the answer is known to\n"
    "                 2 % or a minute is over; --sweep: 7 of each size)\n"
    "  --seed N       of the random numbers (default: 1)\n"
    "  --peers FOLDER compare with others, too: NumPy, OpenBLAS ..., by the programs in\n"
    "                 this folder (`./run bench` builds them; all takes those in peers/\n"
    "                 beside the program without being asked)\n"
    "  --plot FILE    draw the medians and intervals with gnuplot: FILE.svg or FILE.png\n"
    "  --json FILE    write the rows with the times of all rounds, and the machine; the\n"
    "                 file appears whole or not at all\n"
    "  --help         print this\n"
    "\n"
    "Columns: W workers; median and least time in seconds; speed-up against the first\n"
    "row; GB/s (10^9 bytes of the array in the median time); per cent of the read limit,\n"
    "which is how fast as many threads can read the same memory and do nothing else;\n"
    "whether the result has the same bits as the reference. Speed-up and per cent are\n"
    "medians of the rounds' ratios; from 6 rounds, where there is room, with 95 %\n"
    "intervals. CPU is what all threads and processes used, in seconds.\n"
    "Rows: `data copied` sends the data through pipes to processes that run already;\n"
    "`cold pool` starts processes, uses them once and ends them; `first use` is a running\n"
    "pool's first use of the array; `warm pool` its further uses; `LAPACK loop`: OpenBLAS,\n"
    "one dgesdd a matrix on one thread, and spread over threads by OpenMP (one matrix alone\n"
    "gets them all).\n"
    "A run shorter than a millisecond is repeated within its round.\n"
    "The array is removed at the end, also after Ctrl-C. Exit status 1 if bits differ\n"
    "that must not.\n"
    "\n"
    "Example: sheaf compare sum --elements 10000000 --repeat 10 --json sum.json\n";

static int compare_option(struct compare *compare, int option)
{
    struct work work = {0};
    int status;
    switch (option) {
    case OPTION_ELEMENTS:
        if (!parse_size(&compare->elements, optarg) || compare->elements == 0)
            return usage_error("compare", "--elements %s: give a number from 1", optarg);
        return DONE;
    case OPTION_SHAPE:
        if (strcmp(optarg, "scalar") == 0)
            return usage_error("compare", "--shape scalar: give sizes like 6x1000x10");
        return parse_shape(compare->shape, &compare->ndim, "compare", optarg);
    case OPTION_WORKERS:
        status = work_option(&work, "compare", option, optarg);
        compare->workers = work.workers;
        return status;
    case OPTION_REPEAT:
        if (!parse_size(&compare->repeat, optarg) || compare->repeat == 0 ||
            compare->repeat > COMPARE_ROUNDS_MAX)
            return usage_error("compare", "--repeat %s: give a number from 1 to %d", optarg,
                               COMPARE_ROUNDS_MAX);
        return DONE;
    case OPTION_SEED:
        if (!parse_u64(&compare->seed, optarg) || compare->seed > INT64_MAX)
            return usage_error("compare", "--seed %s: give a number from 0 to 2^63 - 1", optarg);
        return DONE;
    case OPTION_DTYPE:
        compare->dtype = sheaf_dtype_by_name(optarg);
        if (compare->dtype == 0)
            return usage_error("compare", "unknown --dtype %s", optarg);
        return DONE;
    case OPTION_FILL:
        compare->fill = fill_by_name(optarg);
        if (compare->fill == FILL_KINDS)
            return usage_error("compare", "unknown --fill %s (see: sheaf create --help)", optarg);
        return DONE;
    case OPTION_PEERS:
        compare->peers_path = optarg;
        return DONE;
    case OPTION_PLOT:
        compare->plot_path = optarg;
        return DONE;
    case OPTION_SWEEP:
        compare->is_sweep = true;
        return DONE;
    default:
        if (optarg[0] == '\0')
            return usage_error("compare", "--json: give a FILE");
        compare->json_path = optarg;
        return DONE;
    }
}

/* Whose name was typed. */
static int find_kernel(struct compare *compare, const char *name)
{
    compare->kernel = compare_kernel_by_name(name);
    if (compare->kernel == NULL)
        return usage_error("compare",
                           "unknown kernel \"%s\": max, min, sum or another reduction (see: sheaf "
                           "reduce --list), hash, svd, scrypt, executors, or all",
                           name);
    compare->name = compare->kernel->name;
    compare->op = compare->kernel->kind == COMPARE_REDUCE ? sheaf_op_by_name(name) : 0;
    return DONE;
}

static int settle_scrypt(const struct compare *compare)
{
    bool is_well = compare->ndim == 4;
    for (size_t i = 0; is_well && i < 4; i++)
        is_well = compare->shape[i] > 0 && (i < 2 || compare->shape[i] <= UINT32_MAX);
    return is_well ? DONE
                   : usage_error("compare", "--shape: scrypt needs passwords x N x r x p, like "
                                            "1x128x1024x32");
}

/* --shape and --elements, one of which the kernel takes; else what its table line says. */
static int settle_data(struct compare *compare)
{
    const struct compare_kernel *kernel = compare->kernel;
    if (compare->ndim > 0 && !kernel->takes_shape)
        return usage_error("compare", "--shape is for svd and scrypt; %s takes --elements",
                           kernel->name);
    if (compare->elements > 0 && (kernel->takes_shape || kernel->data == NULL))
        return usage_error("compare", "%s takes %s--elements", kernel->name,
                           kernel->takes_shape ? "--shape, not " : "no ");
    if (compare->elements > 0) {
        compare->ndim = 1;
        compare->shape[0] = compare->elements;
    }
    if (compare->ndim == 0 && compare->is_sweep)
        parse_shape(compare->shape, &compare->ndim, "compare", "6x1000x10");
    if (compare->ndim == 0)
        parse_shape(compare->shape, &compare->ndim, "compare",
                    kernel->data != NULL ? kernel->data : "1");
    compare->elements = 1;
    if (kernel->kind == COMPARE_SCRYPT)
        return settle_scrypt(compare);
    for (size_t i = 0; i < compare->ndim; i++) {
        if (__builtin_mul_overflow(compare->elements, compare->shape[i], &compare->elements))
            return usage_error("compare", "--shape: too many elements for 64 bits");
    }
    if (kernel->takes_shape && (compare->ndim < 2 || compare->elements == 0))
        return usage_error("compare",
                           "--shape: svd needs matrices that are not empty: (..., m, n)");
    return DONE;
}

static int settle(struct compare *compare, const char *name)
{
    int status = find_kernel(compare, name);
    for (size_t i = 0; sheaf_isa_name(i) != NULL; i++)
        compare->fastest_isa = sheaf_isa_name(i);
    if (compare->workers == 0)
        compare->workers = sheaf_executor_workers(NULL);
    if (status == DONE && compare->dtype != SHEAF_F64 && compare->kernel->kind != COMPARE_REDUCE)
        return usage_error("compare", "--dtype is for reductions; %s takes f64", compare->name);
    if (status == DONE)
        status = settle_data(compare);
    const char *refusal = fill_refusal(compare->fill, compare->dtype, compare->elements);
    return status == DONE && refusal != NULL ? usage_error("compare", "%s", refusal) : status;
}

/* A sweep is of one to three sizes, and tells of tables. */
static int settle_sweep(struct compare *compare)
{
    if (compare->kernel == NULL || compare->kernel->kind != COMPARE_SVD)
        return usage_error("compare", "--sweep is for svd, not for %s", compare->name);
    if (compare->ndim != 2 && compare->ndim != 3)
        return usage_error("compare", "--shape: --sweep needs COUNTxMxN, like 6x1000x10, or MxN");
    if (compare->plot_path != NULL || compare->peers_path != NULL)
        return usage_error("compare", "--sweep goes without --%s",
                           compare->plot_path != NULL ? "plot" : "peers");
    if (compare->repeat == 0)
        compare->repeat = SWEEP_ROUNDS;
    return DONE;
}

int compare_measure(struct compare *compare)
{
    int status = compare_set_up(compare);
    if (status == DONE) {
        compare_add_rows(compare);
        status = compare_run_rounds(compare);
    }
    compare_take_down(compare);
    return status;
}

/* Measures one kernel and prints it; *json, unless json is NULL, is what was measured. */
static int compare_one(struct compare *compare, json_t **json)
{
    /* all is taken down then, so that a reader who has gone leaves no array behind */
    int status = compare_measure(compare);
    if (status != DONE)
        return status;
    if (json != NULL) {
        *json = compare_json(compare);
        if (*json == NULL)
            return failure("compare", "no memory for the JSON text");
    }
    int drawn = compare->plot_path != NULL ? compare_plot(compare, compare->plot_path) : DONE;
    status = compare_print(compare);
    return status == DONE ? drawn : status;
}

/* Every kernel that `all` has, as if asked for one after the other. A shape is svd's, and scrypt's if it is one of
 * four sizes. */
static int compare_each(const struct compare *asked, json_t **json)
{
    json_t *list = json_array();
    int status = DONE;
    for (size_t i = 0; status == DONE && compare_kernel_at(i) != NULL; i++) {
        const struct compare_kernel *kernel = compare_kernel_at(i);
        struct compare *one = malloc(sizeof *one);
        json_t *measured = NULL;
        if (!kernel->is_in_all) {
            free(one);
            continue;
        }
        if (one == NULL)
            return failure("compare", "no memory");
        *one = *asked;
        if (kernel->takes_shape || kernel->data == NULL)
            one->elements = 0;
        if (!kernel->takes_shape || (kernel->kind == COMPARE_SCRYPT && one->ndim != 4))
            one->ndim = 0;
        if (i > 0)
            putchar('\n');
        status = settle(one, kernel->name);
        if (status == DONE)
            status = compare_one(one, &measured);
        json_array_append_new(list, measured != NULL ? measured : json_null());
        fflush(stdout);
        free(one);
    }
    *json = json_pack("{s:s, s:o}", "kernel", "all", "comparisons", list);
    return status;
}

static int write_json(const char *path, json_t *json)
{
    char *text = json_dumps(json, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    if (text == NULL)
        return failure("compare", "no memory for the JSON text");
    int status = file_write("compare", path, text);
    free(text);
    return status;
}

/* "peers" beside the program, if it is there. */
static const char *peers_beside(void)
{
    static char path[4200];
    ssize_t bytes = readlink("/proc/self/exe", path, 4096);
    char *slash = bytes > 0 ? memrchr(path, '/', (size_t)bytes) : NULL;
    if (slash == NULL)
        return NULL;
    memcpy(slash, "/peers", sizeof "/peers");
    return access(path, X_OK) == 0 ? path : NULL;
}

static int compare_asked(struct compare *compare, const char *name)
{
    sigset_t broken_pipe;
    json_t *json = NULL;
    bool is_all = strcmp(name, "all") == 0;
    int status = is_all ? DONE : settle(compare, name);
    if (status == DONE && is_all && (compare->plot_path != NULL || compare->is_sweep))
        status = usage_error("compare", compare->is_sweep ? "--sweep is for svd, not for all"
                                                          : "--plot draws one KERNEL, not all");
    if (status == DONE && compare->is_sweep)
        status = settle_sweep(compare);
    if (status == DONE)
        status = interrupt_start("compare");
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE); /* a write then fails with EPIPE, which is told */
    pthread_sigmask(SIG_BLOCK, &broken_pipe, NULL);
    if (status == DONE && compare->json_path != NULL)
        status = file_check("compare", compare->json_path); /* not only when all is done */
    if (status == DONE && compare->plot_path != NULL)
        status = compare_plot_check(compare->plot_path);
    if (status != DONE)
        return status;
    if (is_all && compare->peers_path == NULL)
        compare->peers_path = peers_beside();
    json_t **wanted = compare->json_path != NULL || is_all ? &json : NULL;
    status = is_all              ? compare_each(compare, wanted)
             : compare->is_sweep ? compare_sweep(compare, wanted)
                                 : compare_one(compare, wanted);
    if (json != NULL && compare->json_path != NULL) {
        int written = write_json(compare->json_path, json);
        status = status == DONE ? written : status;
    }
    json_decref(json);
    return status;
}

static int read_and_compare(struct compare *compare, int argc, char **argv)
{
    static const struct option options[] = {
        {"elements", required_argument, NULL, OPTION_ELEMENTS},
        {"shape", required_argument, NULL, OPTION_SHAPE},
        {"workers", required_argument, NULL, OPTION_WORKERS},
        {"repeat", required_argument, NULL, OPTION_REPEAT},
        {"seed", required_argument, NULL, OPTION_SEED},
        {"dtype", required_argument, NULL, OPTION_DTYPE},
        {"fill", required_argument, NULL, OPTION_FILL},
        {"peers", required_argument, NULL, OPTION_PEERS},
        {"json", required_argument, NULL, OPTION_JSON_FILE},
        {"plot", required_argument, NULL, OPTION_PLOT},
        {"sweep", no_argument, NULL, OPTION_SWEEP},
        OPTION_ROW_HELP,
        {0},
    };
    int option;
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == OPTION_HELP)
            return help(compare_help);
        if (option == ':' || option == '?')
            return option_error("compare", option, argv);
        int status = compare_option(compare, option);
        if (status != DONE)
            return status;
    }
    if (argc - optind > 1)
        return usage_error("compare", "give one KERNEL");
    return compare_asked(compare, optind < argc ? argv[optind] : "max");
}

int command_compare(int argc, char **argv)
{
    struct compare *compare = calloc(1, sizeof *compare);
    if (compare == NULL)
        return failure("compare", "no memory");
    compare->seed = 1;
    compare->dtype = SHEAF_F64;
    compare->fill = FILL_UNIFORM;
    int status = read_and_compare(compare, argc, argv);
    free(compare);
    return status;
}
