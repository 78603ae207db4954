/* tall_down.c -- the way down. A task finds its Z from that of its matrix, which lies with the matrix's last R: at
 * each merge on the way it is made again from the two R's, and passes on one of two halves of Q [Z; 0]. The R's
 * above a task are partials of the job; those below it are computed again. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "job/tree.h"
#include "ops/tall_run.h"

/* Leaves whose R's are kept while a task goes down; the halves of longer runs are computed again instead. */
enum { MEMO_LEAVES = 64 };

struct descent {
    const struct op_call *call;
    const struct tall_cut *cut;
    uint64_t matrix;
    uint32_t to; /* the array of the rows of Q Z */
    struct tall_stack *stack;
    unsigned char *memo; /* runs, then the Z of each: of a tree of up to MEMO_LEAVES */
};

static struct tall_partial *memo_run(const struct descent *d, uint32_t node)
{
    return (struct tall_partial *)(void *)(d->memo + node * d->cut->partial_bytes);
}

static double *memo_z(const struct descent *d, uint32_t node)
{
    size_t n = d->cut->n;
    unsigned char *all = d->memo + tree_nodes(MEMO_LEAVES) * d->cut->partial_bytes;
    return (double *)(void *)all + node * n * n;
}

/* z of two neighbouring runs becomes that of the left one; below: of the right one. */
static void part(const struct descent *d, const struct tall_partial *left,
                 const struct tall_partial *right, double *z, double *below)
{
    struct tall_joint joint;
    tall_join(&joint, d->call->kernels, d->cut->n, left, right);
    d->call->kernels->tall_unmerge(z, below, joint.below, d->cut->n, joint.marks);
}

/* Leaves first to first + count - 1, at most MEMO_LEAVES. */
static void down_tree(const struct descent *d, uint64_t first, uint32_t count, const double *z)
{
    size_t square = d->cut->n * d->cut->n * sizeof *z;
    for (uint32_t leaf = 0; leaf < count && count > 1; leaf++)
        tall_factor(d->call, d->cut, d->matrix, first + leaf, memo_run(d, 2 * leaf), d->stack);
    uint32_t half = 1; /* a merge at b has this lowest bit of b on its left */
    for (; half < count; half *= 2)
        for (uint32_t b = half; b < count; b += 2 * half)
            tall_merge_runs(d->call->kernels, d->cut, memo_run(d, tree_left(2 * b - 1)),
                            memo_run(d, tree_right(2 * b - 1, count)), memo_run(d, 2 * b - 1));
    memcpy(memo_z(d, tree_root(count)), z, square);
    for (; half > 0; half /= 2)
        for (uint32_t b = half; b < count; b += 2 * half) {
            uint32_t node = 2 * b - 1;
            uint32_t left = tree_left(node);
            uint32_t right = tree_right(node, count);
            memcpy(memo_z(d, left), memo_z(d, node), square);
            part(d, memo_run(d, left), memo_run(d, right), memo_z(d, left), memo_z(d, right));
        }
    for (uint32_t leaf = 0; leaf < count; leaf++) {
        struct tall_rows rows = tall_input(d->call, d->cut, d->matrix, first + leaf, d->stack);
        struct tall_rows q = tall_leaf(d->call, d->cut, d->to, d->matrix, first + leaf);
        d->call->kernels->tall_expand[d->cut->dtype](&rows, memo_z(d, 2 * leaf), &q,
                                                     d->stack->scratch);
    }
}

/* Any run of leaves; z is overwritten. */
static sheaf_status down_run(const struct descent *d, uint64_t first, uint64_t count, double *z)
{
    size_t n = d->cut->n;
    uint64_t half = 1;
    if (count <= MEMO_LEAVES) {
        down_tree(d, first, (uint32_t)count, z);
        return SHEAF_OK;
    }
    while (2 * half < count)
        half *= 2;
    double *below = malloc(n * n * sizeof *below);
    struct tall_partial *left = malloc(d->cut->partial_bytes);
    sheaf_status status = SHEAF_OK;
    if (below == NULL || left == NULL) {
        status = SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "no memory for a %zu x %zu matrix", n, n);
    } else {
        memcpy(left, tall_reduce(d->call, d->cut, d->matrix, first, first + half, d->stack),
               d->cut->partial_bytes);
        part(d, left,
             tall_reduce(d->call, d->cut, d->matrix, first + half, first + count, d->stack), z,
             below);
        status = down_run(d, first, half, z);
        if (status == SHEAF_OK)
            status = down_run(d, first + half, count - half, below);
    }
    free(below);
    free(left);
    return status;
}

