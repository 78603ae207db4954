/* compare_report.c -- what the rounds say: a table and sentences for people, JSON for programs. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/compare.h"
#include "cli/file.h"
#include "cli/machine.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/table.h"

static const struct table_column columns[] = {
    {.above = "", .below = "variant", .is_left = true},
    {.above = "", .below = "W", .label = "W", .unit = ""},
    {.above = "median", .below = "s", .label = "median", .unit = " s"},
    {.above = "min", .below = "s", .label = "min", .unit = " s"},
    {.above = "speed-", .below = "up", .label = "speed-up", .unit = " x"},
    {.above = "95 %", .below = "interval", .label = "", .unit = "", .is_spare = true},
    {.above = "", .below = "GB/s", .label = "", .unit = " GB/s"},
    {.above = "% of", .below = "limit", .label = "limit", .unit = " %"},
    {.above = "95 %", .below = "interval", .label = "", .unit = "", .is_spare = true},
    {.above = "same", .below = "bits", .label = "bits", .unit = ""},
};

enum {
    COLUMN_VARIANT,
    COLUMN_WORKERS,
    COLUMN_MEDIAN,
    COLUMN_MIN,
    COLUMN_SPEEDUP,
    COLUMN_SPEEDUP_RANGE,
    COLUMN_RATE,
    COLUMN_LIMIT,
    COLUMN_LIMIT_RANGE,
    COLUMN_BITS,
    COLUMNS,
};

static struct estimate row_seconds(const struct compare *compare, const double *seconds)
{
    double values[COMPARE_ROUNDS_MAX];
    memcpy(values, seconds, compare->rounds * sizeof values[0]);
    return estimate_median(values, compare->rounds);
}

static double least(const struct compare *compare, const double *seconds)
{
    double min = seconds[0];
    for (size_t i = 1; i < compare->rounds; i++)
        min = seconds[i] < min ? seconds[i] : min;
    return min;
}

/* Such that the shortest time has three or four digits that matter. */
static int seconds_decimals(const struct compare *compare)
{
    double shortest = row_seconds(compare, compare->rows[0].seconds).median;
    int decimals = 2;
    for (size_t i = 1; i < compare->row_count; i++) {
        double median = row_seconds(compare, compare->rows[i].seconds).median;
        shortest = median < shortest ? median : shortest;
    }
    for (; shortest < 10 && decimals < 7; decimals++)
        shortest *= 10;
    return decimals;
}

static int ratio_decimals(double value)
{
    return value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
}

static const char *bits_word(const struct compare_row *row)
{
    if (row->is_reference && row->is_same)
        return "ref";
    if (row->is_same)
        return "yes";
    return row->may_differ ? "no*" : "NO";
}

/* Whether there are rounds enough for intervals of 95 %: six. */
static bool has_intervals(const struct compare *compare)
{
    return estimate_coverage(compare->rounds) >= 0.95;
}

static void fill_row(struct table_row *out, const struct compare *compare, size_t index)
{
    const struct compare_row *row = &compare->rows[index];
    struct estimate seconds = row_seconds(compare, row->seconds);
    struct estimate speedup = compare_speedup(compare, index, 0);
    double min = least(compare, row->seconds);
    double rate = (double)sheaf_dtype_size(SHEAF_F64) * (double)compare->elements / seconds.median;
    char(*cells)[TABLE_CELL_BYTES] = out->cells;
    const size_t bytes = TABLE_CELL_BYTES;
    int decimals = seconds_decimals(compare);
    int digits = ratio_decimals(speedup.median);
    memset(out, 0, sizeof *out);
    snprintf(cells[COLUMN_VARIANT], bytes, "%s", row->variant);
    snprintf(cells[COLUMN_WORKERS], bytes, "%zu", row->workers);
    snprintf(cells[COLUMN_MEDIAN], bytes, "%.*f", decimals, seconds.median);
    snprintf(cells[COLUMN_MIN], bytes, "%.*f", decimals, min);
    snprintf(cells[COLUMN_SPEEDUP], bytes, "%.*f", digits, speedup.median);
    if (index > 0 && has_intervals(compare))
        snprintf(cells[COLUMN_SPEEDUP_RANGE], bytes, "%.*f..%.*f", digits, speedup.low, digits,
                 speedup.high);
    snprintf(cells[COLUMN_RATE], bytes, "%.2f", rate * 1e-9);
    snprintf(cells[COLUMN_BITS], bytes, "%s", bits_word(row));
    if (!compare->has_limit)
        return;
    struct estimate share = compare_limit_share(compare, index);
    snprintf(cells[COLUMN_LIMIT], bytes, "%.1f", 100 * share.median);
    if (has_intervals(compare))
        snprintf(cells[COLUMN_LIMIT_RANGE], bytes, "%.1f..%.1f", 100 * share.low, 100 * share.high);
}

