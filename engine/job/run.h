/* run.h -- what a job asks for, how it is cut into tasks, and how it runs in the caller. */
#ifndef SHEAF_JOB_RUN_H
#define SHEAF_JOB_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "job/board.h"
#include "job/op.h"
#include "job/symbol.h"
#include "memory/array.h"

/* What an api function hands to an executor. The arrays are the caller's; an executor that goes on after
 * it has returned retains their segments. */
struct request {
    uint32_t op;  /* index in sheaf_ops[] */
    uint32_t isa; /* index of sheaf_kernels_at() */
    uint32_t array_count;
    int64_t deadline_ns;       /* for each task; 0: that of the pool */
    uint32_t attempts_max;     /* 0: that of the pool */
    uint32_t attempts_default; /* if that is 0, too */
    const struct sheaf_array *arrays[OP_ARRAYS_MAX];
    struct symbol *symbol; /* the user's code that the operation calls, or NULL; the caller's */
    /* Bytes for the operation, copied when the job is made, and how many it gives back. Where they do not fit
     * in a slot (request_fits()) they lie in array bytes_array - 1 already, laid out by request_lay_out(). */
    const void *input[OP_INPUTS_MAX];
    size_t input_bytes[OP_INPUTS_MAX];
    size_t output_bytes;
    uint32_t bytes_array;
    _Alignas(16) unsigned char params[OP_PARAMS_BYTES];

    /* filled by request_plan() */
    struct op_array shapes[OP_ARRAYS_MAX];
    struct op_plan plan;
};

/* Zeroes what an api function may leave as it is: of the shapes only the dtypes, since plan() fills what there is. A
 * request is 1.3 KiB, and clearing all of it takes longer than reducing a hundred elements. */
static inline void request_clear(struct request *request)
{
    request->array_count = 0;
    request->deadline_ns = 0;
    request->attempts_max = 0;
    request->attempts_default = 0;
    request->symbol = NULL;
    memset(request->input, 0, sizeof request->input);
    memset(request->input_bytes, 0, sizeof request->input_bytes);
    request->output_bytes = 0;
    request->bytes_array = 0;
    for (uint32_t i = 0; i < OP_ARRAYS_MAX; i++)
        request->shapes[i].dtype = 0;
    memset(request->params, 0, sizeof request->params);
}

/* Fills shapes and plan. Errors: those of the operation's plan(). */
sheaf_status request_plan(struct request *request);

/* The work of the whole request, as bytes of a plain read. */
double request_bytes(const struct request *request);

/* Where input and output bytes lie behind `start`, each a multiple of 64. Returns where they end. */
size_t request_lay_out(struct job_bytes *out, const struct request *request, size_t start);

/* Bytes from one partial to the next. */
uint32_t request_stride(const struct request *request);

/* Whether they fit in a job's slot. For a planned request. */
bool request_fits(const struct request *request);

/* Bytes of an operation's result: result_bytes, or the output. */
size_t request_result_bytes(const struct request *request);

/* The bytes of one of its partials. */
uint32_t request_partial_bytes(const struct request *request);

/* Runs it in the calling thread. Takes no memory but the stack, unless the partials are large (NO_MEMORY).
 * result: the operation's result_bytes. */
sheaf_status request_run(const struct request *request, void *result);

/* Around what runs an operation. In between, what the thread submits runs in it, too: a worker that waits for others
 * could wait for itself. */
void run_enter(void);
void run_leave(void);
bool run_is_inside(void);

/* How many leaves, as a power of two, a task gets: enough tasks to keep the workers even, at most what a
 * slot has room for. The result of a subtree does not depend on it. */
uint32_t task_shift(const struct op_plan *plan, uint32_t partial_stride, uint32_t workers);

/* The names, sizes and versions of all that crosses between owner and worker, as one number. */
uint64_t registry_hash(void);

/* Round to nearest, denormals kept, while a task runs: any library built with -ffast-math may have left
 * this thread otherwise. */
struct fp_mode {
    uint64_t saved;
};
struct fp_mode fp_mode_enter(void);
void fp_mode_leave(struct fp_mode mode);

#endif
