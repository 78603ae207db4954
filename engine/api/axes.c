/* axes.c -- the public reductions along axes: from dimensions to the operation of ops/axes.c. */
#include <stdio.h>
#include <string.h>

#include <sheaf/reduce.h>
#include <sheaf/view.h>

#include "api/call.h"
#include "api/reduce.h"
#include "base/error.h"
#include "memory/array.h"
#include "ops/reduction.h"

/* A reduction along axes. */
struct axes {
    const struct op *op;
    const struct reduction *own;
    sheaf_dtype result; /* of an element of the results */
    bool is_reduced[SHEAF_MAX_DIMS];
    size_t kept;
    size_t shape_ndim; /* of the results as the caller sees them */
    size_t shape[SHEAF_MAX_DIMS + 1];
    size_t core_ndim; /* without the dimensions of keepdims */
    size_t core[SHEAF_MAX_DIMS + 1];
    sheaf_array *x; /* views, which axes_end() detaches */
    sheaf_array *second;
    sheaf_array *results;
};

static void axes_end(struct axes *axes)
{
    sheaf_detach(axes->x);
    sheaf_detach(axes->second);
    sheaf_detach(axes->results);
}

static sheaf_status find_axes(struct axes *axes, const sheaf_array *array,
                              const sheaf_reduce_options *options)
{
    if (options->axis_count > 0 && options->axes == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "%s: axis_count is %zu and axes is NULL",
                          axes->op->name, options->axis_count);
    for (size_t i = 0; i < array->ndim; i++)
        axes->is_reduced[i] = options->axis_count == 0;
    for (size_t i = 0; i < options->axis_count; i++) {
        size_t d;
        sheaf_status status = array_axis(&d, options->axes[i], array->ndim, axes->op->name);
        if (status != SHEAF_OK)
            return status;
        if (axes->is_reduced[d])
            return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "%s: axis %zu is given twice", axes->op->name, d);
        axes->is_reduced[d] = true;
    }
    if (axes->own->is_pair)
        axes->shape[axes->shape_ndim++] = axes->core[axes->core_ndim++] = 2;
    for (size_t d = 0; d < array->ndim; d++) {
        if (!axes->is_reduced[d])
            axes->core[axes->core_ndim++] = array->shape[d];
        if (!axes->is_reduced[d] || options->keepdims)
            axes->shape[axes->shape_ndim++] = axes->is_reduced[d] ? 1 : array->shape[d];
    }
    axes->kept = axes->core_ndim - (axes->own->is_pair ? 1 : 0);
    if (axes->shape_ndim > SHEAF_MAX_DIMS)
        return SHEAF_FAIL(SHEAF_ERR_SHAPE, "%s: its results have one dimension more than %d",
                          axes->op->name, SHEAF_MAX_DIMS);
    return SHEAF_OK;
}

/* The array with the dimensions that are kept first. */
static sheaf_status turn(sheaf_array **out, const struct axes *axes, const sheaf_array *array)
{
    int64_t order[SHEAF_MAX_DIMS];
    size_t count = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t d = 0; d < array->ndim; d++)
            if (axes->is_reduced[d] == (pass == 1))
                order[count++] = (int64_t)d;
    return sheaf_view_transpose(out, array, order);
}

/* The bytes from the first that an array has to the last. */
static void extent_of(const sheaf_array *array, const char **begin, const char **end)
{
    *begin = *end = sheaf_array_data(array);
    *end += sheaf_dtype_size(array->dtype);
    for (size_t d = 0; d < array->ndim; d++) {
        int64_t span = ((int64_t)array->shape[d] - 1) * array->strides[d];
        if (span < 0)
            *begin += span;
        else
            *end += span;
    }
}

static bool overlap(const sheaf_array *a, const sheaf_array *b)
{
    const char *begin[2];
    const char *end[2];
    if (a->size == 0 || b->size == 0)
        return false;
    extent_of(a, &begin[0], &end[0]);
    extent_of(b, &begin[1], &end[1]);
    return begin[0] < end[1] && begin[1] < end[0];
}

static sheaf_status check_results(const struct axes *axes, const sheaf_array *out)
{
    char text[SHEAF_MAX_DIMS * 8];
    size_t at = 0;
    if (out->dtype != axes->result)
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "%s: out is %s; it must be %s", axes->op->name,
                          sheaf_dtype_name(out->dtype), sheaf_dtype_name(axes->result));
    if (out->ndim != axes->shape_ndim ||
        memcmp(out->shape, axes->shape, out->ndim * sizeof out->shape[0]) != 0) {
        text[0] = '\0';
        for (size_t d = 0; d < axes->shape_ndim && at < sizeof text; d++)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%zu", d > 0 ? "x" : "",
                                   axes->shape[d]);
        return SHEAF_FAIL(SHEAF_ERR_SHAPE, "%s: out has another shape than the results: %s",
                          axes->op->name, axes->shape_ndim > 0 ? text : "no dimension");
    }
    for (size_t d = 0; d < out->ndim; d++)
        if (out->strides[d] == 0 && out->shape[d] > 1)
            return SHEAF_FAIL(SHEAF_ERR_ARGUMENT,
                              "%s: out repeats elements (stride 0): results need their own memory",
                              axes->op->name);
    return SHEAF_OK;
}