static double limit_rate(const struct compare *compare, size_t limit)
{
    return (double)compare->elements * sizeof(double) /
           row_seconds(compare, compare->limit_seconds[limit]).median;
}

static void print_heading(const struct compare *compare, size_t width)
{
    char cpu[MACHINE_TEXT_BYTES];
    char shape[SHAPE_TEXT_BYTES];
    char size[24];
    char text[1200];
    machine_cpu(cpu);
    shape_text(shape, compare->ndim, compare->shape);
    bytes_text(size, (double)compare->elements * sizeof(double));
    snprintf(text, sizeof text, "%s of %s f64, %s; %zu worker%s, %zu round%s; %s", compare->name,
             shape, size, compare->workers, compare->workers > 1 ? "s" : "", compare->rounds,
             compare->rounds > 1 ? "s" : "", cpu);
    paragraph_print(stdout, width, 0, text);
    if (!compare->has_limit)
        return;
    int at = snprintf(text, sizeof text, "read limit: %.1f GB/s with 1 worker (%s)",
                      limit_rate(compare, 0) * 1e-9, compare->limits[0].name);
    if (compare->workers > 1)
        snprintf(text + at, sizeof text - (size_t)at, ", %.1f GB/s with %zu (%s)",
                 limit_rate(compare, 1) * 1e-9, compare->workers, compare->limits[1].name);
    paragraph_print(stdout, width, 0, text);
}

static void say(size_t width, const struct compare *compare)
{
    char text[600];
    const struct compare_places *places = &compare->places;
    char interval[80] = "";
    struct estimate pace = compare_speedup(compare, places->threads, places->warm);
    int at = 0;
    if (has_intervals(compare))
        snprintf(interval, sizeof interval, " (95 %% interval %.3f to %.3f)", pace.low, pace.high);
    if (compare->has_limit)
        at = snprintf(text, sizeof text,
                      "Threads reach %.1f %% of the read limit and warm processes over shared "
                      "memory %.1f %%: the processes take %.3f times as long%s.",
                      100 * compare_limit_share(compare, places->threads).median,
                      100 * compare_limit_share(compare, places->warm).median, pace.median,
                      interval);
    else
        at = snprintf(text, sizeof text,
                      "Processes over shared memory take %.3f times as long as threads%s.",
                      pace.median, interval);
    if (places->copied != SIZE_MAX) {
        double copied = compare_speedup(compare, places->warm, places->copied).median;
        double cold = compare_speedup(compare, places->warm, places->cold).median;
        snprintf(text + at, sizeof text - (size_t)at,
                 " Sending the data to processes takes %.1f times as long as sharing it, and "
                 "starting the pool for one use %.2f times.",
                 copied, cold);
    }
    paragraph_print(stdout, width, 0, text);
}

static void print_notes(const struct compare *compare, size_t width)
{
    bool has_star = false;
    for (size_t i = 0; i < compare->row_count; i++)
        has_star = has_star || (!compare->rows[i].is_same && compare->rows[i].may_differ);
    if (has_star && compare->op == SHEAF_SUM)
        paragraph_print(stdout, width, 0,
                        "* may differ: the plain loop adds from left to right, all others in one "
                        "fixed order.");
    else if (has_star)
        paragraph_print(stdout, width, 0, "* may differ: LAPACK promises no bits.");
    if (!has_intervals(compare))
        paragraph_print(stdout, width, 0, "Too few rounds for 95 % intervals: they take six.");
}

