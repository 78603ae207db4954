/* compare_rows.c -- the ways to do the work. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/compare.h"
#include "cli/options.h"
#include "cli/plain.h"
#include "cli/team.h"

static void set_result(struct compare_outcome *out, const void *bytes, size_t count)
{
    memset(out->result, 0, sizeof out->result);
    memcpy(out->result, bytes, count);
}

/* The reduction by one loop of C. */
static int run_plain(struct compare_outcome *out, struct compare *compare,
                     const struct compare_row *row)
{
    const double *x = sheaf_array_data(compare->data);
    size_t n = compare->elements;
    double value = 0;
    double start = now_seconds();
    for (size_t i = 0; i < row->batch; i++)
        value = compare->op == SHEAF_MAX   ? plain_max(x, n)
                : compare->op == SHEAF_MIN ? plain_min(x, n)
                                           : plain_sum(x, n);
    out->seconds = (now_seconds() - start) / (double)row->batch;
    set_result(out, &value, sizeof value);
    return DONE;
}

static int reduce_on(struct compare_outcome *out, const struct compare *compare,
                     sheaf_executor *executor, const char *isa)
{
    const sheaf_reduce_options options = {.executor = executor, .isa = isa};
    sheaf_scalar value;
    if (sheaf_reduce(&value, compare->data, compare->op, &options) != SHEAF_OK)
        return library_failure("compare");
    set_result(out, value.value.bytes, sizeof value.value.f64);
    return DONE;
}

static int run_reduce(struct compare_outcome *out, struct compare *compare,
                      const struct compare_row *row)
{
    int status = DONE;
    double start = now_seconds();
    for (size_t i = 0; i < row->batch && status == DONE; i++)
        status = reduce_on(out, compare, row->on, row->isa);
    out->seconds = (now_seconds() - start) / (double)row->batch;
    return status;
}

static int run_copied(struct compare_outcome *out, struct compare *compare,
                      const struct compare_row *row)
{
    double value = 0;
    (void)row;
    double start = now_seconds();
    int status =
        copies_reduce(&value, compare->copies, sheaf_array_data(compare->data), compare->elements);
    out->seconds = now_seconds() - start;
    set_result(out, &value, sizeof value);
    return status;
}

static int open_pool(sheaf_executor **out, const struct compare *compare)
{
    const sheaf_executor_options options = {.workers = compare->workers};
    if (sheaf_executor_open(out, SHEAF_PROCESSES, &options) != SHEAF_OK)
        return library_failure("compare");
    return DONE;
}

/* Opening a pool, its first reduction, and closing it. */
static int run_cold(struct compare_outcome *out, struct compare *compare,
                    const struct compare_row *row)
{
    sheaf_executor *pool;
    double start = now_seconds();
    int status = open_pool(&pool, compare);
    if (status != DONE)
        return status;
    status = reduce_on(out, compare, pool, row->isa);
    sheaf_executor_close(pool);
    out->seconds = now_seconds() - start;
    return status;
}

/* A pool that has worked before, but not on this array: it has yet to map it. */
static int run_first_use(struct compare_outcome *out, struct compare *compare,
                         const struct compare_row *row)
{
    sheaf_executor *pool;
    sheaf_scalar ignored;
    int status = open_pool(&pool, compare);
    if (status != DONE)
        return status;
    const sheaf_reduce_options options = {.executor = pool, .isa = row->isa};
    if (sheaf_reduce(&ignored, compare->other, compare->op, &options) != SHEAF_OK) {
        status = library_failure("compare");
    } else {
        double start = now_seconds();
        status = reduce_on(out, compare, pool, row->isa);
        out->seconds = now_seconds() - start;
    }
    sheaf_executor_close(pool);
    return status;
}

static int run_hash(struct compare_outcome *out, struct compare *compare,
                    const struct compare_row *row)
{
    const sheaf_hash_options options = {.executor = row->on, .isa = row->isa};
    unsigned char hash[SHEAF_HASH_BYTES];
    sheaf_status status = SHEAF_OK;
    double start = now_seconds();
    for (size_t i = 0; i < row->batch && status == SHEAF_OK; i++)
        status = sheaf_hash(hash, compare->data, &options);
    out->seconds = (now_seconds() - start) / (double)row->batch;
    if (status != SHEAF_OK)
        return library_failure("compare");
    set_result(out, hash, sizeof hash);
    return DONE;
}

/* A job with nothing to do: the sum of one number. All that it costs is being handed over and back. */
enum { EMPTY_JOBS = 100 };