static const struct tall_partial *partial_of(const struct op_up *up, uint32_t node)
{
    return (const struct tall_partial *)(const void *)(up->partials + node * up->stride);
}

/* Z of task `task`, a part of d->matrix, into z. False: the matrix is not finite. */
static bool descend(const struct descent *d, const struct op_up *up, uint32_t task, double *z)
{
    size_t n = d->cut->n;
    double below[TALL_SQUARE];
    bool is_inside = false; /* of the matrix, or above it in the tree */
    for (uint32_t node = tree_root(up->tasks);;) {
        const struct tall_partial *here = partial_of(up, node);
        if (!is_inside && here->solved == 1 && here->count == d->cut->leaves &&
            here->first == d->matrix * d->cut->distance) {
            if (!here->is_finite)
                return false;
            memcpy(z, here->r + n * (n + 1) / 2, n * n * sizeof *z);
            is_inside = true;
        }
        if (tree_is_task(node))
            return is_inside;
        bool is_left = task < (node + 1) / 2;
        uint32_t left = tree_left(node);
        uint32_t right = tree_right(node, up->tasks);
        if (is_inside && partial_of(up, right)->count > 0) {
            part(d, partial_of(up, left), partial_of(up, right), z, below);
            if (!is_left)
                memcpy(z, below, n * n * sizeof *z);
        }
        node = is_left ? left : right;
    }
}

static sheaf_status down_some(struct descent *d, uint64_t first, uint64_t end,
                              const struct op_up *up, tall_solve *solve)
{
    const struct tall_cut *cut = d->cut;
    double z[TALL_SQUARE];
    while (first < end && first < cut->matrices * cut->distance) {
        uint64_t from = first % cut->distance;
        uint64_t to = from + (end - first) < cut->leaves ? from + (end - first) : cut->leaves;
        bool is_finite = true;
        d->matrix = first / cut->distance;
        if (from >= to)
            return SHEAF_OK;
        if (from == 0 && to == cut->leaves) { /* solved in one piece, by map() */
            struct tall_partial *run = tall_reduce(d->call, cut, d->matrix, from, to, d->stack);
            sheaf_status status = tall_merged(d->call, cut, run, solve);
            if (status != SHEAF_OK)
                return status;
            is_finite = run->is_finite;
            memcpy(z, tall_z(run, cut->n), cut->n * cut->n * sizeof *z);
        } else {
            is_finite = descend(d, up, (uint32_t)(first >> up->task_shift), z);
        }
        sheaf_status status = is_finite ? down_run(d, from, to - from, z) : SHEAF_OK;
        if (status != SHEAF_OK)
            return status;
        first = (d->matrix + 1) * cut->distance;
    }
    return SHEAF_OK;
}

sheaf_status tall_down(const struct op_call *call, const struct tall_cut *cut, uint64_t first,
                       uint64_t count, const struct op_up *up, uint32_t to, tall_solve *solve)
{
    struct tall_stack stack;
    struct descent d = {.call = call, .cut = cut, .to = to, .stack = &stack};
    sheaf_status status = tall_stack_make(&stack, cut, true);
    if (status != SHEAF_OK)
        return status;
    size_t bytes =
        tree_nodes(MEMO_LEAVES) * (cut->partial_bytes + cut->n * cut->n * sizeof(double));
    d.memo = malloc(bytes);
    if (d.memo == NULL)
        status = SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "no memory: %zu bytes of work space", bytes);
    else
        status = down_some(&d, first, first + count, up, solve);
    free(d.memo);
    free(stack.scratch);
    return status;
}