int compare_print(const struct compare *compare)
{
    struct table_row rows[COMPARE_ROWS_MAX];
    const struct table table = {columns, COLUMNS, rows, compare->row_count};
    size_t width = terminal_width(1);
    size_t differing = SIZE_MAX;
    for (size_t i = 0; i < compare->row_count; i++) {
        fill_row(&rows[i], compare, i);
        if (!compare->rows[i].is_same && !compare->rows[i].may_differ)
            differing = i;
    }
    print_heading(compare, width);
    putchar('\n');
    table_print(stdout, width, &table);
    putchar('\n');
    say(width, compare);
    print_notes(compare, width);
    if (differing != SIZE_MAX)
        return failure("compare", "\"%s\" has other bits than the reference: this is a defect",
                       compare->rows[differing].variant);
    return DONE;
}

static json_t *json_of_seconds(const struct compare *compare, const double *seconds)
{
    json_t *list = json_array();
    for (size_t i = 0; i < compare->rounds; i++)
        json_array_append_new(list, json_real(seconds[i]));
    return list;
}

static json_t *json_of_range(struct estimate estimate)
{
    return json_pack("[f, f]", estimate.low, estimate.high);
}

static json_t *json_of_row(const struct compare *compare, size_t index)
{
    const struct compare_row *row = &compare->rows[index];
    struct estimate seconds = row_seconds(compare, row->seconds);
    struct estimate speedup = compare_speedup(compare, index, 0);
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s?, s:I, s:o, s:f, s:f, s:f, s:o, s:f, s:b, s:b, s:b}", "kernel",
        compare->name, "variant", row->variant, "executor", row->executor, "isa", row->isa,
        "workers", (json_int_t)row->workers, "seconds", json_of_seconds(compare, row->seconds),
        "seconds_median", seconds.median, "seconds_min", least(compare, row->seconds), "speedup",
        speedup.median, "speedup_interval", json_of_range(speedup), "bytes_per_second",
        (double)compare->elements * sizeof(double) / seconds.median, "same_bits", row->is_same,
        "reference", row->is_reference, "may_differ", row->may_differ);
    if (!compare->has_limit) {
        json_object_set_new(json, "limit_fraction", json_null());
        return json;
    }
    struct estimate share = compare_limit_share(compare, index);
    json_object_set_new(json, "limit_fraction", json_real(share.median));
    json_object_set_new(json, "limit_fraction_interval", json_of_range(share));
    return json;
}

/* {"1": B/s, "2": B/s}, and the same for the times and the names of the loops. */
static void set_limits(json_t *json, const struct compare *compare)
{
    json_t *rates = json_object();
    json_t *times = json_object();
    json_t *names = json_object();
    size_t count = !compare->has_limit ? 0 : compare->workers > 1 ? 2 : 1;
    for (size_t i = 0; i < count; i++) {
        char workers[24];
        snprintf(workers, sizeof workers, "%zu", i == 0 ? (size_t)1 : compare->workers);
        json_object_set_new(rates, workers, json_real(limit_rate(compare, i)));
        json_object_set_new(times, workers, json_of_seconds(compare, compare->limit_seconds[i]));
        json_object_set_new(names, workers, json_string(compare->limits[i].name));
    }
    json_object_set_new(json, "read_limit", rates);
    json_object_set_new(json, "read_limit_seconds", times);
    json_object_set_new(json, "read_limit_loop", names);
}

int compare_write_json(const struct compare *compare)
{
    struct estimate pace = compare_speedup(compare, compare->places.threads, compare->places.warm);
    const uint64_t bytes = compare->elements * sizeof(double);
    json_t *rows = json_array();
    for (size_t i = 0; i < compare->row_count; i++)
        json_array_append_new(rows, json_of_row(compare, i));
    json_t *json = json_pack(
        "{s:o, s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:f, s:{s:f, s:o}, s:o}", "machine",
        machine_json(), "kernel", compare->name, "dtype", "f64", "shape",
        json_of_shape(compare->ndim, compare->shape), "elements", (json_int_t)compare->elements,
        "bytes", (json_int_t)bytes, "seed", (json_int_t)compare->seed, "workers",
        (json_int_t)compare->workers, "rounds", (json_int_t)compare->rounds, "interval_coverage",
        estimate_coverage(compare->rounds), "processes_over_threads", "median", pace.median,
        "interval", json_of_range(pace), "rows", rows);
    if (json == NULL)
        return failure("compare", "no memory for the JSON text");
    set_limits(json, compare);
    char *text = json_dumps(json, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    json_decref(json);
    if (text == NULL)
        return failure("compare", "no memory for the JSON text");
    int status = file_write("compare", compare->json_path, text);
    free(text);
    return status;
}
