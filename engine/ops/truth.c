/* truth.c -- any, all and count_nonzero. An element is true if it is not zero; a NaN is true.
 *
 * any and all look at a block at a time, and a run ends with the first block that decides it. */
#include <string.h>

#include "ops/reduction.h"

enum { BLOCK = 2048 };

static uint64_t true_ones(const struct elements *e, const void *x, size_t n)
{
    uint64_t count;
    e->kernels->nonzero[e->type](x, n, &count);
    return count;
}

static void leaf_count(const struct elements *e, const struct run *run, void *partial)
{
    uint64_t total = true_ones(e, run->x, run->n);
    memcpy(partial, &total, sizeof total);
}

/* 1 if there is a true element (wanted) or a false one (not wanted), else 0. */
static uint64_t has(const struct elements *e, const struct run *run, bool wanted)
{
    const size_t bytes = e->bytes;
    const unsigned char *x = run->x;
    for (size_t n = run->n; n > 0;) {
        size_t here = n < BLOCK ? n : BLOCK;
        uint64_t found = true_ones(e, x, here);
        if ((wanted ? found : here - found) > 0)
            return 1;
        x += here * bytes;
        n -= here;
    }
    return 0;
}

static void leaf_any(const struct elements *e, const struct run *run, void *partial)
{
    uint64_t value = has(e, run, true);
    memcpy(partial, &value, sizeof value);
}

static void leaf_all(const struct elements *e, const struct run *run, void *partial)
{
    uint64_t value = !has(e, run, false);
    memcpy(partial, &value, sizeof value);
}

static void read_two(uint64_t value[2], const void *left, const void *right)
{
    memcpy(&value[0], left, sizeof value[0]);
    memcpy(&value[1], right, sizeof value[1]);
}

static void merge_count(const struct elements *e, const void *left, const void *right, void *out)
{
    uint64_t value[2];
    (void)e;
    read_two(value, left, right);
    value[0] += value[1];
    memcpy(out, &value[0], sizeof value[0]);
}

static void merge_any(const struct elements *e, const void *left, const void *right, void *out)
{
    uint64_t value[2];
    (void)e;
    read_two(value, left, right);
    value[0] |= value[1];
    memcpy(out, &value[0], sizeof value[0]);
}

static void merge_all(const struct elements *e, const void *left, const void *right, void *out)
{
    uint64_t value[2];
    (void)e;
    read_two(value, left, right);
    value[0] &= value[1];
    memcpy(out, &value[0], sizeof value[0]);
}

static void finish_count(const struct elements *e, const void *root, sheaf_scalar *out)
{
    (void)e;
    memcpy(&out->value.i64, root, sizeof out->value.i64);
}

static void finish_truth(const struct elements *e, const void *root, sheaf_scalar *out)
{
    uint64_t value;
    (void)e;
    memcpy(&value, root, sizeof value);
    out->value.boolean = value != 0;
}

/* What ends a job early: once a worker has it, the rest of the elements do not count. */
static const uint64_t some = 1;
static const uint64_t none = 0;

static const struct reduction any = {.result = RESULT_BOOL,
                                     .order = ORDER_FREE,
                                     .leaf = leaf_any,
                                     .merge = merge_any,
                                     .finish = finish_truth};
static const struct reduction all = {.result = RESULT_BOOL,
                                     .order = ORDER_FREE,
                                     .leaf = leaf_all,
                                     .merge = merge_all,
                                     .finish = finish_truth};
static const struct reduction count_nonzero = {.result = RESULT_COUNT,
                                               .order = ORDER_FREE,
                                               .leaf = leaf_count,
                                               .merge = merge_count,
                                               .finish = finish_count};

const struct op sheaf_op_any = {REDUCTION("any", any, uint64_t), .absorbing = &some};
const struct op sheaf_op_all = {REDUCTION("all", all, uint64_t), .absorbing = &none};
const struct op sheaf_op_count_nonzero = {REDUCTION("count_nonzero", count_nonzero, uint64_t)};
