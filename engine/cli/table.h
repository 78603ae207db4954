/* table.h -- tables and sentences that fit the terminal they are printed on.
 *
 * A table that is too wide first loses the columns that are marked as spare; if that is not enough, every row
 * becomes a block: its first cell as a heading, the other cells below it with their names. No line
 * is ever longer than the width (20 at least), and the text is plain ASCII. */
#ifndef SHEAF_CLI_TABLE_H
#define SHEAF_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { TABLE_COLUMNS_MAX = 12, TABLE_CELL_BYTES = 48 };

struct table_column {
    const char *above; /* the two lines of the heading */
    const char *below;
    const char *label; /* in a block, before the value: "median"; may be "" */
    const char *unit;  /* in a block, after the value: " s" */
    bool is_left;      /* aligned left, else right */
    bool is_spare;     /* left out first */
};

struct table_row {
    char cells[TABLE_COLUMNS_MAX][TABLE_CELL_BYTES]; /* "" where there is nothing to say */
};

/* Columns of the terminal that a descriptor is: COLUMNS, else what the terminal says, else 80. */
size_t terminal_width(int descriptor);

struct table {
    const struct table_column *columns;
    size_t column_count;
    const struct table_row *rows;
    size_t row_count;
};

void table_print(FILE *out, size_t width, const struct table *table);

/* Prints text with line breaks at blanks, and a line break at its end. */
void paragraph_print(FILE *out, size_t width, size_t indent, const char *text);

#endif
