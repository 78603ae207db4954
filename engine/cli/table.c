/* table.c -- laying out tables and sentences. */
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { WIDTH_MIN = 20, WIDTH_MAX = 1000, WIDTH_DEFAULT = 80 };

size_t terminal_width(int descriptor)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size = {0};
    long width = columns != NULL ? strtol(columns, NULL, 10) : 0;
    if (width <= 0 && ioctl(descriptor, TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    if (width <= 0)
        width = WIDTH_DEFAULT;
    if (width < WIDTH_MIN)
        return WIDTH_MIN;
    return width > WIDTH_MAX ? WIDTH_MAX : (size_t)width;
}

void paragraph_print(FILE *out, size_t width, size_t indent, const char *text)
{
    size_t at = 0; /* columns of this line that are used */
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        size_t gap = at > 0 ? 1 : indent;
        if (at > 0 && at + gap + word > width) {
            fputc('\n', out);
            at = 0;
            gap = indent;
        }
        if (gap + word > width) /* a word that fits on no line is cut */
            word = width - gap;
        fprintf(out, "%*s%.*s", (int)gap, "", (int)word, text);
        at += gap + word;
        text += word;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static size_t longer(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* 0 if no row has anything in this column. */
static size_t column_width(const struct table *table, size_t c)
{
    const struct table_column *column = &table->columns[c];
    size_t widest = 0;
    for (size_t r = 0; r < table->row_count; r++)
        widest = longer(widest, strlen(table->rows[r].cells[c]));
    return widest == 0 ? 0 : longer(widest, longer(strlen(column->above), strlen(column->below)));
}

/* A line on its way: blanks are written only before something, so that no line ends with them. */
struct line {
    FILE *out;
    size_t blanks;
    bool is_begun;
};

static void put_cell(struct line *line, const char *text, size_t width, bool is_left)
{
    size_t pad = width - strlen(text);
    if (line->is_begun)
        line->blanks += 2;
    line->is_begun = true;
    if (!is_left)
        line->blanks += pad;
    if (text[0] != '\0') {
        fprintf(line->out, "%*s%s", (int)line->blanks, "", text);
        line->blanks = 0;
    }
    if (is_left)
        line->blanks += pad;
}

enum which_line { LINE_ABOVE, LINE_BELOW, LINE_ROWS };

static void put_line(FILE *out, const struct table *table, const size_t *widths, size_t which)
{
    struct line line = {.out = out};
    for (size_t c = 0; c < table->column_count; c++) {
        const struct table_column *column = &table->columns[c];
        const char *text = which == LINE_ABOVE   ? column->above
                           : which == LINE_BELOW ? column->below
                                                 : table->rows[which - LINE_ROWS].cells[c];
        if (widths[c] > 0)
            put_cell(&line, text, widths[c], column->is_left);
    }
    fputc('\n', out);
}

/* The width of the whole table, and of each column: 0 for those that are left out. */
static size_t lay_out(size_t widths[TABLE_COLUMNS_MAX], const struct table *table, bool with_spare)
{
    size_t total = 0;
    for (size_t c = 0; c < table->column_count; c++) {
        bool is_out = table->columns[c].is_spare && !with_spare;
        widths[c] = is_out ? 0 : column_width(table, c);
        total += widths[c] + (widths[c] > 0 && total > 0 ? 2 : 0);
    }
    return total;
}

static void print_block(FILE *out, size_t width, const struct table *table, size_t r)
{
    enum { INDENT = 2 };
    const struct table_row *row = &table->rows[r];
    size_t at = 0;
    paragraph_print(out, width, 0, row->cells[0]);
    for (size_t c = 1; c < table->column_count; c++) {
        const struct table_column *column = &table->columns[c];
        char item[2 * TABLE_CELL_BYTES];
        if (row->cells[c][0] == '\0' || column->is_spare)
            continue;
        const char *gap = column->label[0] != '\0' ? " " : "";
        size_t bytes = (size_t)snprintf(item, sizeof item, "%s%s%s%s", column->label, gap,
                                        row->cells[c], column->unit);
        if (at > 0 && at + INDENT + bytes > width) {
            fputc('\n', out);
            at = 0;
        }
        if (at == 0 && INDENT + bytes > width) {
            paragraph_print(out, width, INDENT, item);
            continue;
        }
        at += (size_t)fprintf(out, "%*s%s", INDENT, "", item);
    }
    if (at > 0)
        fputc('\n', out);
}

void table_print(FILE *out, size_t width, const struct table *table)
{
    size_t widths[TABLE_COLUMNS_MAX];
    if (lay_out(widths, table, true) <= width || lay_out(widths, table, false) <= width) {
        for (size_t which = 0; which < LINE_ROWS + table->row_count; which++)
            put_line(out, table, widths, which);
        return;
    }
    for (size_t r = 0; r < table->row_count; r++)
        print_block(out, width, table, r);
}
