/* svd_tall.c -- the singular values of tall (or wide) matrices, each cut into leaves of rows.
 *
 *     matrix 0: leaves 0 .. L - 1, none up to P - 1     R of each leaf; neighbours' R's merge; the last R has
 *     matrix 1: leaves P .. P + L - 1, none ..          the values
 *
 * P is the power of two above L, so that a matrix is an aligned subtree, and its tree is the one it would
 * have alone: leaves that are none change nothing. A partial is the R of a run of leaves of one matrix, or
 * the number of failures in a run of whole matrices. */
#include <stdlib.h>
#include <string.h>

#include <sheaf/dtype.h>
#include <sheaf/svd.h>

#include "base/error.h"
#include "kernels.h"
#include "ops/svd.h"

/* How the matrices are cut, which their shape alone decides. */
struct cut {
    struct svd_shape shape;
    enum kernel_dtype dtype;
    size_t rows, n;    /* of a matrix, the long side first */
    size_t leaf_rows;  /* of all leaves but the last one */
    uint64_t leaves;   /* of a matrix: L */
    uint64_t distance; /* from a matrix's first leaf to the next one's: P */
    uint64_t matrices;
};

/* A run of leaves of one matrix, or of matrices that are solved: then only failures counts. */
struct tall_partial {
    uint64_t first, count; /* leaves, without those that are none */
    uint64_t solved;       /* matrices */
    int64_t failures;
    int32_t outcome;  /* an svd_outcome: NOT_FINITE, and the rest means nothing */
    int32_t exponent; /* R is scaled by 2^-exponent */
    double r[];       /* n (n + 1) / 2, by rows */
};

static size_t packed(size_t n)
{
    return n * (n + 1) / 2;
}

static size_t partial_bytes(size_t n)
{
    return sizeof(struct tall_partial) + packed(n) * sizeof(double);
}

bool svd_is_tall(size_t m, size_t n)
{
    size_t rows = m > n ? m : n;
    size_t columns = m > n ? n : m;
    return columns > 0 && columns <= KERNEL_SVD_COLUMNS_MAX && rows >= 2 * sheaf_tall_rows(columns);
}

static struct cut cut_of(const struct op_call *call)
{
    struct cut cut = {.shape = svd_shape_of(call), .distance = 1, .matrices = 1};
    const struct op_array *a = &call->arrays[SVD_A];
    cut.dtype = cut.shape.element == sizeof(double) ? KERNEL_F64 : KERNEL_F32;
    cut.n = cut.shape.k;
    cut.rows = cut.shape.m > cut.shape.n ? cut.shape.m : cut.shape.n;
    cut.leaf_rows = sheaf_tall_rows(cut.n);
    cut.leaves = (cut.rows + cut.leaf_rows - 1) / cut.leaf_rows;
    if (cut.rows - (cut.leaves - 1) * cut.leaf_rows < 8 * cut.n)
        cut.leaves--; /* too few for a leaf: they are the last one's */
    while (cut.distance < cut.leaves)
        cut.distance *= 2;
    for (uint32_t i = 0; i + 2 < a->ndim; i++)
        cut.matrices *= a->shape[i];
    return cut;
}

static sheaf_status plan(struct op_plan *out, const struct op_call *call)
{
    sheaf_status status = svd_plan(out, call);
    if (status != SHEAF_OK)
        return status;
    struct cut cut = cut_of(call);
    out->leaves = cut.matrices > 0 ? (cut.matrices - 1) * cut.distance + cut.leaves : 1;
    /* 10 bytes are 1 ns: (3), (10), (20) and (64) columns take 3, 12, 35 and 360 ns a row (AVX2) */
    out->leaf_bytes = cut.leaf_rows * cut.n * (cut.n + 12);
    out->partial_bytes = (uint32_t)partial_bytes(cut.n);
    return SHEAF_OK;
}

static void pack(double *to, const double *r, size_t n)
{
    for (size_t i = 0; i < n; to += n - i, i++)
        memcpy(to, r + i * n + i, (n - i) * sizeof *to);
}

static void unpack(double *r, const double *from, size_t n)
{
    memset(r, 0, n * n * sizeof *r);
    for (size_t i = 0; i < n; from += n - i, i++)
        memcpy(r + i * n + i, from, (n - i) * sizeof *from);
}

/* r times 2^by; by is not positive. What becomes smaller than 2^-1000 is
 * nothing beside the R of the other exponent. */
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

