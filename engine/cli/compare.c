/* compare.c -- sheaf compare: reads the options, makes the array, and takes everything down again. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/compare.h"
#include "cli/file.h"
#include "cli/fill.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/progress.h"

enum { OPTION_ELEMENTS = OPTION_OWN, OPTION_REPEAT, OPTION_JSON_FILE };

static const char compare_help[] =
    "usage: sheaf compare [KERNEL] [OPTIONS]\n"
    "\n"
    "Does the same work in every way there is - one plain loop, each instruction set,\n"
    "threads, processes that are sent the data, processes that attach it by key - in\n"
    "rounds on the same memory, and prints what each took. KERNEL is max (default), min,\n"
    "sum, hash or svd.\n"
    "\n"
    "  --elements N   random doubles to work on (default: 300000000, that is 2.4 GB;\n"
    "                 hash: 30000000)\n"
    "  --shape SHAPE  svd: the matrices (default: 600x1000x10)\n"
    "  --workers N    threads and processes, 1 to 224 (default: the CPUs that this\n"
    "                 process may use)\n"
    "  --repeat R     rounds, 1 to 1000 (default: 6 to 15, until the answer is known to\n"
    "                 2 % or a minute is over)\n"
    "  --seed N       of the random numbers (default: 1)\n"
    "  --json FILE    write the rows with the times of all rounds, and the machine; the\n"
    "                 file appears whole or not at all\n"
    "  --help         print this\n"
    "\n"
    "Columns: W workers; median and least time in seconds; speed-up against the first\n"
    "row; GB/s (10^9 bytes of the array in the median time); per cent of the read limit,\n"
    "which is how fast as many threads can read the same memory and do nothing else;\n"
    "whether the result has the same bits as the reference. Speed-up and per cent are\n"
    "medians of the rounds' ratios; from 6 rounds, where there is room, with 95 %\n"
    "intervals.\n"
    "Rows: `data copied` sends the data through pipes to processes that run already;\n"
    "`cold pool` starts processes, uses them once and ends them; `first use` is a running\n"
    "pool's first use of the array; `warm pool` its further uses.\n"
    "The array is removed at the end, also after Ctrl-C. Exit status 1 if bits differ\n"
    "that must not.\n"
    "\n"
    "Example: sheaf compare sum --elements 10000000 --repeat 10 --json sum.json\n";

static const char *const kernels[] = {"max", "min", "sum", "hash", "svd"};

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
    default:
        if (optarg[0] == '\0')
            return usage_error("compare", "--json: give a FILE");
        compare->json_path = optarg;
        return DONE;
    }
}

/* What was not asked for, and what does not go together. */
static int settle(struct compare *compare, const char *kernel)
{
    size_t i = 0;
    size_t count = sizeof kernels / sizeof kernels[0];
    while (i < count && strcmp(kernels[i], kernel) != 0)
        i++;
    if (i == count)
        return usage_error("compare", "unknown kernel \"%s\": max, min, sum, hash or svd", kernel);
    compare->kernel = (enum compare_kernel)i;
    compare->name = kernels[i];
    compare->op = sheaf_op_by_name(kernel);
    compare->has_limit = compare->kernel != COMPARE_SVD;
    for (i = 0; sheaf_isa_name(i) != NULL; i++)
        compare->fastest_isa = sheaf_isa_name(i);
    if (compare->workers == 0)
        compare->workers = sheaf_executor_workers(NULL);
    if (compare->kernel != COMPARE_SVD) {
        if (compare->ndim > 0)
            return usage_error("compare", "--shape is for svd; %s takes --elements", kernel);
        if (compare->elements == 0)
            compare->elements = compare->kernel == COMPARE_HASH ? 30000000 : 300000000;
        compare->ndim = 1;
        compare->shape[0] = compare->elements;
        return DONE;
    }
    if (compare->elements > 0)
        return usage_error("compare", "svd takes --shape, not --elements");
    if (compare->ndim == 0) {
        compare->ndim = 3;
        memcpy(compare->shape, (const size_t[]){600, 1000, 10}, 3 * sizeof(size_t));
    }
    compare->elements = 1;
    for (i = 0; i < compare->ndim; i++) {
        if (__builtin_mul_overflow(compare->elements, compare->shape[i], &compare->elements))
            return usage_error("compare", "--shape: too many elements for 64 bits");
    }
    if (compare->ndim < 2 || compare->elements == 0)
        return usage_error("compare",
                           "--shape: svd needs matrices that are not empty: (..., m, n)");
    return DONE;
}

/* Beside the array: the little one, and what each segment has behind its data. */
enum { LITTLE = 8192, BESIDE_BYTES = LITTLE * 8 + 65536 };

/* What the array and these may take: 95 % of all, so that the machine stays usable. */
static uint64_t usable_bytes(void)
{
    return sheaf_free_bytes() / 100 * 95;
}

/* The largest number of elements that fits, with two digits; 0 if it is not worth it. */
static size_t fitting_elements(uint64_t free_bytes)
{
    uint64_t fits = free_bytes > BESIDE_BYTES ? (free_bytes - BESIDE_BYTES) / sizeof(double) : 0;
    uint64_t unit = 1;
    if (fits < 10000)
        return 0;
    while (fits / unit >= 100)
        unit *= 10;
    return (size_t)(fits / unit * unit);
}

