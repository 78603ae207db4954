/* user_op.h -- reductions of the user's own: they ride the same tree as ours, on every executor.
 *
 *     items     0 .. n-1    n .. 2n-1    ..        an array's items lie along its first dimension
 *     map()     partial     partial      ..        of a leaf of items, into what identity() wrote
 *     merge()       partial              ..        neighbours, up the left-complete tree
 *     finish()          result
 *
 * An operation is a constant struct in a shared object:
 *
 *     const sheaf_operation largest = {.size = sizeof(sheaf_operation), .partial_bytes = .., .map = map_largest, ..};
 *
 *     sheaf_user_op *op;
 *     sheaf_user_op_open(&op, "./libmine.so", "largest");
 *     sheaf_user_reduce(&result, sizeof result, op, &(sheaf_user_reduce_options){.array_count = 1, .arrays = &array});
 *
 * or in the program itself, under a name: sheaf_user_op_register() in main(), before sheaf_worker_main(), and
 * sheaf_user_op_open() with a NULL path; see callable.h.
 *
 * Which items a leaf has, and the order of merges, depends on the arrays' shapes and dtypes and on leaf_items alone. So
 * if the functions' results depend on their arguments alone, the bits are the same on every executor, with any number of
 * workers, and after a worker's death, whose part is run again. They run in any thread or process, several at once. */
#ifndef SHEAF_USER_OP_H
#define SHEAF_USER_OP_H

#include <stddef.h>
#include <stdint.h>

#include <sheaf/array.h>
#include <sheaf/dtype.h>
#include <sheaf/executor.h>
#include <sheaf/export.h>
#include <sheaf/future.h>
#include <sheaf/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SHEAF_USER_ARRAYS_MAX = 3, SHEAF_USER_PARTIAL_BYTES_MAX = 64 * 1024 };

/* Items of every array, and what is the same for a whole reduction. */
typedef struct sheaf_run {
    const void *arguments; /* a copy of the option's; aligned to 64 bytes in workers */
    size_t argument_bytes;
    size_t first; /* number of the first item */
    size_t count; /* of items; in finish() of all there are; in identity() and merge() 0 */
    size_t array_count;
    const void
        *items[SHEAF_USER_ARRAYS_MAX]; /* the first item of each array, in map(); else NULL */
    size_t item_bytes[SHEAF_USER_ARRAYS_MAX]; /* item i + 1 lies so far behind item i */
    sheaf_dtype dtype[SHEAF_USER_ARRAYS_MAX];
} sheaf_run;

typedef struct sheaf_operation {
    size_t size; /* sizeof(sheaf_operation) */
    size_t
        partial_bytes; /* 1 to SHEAF_USER_PARTIAL_BYTES_MAX. The larger, the fewer tasks a job is cut into */
    size_t result_bytes; /* 1 to 64 KiB; without finish() it is partial_bytes */
    size_t leaf_items;   /* 0: as many as have 64 KiB in the first array */
    /* Writes the partial of no items. NULL: it is zero bytes. Partials are aligned to 64 bytes. */
    void (*identity)(void *partial, const sheaf_run *run);
    /* Takes items into a partial. 0, or a code of its own: then the reduction fails with SHEAF_ERR_CALLABLE;
     * sheaf_task_fail() words why. */
    int (*map)(void *partial, const sheaf_run *run);
    /* Takes the partial of the items that follow into that of those before. */
    void (*merge)(void *partial, const void *next, const sheaf_run *run);
    /* Writes the result, result_bytes that are zero, in the caller's own memory. NULL: it is the partial. */
    void (*finish)(void *result, const void *partial, const sheaf_run *run);
} sheaf_operation;

/* Gives an operation of the program a name; it stays as long as the process. Names are those of sheaf_register(). Errors: ARGUMENT,
 * EXISTS, BUSY. */
SHEAF_EXPORT sheaf_status sheaf_user_op_register(const char *name,
                                                 const sheaf_operation *operation);

typedef struct sheaf_user_op sheaf_user_op;

/* Finds an operation: in the shared object at path, or, if path is NULL, a registered one. *out is the caller's to
 * release; a reduction that runs keeps the shared object by itself. Errors: NOT_FOUND, ARGUMENT (it is none), NO_MEMORY. */
SHEAF_EXPORT sheaf_status sheaf_user_op_open(sheaf_user_op **out, const char *path,
                                             const char *name);

/* NULL is allowed. */
SHEAF_EXPORT void sheaf_user_op_release(sheaf_user_op *op);

typedef struct sheaf_user_reduce_options {
    sheaf_executor *executor; /* NULL: the process-wide default */
    /* 1 to SHEAF_USER_ARRAYS_MAX, dense in C order, of the same length along their first dimension; an array without
     * dimensions is one item. */
    size_t array_count;
    const sheaf_array *const *arrays;
    const void *arguments; /* copied */
    size_t argument_bytes;
    uint32_t attempts;   /* how many workers may die over a task; 0: as for our own reductions */
    int64_t deadline_ns; /* processes: for each task; 0: the executor's */
} sheaf_user_reduce_options;

/* Reduces and waits. result: the operation's result_bytes. Of no items: finish() of the identity.
 * Errors: ARGUMENT, SHAPE, UNSUPPORTED (a view that is not dense), CALLABLE, NOT_FOUND (the workers do not have it), NOT_SHARED,
 * WORKER, BUSY, CLOSED, NO_MEMORY. */
SHEAF_EXPORT sheaf_status sheaf_user_reduce(void *result, size_t result_bytes,
                                            const sheaf_user_op *op,
                                            const sheaf_user_reduce_options *options);

/* The same, returning at once; the result of *out is result_bytes. The caller owns *out. */
SHEAF_EXPORT sheaf_status sheaf_user_reduce_submit(sheaf_future **out, const sheaf_user_op *op,
                                                   const sheaf_user_reduce_options *options);

#ifdef __cplusplus
}
#endif
#endif
