/* tall_down.c -- the way down. A task finds its Z from that of its matrix, which lies with the matrix's last R: at
 * each merge on the way it is made again from the two R's, and passes on one of two halves of Q [Z; 0]. The R's
 * above a task are partials of the job; those below it are computed again. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "job/tree.h"
#include "ops/tall_run.h"

/* R's are kept of as many leaves while a task goes down as these bytes hold, at most; the halves of longer runs
 * are computed again instead. */
enum { MEMO_BYTES = 20 << 20, MEMO_LEAVES_MOST = 1024, MEMO_DEPTH = 11 };

struct descent {
    const struct op_call *call;
    const struct tall_cut *cut;
    uint64_t matrix;
    uint32_t to; /* the array of the rows of Q Z */
    struct tall_stack *stack;
    struct tall_cut kept; /* cut, with partials that have no room for Z */
    uint64_t memo_leaves;
    unsigned char *memo; /* runs of a tree of so many leaves */
    double *below;       /* a Z for each level of that tree */
};

static struct tall_partial *memo_run(const struct descent *d, uint32_t node)
{
    return (struct tall_partial *)(void *)(d->memo + node * d->kept.partial_bytes);
}

static sheaf_status make_memo(struct descent *d)
{
    const size_t n = d->cut->n;
    const size_t z_bytes = MEMO_DEPTH * n * n * sizeof(double);
    d->kept = *d->cut;
    d->kept.partial_bytes = d->cut->partial_bytes_without_z;
    for (d->memo_leaves = 1; d->memo_leaves < MEMO_LEAVES_MOST && d->memo_leaves < d->cut->leaves;)
        if (4 * d->memo_leaves * d->kept.partial_bytes > MEMO_BYTES)
            break;
        else
            d->memo_leaves *= 2;
    size_t bytes = tree_nodes((uint32_t)d->memo_leaves) * d->kept.partial_bytes;
    d->memo = malloc(bytes + z_bytes);
    if (d->memo == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "no memory: %zu bytes of work space",
                          bytes + z_bytes);
    d->below = (double *)(void *)(d->memo + bytes);
    return SHEAF_OK;
}

/* z of two neighbouring runs becomes that of the left one; below: of the right one. */
static void part(const struct descent *d, const struct tall_partial *left,
                 const struct tall_partial *right, double *z, double *below)
{
    struct tall_joint joint;
    tall_join(&joint, d->call->kernels, d->cut->n, left, right);
    d->call->kernels->tall_unmerge(z, below, joint.below, d->cut->n, joint.marks);
}

/* The runs of leaves first to first + count - 1, at most memo_leaves. Returns the root. */
static uint32_t remember(const struct descent *d, uint64_t first, uint32_t count)
{
    for (uint32_t leaf = 0; leaf < count; leaf++)
        tall_factor(d->call, d->cut, d->matrix, first + leaf, memo_run(d, 2 * leaf), d->stack);
    for (uint32_t half = 1; half < count;
         half *= 2) /* a merge at b: the lowest bit of b on its left */
        for (uint32_t b = half; b < count; b += 2 * half)
            tall_merge_runs(d->call->kernels, &d->kept, memo_run(d, tree_left(2 * b - 1)),
                            memo_run(d, tree_right(2 * b - 1, count)), memo_run(d, 2 * b - 1));
    return tree_root(count);
}

static void expand(const struct descent *d, uint64_t leaf, const double *z)
{
    struct tall_rows rows = tall_input(d->call, d->cut, d->matrix, leaf, d->stack);
    struct tall_rows q = tall_leaf(d->call, d->cut, d->to, d->matrix, leaf);
    d->call->kernels->tall_expand[d->cut->dtype](&rows, z, &q, d->stack->scratch);
}

/* From a node of what is remembered down to its leaves, `count` of them from first on; z is overwritten. At most
 * MEMO_DEPTH levels. */
static void walk(const struct descent *d, uint64_t first, uint32_t count, uint32_t node, double *z,
                 size_t depth)
{
    double *below = d->below + depth * d->cut->n * d->cut->n;
    if (tree_is_task(node)) {
        expand(d, first + node / 2, z);
        return;
    }
    uint32_t left = tree_left(node);
    uint32_t right = tree_right(node, count);
    part(d, memo_run(d, left), memo_run(d, right), z, below);
    walk(d, first, count, left, z, depth + 1);
    walk(d, first, count, right, below, depth + 1);
}

/* Any run of leaves; z is overwritten. */
static sheaf_status down_run(const struct descent *d, uint64_t first, uint64_t count, double *z)
{
    size_t n = d->cut->n;
    uint64_t half = 1;
    if (count == 1) {
        expand(d, first, z);
        return SHEAF_OK;
    }
    if (count <= d->memo_leaves) {
        uint32_t root = remember(d, first, (uint32_t)count);
        walk(d, first, (uint32_t)count, root, z, 0);
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

/* A whole matrix, solved in one piece by map(), from its first leaf on: what is computed again for its Z serves the
 * way down, if it fits. */
static sheaf_status down_whole(const struct descent *d, double *z, tall_solve *solve)
{
    const struct tall_cut *cut = d->cut;
    const uint32_t count = (uint32_t)cut->leaves;
    bool fits = cut->leaves <= d->memo_leaves;
    uint32_t root = 0;
    struct tall_partial *run;
    if (fits) {
        root = remember(d, 0, count);
        run = (struct tall_partial *)(void *)d->stack->runs;
        memcpy(run, memo_run(d, root), d->kept.partial_bytes);
    } else {
        run = tall_reduce(d->call, cut, d->matrix, 0, cut->leaves, d->stack);
    }
    sheaf_status status = tall_merged(d->call, cut, run, solve);
    if (status != SHEAF_OK || !run->is_finite)
        return status;
    memcpy(z, tall_z(run, cut->n), cut->n * cut->n * sizeof *z);
    if (!fits)
        return down_run(d, 0, cut->leaves, z);
    walk(d, 0, count, root, z, 0);
    return SHEAF_OK;
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
        sheaf_status status = SHEAF_OK;
        d->matrix = first / cut->distance;
        if (from >= to)
            return SHEAF_OK;
        if (from == 0 && to == cut->leaves)
            status = down_whole(d, z, solve);
        else if (descend(d, up, (uint32_t)(first >> up->task_shift), z))
            status = down_run(d, from, to - from, z);
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
    status = make_memo(&d);
    if (status == SHEAF_OK)
        status = down_some(&d, first, first + count, up, solve);
    free(d.memo);
    free(stack.scratch);
    return status;
}
