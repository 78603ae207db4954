/* svd_tall.c -- the decomposition of tall matrices, each cut into leaves of rows: R goes up, its decomposition
 * R = U diag(s) V' has the values and V, and the rows of Q U come back down. */
#include <stdlib.h>
#include <string.h>

#include <sheaf/svd.h>

#include "base/error.h"
#include "ops/svd.h"
#include "ops/tall.h"

static struct tall_cut cut_of(const struct op_call *call)
{
    return tall_cut(&call->arrays[SVD_A], svd_shape_of(call).has_vectors);
}

bool svd_is_tall(size_t m, size_t n)
{
    return tall_is(m, n);
}

static sheaf_status plan(struct op_plan *out, const struct op_call *call)
{
    sheaf_status status = svd_plan(out, call);
    if (status != SHEAF_OK)
        return status;
    struct tall_cut cut = cut_of(call);
    out->leaves = tall_leaves(&cut);
    out->leaf_bytes = tall_leaf_bytes(&cut);
    out->partial_bytes = (uint32_t)cut.partial_bytes;
    out->sweeps = svd_shape_of(call).has_vectors ? 2 : 1;
    return SHEAF_OK;
}

/* n doubles as elements of an array. */
static void store(void *to, const double *from, size_t n, size_t element)
{
    for (size_t i = 0; i < n; i++) {
        float narrow = (float)from[i];
        memcpy((unsigned char *)to + i * element,
               element == sizeof narrow ? (const void *)&narrow : (const void *)&from[i], element);
    }
}

/* The decomposition of R: values by the kernel for values alone, or for vectors, which has the same. */
static sheaf_status decompose(const struct op_call *call, size_t n, const double *r, double *s,
                              double *u, double *vt, int32_t *outcome)
{
    bool has_vectors = u != NULL;
    size_t bytes = (sheaf_svd_scratch(n, n, has_vectors, false) + 63) / 64 * 64;
    struct kernel_svd run = {.x = r,
                             .count = 1,
                             .m = n,
                             .n = n,
                             .s = s,
                             .status = outcome,
                             .u = u,
                             .vt = vt,
                             .sweeps_for_one = KERNEL_SVD_SWEEPS,
                             .scratch = aligned_alloc(64, bytes)};
    if (run.scratch == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "svd: no memory: %zu bytes of work space", bytes);
    if (has_vectors)
        call->kernels->svd_vectors[KERNEL_F64](&run);
    else
        call->kernels->svd_values[KERNEL_F64](&run);
    free(run.scratch);
    return SHEAF_OK;
}

static sheaf_status solve(const struct op_call *call, const struct tall_cut *cut, uint64_t matrix,
                          struct tall_partial *partial, bool has_vectors)
{
    size_t n = cut->n;
    double r[TALL_SQUARE];
    double vt[TALL_SQUARE];
    double s[KERNEL_SVD_COLUMNS_MAX];
    double *z = has_vectors ? tall_z(partial, n) : NULL;
    int32_t outcome = partial->is_finite ? SVD_DONE : SVD_NOT_FINITE;
    if (outcome == SVD_DONE) {
        tall_unpack(r, partial, n);
        sheaf_status status = decompose(call, n, r, s, z, vt, &outcome);
        if (status != SHEAF_OK)
            return status;
    }
    partial->failures = svd_note(call, matrix, (enum svd_outcome)outcome);
    partial->is_finite = outcome == SVD_DONE; /* or there is nothing to bring down */
    if (outcome != SVD_DONE)
        return SHEAF_OK;
    for (size_t i = 0; i < n; i++)
        s[i] = partial->exponent == KERNEL_TALL_ZERO ? 0 : __builtin_ldexp(s[i], partial->exponent);
    store(svd_part(call, SVD_S, matrix), s, n, cut->element);
    if (!has_vectors)
        return SHEAF_OK;
    /* signs are fixed by the elements as they are stored */
    struct svd_shape shape = {
        .m = n, .n = n, .k = n, .u_columns = n, .vt_rows = n, .element = sizeof(double)};
    for (size_t i = 0; i < n * n && cut->dtype == KERNEL_F32; i++)
        vt[i] = (double)(float)vt[i];
    svd_fix_signs(&shape, z, vt);
    store(svd_part(call, SVD_VT, matrix), vt, n * n, cut->element);
    return SHEAF_OK;
}

static sheaf_status solve_values(const struct op_call *call, const struct tall_cut *cut,
                                 uint64_t matrix, struct tall_partial *partial)
{
    return solve(call, cut, matrix, partial, false);
}

static sheaf_status solve_all(const struct op_call *call, const struct tall_cut *cut,
                              uint64_t matrix, struct tall_partial *partial)
{
    return solve(call, cut, matrix, partial, svd_shape_of(call).has_vectors);
}

sheaf_status svd_tall_values(const struct op_call *call, uint64_t first, uint64_t end)
{
    struct tall_cut cut = tall_cut(&call->arrays[SVD_A], false);
    struct tall_partial *unwanted = malloc(cut.partial_bytes);
    if (unwanted == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "svd: no memory: %zu bytes", cut.partial_bytes);
    sheaf_status status = tall_map(call, &cut, first * cut.distance, (end - first) * cut.distance,
                                   unwanted, solve_values);
    free(unwanted);
    return status;
}

static sheaf_status map(const struct op_call *call, uint64_t first, uint64_t count, void *partial)
{
    struct tall_cut cut = cut_of(call);
    return tall_map(call, &cut, first, count, partial, solve_all);
}

static void merge(const struct op_call *call, const void *left, const void *right, void *out)
{
    struct tall_cut cut = cut_of(call);
    tall_merge(call, &cut, left, right, out);
}

static sheaf_status merged(const struct op_call *call, void *partial)
{
    struct tall_cut cut = cut_of(call);
    return tall_merged(call, &cut, partial, solve_all);
}

static sheaf_status down(const struct op_call *call, uint64_t first, uint64_t count,
                         const struct op_up *up)
{
    struct tall_cut cut = cut_of(call);
    return tall_down(call, &cut, first, count, up, SVD_U, solve_all);
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
    .views = 1U << SVD_A,
    .plan = plan,
    .map = map,
    .merge = merge,
    .merged = merged,
    .down = down,
    .finish = finish,
};
