/* op.h -- what an operation is to those who run it: some functions and some sizes.
 *
 *     leaves   0      1      2      3      4        plan: how many, from data alone
 *              |______|      |______|      |        map: a run of leaves -> a partial
 *                  |____________|          |        merge: two neighbours -> a third slot
 *                         |________________|
 *                                |                  finish: the root's partial -> the result
 *
 * A partial of leaves [a, b) must not depend on how the run was cut: map of a run that is an aligned
 * subtree of the left-complete tree equals the merges of its parts, bit for bit. Functions run in
 * any thread or process, so they keep nothing between calls but what leave() sees to; they go by
 * table index and name, never by pointer. To add an operation: one file, and one line in ops/ops.def. */
#ifndef SHEAF_JOB_OP_H
#define SHEAF_JOB_OP_H

#include <stddef.h>
#include <stdint.h>

#include <sheaf/array.h>
#include <sheaf/status.h>

struct kernels;
struct op;

enum {
    OP_ARRAYS_MAX = 5,
    OP_INPUTS_MAX = 2,
    OP_PARAMS_BYTES = 64,
    OP_PARTIAL_BYTES_MAX = 8192, /* on a stack; a plan may ask for more */
    OP_RESULT_BYTES_MAX = 128,
};

/* An array of a job as plain data. */
struct op_array {
    uint32_t dtype;
    uint32_t ndim;
    uint64_t size; /* elements */
    uint64_t shape[SHEAF_MAX_DIMS];
    int64_t strides[SHEAF_MAX_DIMS]; /* bytes; memory/layout.h walks them */
    uint32_t is_dense;               /* 1: C order, without gaps, as all arrays are that the
                                        operation does not take as views */
};

/* What every function of an operation is given. data[i] is where array i lies in this process; it is
 * NULL in plan and finish. There are OP_ARRAYS_MAX arrays; those not given have dtype 0. */
struct op_call {
    const struct op *op;
    const struct kernels *kernels;
    const void *params; /* OP_PARAMS_BYTES, as the api function wrote them */
    const struct op_array *arrays;
    const void *symbol; /* the address of the request's symbol in this process; NULL: it has none */
    int32_t worker;     /* who runs it; -1: the caller itself, or nobody (plan, finish) */
    void *data[OP_ARRAYS_MAX];
    /* Bytes that the request brings and takes back beside its arrays; NULL if there are none, and in plan. */
    const void *input[OP_INPUTS_MAX];
    void *output; /* zeroes before the first map() */
};

/* What plan() decides, from the data alone. */
struct op_plan {
    uint64_t leaves;     /* at least 1 */
    uint64_t leaf_bytes; /* a leaf's work, told as bytes of a plain read: for the size of tasks, and
                            whether it is worth waking anybody */
    uint32_t partial_bytes; /* 0: the operation's; else how many this shape takes, at most
                               BOARD_PARTIAL_BYTES_MAX. Large ones make for few tasks */
    uint32_t sweeps;        /* 0, 1: up the tree. 2: then down, task by task, in no order */
    uint32_t together; /* so many leaves are quicker in one map() than one by one, as they share
                               registers, or rows of memory: tasks have as many, but none for a worker that would go
                               without. 0: it makes no difference */
};

/* The partials of the way up, for the way down: `tasks` tasks of 2^task_shift leaves, numbered with their merges
 * as in tree.h. No tasks: the leaves were mapped in one piece, and there is nothing but that. */
struct op_up {
    const unsigned char *partials;
    size_t stride;
    uint32_t tasks;
    uint32_t task_shift;
};

struct op {
    const char *name;       /* "max" */
    uint32_t partial_bytes; /* at most OP_PARTIAL_BYTES_MAX */
    uint32_t
        result_bytes; /* at most OP_RESULT_BYTES_MAX; 0: the request's output is the result, and finish
                               writes nothing */
    uint32_t writes;       /* bit i: array i is written; map writes each element at most once, and
                               again with the same bytes after a worker's death */
    uint32_t views;        /* bit i: array i may be any view; otherwise it is dense */
    const void *absorbing; /* a partial that every merge with any other gives again: once a node has
                               it, tasks are no longer mapped. NULL: there is none */
    const void *own;       /* what several operations share their functions for */
    /* Errors are the caller's mistakes (EMPTY, DTYPE, SHAPE), worded here. */
    sheaf_status (*plan)(struct op_plan *out, const struct op_call *call);
    sheaf_status (*map)(const struct op_call *call, uint64_t first, uint64_t count, void *partial);
    void (*merge)(const struct op_call *call, const void *left, const void *right, void *out);
    /* After a merge, by who ran it: may write arrays, as map() may, and fail. NULL: nothing to do. */
    sheaf_status (*merged)(const struct op_call *call, void *partial);
    /* The way down, of a plan with two sweeps: for each task, when the root's partial is there. Writes arrays,
     * as map() does. */
    sheaf_status (*down)(const struct op_call *call, uint64_t first, uint64_t count,
                         const struct op_up *up);
    void (*finish)(const struct op_call *call, const void *root, void *result);
    /* Called by a thread as it leaves a job, whatever came of it and whether or not it has mapped any
     * leaf: clears what map() has kept for this thread. NULL: nothing is kept. */
    void (*leave)(void);
};

/* The operations, listed in ops/ops.def; an op's index in it is its id in a job. */
extern const struct op *const sheaf_ops[];
extern const uint32_t sheaf_op_count;

/* The index of the operation of this name; UINT32_MAX if there is none. */
uint32_t sheaf_op_find(const char *name);

/* The index of a sheaf_op of <sheaf/op.h>; UINT32_MAX if it is none. */
uint32_t sheaf_op_index(int op);

#endif
