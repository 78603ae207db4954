/* compare_report.c -- what the rounds say: a table and sentences for people, JSON for programs. */
#include <stdio.h>
#include <string.h>

#include "cli/compare.h"
#include "cli/machine.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/table.h"

static const struct table_column columns[] = {
    {.above = "", .below = "variant", .is_left = true},
    {.above = "", .below = "W", .label = "W", .unit = ""},
    {.above = "median", .below = "s", .label = "median", .unit = " s"},
    {.above = "min", .below = "s", .label = "min", .unit = " s"},
    {.above = "CPU", .below = "s", .label = "CPU", .unit = " s", .is_spare = true},
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
    COLUMN_CPU,
    COLUMN_SPEEDUP,
    COLUMN_SPEEDUP_RANGE,
    COLUMN_RATE,
    COLUMN_LIMIT,
    COLUMN_LIMIT_RANGE,
    COLUMN_BITS,
    COLUMNS,
};

/* Seconds, or microseconds if any row takes less than a millisecond. */
struct unit {
    double per_second;
    int decimals; /* such that the shortest time has three or four digits that matter */
};

static struct unit unit_for(const struct compare *compare)
{
    double shortest = compare_seconds(compare, 0).median;
    int decimals = 2;
    for (size_t i = 1; i < compare->row_count; i++) {
        if (compare->rows[i].missing[0] != '\0')
            continue;
        double median = compare_seconds(compare, i).median;
        shortest = median < shortest ? median : shortest;
    }
    bool is_short = shortest < 1e-3;
    shortest *= is_short ? 1e6 : 1;
    decimals -= is_short;
    for (; shortest < 10 && decimals < 7; decimals++)
        shortest *= 10;
    return is_short ? (struct unit){1e6, decimals} : (struct unit){1, decimals};
}

static int ratio_decimals(double value)
{
    return value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
}

