/* compare_rounds.c -- rounds in rotating order, until the answer is known well enough. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/child.h"
#include "cli/compare.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/team.h"

/* Without --repeat. */
enum {
    ROUNDS_LEAST = 6, /* fewer cannot give a 95 % interval of a median */
    ROUNDS_MOST = 15,
    SECONDS_MOST = 60,
};

static const double ENOUGH = 0.02; /* the interval's ends, from the median */

/* Time for the threads of the last row to stop spinning, so that each row starts alike. Ours spin for 50 us,
 * those of peers and of the loop over LAPACK (libgomp's) for milliseconds. */
static void pause_between(const struct compare *compare)
{
    bool is_long = compare->peers != NULL || compare->lapack != NULL;
    const struct timespec time = {.tv_nsec = is_long ? 5000000 : 200000};
    nanosleep(&time, NULL);
}

static size_t limit_count(const struct compare *compare)
{
    if (!compare->kernel->has_limit)
        return 0;
    return compare->workers > 1 ? 2 : 1;
}

static size_t limit_workers(const struct compare *compare, size_t limit)
{
    return limit == 0 ? 1 : compare->workers;
}

static int run_row(struct compare *compare, struct compare_row *row, size_t round)
{
    struct compare_outcome outcome = {0};
    struct counters counted = counters_read();
    double cpu = cpu_seconds();
    int status = row->run(&outcome, compare, row);
    if (status != DONE)
        return status;
    row->seconds[round] = outcome.seconds;
    cpu = outcome.cpu_seconds > 0 ? outcome.cpu_seconds : cpu_seconds() - cpu;
    row->cpu_seconds[round] = cpu / (double)(row->batch > 0 ? row->batch : 1);
    row->counted[round].cycles = counters_read().cycles - counted.cycles;
    row->counted[round].instructions = counters_read().instructions - counted.instructions;
    if (round == 0)
        memcpy(row->result, outcome.result, sizeof row->result);
    else if (memcmp(row->result, outcome.result, sizeof row->result) != 0)
        row->is_same = false;
    return DONE;
}

/* So many runs of a round that they can be timed. */
static size_t batch_for(double seconds)
{
    const double least = 0.001;
    const double enough = 0.003;
    return seconds < least && seconds > 0 ? (size_t)(enough / seconds) + 1 : 1;
}

static void run_limit(struct compare *compare, size_t limit, size_t round)
{
    double *seconds = &compare->limit_seconds[limit][round];
    size_t batch = compare->limit_batch[limit];
    *seconds = 0;
    for (size_t i = 0; i < batch; i++)
        *seconds +=
            read_limit_seconds(&compare->limits[limit], sheaf_array_data(compare->data),
                               sheaf_array_bytes(compare->data), limit_workers(compare, limit)) /
            (double)batch;
}

/* Everything once, starting from another item in each round. */
static int run_round(struct compare *compare, size_t round)
{
    size_t limits = limit_count(compare);
    size_t items = compare->row_count + limits;
    for (size_t i = 0; i < items; i++) {
        size_t item = (i + round) % items;
        pause_between(compare);
        if (item >= compare->row_count) {
            run_limit(compare, item - compare->row_count, round);
            continue;
        }
        if (compare->rows[item].missing[0] != '\0')
            continue;
        progress_show("compare %s: round %zu, %s", compare->name, round + 1,
                      compare->rows[item].variant);
        int status = run_row(compare, &compare->rows[item], round);
        if (status != DONE)
            return status;
    }
    return DONE;
}