static int run_empty(struct compare_outcome *out, struct compare *compare,
                     const struct compare_row *row)
{
    const sheaf_reduce_options options = {.executor = row->on};
    sheaf_scalar value = {0};
    sheaf_status status = SHEAF_OK;
    out->seconds = 0;
    for (int i = 0; i < EMPTY_JOBS && status == SHEAF_OK; i++) {
        sheaf_future *future = NULL;
        double start = now_seconds();
        status = sheaf_reduce_submit(&future, compare->data, SHEAF_SUM, &options);
        if (status == SHEAF_OK)
            status = sheaf_future_result(&value, sizeof value, future, SHEAF_FOREVER);
        out->seconds += (now_seconds() - start) / EMPTY_JOBS;
        sheaf_future_release(future);
        if (row->is_asleep)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    set_result(out, value.value.bytes, sizeof value.value.f64);
    return status == SHEAF_OK ? DONE : library_failure("compare");
}

static int run_peer(struct compare_outcome *out, struct compare *compare,
                    const struct compare_row *row)
{
    const char *why;
    struct peer_time time = {0};
    bool is_done = peers_run(&time, &why, compare->peers, row->peer);
    out->seconds = time.seconds;
    out->cpu_seconds = time.cpu_seconds;
    if (!is_done)
        snprintf(compare->rows[row - compare->rows].missing, sizeof row->missing, "%s", why);
    return DONE;
}

struct compare_row *compare_add_row(struct compare *compare, compare_run *run, const char *executor,
                                    const char *isa, const char *note)
{
    struct compare_row *row = &compare->rows[compare->row_count++];
    const char *comma = isa != NULL && note != NULL ? ", " : "";
    bool is_one = strcmp(executor, "sequential") == 0;
    row->run = run;
    row->batch = 1;
    row->is_batched = run == run_plain || run == run_reduce || run == run_hash;
    row->executor = executor;
    row->isa = isa;
    row->workers = is_one ? 1 : compare->workers;
    row->on = is_one                             ? compare->sequential
              : strcmp(executor, "threads") == 0 ? compare->threads
                                                 : compare->processes;
    row->is_same = true;
    snprintf(row->variant, sizeof row->variant, "%s, %s%s%s", executor, isa != NULL ? isa : "",
             comma, note != NULL ? note : "");
    return row;
}

bool compare_has_plain(const struct compare *compare)
{
    return compare->dtype == SHEAF_F64 &&
           (compare->op == SHEAF_MAX || compare->op == SHEAF_MIN || compare->op == SHEAF_SUM);
}

static void add_reduction_rows(struct compare *compare)
{
    const char *fastest = compare->fastest_isa;
    struct compare_row *row;
    if (compare_has_plain(compare)) {
        row = compare_add_row(compare, run_plain, "sequential", NULL, "plain loop");
        row->may_differ = compare->op == SHEAF_SUM; /* it adds from left to right */
    }
    compare_add_row(compare, run_reduce, "sequential", "scalar", NULL)->is_reference = true;
    for (size_t i = 1; sheaf_isa_name(i) != NULL; i++)
        compare_add_row(compare, run_reduce, "sequential", sheaf_isa_name(i), NULL);
    compare_add_row(compare, run_reduce, "threads", "scalar", NULL);
    if (strcmp(fastest, "scalar") != 0)
        compare_add_row(compare, run_reduce, "threads", fastest, NULL);
    compare->places.threads = compare->row_count - 1;
    compare->rows[compare->places.threads].decides = true;
    if (compare_has_plain(compare)) {
        compare->places.copied = compare->row_count;
        row = compare_add_row(compare, run_copied, "processes", NULL, "data copied");
        row->isa = fastest;
    }
    compare_add_row(compare, run_reduce, "processes", "scalar", NULL);
    compare->places.cold = compare->row_count;
    compare_add_row(compare, run_cold, "processes", fastest, "cold pool");
    compare_add_row(compare, run_first_use, "processes", fastest, "first use");
    compare->places.warm = compare->row_count;
    compare_add_row(compare, run_reduce, "processes", fastest, "warm pool")->decides = true;
}

static void add_other_rows(struct compare *compare, compare_run *run)
{
    static const char *const executors[] = {"sequential", "threads", "processes"};
    for (size_t i = 0; i < 3; i++) {
        struct compare_row *row = compare_add_row(compare, run, executors[i], NULL, NULL);
        row->variant[strcspn(row->variant, ",")] = '\0';
        row->is_reference = i == 0;
        row->decides = i > 0;
    }
    compare->places.threads = 1;
    compare->places.warm = 2;
}

/* Each instruction set on one core, the fastest on all. */
static void add_isa_rows(struct compare *compare, compare_run *run)
{
    for (size_t i = 0; sheaf_isa_name(i) != NULL; i++)
        compare_add_row(compare, run, "sequential", sheaf_isa_name(i), NULL)->is_reference = i == 0;
    compare_add_row(compare, run, "threads", compare->fastest_isa, NULL)->decides = true;
    compare_add_row(compare, run, "processes", compare->fastest_isa, NULL)->decides = true;
    compare->places.threads = compare->row_count - 2;
    compare->places.warm = compare->row_count - 1;
}

static void add_executor_rows(struct compare *compare)
{
    static const char *const executors[] = {"threads", "processes"};
    add_other_rows(compare, run_empty);
    for (size_t i = 0; i < 2; i++)
        compare_add_row(compare, run_empty, executors[i], NULL, "asleep")->is_asleep = true;
}

static void add_peer_rows(struct compare *compare)
{
    for (size_t i = 0; i < peers_count(compare->peers); i++) {
        if (compare->row_count == COMPARE_ROWS_MAX)
            return;
        struct peer_row peer = peers_row(compare->peers, i);
        struct compare_row *row = &compare->rows[compare->row_count++];
        row->run = run_peer;
        row->executor = "peer";
        row->workers = peer.workers;
        row->peer = i;
        row->is_peer = true;
        snprintf(row->variant, sizeof row->variant, "%s", peer.name);
    }
}

void compare_add_rows(struct compare *compare)
{
    compare->places = (struct compare_places){.threads = SIZE_MAX,
                                              .copied = SIZE_MAX,
                                              .warm = SIZE_MAX,
                                              .cold = SIZE_MAX,
                                              .lapack = SIZE_MAX,
                                              .lapack_threads = SIZE_MAX,
                                              .scalar = SIZE_MAX,
                                              .one = SIZE_MAX};
    switch (compare->kernel->kind) {
    case COMPARE_REDUCE:
        add_reduction_rows(compare);
        break;
    case COMPARE_HASH:
        add_isa_rows(compare, run_hash);
        break;
    case COMPARE_SVD:
        compare_add_svd_rows(compare);
        break;
    case COMPARE_SCRYPT:
        add_isa_rows(compare, compare_run_scrypt);
        break;
    case COMPARE_EXECUTORS:
        add_executor_rows(compare);
        break;
    }
    add_peer_rows(compare);
}
