/* compare_sweep.c -- compare svd --sweep: from which size each way of doing it in parallel pays.
 *
 * Around the shape (count, m, n) three series are measured: more and more matrices of m x n; `count` matrices of more
 * and more rows; `count` square ones of growing sides. A way pays from the first size on at which it is faster than
 * what it is compared with, with the whole interval of the rounds' ratios, if it is so in the median at all larger sizes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/compare.h"
#include "cli/lapack_loop.h"
#include "cli/machine.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/table.h"

enum { SERIES = 3, SIZES_MAX = 16, WAYS = 7, QUESTIONS = 6, DIMS = 3, BYTES_MAX = 256 << 20 };

enum way { LAPACK, LAPACK_THREADS, SCALAR, ONE, THREADS, PROCESSES, COLD };

/* What is asked: is this way faster than that one? */
static const struct question {
    enum way way, against;
    const char *name;  /* for JSON */
    const char *words; /* "... pays" */
} questions[QUESTIONS] = {
    {ONE, LAPACK, "one core", "One core, against a loop over LAPACK,"},
    {ONE, SCALAR, "SIMD", "SIMD on one core, against scalar code,"},
    {THREADS, ONE, "threads", "Threads, against one core,"},
    {PROCESSES, ONE, "processes", "Processes that run already, against one core,"},
    {COLD, ONE, "cold processes", "Processes started for one call, against one core,"},
    {LAPACK_THREADS, LAPACK, "LAPACK on threads",
     "The loop over LAPACK spread by OpenMP, against itself on one core,"},
};

static const char *const way_names[WAYS] = {
    "LAPACK loop", "LAPACK loop on threads", "scalar", "one core", "threads",
    "processes",   "cold processes"};

struct point {
    size_t shape[DIMS];
    bool has[WAYS];
    bool is_ours;         /* else one core is LAPACK, and its loop nothing to compare with */
    double seconds[WAYS]; /* medians */
    struct estimate gain[QUESTIONS];
};

struct series {
    const char *name;  /* "matrices" */
    const char *title; /* of its table */
    size_t dim;        /* which size grows; the sides: the last two */
    size_t count;
    struct point points[SIZES_MAX];
    json_t *comparisons;
};

static const size_t steps[SERIES][SIZES_MAX] = {
    {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024},
    {10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000},
    {2, 4, 8, 16, 32, 64, 128, 256},
};

static size_t elements_of(const size_t shape[DIMS])
{
    size_t n = 1;
    for (size_t i = 0; i < DIMS; i++)
        if (__builtin_mul_overflow(n, shape[i], &n))
            return SIZE_MAX;
    return n;
}

static bool is_measured(const struct point *point, const struct question *question)
{
    bool is_lapack_twice = !point->is_ours && question->way == ONE;
    return point->has[question->way] && point->has[question->against] && !is_lapack_twice;
}

static void take(struct point *point, const struct compare *compare)
{
    const struct compare_places *places = &compare->places;
    const size_t rows[WAYS] = {places->lapack,  places->lapack_threads, places->scalar, places->one,
                               places->threads, places->warm,           places->cold};
    point->is_ours = compare->rows[places->one].isa != NULL;
    for (size_t i = 0; i < WAYS; i++) {
        point->has[i] = rows[i] != SIZE_MAX;
        if (point->has[i])
            point->seconds[i] = compare_seconds(compare, rows[i]).median;
    }
    for (size_t i = 0; i < QUESTIONS; i++)
        if (is_measured(point, &questions[i]))
            point->gain[i] =
                compare_speedup(compare, rows[questions[i].way], rows[questions[i].against]);
}

/* One shape. */
static int measure(struct point *point, struct series *series, const struct compare *asked)
{
    struct compare *compare = malloc(sizeof *compare);
    if (compare == NULL)
        return failure("compare", "no memory");
    *compare = *asked;
    compare->ndim = DIMS;
    memcpy(compare->shape, point->shape, sizeof point->shape);
    compare->elements = elements_of(point->shape);
    int status = compare_measure(compare);
    for (size_t i = 0; status == DONE && i < compare->row_count; i++)
        if (!compare->rows[i].is_same && !compare->rows[i].may_differ)
            status =
                failure("compare", "\"%s\" has other bits than the reference: this is a defect",
                        compare->rows[i].variant);
    if (status == DONE) {
        take(point, compare);
        json_array_append_new(series->comparisons, compare_json(compare));
    }
    free(compare);
    return status;
}

static bool needs_lapack(const struct point *point)
{
    return point->shape[1] > COMPARE_OWN_KERNELS_MAX && point->shape[2] > COMPARE_OWN_KERNELS_MAX;
}