/* Two neighbouring runs of one matrix. out may be left. */
static void merge_runs(const struct kernels *kernels, size_t n, const struct tall_partial *left,
                       const struct tall_partial *right, struct tall_partial *out)
{
    double r[KERNEL_SVD_COLUMNS_MAX * KERNEL_SVD_COLUMNS_MAX];
    double below[KERNEL_SVD_COLUMNS_MAX * KERNEL_SVD_COLUMNS_MAX];
    double marks[2 * KERNEL_SVD_COLUMNS_MAX];
    struct tall_partial head = *left;
    if (left->count == 0) { /* so is the right one */
        memcpy(out, &head, sizeof head);
        return;
    }
    unpack(r, left->r, n);
    if (right->count > 0) {
        head.count += right->count;
        head.outcome = left->outcome != SVD_DONE ? left->outcome : right->outcome;
        head.exponent = left->exponent > right->exponent ? left->exponent : right->exponent;
    }
    if (right->count > 0 && head.outcome == SVD_DONE) {
        unpack(below, right->r, n);
        scale_down(r, n, (int64_t)left->exponent - head.exponent);
        scale_down(below, n, (int64_t)right->exponent - head.exponent);
        kernels->tall_merge(r, below, n, marks);
    }
    memcpy(out, &head, sizeof head);
    pack(out->r, r, n);
}

/* The R of one leaf. */
static void factor(const struct op_call *call, const struct cut *cut, uint64_t matrix,
                   uint64_t leaf, struct tall_partial *out, void *scratch)
{
    double r[KERNEL_SVD_COLUMNS_MAX * KERNEL_SVD_COLUMNS_MAX];
    bool is_wide = cut->shape.m < cut->shape.n;
    size_t row = (size_t)leaf * cut->leaf_rows;
    struct tall_rows rows = {
        .rows = leaf + 1 == cut->leaves ? cut->rows - row : cut->leaf_rows,
        .columns = cut->n,
        .row_step = is_wide ? 1 : cut->n,
        .column_step = is_wide ? cut->rows : 1,
    };
    rows.x = (const unsigned char *)svd_part(call, SVD_A, matrix) +
             row * rows.row_step * cut->shape.element;
    *out = (struct tall_partial){.first = matrix * cut->distance + leaf, .count = 1};
    out->outcome = call->kernels->tall_factor[cut->dtype](&rows, r, &out->exponent, scratch);
    pack(out->r, r, cut->n);
}

/* The values of a matrix whose R is complete. */
static sheaf_status solve(const struct op_call *call, const struct cut *cut,
                          struct tall_partial *partial)
{
    uint64_t matrix = partial->first / cut->distance;
    size_t n = cut->n;
    double r[KERNEL_SVD_COLUMNS_MAX * KERNEL_SVD_COLUMNS_MAX];
    double values[KERNEL_SVD_COLUMNS_MAX];
    int32_t outcome = partial->outcome;
    if (outcome == SVD_DONE) {
        size_t bytes = (sheaf_svd_scratch(n, n, false, false) + 63) / 64 * 64;
        void *scratch = aligned_alloc(64, bytes);
        if (scratch == NULL)
            return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "svd: no memory: %zu bytes of work space",
                              bytes);
        unpack(r, partial->r, n);
        call->kernels->svd_values[KERNEL_F64](&(struct kernel_svd){
            .x = r,
            .count = 1,
            .m = n,
            .n = n,
            .s = values,
            .status = &outcome,
            .sweeps_for_one = KERNEL_SVD_SWEEPS,
            .scratch = scratch,
        });
        free(scratch);
    }
    partial->failures = svd_note(call, matrix, (enum svd_outcome)outcome);
    partial->solved = 1;
    for (size_t i = 0; i < n && outcome == SVD_DONE; i++) {
        int exponent = partial->exponent == KERNEL_TALL_ZERO ? 0 : partial->exponent;
        double value = __builtin_ldexp(values[i], exponent);
        float narrow = (float)value;
        memcpy((unsigned char *)svd_part(call, SVD_S, matrix) + i * cut->shape.element,
               cut->dtype == KERNEL_F64 ? (const void *)&value : (const void *)&narrow,
               cut->shape.element);
    }
    return SHEAF_OK;
}

static bool is_whole(const struct cut *cut, const struct tall_partial *partial)
{
    return partial->solved == 0 && partial->first % cut->distance == 0 &&
           partial->count == cut->leaves;
}

/* Runs on the way up: of 1, 2, 4 .. leaves, as a binary counter has them. */
struct stack {
    unsigned char *runs; /* partial_bytes() each */
    size_t bytes, depth;
};