static int too_large(const struct compare *compare, uint64_t free_bytes)
{
    char need[24];
    char left[24];
    size_t fits = fitting_elements(free_bytes);
    bytes_text(need, (double)compare->elements * sizeof(double));
    bytes_text(left, (double)free_bytes);
    if (compare->kernel == COMPARE_SVD)
        return failure("compare",
                       "the matrices need %s of shared memory, and %s are free in "
                       "memory and /dev/shm: give a smaller --shape",
                       need, left);
    if (fits == 0)
        return failure("compare",
                       "the array needs %s of shared memory, and %s are free in memory "
                       "and /dev/shm: free some (see: sheaf list), or make /dev/shm "
                       "larger",
                       need, left);
    return failure("compare",
                   "the array needs %s of shared memory, and %s are free in memory and "
                   "/dev/shm; this fits: sheaf compare %s --elements %zu",
                   need, left, compare->name, fits);
}

/* One owned array of our own; a key that another process of the same number left is passed by. */
static sheaf_status make_array(sheaf_array **out, char key[40], size_t ndim, const size_t *shape)
{
    static const sheaf_create_options owned = {.lifetime = SHEAF_OWNED};
    static int number;
    sheaf_status status = SHEAF_ERR_EXISTS;
    for (int try = 0; try < 100 && status == SHEAF_ERR_EXISTS; try++) {
        if (number == 0)
            snprintf(key, 40, "sheaf-compare-%d", (int)getpid());
        else
            snprintf(key, 40, "sheaf-compare-%d-%d", (int)getpid(), number);
        number++;
        status = interrupt_create(out, key, SHEAF_F64, ndim, shape, &owned);
    }
    return status;
}

static int make_arrays(struct compare *compare)
{
    const size_t little = LITTLE;
    uint64_t bytes;
    uint64_t free_bytes = usable_bytes();
    if (__builtin_mul_overflow((uint64_t)compare->elements, sizeof(double), &bytes) ||
        free_bytes < BESIDE_BYTES || bytes > free_bytes - BESIDE_BYTES)
        return too_large(compare, free_bytes);
    progress_show("compare %s: making the array", compare->name);
    sheaf_status status =
        make_array(&compare->data, compare->key[0], compare->ndim, compare->shape);
    if (status == SHEAF_ERR_NO_SPACE || status == SHEAF_ERR_NO_MEMORY)
        return too_large(compare, usable_bytes()); /* somebody else was quicker */
    if (status == SHEAF_OK && compare->op != 0)
        status = make_array(&compare->other, compare->key[1], 1, &little);
    if (status == SHEAF_OK && compare->kernel == COMPARE_SVD) {
        size_t shape[SHEAF_MAX_DIMS];
        size_t last = compare->ndim - 1;
        memcpy(shape, compare->shape, sizeof shape);
        shape[last - 1] = shape[last] < shape[last - 1] ? shape[last] : shape[last - 1];
        status = sheaf_create_anonymous(&compare->values, SHEAF_F64, last, shape);
    }
    if (status != SHEAF_OK)
        return library_failure("compare");
    fill_array(compare->data, FILL_UNIFORM, compare->seed, compare->workers);
    return DONE;
}

static int open_executors(struct compare *compare)
{
    const sheaf_executor_options options = {.workers = compare->workers};
    progress_show("compare %s: starting threads and processes", compare->name);
    if (compare->op != 0) {
        int status = copies_open(&compare->copies, "compare", compare->workers, compare->op,
                                 compare->fastest_isa);
        if (status != DONE)
            return status;
    }
    if (sheaf_executor_open(&compare->sequential, SHEAF_SEQUENTIAL, NULL) != SHEAF_OK ||
        sheaf_executor_open(&compare->threads, SHEAF_THREADS, &options) != SHEAF_OK ||
        sheaf_executor_open(&compare->processes, SHEAF_PROCESSES, &options) != SHEAF_OK)
        return library_failure("compare");
    return DONE;
}

static void take_down(struct compare *compare)
{
    progress_clear();
    copies_close(compare->copies);
    sheaf_executor_close(compare->processes);
    sheaf_executor_close(compare->threads);
    sheaf_executor_close(compare->sequential);
    sheaf_detach(compare->values);
    sheaf_detach(compare->other);
    sheaf_detach(compare->data);
    interrupt_release(compare->key[0]);
    interrupt_release(compare->key[1]);
}

static int compare_all(struct compare *compare)
{
    sigset_t broken_pipe;
    int status = interrupt_start("compare");
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE); /* a write then fails with EPIPE, which is told */
    pthread_sigmask(SIG_BLOCK, &broken_pipe, NULL);
    if (status == DONE && compare->json_path != NULL)
        status = file_check("compare", compare->json_path); /* not only when all is done */
    if (status == DONE)
        status = make_arrays(compare);
    if (status == DONE)
        status = open_executors(compare);
    if (status == DONE) {
        compare_add_rows(compare);
        status = compare_run_rounds(compare);
    }
    take_down(compare); /* first, so that a reader who has gone cannot leave the array behind */
    if (status != DONE)
        return status;
    int written = compare->json_path != NULL ? compare_write_json(compare) : DONE;
    status = compare_print(compare);
    return status == DONE ? written : status;
}

static int read_and_compare(struct compare *compare, int argc, char **argv)
{
    static const struct option options[] = {
        {"elements", required_argument, NULL, OPTION_ELEMENTS},
        {"shape", required_argument, NULL, OPTION_SHAPE},
        {"workers", required_argument, NULL, OPTION_WORKERS},
        {"repeat", required_argument, NULL, OPTION_REPEAT},
        {"seed", required_argument, NULL, OPTION_SEED},
        {"json", required_argument, NULL, OPTION_JSON_FILE},
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
    int status = settle(compare, optind < argc ? argv[optind] : "max");
    return status == DONE ? compare_all(compare) : status;
}

int command_compare(int argc, char **argv)
{
    struct compare *compare = calloc(1, sizeof *compare);
    if (compare == NULL)
        return failure("compare", "no memory");
    compare->seed = 1;
    int status = read_and_compare(compare, argc, argv);
    free(compare);
    return status;
}