/* The shapes of a series: steps of the size that grows, as far as there are rows enough, and not more than fits well
 * into memory, but one in any case. Without LAPACK, none
 * that need it. */
static void choose(struct series *series, const size_t base[DIMS], const size_t *sizes)
{
    for (size_t i = 0; i < SIZES_MAX && sizes[i] > 0; i++) {
        struct point *point = &series->points[series->count];
        memcpy(point->shape, base, sizeof point->shape);
        point->shape[series->dim] = sizes[i];
        if (series->dim == 2)
            point->shape[1] = sizes[i];
        size_t n = elements_of(point->shape);
        bool is_small = series->dim == 1 && sizes[i] < base[2];
        bool is_large = n > BYTES_MAX / sizeof(double);
        if (needs_lapack(point) && lapack_loop_missing() != NULL)
            continue;
        if (!is_small && n < SIZE_MAX && (!is_large || series->count == 0))
            series->count++;
    }
    if (series->count == 0) /* none of the steps will do: what was asked for */
        memcpy(series->points[series->count++].shape, base, DIMS * sizeof base[0]);
}

static void time_text(char *text, double seconds)
{
    double value = seconds * 1e6;
    const char *unit = "us";
    if (value >= 999.5) {
        value /= 1000;
        unit = "ms";
    }
    if (value >= 999.5) {
        value /= 1000;
        unit = "s";
    }
    snprintf(text, TABLE_CELL_BYTES, "%.*f %s",
             value < 9.995  ? 2
             : value < 99.5 ? 1
                            : 0,
             value, unit);
}

/* "6x1000x10" */
static void point_text(char *text, const struct point *point)
{
    snprintf(text, TABLE_CELL_BYTES, "%zux%zux%zu", point->shape[0], point->shape[1],
             point->shape[2]);
}

static void print_table(const struct series *series, size_t width)
{
    static const struct table_column columns[WAYS + 2] = {
        {.above = "", .below = "shape", .is_left = true},
        {.above = "LAPACK", .below = "loop", .label = "LAPACK loop", .unit = ""},
        {.above = "on", .below = "threads", .label = "on threads", .unit = ""},
        {.above = "", .below = "scalar", .label = "scalar", .unit = ""},
        {.above = "one", .below = "core", .label = "one core", .unit = ""},
        {.above = "", .below = "threads", .label = "threads", .unit = ""},
        {.above = "pro-", .below = "cesses", .label = "processes", .unit = ""},
        {.above = "cold", .below = "pool", .label = "cold pool", .unit = ""},
        {.above = "", .below = "fastest", .label = "fastest:", .unit = "", .is_spare = true},
    };
    struct table_row rows[SIZES_MAX];
    memset(rows, 0, sizeof rows);
    for (size_t i = 0; i < series->count; i++) {
        const struct point *point = &series->points[i];
        size_t best = ONE;
        point_text(rows[i].cells[0], point);
        for (size_t way = 0; way < WAYS; way++) {
            if (!point->has[way])
                continue;
            time_text(rows[i].cells[way + 1], point->seconds[way]);
            if (point->seconds[way] < point->seconds[best])
                best = way;
        }
        snprintf(rows[i].cells[WAYS + 1], TABLE_CELL_BYTES, "%s", way_names[best]);
    }
    const struct table table = {columns, WAYS + 2, rows, series->count};
    putchar('\n');
    paragraph_print(stdout, width, 0, series->title);
    table_print(stdout, width, &table);
}

/* The first size from which on a way pays; series->count: none. *asked: sizes at which both were measured. */
static size_t crossing(size_t *asked, const struct series *series, size_t question)
{
    size_t from = series->count;
    *asked = 0;
    for (size_t i = series->count; i > 0; i--)
        *asked += is_measured(&series->points[i - 1], &questions[question]);
    for (size_t i = series->count; i > 0; i--) {
        const struct point *point = &series->points[i - 1];
        if (!is_measured(point, &questions[question]))
            continue;
        if (!(point->gain[question].median > 1))
            break;
        if (point->gain[question].low > 1)
            from = i - 1;
    }
    return from;
}

