/* compare.h -- the same work done in every way, round after round.
 *
 *     compare.c         the command: options, one kernel or all of them
 *     compare_setup.c   the kernels there are; arrays, executors and peers, set up and taken down
 *     compare_rows.c    the ways: one function each, and which of them a kernel has; compare_svd.c and
 *                       compare_scrypt.c those of one kernel
 *     compare_sweep.c   --sweep: size after size, and from which on a way pays
 *     compare_rounds.c  who is timed when, and when it is enough
 *     compare_report.c  the table and the sentences; compare_json.c and compare_plot.c the files
 *
 * Every round runs each row once, and the machine's read limit for 1 and for all workers, in an order that
 * moves on by one from round to round. Ratios are formed within a round and only then
 * summed up, so what slows a whole round down does not count. */
#ifndef SHEAF_CLI_COMPARE_H
#define SHEAF_CLI_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sheaf/sheaf.h>

#include <jansson.h>

#include "cli/copies.h"
#include "cli/counters.h"
#include "cli/fill.h"
#include "cli/peers.h"
#include "cli/read_limit.h"
#include "cli/stats.h"

enum {
    COMPARE_ROWS_MAX = 64,
    COMPARE_ROUNDS_MAX = 1000,
    COMPARE_RESULT_BYTES = SHEAF_HASH_BYTES,
    COMPARE_LIMITS = 2, /* for 1 worker, and for all of them */
};

/* What the work is, and what belongs to it. */
enum compare_kind { COMPARE_REDUCE, COMPARE_HASH, COMPARE_SVD, COMPARE_SCRYPT, COMPARE_EXECUTORS };

/* A kernel that can be compared. */
struct compare_kernel {
    const char *name;
    enum compare_kind kind;
    const char
        *data; /* the default of --elements or --shape, as typed; NULL: it has no data of its own */
    bool takes_shape; /* --shape, and not --elements */
    bool has_bytes;   /* it works on the bytes of an array: there is a rate */
    bool has_limit;   /* it reads its array once: the read limit is measured beside it */
    bool is_in_all;   /* one of those that `compare all` runs */
};

struct compare;
struct compare_row;

/* One run, or the mean of a batch: its time, and the bytes of its result (zero past its end). */
struct compare_outcome {
    double seconds;
    double cpu_seconds; /* 0: whoever called measures it */
    unsigned char result[COMPARE_RESULT_BYTES];
};

/* Returns an exit status. */
typedef int compare_run(struct compare_outcome *out, struct compare *compare,
                        const struct compare_row *row);

struct compare_row {
    compare_run *run;
    char variant[PEER_NAME_BYTES];
    const char *executor; /* for JSON */
    const char *isa;      /* NULL: does not apply */
    size_t workers;
    size_t batch; /* runs in a round: more than one, if it is too short to be timed by itself */
    bool is_batched;
    sheaf_executor *on; /* that run() uses, if it is open all the time */
    bool is_reference;  /* its bits are what the others are compared with */
    bool may_differ;    /* its bits need not be the same */
    bool decides;       /* rounds go on until its ratio to the limit (svd: to row 0) is known */
    bool is_same;       /* its bits were the reference's in every round */
    unsigned char result[COMPARE_RESULT_BYTES]; /* of the first round */
    bool is_asleep;    /* executors: workers have slept when the job comes */
    bool is_peer;      /* its result is not looked at */
    size_t peer;       /* which of the peers' rows */
    char missing[160]; /* why it cannot be run; "" if it can */
    double seconds[COMPARE_ROUNDS_MAX];
    double cpu_seconds[COMPARE_ROUNDS_MAX]; /* of all processes that worked */
    struct counters counted[COMPARE_ROUNDS_MAX];
};

/* Where a row is, for the sentences; SIZE_MAX if there is none. */
struct compare_places {
    size_t threads; /* the fastest threads */
    size_t copied;
    size_t warm; /* the fastest processes over shared memory */
    size_t cold;
    /* svd */
    size_t lapack;
    size_t lapack_threads;
    size_t scalar; /* on one core, without SIMD */
    size_t one;    /* on one core, with the fastest instruction set */
};

