/* compare.h -- the same work done in every way, round after round.
 *
 *     compare.c         the command: options, the array, setting up and taking down
 *     compare_rows.c    the ways: one function each, and which of them a kernel has
 *     compare_rounds.c  who is timed when, and when it is enough
 *     compare_report.c  the table, the sentences, the JSON file
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

#include "cli/copies.h"
#include "cli/read_limit.h"
#include "cli/stats.h"

enum {
    COMPARE_ROWS_MAX = 24,
    COMPARE_ROUNDS_MAX = 1000,
    COMPARE_RESULT_BYTES = SHEAF_HASH_BYTES,
    COMPARE_LIMITS = 2, /* for 1 worker, and for all of them */
};

/* A kernel that can be compared. */
enum compare_kernel { COMPARE_MAX, COMPARE_MIN, COMPARE_SUM, COMPARE_HASH, COMPARE_SVD };

struct compare;
struct compare_row;

/* One run: its time, and the bytes of its result (zero past its end). */
struct compare_outcome {
    double seconds;
    unsigned char result[COMPARE_RESULT_BYTES];
};

/* Returns an exit status. */
typedef int compare_run(struct compare_outcome *out, struct compare *compare,
                        const struct compare_row *row);

struct compare_row {
    compare_run *run;
    char variant[40];
    const char *executor; /* for JSON */
    const char *isa;      /* NULL: does not apply */
    size_t workers;
    sheaf_executor *on; /* that run() uses, if it is open all the time */
    bool is_reference;  /* its bits are what the others are compared with */
    bool may_differ;    /* its bits need not be the same */
    bool decides;       /* rounds go on until its ratio to the limit (svd: to row 0) is known */
    bool is_same;       /* its bits were the reference's in every round */
    unsigned char result[COMPARE_RESULT_BYTES]; /* of the first round */
    double seconds[COMPARE_ROUNDS_MAX];
};

/* Where a row is, for the sentences; SIZE_MAX if there is none. */
struct compare_places {
    size_t plain;   /* the speed that all are compared with: row 0 */
    size_t threads; /* the fastest threads */
    size_t copied;
    size_t warm; /* the fastest processes over shared memory */
    size_t cold;
};

struct compare {
    /* asked for */
    enum compare_kernel kernel;
    const char *name; /* "max" */
    size_t ndim;
    size_t shape[SHEAF_MAX_DIMS];
    size_t elements;
    size_t workers;
    size_t repeat; /* 0: until it is enough */
    uint64_t seed;
    const char *json_path;

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
    const char *fastest_isa;
    bool has_limit;

    /* measured */
    size_t row_count;
    size_t rounds;
    struct compare_places places;
    struct read_limit limits[COMPARE_LIMITS];
    double limit_seconds[COMPARE_LIMITS][COMPARE_ROUNDS_MAX];
    struct compare_row rows[COMPARE_ROWS_MAX];
};

/* Adds the rows of the kernel; everything is set up. */
void compare_add_rows(struct compare *compare);

/* Warms up, and runs the rounds. Returns an exit status. */
int compare_run_rounds(struct compare *compare);

/* How many times as fast row a is as row b. */
struct estimate compare_speedup(const struct compare *compare, size_t a, size_t b);

/* A row's speed as a share of the read limit of its number of workers. */
struct estimate compare_limit_share(const struct compare *compare, size_t row);

/* Prints the table and what it says. Returns FAILED if bits differ that must not. */
int compare_print(const struct compare *compare);

/* Writes the JSON file; it appears whole or not at all. Returns an exit status. */
int compare_write_json(const struct compare *compare);

#endif