static const char *bits_word(const struct compare_row *row)
{
    if (row->is_peer)
        return "";
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

static void fill_rate(struct table_row *out, const struct compare *compare, size_t index)
{
    char(*cells)[TABLE_CELL_BYTES] = out->cells;
    const size_t bytes = TABLE_CELL_BYTES;
    double rate = compare_bytes(compare);
    if (!compare->kernel->has_bytes)
        return;
    snprintf(cells[COLUMN_RATE], bytes, "%.2f",
             rate * 1e-9 / compare_seconds(compare, index).median);
    if (!compare->kernel->has_limit)
        return;
    struct estimate share = compare_limit_share(compare, index);
    snprintf(cells[COLUMN_LIMIT], bytes, "%.1f", 100 * share.median);
    if (has_intervals(compare))
        snprintf(cells[COLUMN_LIMIT_RANGE], bytes, "%.1f..%.1f", 100 * share.low, 100 * share.high);
}

static void fill_row(struct table_row *out, const struct compare *compare, size_t index)
{
    const struct compare_row *row = &compare->rows[index];
    char(*cells)[TABLE_CELL_BYTES] = out->cells;
    const size_t bytes = TABLE_CELL_BYTES;
    memset(out, 0, sizeof *out);
    snprintf(cells[COLUMN_VARIANT], bytes, "%s", row->variant);
    snprintf(cells[COLUMN_WORKERS], bytes, "%zu", row->workers);
    if (row->missing[0] != '\0')
        return;
    struct estimate seconds = compare_seconds(compare, index);
    struct estimate speedup = compare_speedup(compare, index, 0);
    struct unit unit = unit_for(compare);
    int digits = ratio_decimals(speedup.median);
    snprintf(cells[COLUMN_MEDIAN], bytes, "%.*f", unit.decimals, seconds.median * unit.per_second);
    snprintf(cells[COLUMN_MIN], bytes, "%.*f", unit.decimals,
             compare_least(compare, index) * unit.per_second);
    if (compare->kernel->kind !=
        COMPARE_EXECUTORS) /* there a run is many jobs, and their CPU time no job's */
        snprintf(cells[COLUMN_CPU], bytes, "%.*f", unit.decimals,
                 compare_cpu_seconds(compare, index).median * unit.per_second);
    snprintf(cells[COLUMN_SPEEDUP], bytes, "%.*f", digits, speedup.median);
    if (index > 0 && has_intervals(compare))
        snprintf(cells[COLUMN_SPEEDUP_RANGE], bytes, "%.*f..%.*f", digits, speedup.low, digits,
                 speedup.high);
    snprintf(cells[COLUMN_BITS], bytes, "%s", bits_word(row));
    fill_rate(out, compare, index);
}

static void print_heading(const struct compare *compare, size_t width)
{
    char cpu[MACHINE_TEXT_BYTES];
    char shape[SHAPE_TEXT_BYTES];
    char size[24];
    char text[1200];
    int at;
    machine_cpu(cpu);
    shape_text(shape, compare->ndim, compare->shape);
    bytes_text(size, compare_bytes(compare));
    if (compare->kernel->kind == COMPARE_EXECUTORS)
        at = snprintf(text, sizeof text, "executors: an empty job");
    else if (compare->kernel->kind == COMPARE_SCRYPT)
        at = snprintf(text, sizeof text, "scrypt of %s (passwords x N x r x p)", shape);
    else
        at = snprintf(text, sizeof text, "%s of %s %s, %s", compare->name, shape,
                      sheaf_dtype_name(compare->dtype), size);
    snprintf(text + at, sizeof text - (size_t)at, "; %zu worker%s, %zu round%s; %s",
             compare->workers, compare->workers > 1 ? "s" : "", compare->rounds,
             compare->rounds > 1 ? "s" : "", cpu);
    paragraph_print(stdout, width, 0, text);
    if (!compare->kernel->has_limit)
        return;
    at = snprintf(text, sizeof text, "read limit: %.1f GB/s with 1 worker (%s)",
                  compare_limit_rate(compare, 0) * 1e-9, compare->limits[0].name);
    if (compare->workers > 1)
        snprintf(text + at, sizeof text - (size_t)at, ", %.1f GB/s with %zu (%s)",
                 compare_limit_rate(compare, 1) * 1e-9, compare->workers, compare->limits[1].name);
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
    if (compare->kernel->kind == COMPARE_SVD) {
        compare_say_svd(text, sizeof text, compare);
        paragraph_print(stdout, width, 0, text);
        return;
    }
    if (compare->kernel->has_limit)
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
    for (size_t i = 0; i < compare->row_count; i++) {
        const struct compare_row *row = &compare->rows[i];
        char text[PEER_NAME_BYTES + sizeof row->missing + 8];
        snprintf(text, sizeof text, "%s: %s.", row->variant, row->missing);
        if (row->missing[0] != '\0')
            paragraph_print(stdout, width, 0, text);
    }
    bool has_star = false;
    for (size_t i = 0; i < compare->row_count; i++)
        has_star = has_star || (!compare->rows[i].is_same && compare->rows[i].may_differ);
    if (has_star && compare->kernel->kind == COMPARE_REDUCE)
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
    struct table_column named[COLUMNS];
    const struct table table = {named, COLUMNS, rows, compare->row_count};
    bool is_short = unit_for(compare).per_second > 1;
    size_t width = terminal_width(1);
    size_t differing = SIZE_MAX;
    for (size_t i = 0; i < compare->row_count; i++) {
        fill_row(&rows[i], compare, i);
        if (!compare->rows[i].is_peer && !compare->rows[i].is_same && !compare->rows[i].may_differ)
            differing = i;
    }
    memcpy(named, columns, sizeof columns);
    for (size_t c = COLUMN_MEDIAN; is_short && c <= COLUMN_CPU; c++) {
        named[c].below = "us";
        named[c].unit = " us";
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
