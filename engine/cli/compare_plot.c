/* compare_plot.c -- a bar for each row, its interval, and the read limit, drawn by gnuplot.
 *
 * Text and lines are of a grey, and bars of colours, that can be read on white and on black; there is no
 * background of our own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/compare.h"
#include "cli/machine.h"
#include "cli/options.h"

/* gnuplot's terminal for a file of this name; NULL: neither .svg nor .png. */
static const char *terminal_for(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (dot != NULL && strcmp(dot, ".svg") == 0)
        return "svg size 900,%zu dynamic font 'sans-serif,14'";
    if (dot != NULL && strcmp(dot, ".png") == 0)
        return "pngcairo size 900,%zu transparent font 'sans-serif,11'";
    return NULL;
}

int compare_plot_check(const char *path)
{
    if (terminal_for(path) == NULL || strchr(path, '\'') != NULL)
        return usage_error("compare", "--plot %s: give a FILE.svg or FILE.png", path);
    return DONE;
}

/* In gnuplot's double quotes. */
static void put_quoted(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++)
        fputc(*text == '"' || *text == '\\' ? ' ' : *text, out);
    fputc('"', out);
}

static const char *colour(const struct compare_row *row)
{
    return row->is_peer                              ? "0x9a7bd0"
           : strcmp(row->executor, "threads") == 0   ? "0x2f8fd0"
           : strcmp(row->executor, "processes") == 0 ? "0xd9822b"
                                                     : "0x7f8c8d";
}

/* Lines "place seconds low high colour name" of those rows that ran; returns how many. *least: the shortest
 * median. */
static size_t put_data(FILE *out, const struct compare *compare, double *least)
{
    size_t count = 0;
    *least = 1e300;
    fputs("$rows << EOD\n", out);
    for (size_t i = 0; i < compare->row_count; i++) {
        const struct compare_row *row = &compare->rows[i];
        if (row->missing[0] != '\0')
            continue;
        struct estimate seconds = compare_seconds(compare, i);
        *least = seconds.median < *least ? seconds.median : *least;
        fprintf(out, "%zu %.9g %.9g %.9g %s ", count++, seconds.median, seconds.low, seconds.high,
                colour(row));
        put_quoted(out, row->variant);
        fputc('\n', out);
    }
    fputs("EOD\n", out);
    return count;
}

static void put_limits(FILE *out, const struct compare *compare)
{
    double bytes = compare_bytes(compare);
    for (size_t i = 0; compare->kernel->has_limit && i < (compare->workers > 1 ? 2U : 1U); i++)
        fprintf(out,
                "set arrow from %.9g, graph 0 to %.9g, graph 1 nohead front dashtype 2 lw 1.5 "
                "lc rgb '#c0392b'\n",
                bytes / compare_limit_rate(compare, i), bytes / compare_limit_rate(compare, i));
}

static void put_script(FILE *out, const struct compare *compare, const char *path)
{
    char cpu[MACHINE_TEXT_BYTES];
    char title[400];
    double least;
    size_t count = put_data(out, compare, &least);
    fputs("set terminal ", out);
    fprintf(out, terminal_for(path), 120 + 28 * count); // NOLINT: one of two of our own
    machine_cpu(cpu);
    snprintf(title, sizeof title, "sheaf compare %s: %zu %s, %zu workers, %zu rounds; %s%s",
             compare->name, compare->elements, sheaf_dtype_name(compare->dtype), compare->workers,
             compare->rounds, cpu, compare->kernel->has_limit ? "; dashed: the read limit" : "");
    fprintf(out, "\nset output '%s'\nset title ", path);
    put_quoted(out, title);
    fprintf(out,
            " noenhanced tc rgb '#767676'\n"
            "set xlabel 'seconds, median and 95 %% interval (shorter is better)' tc rgb '#767676'\n"
            "set border 3 lc rgb '#767676'\nset tics textcolor rgb '#767676' nomirror\n"
            "set ytics noenhanced\nset grid x lc rgb '#9a9a9a' lw 0.5\nset key off\n"
            "set logscale x\nset yrange [%zu.5:-0.5]\nset boxwidth 0.6\n",
            count - 1);
    put_limits(out, compare);
    fprintf(out,
            "set style fill solid 0.9 noborder\nlow = %.9g\nset xrange [low:*]\n"
            "plot $rows using (low):1:(low):2:($1 - 0.3):($1 + 0.3):5:ytic(6) with boxxyerror lc "
            "rgb variable, $rows using 2:1:3:4 with xerrorbars pt 0 lw 1.5 lc rgb '#767676'\n",
            least / 2);
}

int compare_plot(const struct compare *compare, const char *path)
{
    FILE *gnuplot = popen("exec gnuplot", "we"); // NOLINT(cert-env33-c): no text of the user's
    if (gnuplot == NULL)
        return failure("compare", "--plot: gnuplot cannot be started");
    put_script(gnuplot, compare, path);
    int status = pclose(gnuplot);
    if (status == -1 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return failure("compare", "--plot %s: gnuplot (package gnuplot-nox) could not draw it",
                       path);
    return DONE;
}
