/* bidiagonal.c -- panels, the products between them, and who does a share of both. */
#include "ops/bidiagonal.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "base/atomics.h"

enum {
    PANEL = 8,
    LINE = 8, /* elements */
    SHARES_MAX = 8,
    SPINS = 100, /* some microseconds; then the CPU is offered to others */
};

/* What the caller and the threads that help it share. The caller writes all but `done` while these wait. */
struct crew {
    const struct kernels *kernels;
    const struct lapack_routines *lapack;
    struct kernel_bidiagonal panel;
    size_t rows;
    uint32_t cpu;                                  /* that the caller was on */
    void (*step)(struct crew *crew, size_t share); /* NULL: the end */
    size_t k;                                      /* the panel's column that is in hand */
    _Atomic uint32_t begun;                        /* steps */
    _Atomic uint32_t done;                         /* shares of this step, but the caller's */
};

struct helper {
    struct crew *crew;
    size_t share;
    pthread_t thread;
};

size_t bidiagonal_pitch(size_t rows)
{
    return ((rows + LINE - 1) / LINE | 1) * LINE;
}

static size_t at_most(size_t shares)
{
    return shares < 1 ? 1 : shares < SHARES_MAX ? shares : SHARES_MAX;
}

size_t bidiagonal_room(size_t rows, size_t columns, size_t threads)
{
    size_t pitch = bidiagonal_pitch(rows);
    size_t row_pitch = bidiagonal_pitch(columns);
    return (2 * PANEL + 2) * (pitch + row_pitch) + at_most(threads) * pitch +
           4 * (2 * PANEL + LINE);
}

/* ---- Steps ------------------------------------------------------------------------------------ */

static void pass(struct crew *crew, size_t share)
{
    crew->kernels->bidiagonal_share(&crew->panel, crew->k, share);
}

/* A - vx yu', of a share of the columns behind the panel. */
static void subtract_product(struct crew *crew, size_t share)
{
    const struct kernel_bidiagonal *panel = &crew->panel;
    const size_t next = panel->first + panel->count;
    const size_t behind = panel->columns - next;
    const size_t from = next + share * behind / panel->shares;
    const int m = (int)(crew->rows - next);
    const int n = (int)(next + (share + 1) * behind / panel->shares - from);
    const int k = (int)(2 * panel->count);
    const int pitch = (int)panel->pitch;
    const int row_pitch = (int)panel->row_pitch;
    const double minus_one = -1;
    const double one = 1;
    if (n > 0)
        crew->lapack->gemm("N", "T", &m, &n, &k, &minus_one, panel->vx + next, &pitch,
                           panel->yu + from, &row_pitch, &one,
                           panel->a + from * panel->pitch + next, &pitch, 1, 1);
}

/* Until *word is (or is not) this. The others are at most some microseconds behind, if they have a CPU. */
static uint32_t await(_Atomic uint32_t *word, uint32_t value, bool is_wanted)
{
    for (unsigned spins = 0;; spins++) {
        /* acquire, pairs with the releases of do_step() and help() */
        uint32_t now = load_acquire(word);
        if ((now == value) == is_wanted)
            return now;
        if (spins < SPINS)
            cpu_relax();
        else
            (void)sched_yield();
    }
}

static void *help(void *argument)
{
    const struct helper *helper = argument;
    struct crew *crew = helper->crew;
    for (uint32_t begun = 0;;) {
        begun = await(&crew->begun, begun, false);
        if (crew->step == NULL)
            return NULL;
        crew->step(crew, helper->share);
        /* release, pairs with the acquire of do_step(): its results are seen there */
        atomic_fetch_add_explicit(&crew->done, 1, memory_order_release);
    }
}

/* All shares of a step, and their end. */
static void do_step(struct crew *crew, void (*step)(struct crew *crew, size_t share), size_t k)
{
    crew->step = step;
    crew->k = k;
    store_relaxed(&crew->done, 0);
    /* release, pairs with the acquire of help(): what is above, and all results so far, are seen there */
    atomic_fetch_add_explicit(&crew->begun, 1, memory_order_release);
    if (step == NULL)
        return;
    step(crew, 0);
    (void)await(&crew->done, (uint32_t)crew->panel.shares - 1, true);
}

/* ---- Panels ----------------------------------------------------------------------------------- */

/* The panel's reflections from the right to the matrix's rows. */
static void keep_rows(const struct kernel_bidiagonal *panel)
{
    for (size_t j = panel->first + 1; j < panel->columns; j++)
        for (size_t k = 0; k < panel->count && panel->first + k < j; k++)
            panel->a[j * panel->pitch + panel->first + k] =
                panel->yu[(2 * k + 1) * panel->row_pitch + j];
}

static void do_panels(struct crew *crew, bool keeps_rows)
{
    struct kernel_bidiagonal *panel = &crew->panel;
    for (; panel->first < panel->columns; panel->first += PANEL) {
        size_t left = panel->columns - panel->first;
        panel->count = left < PANEL ? left : PANEL;
        for (size_t k = 0; k < panel->count; k++) {
            crew->kernels->bidiagonal_left(panel, k);
            if (panel->first + k + 1 == panel->columns)
                break;
            do_step(crew, pass, k);
            crew->kernels->bidiagonal_right(panel, k);
        }
        if (keeps_rows)
            keep_rows(panel);
        if (left > PANEL)
            do_step(crew, subtract_product, 0);
    }
}

/* Threads that take no signals; fewer than were asked for if there are no more to be had. */
static size_t start_helpers(struct helper *helpers, struct crew *crew, size_t wanted)
{
    size_t started = 0;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (; started < wanted; started++) {
        helpers[started] = (struct helper){.crew = crew, .share = started + 1};
        if (pthread_create(&helpers[started].thread, NULL, help, &helpers[started]) != 0)
            break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

void sheaf_bidiagonalise(const struct bidiagonal *matrix, double *const vectors[4], double *room)
{
    struct helper helpers[SHARES_MAX];
    struct crew crew = {.kernels = matrix->kernels, .lapack = matrix->lapack, .rows = matrix->rows};
    crew.panel = (struct kernel_bidiagonal){
        .a = matrix->a,
        .columns = matrix->columns,
        .pitch = bidiagonal_pitch(matrix->rows),
        .row_pitch = bidiagonal_pitch(matrix->columns),
        .d = vectors[0],
        .e = vectors[1],
        .tauq = vectors[2],
        .taup = vectors[3],
    };
    crew.panel.vx = room;
    crew.panel.yu = crew.panel.vx + 2 * PANEL * crew.panel.pitch;
    crew.panel.scratch = crew.panel.yu + 2 * PANEL * crew.panel.row_pitch;
    size_t started = start_helpers(helpers, &crew, at_most(matrix->threads) - 1);
    crew.panel.shares = started + 1;
    do_panels(&crew, matrix->keeps_rows);
    do_step(&crew, NULL, 0);
    for (size_t i = 0; i < started; i++)
        pthread_join(helpers[i].thread, NULL);
}
