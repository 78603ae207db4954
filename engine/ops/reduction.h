/* reduction.h -- what a reduction is to those who walk arrays: functions of dense runs and of partials.
 *
 *     elements     0 .. 8191   8192 .. 16383   ..      a leaf is so many; the order is the logical one
 *     leaf()       partial     partial         ..      of a run in the type that it is computed in
 *     merge()            partial               ..      up the left-complete tree
 *     finish()                    result
 *
 * A reduction never sees dtypes as they are stored, strides or axes: reader.h brings runs, reduction.c
 * walks whole arrays, and axes.c walks the cells of a result. So a view and its copy, and an axis and a
 * transposed copy's last one, have the same bits. To add a reduction: a struct reduction, and a line in
 * ops.def. */
#ifndef SHEAF_OPS_REDUCTION_H
#define SHEAF_OPS_REDUCTION_H

#include <stdbool.h>
#include <stdint.h>

#include <sheaf/dtype.h>
#include <sheaf/op.h>

#include "job/op.h"
#include "kernels.h"

enum {
    REDUCTION_LEAF = KERNEL_SUM_LEAF,
    REDUCTION_PARTIAL_MAX = 288,
    REDUCTION_LEAVES_AT_ONCE = 2,
    /* For kernels that walk parts of a run at the same time: parts that end soon are streams that the hardware
     * must find anew. */
    REDUCTION_LEAVES_OF_STREAMS = 16,
    COLUMNS_RUN = 16,
};

/* What the api function writes to a job's params. */
struct reduce_params {
    double ddof;
    uint32_t result; /* a dtype; 0: the one of the table in <sheaf/reduce.h> */
    uint32_t has_initial;
    sheaf_value initial; /* of the result's dtype */
    uint32_t op;         /* axes: the reduction, an index in sheaf_ops[] */
    uint32_t kept;       /* axes: dimensions of the result; the others come after them */
};

/* What is the same for all elements of a job. */
struct elements {
    const struct kernels *kernels;
    const struct reduce_params *params;
    sheaf_dtype dtype;      /* as they are stored */
    enum kernel_dtype type; /* as they are computed */
    size_t bytes;           /* of one, as it is computed */
    sheaf_dtype result;
    bool is_float;   /* the elements */
    bool in_doubles; /* what adds them up: floats, or a result that is one */
    uint64_t count;  /* of the elements of one result */
};

/* Elements that lie one after the other, in elements.type; y of a second array, or x again. */
struct run {
    const void *x;
    const void *y;
    size_t n;       /* at most REDUCTION_LEAF, if the order is fixed */
    uint64_t begin; /* the number of the first */
};

/* Rows of neighbouring columns: axes.c has the way to them, columns.c folds them. */
struct column_leaf;

enum reduction_result {
    RESULT_ELEMENT, /* the dtype of the elements */
    RESULT_SUM,     /* of integers 64 bits of their kind, else the dtype of the elements */
    RESULT_FLOAT,   /* of floats their dtype, else f64 */
    RESULT_BOOL,
    RESULT_COUNT, /* i64 */
};

enum reduction_order {
    ORDER_FIXED,    /* the tree of <sheaf/reduce.h> */
    ORDER_INTEGERS, /* free if not in doubles */
    ORDER_EXACT,    /* free if the elements are integers */
    ORDER_FREE,     /* neighbouring runs of any length */
};

struct reduction {
    enum reduction_result result;
    enum reduction_order order;
    uint32_t leaves_at_once; /* that a run in place has, if the order is free; 0: 2 */
    bool needs_some;         /* of nothing it has no value */
    bool takes_dtype;        /* the option */
    bool takes_initial;      /* the option; then nothing has a value */
    bool takes_second;
    bool has_index; /* along axes the results are places, i64 */
    bool is_pair;   /* along axes the results are two arrays, one after the other */
    /* NULL, or the reason why there is none for this dtype. */
    const char *(*refusal)(sheaf_dtype dtype);
    void (*leaf)(const struct elements *e, const struct run *run, void *partial);
    /* out may be left or right. */
    void (*merge)(const struct elements *e, const void *left, const void *right, void *out);
    /* *out is zero but for its dtype. */
    void (*finish)(const struct elements *e, const void *root, sheaf_scalar *out);
    /* NULL, or: of a partial whose run begins at waits(partial), completes it; < 0: nothing to do. */
    int64_t (*waits)(const void *partial);
    void (*settle)(const struct elements *e, const struct run *run, void *partial);
    /* NULL, or: the partials of a leaf of many columns, one after the other. Not used where integers alone may come in any
     * order. */
    void (*columns)(const struct elements *e, const struct column_leaf *leaf, void *partials);
};

