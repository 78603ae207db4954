/* callable.h -- functions of the user's own, by name, so that worker processes find them, too.
 *
 * A function lies in a shared object:
 *
 *     sheaf_callable *square;
 *     sheaf_callable_open(&square, "./libmine.so", "square");
 *
 * or in the program itself, whose workers are then respawns of the same program:
 *
 *     int main(int argc, char **argv)
 *     {
 *         sheaf_register("square", square);
 *         sheaf_worker_main(argc, argv);                    // a worker stays in here
 *         sheaf_callable_open(&callable, NULL, "square");   // the owner goes on */
#ifndef SHEAF_CALLABLE_H
#define SHEAF_CALLABLE_H

#include <stddef.h>
#include <stdint.h>

#include <sheaf/array.h>
#include <sheaf/executor.h>
#include <sheaf/export.h>
#include <sheaf/future.h>
#include <sheaf/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a function is given for one call. In a worker arguments, the first item and the first result are aligned to 64
 * bytes, and the others lie behind them without gaps; in the caller itself they are the caller's own memory. */
typedef struct sheaf_task {
    const void *arguments; /* the same for every item of a map */
    size_t argument_bytes;
    const void *item; /* of a map, or NULL */
    size_t item_bytes;
    void *result; /* zeroes at first, but in an array of the caller's; NULL if it has no bytes */
    size_t result_bytes;
    size_t index;        /* of the item in its map; 0 of a submit */
    int32_t worker;      /* index of the worker that runs it; -1: in the caller itself */
    size_t array_count;  /* of the next */
    void *const *arrays; /* where the elements of the arrays of the options lie in this process */
} sheaf_task;

/* Returns 0, or a code of its own: then the work fails with SHEAF_ERR_CALLABLE, and the code is in
 * sheaf_failure. It runs in any thread or process, several at once; in a worker process that dies it may have
 * run in part. */
typedef int (*sheaf_function)(const sheaf_task *task);

/* Words why a function fails, for sheaf_failure and sheaf_last_error(): return sheaf_task_fail(code, "...").
 * Returns code. */
SHEAF_EXPORT int sheaf_task_fail(int code, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* Gives a function of the program a name. For pools of processes: in main(), the same names in the owner and in its
 * workers, before sheaf_worker_main(). At most 256. Errors: ARGUMENT (empty or over 127 bytes), EXISTS, BUSY. */
SHEAF_EXPORT sheaf_status sheaf_register(const char *name, sheaf_function function);

/* Finds a function: of the shared object at path (without a slash: looked for as libraries are), or, if path is NULL, a
 * registered one. In C++ it must be extern "C". *out is the caller's to release, when nobody uses it any more; work
 * that was submitted keeps the shared object loaded by itself. Errors: NOT_FOUND (the text says why), ARGUMENT, NO_MEMORY. */
SHEAF_EXPORT sheaf_status sheaf_callable_open(sheaf_callable **out, const char *path,
                                              const char *name);

/* NULL is allowed. */
SHEAF_EXPORT void sheaf_callable_release(sheaf_callable *callable);

typedef struct sheaf_submit_options {
    sheaf_executor *executor; /* NULL: the process-wide default */
    size_t result_bytes;      /* that the function writes and the future gives back; any size */
    /* How many workers may die over it before it fails. 0: the executor's attempts_max, else 1. More than 1 is
     * for functions that may run twice. */
    uint32_t attempts;
    int64_t deadline_ns; /* processes: a worker that takes longer is ended; 0: the executor's */
    /* Arrays that it works on, dense, at most 3. Whether it may write to them is as they were attached. */
    size_t array_count;
    const sheaf_array *const *arrays;
} sheaf_submit_options;

/* Calls a function once: its arguments are copied, and the call returns at once (on the sequential executor, and
 * from inside a worker, when it is done). *out is the caller's; its result is the result_bytes bytes. What fits in
 * some 200 KiB travels in the control block, more in shared memory of its own.
 * Errors: ARGUMENT, NOT_FOUND (the workers do not have it), UNSUPPORTED (a deadline, without processes), BUSY, CLOSED, WORKER, NO_MEMORY; those of the function are
 * the future's: CALLABLE, or WORKER if it ended its worker. */
SHEAF_EXPORT sheaf_status sheaf_submit(sheaf_future **out, const sheaf_callable *callable,
                                       const void *arguments, size_t argument_bytes,
                                       const sheaf_submit_options *options);

#ifdef __cplusplus
}
#endif
#endif
