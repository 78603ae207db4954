/* compare_setup.c -- the kernels there are, and what they need: arrays, executors, peers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/compare.h"
#include "cli/fill.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/progress.h"

static const struct compare_kernel kernels[] = {
    {"max", COMPARE_REDUCE, "300000000", .has_bytes = true, .has_limit = true, .is_in_all = true},
    {"min", COMPARE_REDUCE, "300000000", .has_bytes = true, .has_limit = true},
    {"sum", COMPARE_REDUCE, "300000000", .has_bytes = true, .has_limit = true, .is_in_all = true},
    {"hash", COMPARE_HASH, "30000000", .has_bytes = true, .has_limit = true, .is_in_all = true},
    {"svd", COMPARE_SVD, "600x1000x10", .takes_shape = true, .has_bytes = true, .is_in_all = true},
    {"scrypt", COMPARE_SCRYPT, "1x128x1024x32", .takes_shape = true, .is_in_all = true},
    {"executors", COMPARE_EXECUTORS, NULL, .is_in_all = true},
};

const struct compare_kernel *compare_kernel_at(size_t i)
{
    return i < sizeof kernels / sizeof kernels[0] ? &kernels[i] : NULL;
}

const struct compare_kernel *compare_kernel_by_name(const char *name)
{
    static struct compare_kernel other = {NULL, COMPARE_REDUCE, "300000000", .has_bytes = true,
                                          .has_limit = true};
    for (size_t i = 0; compare_kernel_at(i) != NULL; i++) {
        if (strcmp(kernels[i].name, name) == 0)
            return &kernels[i];
    }
    sheaf_op op = sheaf_op_by_name(name);
    if (op == 0 || op == SHEAF_DOT) /* which takes two arrays */
        return NULL;
    other.name = sheaf_op_name(op);
    return &other;
}

double compare_bytes(const struct compare *compare)
{
    if (!compare->kernel->has_bytes)
        return 0;
    return (double)compare->elements * (double)sheaf_dtype_size(compare->dtype);
}

/* Beside the array: the little one, and what each segment has behind its data. */
enum { LITTLE = 8192, BESIDE_BYTES = LITTLE * 8 + 65536 };

/* What the array and these may take: 95 % of all, so that the machine stays usable. */
static uint64_t usable_bytes(void)
{
    return sheaf_free_bytes() / 100 * 95;
}

/* The largest number of elements that fits, with two digits; 0 if it is not worth it. */
static size_t fitting_elements(uint64_t free_bytes, size_t element)
{
    uint64_t fits = free_bytes > BESIDE_BYTES ? (free_bytes - BESIDE_BYTES) / element : 0;
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
    size_t fits = fitting_elements(free_bytes, sheaf_dtype_size(compare->dtype));
    bytes_text(need, compare_bytes(compare));
    bytes_text(left, (double)free_bytes);
    if (compare->kernel->kind == COMPARE_SVD)
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
static sheaf_status make_array(sheaf_array **out, char key[40], sheaf_dtype dtype, size_t ndim,
                               const size_t *shape)
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
        status = interrupt_create(out, key, dtype, ndim, shape, &owned);
    }
    return status;
}

static int make_arrays(struct compare *compare)
{
    const size_t little = LITTLE;
    const size_t one = 1; /* executors and scrypt have no array, but their peers are given a key */
    bool has_bytes = compare->kernel->has_bytes;
    uint64_t bytes;
    uint64_t free_bytes = usable_bytes();
    if (__builtin_mul_overflow((uint64_t)compare->elements, sheaf_dtype_size(compare->dtype),
                               &bytes) ||
        free_bytes < BESIDE_BYTES || bytes > free_bytes - BESIDE_BYTES)
        return too_large(compare, free_bytes);
    progress_show("compare %s: making the array", compare->name);
    sheaf_status status =
        make_array(&compare->data, compare->key[0], compare->dtype, has_bytes ? compare->ndim : 1,
                   has_bytes ? compare->shape : &one);
    if (status == SHEAF_ERR_NO_SPACE || status == SHEAF_ERR_NO_MEMORY)
        return too_large(compare, usable_bytes()); /* somebody else was quicker */
    if (status == SHEAF_OK && compare->op != 0)
        status = make_array(&compare->other, compare->key[1], compare->dtype, 1, &little);
    if (status == SHEAF_OK && compare->kernel->kind == COMPARE_SVD) {
        size_t shape[SHEAF_MAX_DIMS];
        size_t last = compare->ndim - 1;
        memcpy(shape, compare->shape, sizeof shape);
        shape[last - 1] = shape[last] < shape[last - 1] ? shape[last] : shape[last - 1];
        status = sheaf_create_anonymous(&compare->values, SHEAF_F64, last, shape);
    }
    if (status != SHEAF_OK)
        return library_failure("compare");
    fill_array(compare->data, compare->fill, compare->seed, compare->workers);
    return DONE;
}

static int open_executors(struct compare *compare)
{
    const sheaf_executor_options options = {.workers = compare->workers};
    progress_show("compare %s: starting threads and processes", compare->name);
    if (compare_has_plain(compare)) {
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

/* What the peers are told: peers.h. */
static int open_peers(struct compare *compare)
{
    char shape[SHAPE_TEXT_BYTES];
    char workers[24];
    if (compare->peers_path == NULL)
        return DONE;
    progress_show("compare %s: starting the peers", compare->name);
    shape_text(shape, compare->ndim, compare->shape);
    snprintf(workers, sizeof workers, "%zu", compare->workers);
    if (setenv("SHEAF_PEER_KERNEL", compare->name, 1) != 0 ||
        setenv("SHEAF_PEER_KEY", compare->key[0], 1) != 0 ||
        setenv("SHEAF_PEER_SHAPE", shape, 1) != 0 ||
        setenv("SHEAF_PEER_DTYPE", sheaf_dtype_name(compare->dtype), 1) != 0 ||
        setenv("SHEAF_PEER_WORKERS", workers, 1) != 0)
        return failure("compare", "no memory for the environment");
    return peers_open(&compare->peers, "compare", compare->peers_path);
}

int compare_set_up(struct compare *compare)
{
    compare->no_counters = counters_start(); /* first: what is started later is counted */
    int status = make_arrays(compare);
    if (status == DONE)
        status = open_executors(compare);
    return status == DONE ? open_peers(compare) : status;
}

void compare_take_down(struct compare *compare)
{
    progress_clear();
    peers_close(compare->peers);
    copies_close(compare->copies);
    compare_close_svd(compare);
    sheaf_executor_close(compare->processes);
    sheaf_executor_close(compare->threads);
    sheaf_executor_close(compare->sequential);
    sheaf_detach(compare->values);
    sheaf_detach(compare->other);
    sheaf_detach(compare->data);
    interrupt_release(compare->key[0]);
    interrupt_release(compare->key[1]);
    counters_stop();
}
