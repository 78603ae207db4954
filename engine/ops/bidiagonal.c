/* bidiagonal.c -- panels, and the products between them. */
#include "ops/bidiagonal.h"

enum { PANEL = 8, LINE = 8 /* elements */ };

size_t bidiagonal_pitch(size_t rows)
{
    return ((rows + LINE - 1) / LINE | 1) * LINE;
}

size_t bidiagonal_room(size_t rows, size_t columns)
{
    size_t both = bidiagonal_pitch(rows) + bidiagonal_pitch(columns);
    return (2 * PANEL + 2) * both + 4 * (2 * PANEL + LINE);
}

/* The panel's reflections from the right to the matrix's rows. */
static void keep_rows(const struct kernel_bidiagonal *panel)
{
    for (size_t j = panel->first + 1; j < panel->columns; j++)
        for (size_t k = 0; k < panel->count && panel->first + k < j; k++)
            panel->a[j * panel->pitch + panel->first + k] =
                panel->yu[(2 * k + 1) * panel->row_pitch + j];
}

/* A - vx yu', of what lies behind the panel. */
static void subtract_product(const struct kernel_bidiagonal *panel,
                             const struct lapack_routines *lapack, size_t rows)
{
    const size_t next = panel->first + panel->count;
    const int m = (int)(rows - next);
    const int n = (int)(panel->columns - next);
    const int k = (int)(2 * panel->count);
    const int pitch = (int)panel->pitch;
    const int row_pitch = (int)panel->row_pitch;
    const double minus_one = -1;
    const double one = 1;
    lapack->gemm("N", "T", &m, &n, &k, &minus_one, panel->vx + next, &pitch, panel->yu + next,
                 &row_pitch, &one, panel->a + next * panel->pitch + next, &pitch, 1, 1);
}

void sheaf_bidiagonalise(const struct kernels *kernels, const struct lapack_routines *lapack,
                         size_t rows, size_t columns, double *a, double *const vectors[4],
                         double *room, bool keeps_rows)
{
    struct kernel_bidiagonal panel = {
        .a = a,
        .columns = columns,
        .pitch = bidiagonal_pitch(rows),
        .row_pitch = bidiagonal_pitch(columns),
        .d = vectors[0],
        .e = vectors[1],
        .tauq = vectors[2],
        .taup = vectors[3],
    };
    panel.vx = room;
    panel.yu = panel.vx + 2 * PANEL * panel.pitch;
    panel.scratch = panel.yu + 2 * PANEL * panel.row_pitch;
    for (size_t first = 0; first < columns; first += PANEL) {
        panel.first = first;
        panel.count = columns - first < PANEL ? columns - first : PANEL;
        kernels->bidiagonal(&panel);
        if (keeps_rows)
            keep_rows(&panel);
        if (first + panel.count < columns)
            subtract_product(&panel, lapack, rows);
    }
}