struct compare {
    /* asked for */
    const struct compare_kernel *kernel;
    const char *name; /* "max" */
    size_t ndim;
    size_t shape[SHEAF_MAX_DIMS];
    size_t elements;
    sheaf_dtype dtype;
    enum fill_kind fill;
    size_t workers;
    size_t repeat; /* 0: until it is enough */
    uint64_t seed;
    bool is_sweep;
    const char *peers_path; /* NULL: no peers */
    const char *json_path;
    const char *plot_path;

    /* set up */
    sheaf_op op;
    char key[2][40];
    sheaf_array *data;
    sheaf_array *other;  /* what a pool works on before its first use of data */
    sheaf_array *values; /* svd: what it writes */
    sheaf_executor *sequential;
    sheaf_executor *threads;
    sheaf_executor *processes;
    struct copies *copies;
    struct peers *peers;
    struct lapack_loop *lapack; /* svd; NULL: there is none, and no_lapack says why */
    const char *no_lapack;
    const char *fastest_isa;
    const char *no_counters; /* why cycles are not counted; NULL: they are */

    /* measured */
    size_t row_count;
    size_t rounds;
    struct compare_places places;
    struct read_limit limits[COMPARE_LIMITS];
    size_t limit_batch[COMPARE_LIMITS];
    double limit_seconds[COMPARE_LIMITS][COMPARE_ROUNDS_MAX];
    struct compare_row rows[COMPARE_ROWS_MAX];
};

/* Kernel i of those that have a name of their own; any other reduction is compared like "mean". NULL past the
 * last, or if there is no such name. */
const struct compare_kernel *compare_kernel_at(size_t i);
const struct compare_kernel *compare_kernel_by_name(const char *name);

/* Of the whole array. */
double compare_bytes(const struct compare *compare);

/* A row's run, of compare_scrypt.c. */
int compare_run_scrypt(struct compare_outcome *out, struct compare *compare,
                       const struct compare_row *row);

/* Above this min(m, n) the library hands matrices to LAPACK itself, and instruction sets make no difference
 * (<sheaf/svd.h>). */
enum { COMPARE_OWN_KERNELS_MAX = 64 };

/* Of compare_svd.c: its rows; what they need is to be closed; and what they say, as sentences. */
void compare_add_svd_rows(struct compare *compare);
void compare_close_svd(struct compare *compare);
void compare_say_svd(char *text, size_t bytes, const struct compare *compare);

/* Whether one loop of C, and processes that are sent the data, do this work. */
bool compare_has_plain(const struct compare *compare);

/* Makes the array, and starts threads, processes and peers. Returns an exit status; what was made is to be
 * taken down in any case. */
int compare_set_up(struct compare *compare);
void compare_take_down(struct compare *compare);

/* Adds the rows of the kernel; everything is set up. */
void compare_add_rows(struct compare *compare);

/* One row, "threads, avx512", or with a note "processes, avx512, warm pool". It stays in its place. */
struct compare_row *compare_add_row(struct compare *compare, compare_run *run, const char *executor,
                                    const char *isa, const char *note);

/* Sets up, adds the rows, runs the rounds and takes down: all but telling of it. Returns an exit status. */
int compare_measure(struct compare *compare);

/* The shapes around compare->shape, each measured and told as one line; *json, unless json is NULL, is
 * all of it. Returns an exit status. */
int compare_sweep(const struct compare *compare, json_t **json);

/* Warms up, and runs the rounds. Returns an exit status. */
int compare_run_rounds(struct compare *compare);

/* Of one row: its times, and the CPU times of all threads and processes together. */
struct estimate compare_seconds(const struct compare *compare, size_t row);
struct estimate compare_cpu_seconds(const struct compare *compare, size_t row);
double compare_least(const struct compare *compare, size_t row);

/* Bytes a second of a read limit, in the median. */
double compare_limit_rate(const struct compare *compare, size_t limit);

/* How many times as fast row a is as row b. */
struct estimate compare_speedup(const struct compare *compare, size_t a, size_t b);

/* A row's speed as a share of the read limit of its number of workers. */
struct estimate compare_limit_share(const struct compare *compare, size_t row);

/* Prints the table and what it says. Returns FAILED if bits differ that must not. */
int compare_print(const struct compare *compare);

/* All that was measured; NULL: no memory. */
json_t *compare_json(const struct compare *compare);

/* Draws the rows' medians and intervals with gnuplot, to an .svg or .png file. Returns an exit status. */
int compare_plot_check(const char *path);
int compare_plot(const struct compare *compare, const char *path);

#endif