/* The fields of a struct op whose partials are of this type, at most REDUCTION_PARTIAL_MAX bytes. */
#define REDUCTION(op_name, reduction, partial)                                                     \
    .name = (op_name), .partial_bytes = sizeof(partial), .result_bytes = sizeof(sheaf_scalar),     \
    .views = 3, .plan = reduction_plan, .map = reduction_map, .merge = reduction_merge,            \
    .finish = reduction_finish, .own = &(reduction)

/* The reduction of an operation; NULL if it is none. */
const struct reduction *reduction_of(const struct op *op);

/* The dtype of a result, for the option dtype (0: none). Errors: DTYPE. */
sheaf_status reduction_result(sheaf_dtype *out, const struct op *op, sheaf_dtype dtype,
                              sheaf_dtype wanted);

/* Whether neighbouring runs may be of any length. */
bool reduction_is_free(const struct reduction *own, const struct elements *e);

/* Whether columns are folded together, not transposed. */
bool reduction_has_columns(const struct reduction *own, const struct elements *e);

/* `count`: of the elements of one result. */
void reduction_elements(struct elements *out, const struct op_call *call, const struct op *op,
                        uint64_t count);

/* What plan() has to check of one result of `count` elements. Errors: EMPTY, DTYPE, SHAPE, ARGUMENT. */
sheaf_status reduction_check(const struct op_call *call, const struct op *op, uint64_t count);

/* The functions of struct op for whole arrays. */
sheaf_status reduction_plan(struct op_plan *out, const struct op_call *call);
sheaf_status reduction_map(const struct op_call *call, uint64_t first, uint64_t count,
                           void *partial);
void reduction_merge(const struct op_call *call, const void *left, const void *right, void *out);
void reduction_finish(const struct op_call *call, const void *root, void *result);

/* A double, rounded to the result's dtype; every NaN is the canonical one. */
void reduction_set_float(sheaf_scalar *out, double value);

/* An element as it is computed, and back: elements.type to and from elements.dtype. Exact. */
void reduction_set_element(sheaf_value *out, const struct elements *e, const void *computed);
void reduction_get_element(void *computed, const struct elements *e, const sheaf_value *value);
double reduction_f64(enum kernel_dtype type, const void *computed);

/* The option initial as a double, or 64 bits of an integer. */
double reduction_initial_f64(const struct elements *e);
uint64_t reduction_initial_u64(const struct elements *e);

/* The same number, or the canonical quiet NaN: what a compiler makes of 0.0 / 0.0 has a sign. */
double canonical_f64(double x);

/* columns.c: the lanes of every column are folded; out: a double for each. c: one for each, or NULL, which
 * is 0. */
size_t columns_count(const struct column_leaf *leaf);
uint64_t columns_rows(const struct column_leaf *leaf);
double *columns_numbers(const struct column_leaf *leaf,
                        size_t i); /* a double for each, to work in: i is below 4 */
void columns_fold(double *out, const struct elements *e, const struct column_leaf *leaf,
                  enum columns_fold fold, const double *c);

/* The extremes of every column, some kinds of them in one pass. out: an element as it is computed for each column. */
struct columns_best {
    enum columns_extreme which;
    void *out;
    void *places; /* NULL, or a number as wide as an element for each, for columns_place() */
};
void columns_extremes(const struct columns_best *best, size_t count, const struct elements *e,
                      const struct column_leaf *leaf);

/* Where the run of COLUMNS_RUN rows begins, or those that are left of the leaf, that has the first extreme of column i. */
uint64_t columns_place(const struct column_leaf *leaf, const struct elements *e, const void *places,
                       size_t i);

#endif