/* The request, whose views are of axes_end(). *created: the new array, if *out is NULL. */
static sheaf_status make_request(struct request *request, struct axes *axes, sheaf_array **created,
                                 sheaf_array *out, const sheaf_array *array, sheaf_op op,
                                 const sheaf_reduce_options *options)
{
    static const sheaf_reduce_options defaults = {.executor = NULL};
    options = options != NULL ? options : &defaults;
    sheaf_status status = reduce_request(request, request, array, op, options);
    if (status != SHEAF_OK)
        return status;
    axes->op = sheaf_ops[request->op];
    axes->own = reduction_of(axes->op);
    if (axes->own->takes_second && options->second == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "%s: the option `second` is the other array",
                          axes->op->name);
    if (options->second != NULL && options->second->ndim != array->ndim)
        return SHEAF_FAIL(SHEAF_ERR_SHAPE, "%s: the shapes of the two arrays differ",
                          axes->op->name);
    status = reduction_result(&axes->result, axes->op, array->dtype, options->dtype);
    if (status == SHEAF_OK)
        status = find_axes(axes, array, options);
    if (status != SHEAF_OK)
        return status;
    struct reduce_params params;
    memcpy(&params, request->params, sizeof params);
    params.result = (uint32_t)axes->result;
    params.op = request->op;
    params.kept = (uint32_t)axes->kept;
    memcpy(request->params, &params, sizeof params);
    if (axes->own->has_index)
        axes->result = SHEAF_I64;
    if (out == NULL) {
        status = sheaf_create_anonymous(created, axes->result, axes->shape_ndim, axes->shape);
        out = *created;
    }
    if (status == SHEAF_OK)
        status = check_results(axes, out);
    if (status == SHEAF_OK &&
        (overlap(out, array) || (options->second != NULL && overlap(out, options->second))))
        status = SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "%s: out lies in the memory of its input",
                            axes->op->name);
    if (status == SHEAF_OK)
        status = turn(&axes->x, axes, array);
    if (status == SHEAF_OK)
        status = turn(&axes->second, axes, options->second != NULL ? options->second : array);
    if (status == SHEAF_OK)
        status = sheaf_view_reshape(&axes->results, out, axes->core_ndim, axes->core);
    request->op = sheaf_op_find("axes");
    request->array_count = 3;
    request->arrays[0] = axes->x;
    request->arrays[1] = axes->second;
    request->arrays[2] = axes->results;
    return status;
}

static sheaf_status run(sheaf_array **created, sheaf_array *out, const sheaf_array *array,
                        sheaf_op op, const sheaf_reduce_options *options)
{
    struct request request;
    struct axes axes = {.op = NULL};
    unsigned char done;
    request_clear(&request);
    sheaf_status status = make_request(&request, &axes, created, out, array, op, options);
    if (status == SHEAF_OK)
        status = call_run(&done, options != NULL ? options->executor : NULL, &request);
    axes_end(&axes);
    return status;
}

sheaf_status sheaf_reduce_axes(sheaf_array **out, const sheaf_array *array, sheaf_op op,
                               const sheaf_reduce_options *options)
{
    sheaf_array *created = NULL;
    if (out == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "reduce: out is NULL");
    sheaf_status status = run(&created, NULL, array, op, options);
    if (status == SHEAF_OK)
        *out = created;
    else
        sheaf_detach(created);
    return status;
}

sheaf_status sheaf_reduce_into(sheaf_array *out, const sheaf_array *array, sheaf_op op,
                               const sheaf_reduce_options *options)
{
    if (out == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "reduce: out is NULL");
    return run(NULL, out, array, op, options);
}

sheaf_status sheaf_reduce_into_submit(sheaf_future **future, sheaf_array *out,
                                      const sheaf_array *array, sheaf_op op,
                                      const sheaf_reduce_options *options)
{
    struct request request;
    struct axes axes = {.op = NULL};
    if (future == NULL || out == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "reduce: %s is NULL",
                          future == NULL ? "future" : "out");
    request_clear(&request);
    sheaf_status status = make_request(&request, &axes, NULL, out, array, op, options);
    if (status == SHEAF_OK)
        status = call_submit(future, options != NULL ? options->executor : NULL, &request);
    axes_end(&axes); /* work that goes on holds the memory */
    return status;
}
