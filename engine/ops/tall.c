/* tall.c -- the way up, and its cut. */
#include "ops/tall.h"

#include <stdlib.h>
#include <string.h>

#include <sheaf/dtype.h>

#include "base/error.h"
#include "memory/layout.h"
#include "ops/tall_run.h"

static size_t packed(size_t n)
{
    return n * (n + 1) / 2;
}

bool tall_is(size_t m, size_t n)
{
    return n > 0 && n <= KERNEL_SVD_COLUMNS_MAX && m >= 2 * sheaf_tall_rows(n);
}

struct tall_cut tall_cut(const struct op_array *a, bool has_z)
{
    struct tall_cut cut = {
        .dtype = a->dtype == SHEAF_F64 ? KERNEL_F64 : KERNEL_F32,
        .element = sheaf_dtype_size((sheaf_dtype)a->dtype),
        .rows = (size_t)a->shape[a->ndim - 2],
        .n = (size_t)a->shape[a->ndim - 1],
        .distance = 1,
        .matrices = 1,
        .is_view = a->is_dense == 0,
    };
    cut.leaf_rows = sheaf_tall_rows(cut.n);
    cut.leaves = (cut.rows + cut.leaf_rows - 1) / cut.leaf_rows;
    if (cut.rows - (cut.leaves - 1) * cut.leaf_rows < 8 * cut.n)
        cut.leaves--; /* too few for a leaf: they are the last one's */
    while (cut.distance < cut.leaves)
        cut.distance *= 2;
    for (uint32_t i = 0; i + 2 < a->ndim; i++)
        cut.matrices *= a->shape[i];
    size_t bytes = sizeof(struct tall_partial) + packed(cut.n) * sizeof(double);
    size_t z_bytes = has_z ? cut.n * cut.n * sizeof(double) : 0;
    cut.partial_bytes = (bytes + z_bytes + 63) / 64 * 64;
    cut.partial_bytes_without_z = (bytes + 63) / 64 * 64;
    return cut;
}

uint64_t tall_leaves(const struct tall_cut *cut)
{
    return cut->matrices > 0 ? (cut->matrices - 1) * cut->distance + cut->leaves : 1;
}

/* 10 bytes are 1 ns: by reflections, (3), (10), (20) and (64) columns take 3, 12, 35 and 360 ns a row (AVX2); certified
 * ones take half of that or less, which no plan can know. */
uint64_t tall_leaf_bytes(const struct tall_cut *cut)
{
    return cut->leaf_rows * cut->n * (cut->n + 12);
}

static void pack(double *to, const double *r, size_t n)
{
    for (size_t i = 0; i < n; to += n - i, i++)
        memcpy(to, r + i * n + i, (n - i) * sizeof *to);
}

void tall_unpack(double *r, const struct tall_partial *partial, size_t n)
{
    const double *from = partial->r;
    memset(r, 0, n * n * sizeof *r);
    for (size_t i = 0; i < n; from += n - i, i++)
        memcpy(r + i * n + i, from, (n - i) * sizeof *from);
}

double *tall_z(struct tall_partial *partial, size_t n)
{
    return partial->r + packed(n);
}

/* r times 2^by; by is not positive. What becomes smaller than 2^-1000 is nothing beside the R of the other
 * exponent. */
static void scale_down(double *r, size_t n, int64_t by)
{
    double factor = 0;
    if (by >= -1000) {
        uint64_t bits = (uint64_t)(1023 + by) << 52;
        memcpy(&factor, &bits, sizeof factor);
    }
    for (size_t i = 0; i < n * n; i++)
        r[i] *= factor;
}

void tall_join(struct tall_joint *joint, const struct kernels *kernels, size_t n,
               const struct tall_partial *left, const struct tall_partial *right)
{
    joint->exponent = left->exponent > right->exponent ? left->exponent : right->exponent;
    tall_unpack(joint->r, left, n);
    tall_unpack(joint->below, right, n);
    scale_down(joint->r, n, (int64_t)left->exponent - joint->exponent);
    scale_down(joint->below, n, (int64_t)right->exponent - joint->exponent);
    kernels->tall_merge(joint->r, joint->below, n, joint->marks);
}

void tall_merge_runs(const struct kernels *kernels, const struct tall_cut *cut,
                     const struct tall_partial *left, const struct tall_partial *right,
                     struct tall_partial *out)
{
    struct tall_joint joint;
    struct tall_partial head = *left;
    if (right->count == 0) { /* none; perhaps of the left one neither */
        if (out != left)
            memcpy(out, left, left->count > 0 ? cut->partial_bytes : sizeof head);
        return;
    }
    head.count += right->count;
    head.is_finite = left->is_finite && right->is_finite;
    if (head.is_finite) {
        tall_join(&joint, kernels, cut->n, left, right);
        head.exponent = joint.exponent;
        pack(out->r, joint.r, cut->n);
    }
    memcpy(out, &head, sizeof head);
}

struct tall_rows tall_leaf(const struct op_call *call, const struct tall_cut *cut, uint32_t array,
                           uint64_t matrix, uint64_t leaf)
{
    size_t row = (size_t)leaf * cut->leaf_rows;
    return (struct tall_rows){
        .x = (const unsigned char *)call->data[array] +
             ((size_t)matrix * cut->rows + row) * cut->n * cut->element,
        .rows = leaf + 1 == cut->leaves ? cut->rows - row : cut->leaf_rows,
        .columns = cut->n,
        .row_step = cut->n,
        .column_step = 1,
    };
}