static void say(const struct series *series, size_t question, size_t width)
{
    char text[400];
    char shape[TABLE_CELL_BYTES];
    char seconds[TABLE_CELL_BYTES];
    size_t asked;
    size_t from = crossing(&asked, series, question);
    const char *words = questions[question].words;
    size_t last = series->count - 1;
    while (last > 0 && !is_measured(&series->points[last], &questions[question]))
        last--;
    if (asked == 0)
        return;
    if (from == series->count) {
        snprintf(text, sizeof text,
                 "%s pays at none of these sizes (%.2f times as fast at the "
                 "largest).",
                 words, series->points[last].gain[question].median);
    } else {
        const struct point *point = &series->points[from];
        point_text(shape, point);
        time_text(seconds, point->seconds[questions[question].against]);
        snprintf(
            text, sizeof text,
            "%s pays %s%s%s (there %s without it); %.2f times as fast there, %.2f times at the "
            "largest.",
            words, from == 0 ? "at every size, and at " : "from ", shape,
            from == 0 ? " already" : " on", seconds, point->gain[question].median,
            series->points[last].gain[question].median);
    }
    paragraph_print(stdout, width, 2, text);
}

static json_t *json_of_crossing(const struct series *series, size_t question)
{
    size_t asked;
    size_t from = crossing(&asked, series, question);
    json_t *json = json_pack("{s:s, s:s, s:i, s:n, s:n}", "way", questions[question].name,
                             "against", way_names[questions[question].against], "sizes", (int)asked,
                             "from", "seconds_there");
    if (json == NULL || from == series->count)
        return json;
    json_object_set_new(json, "from", json_of_shape(DIMS, series->points[from].shape));
    json_object_set_new(json, "seconds_there",
                        json_real(series->points[from].seconds[questions[question].against]));
    return json;
}

static json_t *json_of_series(struct series *series)
{
    json_t *crossings = json_array();
    for (size_t i = 0; i < QUESTIONS; i++)
        json_array_append_new(crossings, json_of_crossing(series, i));
    json_t *comparisons = series->comparisons;
    series->comparisons = NULL;
    return json_pack("{s:s, s:o, s:o}", "varies", series->name, "crossings", crossings,
                     "comparisons", comparisons);
}

static int run_series(struct series *series, const struct compare *asked, size_t width)
{
    int status = DONE;
    series->comparisons = json_array();
    for (size_t i = 0; status == DONE && i < series->count; i++)
        status = measure(&series->points[i], series, asked);
    if (status != DONE)
        return status;
    print_table(series, width);
    for (size_t i = 0; i < QUESTIONS; i++)
        say(series, i, width);
    fflush(stdout);
    return DONE;
}

/* (m, n) is one matrix of (1, m, n). */
static void base_of(size_t base[DIMS], const struct compare *asked)
{
    base[0] = asked->ndim == DIMS ? asked->shape[0] : 1;
    base[1] = asked->shape[asked->ndim - 2];
    base[2] = asked->shape[asked->ndim - 1];
}

int compare_sweep(const struct compare *asked, json_t **json)
{
    struct series *all = calloc(SERIES, sizeof *all);
    char titles[SERIES][100];
    char text[400];
    char cpu[MACHINE_TEXT_BYTES];
    size_t base[DIMS];
    size_t width = terminal_width(1);
    json_t *list = json_array();
    int status = DONE;
    if (all == NULL) {
        json_decref(list);
        return failure("compare", "no memory");
    }
    base_of(base, asked);
    snprintf(titles[0], sizeof titles[0], "More matrices, of %zu x %zu:", base[1], base[2]);
    snprintf(titles[1], sizeof titles[1], "Longer matrices, %zu of m x %zu:", base[0], base[2]);
    snprintf(titles[2], sizeof titles[2], "Larger square matrices, %zu of n x n:", base[0]);
    machine_cpu(cpu);
    snprintf(text, sizeof text,
             "Singular values, f64; %zu worker%s, %zu rounds a size; medians. One core: %s; %s",
             asked->workers, asked->workers > 1 ? "s" : "", asked->repeat, asked->fastest_isa, cpu);
    paragraph_print(stdout, width, 0, text);
    for (size_t i = 0; status == DONE && i < SERIES; i++) {
        static const char *const names[SERIES] = {"matrices", "rows", "sides"};
        all[i] = (struct series){.name = names[i], .title = titles[i], .dim = i};
        choose(&all[i], base, steps[i]);
        status = run_series(&all[i], asked, width);
        if (status == DONE)
            json_array_append_new(list, json_of_series(&all[i]));
        json_decref(all[i].comparisons);
    }
    free(all);
    if (json != NULL)
        *json = json_pack("{s:s, s:o, s:b, s:I, s:I, s:O}", "kernel", "svd", "machine",
                          machine_json(), "sweep", 1, "workers", (json_int_t)asked->workers,
                          "rounds", (json_int_t)asked->repeat, "series", list);
    json_decref(list);
    return status;
}