static struct tall_partial *run_at(const struct stack *stack, size_t i)
{
    return (struct tall_partial *)(void *)(stack->runs + i * stack->bytes);
}

static void merge_top(const struct op_call *call, size_t n, struct stack *stack)
{
    struct tall_partial *left = run_at(stack, stack->depth - 2);
    merge_runs(call->kernels, n, left, run_at(stack, stack->depth - 1), left);
    stack->depth--;
}

/* Leaves [first, end) of a matrix, an aligned run of them, into the bottom of the stack. */
static void reduce(const struct op_call *call, const struct cut *cut, uint64_t matrix,
                   uint64_t first, uint64_t end, struct stack *stack, void *scratch)
{
    stack->depth = 0;
    for (uint64_t leaf = first; leaf < end; leaf++) {
        factor(call, cut, matrix, leaf, run_at(stack, stack->depth++), scratch);
        for (uint64_t done = leaf - first + 1; done % 2 == 0; done /= 2)
            merge_top(call, cut->n, stack);
    }
    while (stack->depth > 1)
        merge_top(call, cut->n, stack);
}

enum { STACK_DEPTH = 66 };

/* Leaves first to end - 1: whole matrices, or a part of one (or none of it). */
static sheaf_status map_some(const struct op_call *call, const struct cut *cut, uint64_t first,
                             uint64_t end, struct tall_partial *out, struct stack *stack,
                             void *scratch)
{
    *out = (struct tall_partial){.first = first};
    while (first < end && first < cut->matrices * cut->distance) {
        uint64_t matrix = first / cut->distance;
        uint64_t from = first % cut->distance;
        uint64_t to = from + (end - first) < cut->leaves ? from + (end - first) : cut->leaves;
        struct tall_partial *run = run_at(stack, 0);
        if (from >= to)
            return SHEAF_OK;
        reduce(call, cut, matrix, from, to, stack, scratch);
        if (!is_whole(cut, run)) {
            memcpy(out, run, stack->bytes);
            return SHEAF_OK;
        }
        sheaf_status status = solve(call, cut, run);
        if (status != SHEAF_OK)
            return status;
        out->solved++;
        out->failures += run->failures;
        first = (matrix + 1) * cut->distance;
    }
    return SHEAF_OK;
}

static sheaf_status map(const struct op_call *call, uint64_t first, uint64_t count, void *partial)
{
    struct cut cut = cut_of(call);
    size_t scratch_bytes = (sheaf_tall_scratch(cut.n, false) + 63) / 64 * 64;
    struct stack stack = {.bytes = (partial_bytes(cut.n) + 63) / 64 * 64};
    void *scratch = aligned_alloc(64, scratch_bytes + STACK_DEPTH * stack.bytes);
    if (scratch == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "svd: no memory: %zu bytes of work space",
                          scratch_bytes + STACK_DEPTH * stack.bytes);
    stack.runs = (unsigned char *)scratch + scratch_bytes;
    sheaf_status status = map_some(call, &cut, first, first + count, partial, &stack, scratch);
    free(scratch);
    return status;
}

static void merge(const struct op_call *call, const void *left, const void *right, void *out)
{
    const struct tall_partial *a = left;
    const struct tall_partial *b = right;
    if (a->solved + b->solved == 0) {
        merge_runs(call->kernels, svd_shape_of(call).k, a, b, out);
        return;
    }
    struct tall_partial sum = {
        .first = a->first, .solved = a->solved + b->solved, .failures = a->failures + b->failures};
    memcpy(out, &sum, sizeof sum);
}

static sheaf_status merged(const struct op_call *call, void *partial)
{
    struct cut cut = cut_of(call);
    struct tall_partial *run = partial;
    return is_whole(&cut, run) ? solve(call, &cut, run) : SHEAF_OK;
}

static void finish(const struct op_call *call, const void *root, void *result)
{
    const struct tall_partial *partial = root;
    sheaf_svd_report report;
    (void)call;
    memset(&report, 0, sizeof report);
    report.failures = partial->failures;
    report.reproducible = true;
    memcpy(result, &report, sizeof report);
}

const struct op sheaf_op_svd_tall = {
    .name = "svd_tall",
    .partial_bytes = sizeof(struct tall_partial),
    .result_bytes = sizeof(sheaf_svd_report),
    .writes = 1U << SVD_S | 1U << SVD_U | 1U << SVD_VT | 1U << SVD_STATUS,
    .plan = plan,
    .map = map,
    .merge = merge,
    .merged = merged,
    .finish = finish,
};
