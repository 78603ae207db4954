/* compare_json.c -- all that was measured, for programs. */
#include "cli/compare.h"
#include "cli/machine.h"
#include "cli/print.h"

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

/* Of what is the same for every row of a kernel. */
static json_t *json_of_missing(const struct compare *compare, const struct compare_row *row)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:o}", "kernel", compare->name, "variant", row->variant,
                     "executor", row->executor, "workers", (json_int_t)row->workers, "missing",
                     json_of_text(row->missing));
}

/* Cycles and instructions of each round. */
static void set_counters(json_t *json, const struct compare *compare, const struct compare_row *row)
{
    json_t *cycles = json_array();
    json_t *instructions = json_array();
    for (size_t i = 0; i < compare->rounds; i++) {
        json_array_append_new(cycles, json_integer((json_int_t)row->counted[i].cycles));
        json_array_append_new(instructions, json_integer((json_int_t)row->counted[i].instructions));
    }
    json_object_set_new(json, "cycles", cycles);
    json_object_set_new(json, "instructions", instructions);
}

static json_t *json_of_row(const struct compare *compare, size_t index)
{
    const struct compare_row *row = &compare->rows[index];
    if (row->missing[0] != '\0')
        return json_of_missing(compare, row);
    struct estimate seconds = compare_seconds(compare, index);
    struct estimate speedup = compare_speedup(compare, index, 0);
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s?, s:I, s:o, s:f, s:f, s:o, s:f, s:o, s:I, s:f, s:b, s:b, s:b}",
        "kernel", compare->name, "variant", row->variant, "executor", row->executor, "isa",
        row->isa, "workers", (json_int_t)row->workers, "seconds",
        json_of_seconds(compare, row->seconds), "seconds_median", seconds.median, "seconds_min",
        compare_least(compare, index), "cpu_seconds", json_of_seconds(compare, row->cpu_seconds),
        "speedup", speedup.median, "speedup_interval", json_of_range(speedup), "outliers",
        (json_int_t)outlier_count(row->seconds, compare->rounds), "bytes_per_second",
        compare_bytes(compare) / seconds.median, "same_bits", row->is_same, "reference",
        row->is_reference, "may_differ", row->may_differ);
    if (compare->no_counters == NULL)
        set_counters(json, compare, row);
    if (!compare->kernel->has_limit) {
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
    size_t count = !compare->kernel->has_limit ? 0 : compare->workers > 1 ? 2 : 1;
    for (size_t i = 0; i < count; i++) {
        char workers[24];
        snprintf(workers, sizeof workers, "%zu", i == 0 ? (size_t)1 : compare->workers);
        json_object_set_new(rates, workers, json_real(compare_limit_rate(compare, i)));
        json_object_set_new(times, workers, json_of_seconds(compare, compare->limit_seconds[i]));
        json_object_set_new(names, workers, json_string(compare->limits[i].name));
    }
    json_object_set_new(json, "read_limit", rates);
    json_object_set_new(json, "read_limit_seconds", times);
    json_object_set_new(json, "read_limit_loop", names);
}

json_t *compare_json(const struct compare *compare)
{
    struct estimate pace = compare_speedup(compare, compare->places.threads, compare->places.warm);
    const uint64_t bytes = (uint64_t)compare_bytes(compare);
    json_t *rows = json_array();
    for (size_t i = 0; i < compare->row_count; i++)
        json_array_append_new(rows, json_of_row(compare, i));
    json_t *json = json_pack(
        "{s:o, s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:f, s:{s:f, s:o}, s:s?, s:o}",
        "machine", machine_json(), "kernel", compare->name, "dtype",
        sheaf_dtype_name(compare->dtype), "fill", fill_name(compare->fill), "shape",
        json_of_shape(compare->ndim, compare->shape), "elements", (json_int_t)compare->elements,
        "bytes", (json_int_t)bytes, "seed", (json_int_t)compare->seed, "workers",
        (json_int_t)compare->workers, "rounds", (json_int_t)compare->rounds, "interval_coverage",
        estimate_coverage(compare->rounds), "processes_over_threads", "median", pace.median,
        "interval", json_of_range(pace), "no_counters", compare->no_counters, "rows", rows);
    if (json != NULL)
        set_limits(json, compare);
    return json;
}
