/* symbols.c -- rows given, and looked up. */
#include "exec/symbols.h"

#include <dlfcn.h>

#include "base/atomics.h"
#include "base/error.h"

/* Whether a job that is in a slot names the row. */
static bool is_in_use(const struct pool *pool, uint32_t row)
{
    for (uint32_t i = 0; i <= BOARD_SLOTS; i++)
        if (pool->slots[i].is_taken && board_job(pool->board, i)->symbol.row == row)
            return true;
    return false;
}

/* A free row, or that of the symbol which no job has named for the longest time. */
static uint32_t take_row(const struct pool *pool, const struct symbol_rows *rows)
{
    uint32_t best = BOARD_SYMBOLS;
    for (uint32_t i = 0; i < BOARD_SYMBOLS; i++) {
        if (rows->serial[i] == 0)
            return i;
        if (!is_in_use(pool, i) &&
            (best == BOARD_SYMBOLS || rows->last_use[i] < rows->last_use[best]))
            best = i;
    }
    return best;
}

static sheaf_status give_row(struct pool *pool, struct symbol_rows *rows, uint32_t *row,
                             const struct symbol *symbol)
{
    if (symbol->object == NULL && rows->is_sheaf_worker)
        return SHEAF_FAIL(
            SHEAF_ERR_NOT_FOUND,
            "the workers have not registered \"%s\": call sheaf_worker_main() in main(), after "
            "sheaf_register() and before the pool is opened, or load it from a shared object",
            symbol->where.name);
    *row = take_row(pool, rows);
    if (*row == BOARD_SYMBOLS)
        return SHEAF_FAIL(
            SHEAF_ERR_BUSY,
            "jobs in flight use %d callables, the most that a pool knows at once: wait "
            "for some of them",
            BOARD_SYMBOLS);
    struct symbol_row *shared = &pool->board->symbol[*row];
    uint64_t generation = load_relaxed(&shared->generation);
    shared->where = symbol->where;
    /* release: odd when all else is there; workers come by way of a job that is published after it. */
    store_release(&shared->generation, generation + (generation % 2 == 0 ? 1 : 2));
    rows->serial[*row] = symbol->serial;
    return SHEAF_OK;
}

sheaf_status symbols_place(struct pool *pool, struct symbol_rows *rows, struct job_symbol *place,
                           const struct symbol *symbol)
{
    uint32_t row = 0;
    while (row < BOARD_SYMBOLS && rows->serial[row] != symbol->serial)
        row++;
    if (row == BOARD_SYMBOLS) {
        sheaf_status status = give_row(pool, rows, &row, symbol);
        if (status != SHEAF_OK)
            return status;
    }
    rows->last_use[row] = pool->next_generation + 1;
    place->row = row;
    place->generation = load_relaxed(&pool->board->symbol[row].generation);
    return SHEAF_OK;
}

sheaf_status symbols_find(const void **address, struct found_symbol *cache, struct board *board,
                          const struct job_symbol *place)
{
    struct found_symbol *found = &cache[place->row];
    if (found->generation != place->generation) {
        if (found->object != NULL)
            dlclose(found->object);
        *found = (struct found_symbol){0};
        sheaf_status status =
            symbol_find(&found->address, &found->object, &board->symbol[place->row].where);
        if (status != SHEAF_OK)
            return status;
        found->generation = place->generation;
    }
    *address = found->address;
    return SHEAF_OK;
}