struct tall_rows tall_input(const struct op_call *call, const struct tall_cut *cut, uint64_t matrix,
                            uint64_t leaf, const struct tall_stack *stack)
{
    const struct op_array *a = &call->arrays[0];
    struct tall_rows rows = tall_leaf(call, cut, 0, matrix, leaf);
    struct layout layout;
    if (!cut->is_view)
        return rows;
    size_t first = ((size_t)matrix * cut->rows + (size_t)leaf * cut->leaf_rows) * cut->n;
    layout_simplify(&layout, a->ndim, a->shape, a->strides);
    layout_gather(stack->copy, &layout, call->data[0], cut->element, first, rows.rows * cut->n);
    rows.x = stack->copy;
    return rows;
}

void tall_factor(const struct op_call *call, const struct tall_cut *cut, uint64_t matrix,
                 uint64_t leaf, struct tall_partial *out, const struct tall_stack *stack)
{
    double r[TALL_SQUARE];
    struct tall_rows rows = tall_input(call, cut, matrix, leaf, stack);
    *out = (struct tall_partial){.first = matrix * cut->distance + leaf, .count = 1};
    out->is_finite =
        call->kernels->tall_factor[cut->dtype](&rows, r, &out->exponent, stack->scratch) == 0;
    pack(out->r, r, cut->n);
}

static struct tall_partial *run_at(const struct tall_stack *stack, size_t i)
{
    return (struct tall_partial *)(void *)(stack->runs + i * stack->bytes);
}

static void merge_top(const struct op_call *call, const struct tall_cut *cut,
                      struct tall_stack *stack)
{
    struct tall_partial *left = run_at(stack, stack->depth - 2);
    tall_merge_runs(call->kernels, cut, left, run_at(stack, stack->depth - 1), left);
    stack->depth--;
}

sheaf_status tall_stack_make(struct tall_stack *stack, const struct tall_cut *cut, bool is_back)
{
    size_t scratch_bytes = (sheaf_tall_scratch(cut->n, is_back) + 63) / 64 * 64;
    size_t copied_rows =
        cut->is_view ? cut->leaf_rows + 8 * cut->n : 0; /* the last leaf's at most */
    size_t copy_bytes = (copied_rows * cut->n * cut->element + 63) / 64 * 64;
    stack->bytes = cut->partial_bytes;
    size_t all = scratch_bytes + TALL_STACK_DEPTH * stack->bytes + copy_bytes;
    stack->scratch = aligned_alloc(64, all);
    if (stack->scratch == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "no memory: %zu bytes of work space", all);
    stack->runs = (unsigned char *)stack->scratch + scratch_bytes;
    stack->copy = cut->is_view ? (unsigned char *)stack->scratch + all - copy_bytes : NULL;
    return SHEAF_OK;
}

struct tall_partial *tall_reduce(const struct op_call *call, const struct tall_cut *cut,
                                 uint64_t matrix, uint64_t first, uint64_t end,
                                 struct tall_stack *stack)
{
    stack->depth = 0;
    for (uint64_t leaf = first; leaf < end; leaf++) {
        tall_factor(call, cut, matrix, leaf, run_at(stack, stack->depth++), stack);
        for (uint64_t done = leaf - first + 1; done % 2 == 0; done /= 2)
            merge_top(call, cut, stack);
    }
    while (stack->depth > 1)
        merge_top(call, cut, stack);
    return run_at(stack, 0);
}

static bool is_whole(const struct tall_cut *cut, const struct tall_partial *partial)
{
    return partial->solved == 0 && partial->first % cut->distance == 0 &&
           partial->count == cut->leaves;
}

/* Leaves first to end - 1: whole matrices, or a part of one (or none of it). */
static sheaf_status map_some(const struct op_call *call, const struct tall_cut *cut, uint64_t first,
                             uint64_t end, struct tall_partial *out, struct tall_stack *stack,
                             tall_solve *solve)
{
    *out = (struct tall_partial){.first = first};
    while (first < end && first < cut->matrices * cut->distance) {
        uint64_t matrix = first / cut->distance;
        uint64_t from = first % cut->distance;
        uint64_t to = from + (end - first) < cut->leaves ? from + (end - first) : cut->leaves;
        if (from >= to)
            return SHEAF_OK;
        struct tall_partial *run = tall_reduce(call, cut, matrix, from, to, stack);
        if (!is_whole(cut, run)) {
            memcpy(out, run, cut->partial_bytes);
            return SHEAF_OK;
        }
        sheaf_status status = tall_merged(call, cut, run, solve);
        if (status != SHEAF_OK)
            return status;
        out->solved++;
        out->failures += run->failures;
        first = (matrix + 1) * cut->distance;
    }
    return SHEAF_OK;
}

sheaf_status tall_map(const struct op_call *call, const struct tall_cut *cut, uint64_t first,
                      uint64_t count, struct tall_partial *out, tall_solve *solve)
{
    struct tall_stack stack;
    sheaf_status status = tall_stack_make(&stack, cut, false);
    if (status != SHEAF_OK)
        return status;
    status = map_some(call, cut, first, first + count, out, &stack, solve);
    free(stack.scratch);
    return status;
}

void tall_merge(const struct op_call *call, const struct tall_cut *cut,
                const struct tall_partial *left, const struct tall_partial *right,
                struct tall_partial *out)
{
    if (left->solved + right->solved == 0) {
        tall_merge_runs(call->kernels, cut, left, right, out);
        return;
    }
    *out = (struct tall_partial){.first = left->first,
                                 .solved = left->solved + right->solved,
                                 .failures = left->failures + right->failures};
}

sheaf_status tall_merged(const struct op_call *call, const struct tall_cut *cut,
                         struct tall_partial *partial, tall_solve *solve)
{
    if (!is_whole(cut, partial))
        return SHEAF_OK;
    partial->solved = 1;
    return solve(call, cut, partial->first / cut->distance, partial);
}