/* All that runs in every round has run once: pages are mapped, pools are awake, kernels are chosen. */
static int warm_up(struct compare *compare)
{
    for (size_t i = 0; i < limit_count(compare); i++) {
        progress_show("compare %s: finding the read limit", compare->name);
        compare->limits[i] =
            read_limit_choose(sheaf_array_data(compare->data), sheaf_array_bytes(compare->data),
                              limit_workers(compare, i));
        compare->limit_batch[i] = 1;
    }
    int status = run_round(compare, 0);
    for (size_t i = 0; i < compare->row_count; i++) {
        struct compare_row *row = &compare->rows[i];
        row->is_same = true;
        if (row->is_batched)
            row->batch = batch_for(row->seconds[0]);
    }
    for (size_t i = 0; i < limit_count(compare); i++) /* each starts its threads anew */
        compare->limit_batch[i] = batch_for(compare->limit_seconds[i][0]) < 20
                                      ? batch_for(compare->limit_seconds[i][0])
                                      : 20;
    return status;
}

static struct estimate ratios(const double *over, const double *under, size_t rounds)
{
    double values[COMPARE_ROUNDS_MAX];
    for (size_t i = 0; i < rounds; i++)
        values[i] = over[i] / under[i];
    return estimate_median(values, rounds);
}

struct estimate compare_speedup(const struct compare *compare, size_t a, size_t b)
{
    return ratios(compare->rows[b].seconds, compare->rows[a].seconds, compare->rounds);
}

struct estimate compare_limit_share(const struct compare *compare, size_t row)
{
    size_t limit = compare->rows[row].workers > 1 ? 1 : 0;
    return ratios(compare->limit_seconds[limit], compare->rows[row].seconds, compare->rounds);
}

static struct estimate median_of(const double *seconds, size_t rounds)
{
    double values[COMPARE_ROUNDS_MAX];
    memcpy(values, seconds, rounds * sizeof values[0]);
    return estimate_median(values, rounds);
}

struct estimate compare_seconds(const struct compare *compare, size_t row)
{
    return median_of(compare->rows[row].seconds, compare->rounds);
}

struct estimate compare_cpu_seconds(const struct compare *compare, size_t row)
{
    return median_of(compare->rows[row].cpu_seconds, compare->rounds);
}

double compare_least(const struct compare *compare, size_t row)
{
    const double *seconds = compare->rows[row].seconds;
    double min = seconds[0];
    for (size_t i = 1; i < compare->rounds; i++)
        min = seconds[i] < min ? seconds[i] : min;
    return min;
}

double compare_limit_rate(const struct compare *compare, size_t limit)
{
    return compare_bytes(compare) /
           median_of(compare->limit_seconds[limit], compare->rounds).median;
}

static bool is_known(const struct compare *compare)
{
    for (size_t i = 0; i < compare->row_count; i++) {
        if (!compare->rows[i].decides)
            continue;
        struct estimate ratio = compare->kernel->has_limit ? compare_limit_share(compare, i)
                                                           : compare_speedup(compare, i, 0);
        if (ratio.high > ratio.median * (1 + ENOUGH) || ratio.low < ratio.median * (1 - ENOUGH))
            return false;
    }
    return true;
}

static bool is_enough(const struct compare *compare, double seconds)
{
    if (compare->repeat > 0)
        return compare->rounds >= compare->repeat;
    if (compare->rounds < ROUNDS_LEAST)
        return false;
    return compare->rounds >= ROUNDS_MOST || seconds > SECONDS_MOST || is_known(compare);
}

/* Every row's bits against the reference's. */
static void compare_bits(struct compare *compare)
{
    const struct compare_row *reference = &compare->rows[0];
    for (size_t i = 0; i < compare->row_count; i++) {
        if (compare->rows[i].is_reference)
            reference = &compare->rows[i];
    }
    for (size_t i = 0; i < compare->row_count; i++) {
        struct compare_row *row = &compare->rows[i];
        if (!row->is_peer && memcmp(row->result, reference->result, sizeof row->result) != 0)
            row->is_same = false;
    }
}

int compare_run_rounds(struct compare *compare)
{
    int status = warm_up(compare);
    double start = now_seconds();
    while (status == DONE && !is_enough(compare, now_seconds() - start)) {
        status = run_round(compare, compare->rounds);
        compare->rounds++;
    }
    progress_clear();
    if (status == DONE)
        compare_bits(compare);
    return status;
}
