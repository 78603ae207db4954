/* compare_svd.c -- the rows of `compare svd`: singular values by a loop over LAPACK, by each instruction set on one
 * core, and by all workers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/compare.h"
#include "cli/lapack_loop.h"
#include "cli/options.h"
#include "cli/team.h"

static size_t shorter_side(const struct compare *compare)
{
    size_t m = compare->shape[compare->ndim - 2];
    size_t n = compare->shape[compare->ndim - 1];
    return m < n ? m : n;
}

static sheaf_status hash_values(struct compare_outcome *out, const struct compare *compare)
{
    const sheaf_hash_options alone = {.executor = compare->sequential};
    return sheaf_hash(out->result, compare->values, &alone);
}

/* The result is all values: their hash stands for them. */
static int run_on(struct compare_outcome *out, struct compare *compare,
                  const struct compare_row *row, sheaf_executor *executor)
{
    const sheaf_svd_options options = {.executor = executor, .isa = row->isa};
    sheaf_svd_report report = {0};
    sheaf_status status = SHEAF_OK;
    memset(sheaf_array_data(compare->values), 0xff, sheaf_array_bytes(compare->values));
    double start = now_seconds();
    for (size_t i = 0; i < row->batch && status == SHEAF_OK; i++)
        status = sheaf_svd_values(compare->values, &report, compare->data, &options);
    out->seconds = (now_seconds() - start) / (double)row->batch;
    if (status != SHEAF_OK || hash_values(out, compare) != SHEAF_OK)
        return library_failure("compare");
    compare->rows[row - compare->rows].may_differ = !report.reproducible;
    return DONE;
}

static int run_svd(struct compare_outcome *out, struct compare *compare,
                   const struct compare_row *row)
{
    return run_on(out, compare, row, row->on);
}

/* Opening a pool, its first use, and closing it: what a script pays that does nothing else. */
static int run_cold(struct compare_outcome *out, struct compare *compare,
                    const struct compare_row *row)
{
    const sheaf_executor_options options = {.workers = compare->workers};
    sheaf_executor *pool;
    double start = now_seconds();
    if (sheaf_executor_open(&pool, SHEAF_PROCESSES, &options) != SHEAF_OK)
        return library_failure("compare");
    int status = run_on(out, compare, row, pool);
    sheaf_executor_close(pool);
    out->seconds = now_seconds() - start;
    return status;
}

static int run_lapack(struct compare_outcome *out, struct compare *compare,
                      const struct compare_row *row)
{
    size_t each = compare->shape[compare->ndim - 2] * compare->shape[compare->ndim - 1];
    bool is_done = true;
    double start = now_seconds();
    for (size_t i = 0; i < row->batch && is_done; i++)
        is_done = lapack_loop_run(compare->lapack, sheaf_array_data(compare->values),
                                  sheaf_array_data(compare->data), compare->elements / each,
                                  row->workers);
    out->seconds = (now_seconds() - start) / (double)row->batch;
    if (!is_done)
        return failure("compare", "dgesdd failed");
    return hash_values(out, compare) == SHEAF_OK ? DONE : library_failure("compare");
}

static size_t add(struct compare *compare, compare_run *run, const char *executor, const char *isa,
                  const char *note)
{
    struct compare_row *row = compare_add_row(compare, run, executor, isa, note);
    row->is_batched = run != run_cold;
    if (isa == NULL && note == NULL)
        row->variant[strcspn(row->variant, ",")] = '\0';
    return compare->row_count - 1;
}

static void add_lapack_rows(struct compare *compare)
{
    struct compare_places *places = &compare->places;
    size_t m = compare->shape[compare->ndim - 2];
    size_t n = compare->shape[compare->ndim - 1];
    compare->lapack = lapack_loop_open(&compare->no_lapack, m, n, compare->workers);
    if (compare->lapack == NULL)
        return;
    places->lapack = add(compare, run_lapack, "sequential", NULL, "LAPACK loop");
    places->lapack_threads = add(compare, run_lapack, "threads", NULL, "LAPACK loop");
    for (size_t i = places->lapack; i <= places->lapack_threads; i++) {
        compare->rows[i].may_differ = true;
        snprintf(compare->rows[i].variant, sizeof compare->rows[i].variant, "LAPACK loop, %s",
                 compare->rows[i].executor);
    }
}

void compare_add_svd_rows(struct compare *compare)
{
    struct compare_places *places = &compare->places;
    bool is_ours = shorter_side(compare) <= COMPARE_OWN_KERNELS_MAX;
    const char *isa = is_ours ? compare->fastest_isa : NULL;
    add_lapack_rows(compare);
    for (size_t i = 0; is_ours && sheaf_isa_name(i + 1) != NULL; i++)
        (void)add(compare, run_svd, "sequential", sheaf_isa_name(i), NULL);
    if (is_ours && sheaf_isa_name(1) != NULL)
        places->scalar = places->lapack == SIZE_MAX ? 0 : 2;
    places->one = add(compare, run_svd, "sequential", isa, NULL);
    compare->rows[places->scalar != SIZE_MAX ? places->scalar : places->one].is_reference = true;
    places->threads = add(compare, run_svd, "threads", isa, NULL);
    places->cold = add(compare, run_cold, "processes", isa, "cold pool");
    places->warm = add(compare, run_svd, "processes", isa, "warm pool");
    compare->rows[places->threads].decides = true;
    compare->rows[places->warm].decides = true;
}

void compare_close_svd(struct compare *compare)
{
    lapack_loop_close(compare->lapack);
    compare->lapack = NULL;
}

/* "X.XX times as fast as", of two rows. */
static double gain(const struct compare *compare, size_t a, size_t b)
{
    return compare_speedup(compare, a, b).median;
}

void compare_say_svd(char *text, size_t bytes, const struct compare *compare)
{
    const struct compare_places *places = &compare->places;
    int at = 0;
    if (places->lapack != SIZE_MAX)
        at += snprintf(text, bytes,
                       "One core is %.2f times as fast as the loop over LAPACK, which %zu threads "
                       "make %.2f times as fast. ",
                       gain(compare, places->one, places->lapack), compare->workers,
                       gain(compare, places->lapack_threads, places->lapack));
    if (places->scalar != SIZE_MAX)
        at += snprintf(text + at, bytes - (size_t)at, "SIMD makes one core %.2f times as fast. ",
                       gain(compare, places->one, places->scalar));
    at += snprintf(text + at, bytes - (size_t)at,
                   "Against one core, %zu workers are %.2f times as fast as threads, %.2f times as "
                   "running processes, and %.2f times as processes started for one call.",
                   compare->workers, gain(compare, places->threads, places->one),
                   gain(compare, places->warm, places->one),
                   gain(compare, places->cold, places->one));
    if (compare->no_lapack != NULL)
        (void)snprintf(text + at, bytes - (size_t)at, " LAPACK loop: %s.", compare->no_lapack);
}
