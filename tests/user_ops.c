/* user_ops.c -- operations of the user's own, in a shared object: a worked example (top_k), and what tests need. */
#include "user_ops.h"

#include <string.h>

/* ---- top_k -------------------------------------------------------------------------------------------- */

static uint32_t wanted(const sheaf_run *run)
{
    uint32_t k;
    memcpy(&k, run->arguments, sizeof k);
    return k;
}

/* The list stays sorted: a number that is in it at all moves the smaller ones down. */
static void insert(struct top *top, struct place place, uint32_t k)
{
    if (top->count == k && !(place.value > top->best[k - 1].value))
        return;
    uint64_t at = top->count < k ? top->count++ : k - 1U;
    for (; at > 0 && top->best[at - 1].value < place.value; at--)
        top->best[at] = top->best[at - 1];
    top->best[at] = place;
}

static int top_map(void *partial, const sheaf_run *run)
{
    const double *x = run->items[0];
    if (run->dtype[0] != SHEAF_F64)
        return sheaf_task_fail(1, "top_k is for f64, not for %s", sheaf_dtype_name(run->dtype[0]));
    if (run->argument_bytes != sizeof(uint32_t) || wanted(run) == 0 || wanted(run) > TOP_MOST)
        return sheaf_task_fail(2, "top_k wants a uint32_t, 1 to %d", TOP_MOST);
    for (size_t i = 0; i < run->count; i++)
        insert(partial, (struct place){x[i], run->first + i}, wanted(run));
    return 0;
}

static void top_merge(void *partial, const void *next, const sheaf_run *run)
{
    const struct top *top = next;
    for (uint64_t i = 0; i < top->count; i++)
        insert(partial, top->best[i], wanted(run));
}

const sheaf_operation top_k = {
    .size = sizeof(sheaf_operation),
    .partial_bytes = sizeof(struct top),
    .result_bytes = sizeof(struct top),
    .map = top_map,
    .merge = top_merge,
};

/* ---- spell -------------------------------------------------------------------------------------------- */

static const uint64_t base = 0x9e3779b97f4a7c15;

static void spell_identity(void *partial, const sheaf_run *run)
{
    (void)run;
    *(struct spelling *)partial = (struct spelling){0, 1};
}

static int spell_map(void *partial, const sheaf_run *run)
{
    struct spelling *all = partial;
    const unsigned char *bytes = run->items[0];
    for (size_t i = 0; i < run->count * run->item_bytes[0]; i++) {
        all->hash = all->hash * base + bytes[i] + 1;
        all->power *= base;
    }
    return 0;
}

static void spell_merge(void *partial, const void *next, const sheaf_run *run)
{
    struct spelling *all = partial;
    const struct spelling *more = next;
    (void)run;
    all->hash = all->hash * more->power + more->hash;
    all->power *= more->power;
}

static void spell_finish(void *result, const void *partial, const sheaf_run *run)
{
    const struct spelling *all = partial;
    uint64_t hash = all->hash + run->count;
    memcpy(result, &hash, sizeof hash);
}

#define SPELL(name, items)                                                                         \
    const sheaf_operation name = {                                                                 \
        .size = sizeof(sheaf_operation),                                                           \
        .partial_bytes = sizeof(struct spelling),                                                  \
        .result_bytes = sizeof(uint64_t),                                                          \
        .leaf_items = (items),                                                                     \
        .identity = spell_identity,                                                                \
        .map = spell_map,                                                                          \
        .merge = spell_merge,                                                                      \
        .finish = spell_finish,                                                                    \
    }

SPELL(spell, 0);
SPELL(spell_by_7, 7);
SPELL(spell_by_many, 1 << 20);

/* ---- histogram ---------------------------------------------------------------------------------------- */

static int histogram_map(void *partial, const sheaf_run *run)
{
    uint64_t *counts = partial;
    const unsigned char *x = run->items[0];
    for (size_t i = 0; i < run->count; i++)
        counts[x[i] * 32]++;
    return 0;
}

static void histogram_merge(void *partial, const void *next, const sheaf_run *run)
{
    uint64_t *counts = partial;
    const uint64_t *more = next;
    (void)run;
    for (size_t i = 0; i < BUCKETS; i++)
        counts[i] += more[i];
}

const sheaf_operation histogram = {
    .size = sizeof(sheaf_operation),
    .partial_bytes = BUCKETS * sizeof(uint64_t),
    .result_bytes = BUCKETS * sizeof(uint64_t),
    .map = histogram_map,
    .merge = histogram_merge,
};

/* ---- no operations ------------------------------------------------------------------------------------ */

const sheaf_operation too_large = {
    .size = sizeof(sheaf_operation),
    .partial_bytes = SHEAF_USER_PARTIAL_BYTES_MAX + 1,
    .result_bytes = 1,
    .map = histogram_map,
    .merge = histogram_merge,
};
const sheaf_operation without_merge = {
    .size = sizeof(sheaf_operation), .partial_bytes = 8, .result_bytes = 8, .map = histogram_map};
const uint64_t something_else[sizeof(sheaf_operation)] = {1};
