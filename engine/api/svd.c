/* svd.c -- the public batched SVD. */
#include <sheaf/svd.h>

#include <string.h>

#include "api/call.h"
#include "base/error.h"
#include "exec/executor.h"
#include "memory/array.h"
#include "ops/svd.h"

/* What a call of one mode gets: the caller's arrays, with those created here. */
struct outputs {
    sheaf_svd_arrays all;
    sheaf_svd_arrays created; /* NULL: the caller's own */
};

static void drop(struct outputs *outputs)
{
    sheaf_detach(outputs->created.u);
    sheaf_detach(outputs->created.s);
    sheaf_detach(outputs->created.vt);
}

/* The array, unless the caller gave one: the batch dimensions of a, then rows x columns (rows alone if
 * columns is NULL). */
static sheaf_status make_one(sheaf_array **array, sheaf_array **created, const sheaf_array *a,
                             size_t rows, const size_t *columns)
{
    size_t shape[SHEAF_MAX_DIMS];
    if (*array != NULL)
        return SHEAF_OK;
    memcpy(shape, a->shape, sizeof shape);
    shape[a->ndim - 2] = rows;
    if (columns != NULL)
        shape[a->ndim - 1] = *columns;
    sheaf_status status =
        sheaf_create_anonymous(created, a->dtype, columns != NULL ? a->ndim : a->ndim - 1, shape);
    if (status == SHEAF_OK)
        *array = *created;
    return status;
}

static sheaf_status make_outputs(struct outputs *outputs, const sheaf_array *a, sheaf_svd_mode mode)
{
    if (a->ndim < 2 || (a->dtype != SHEAF_F32 && a->dtype != SHEAF_F64)) {
        if (a->ndim < 2)
            return SHEAF_FAIL(SHEAF_ERR_SHAPE,
                              "\"%s\": svd: a has %zu dimensions; it must have 2 or more", a->key,
                              a->ndim);
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "\"%s\": svd: a is %s; it must be f32 or f64", a->key,
                          sheaf_dtype_name(a->dtype));
    }
    size_t m = a->shape[a->ndim - 2];
    size_t n = a->shape[a->ndim - 1];
    size_t k = m < n ? m : n;
    size_t u_columns = mode == SHEAF_SVD_FULL ? m : k;
    size_t vt_rows = mode == SHEAF_SVD_FULL ? n : k;
    sheaf_status status = make_one(&outputs->all.s, &outputs->created.s, a, k, NULL);
    if (status == SHEAF_OK && mode != SHEAF_SVD_VALUES)
        status = make_one(&outputs->all.u, &outputs->created.u, a, m, &u_columns);
    if (status == SHEAF_OK && mode != SHEAF_SVD_VALUES)
        status = make_one(&outputs->all.vt, &outputs->created.vt, a, vt_rows, &n);
    return status;
}

/* The first byte of an array's elements, and past the last: of a view with what lies between. */
static void extent(const char **begin, const char **end, const sheaf_array *x)
{
    *begin = sheaf_array_data(x);
    *end = *begin + (x->size > 0 ? sheaf_dtype_size(x->dtype) : 0);
    for (size_t d = 0; d < x->ndim && x->size > 0; d++) {
        int64_t last = x->strides[d] * (int64_t)(x->shape[d] - 1);
        *(last < 0 ? begin : end) += last;
    }
}

/* True if two arrays may share a byte. */
static bool overlap(const sheaf_array *x, const sheaf_array *y)
{
    const char *x_begin;
    const char *x_end;
    const char *y_begin;
    const char *y_end;
    extent(&x_begin, &x_end, x);
    extent(&y_begin, &y_end, y);
    return x_begin < x_end && y_begin < y_end && x_begin < y_end && y_begin < x_end;
}

static sheaf_status check_apart(const struct request *request)
{
    for (uint32_t i = 0; i < request->array_count; i++)
        for (uint32_t j = i + 1; j < request->array_count; j++)
            if (overlap(request->arrays[i], request->arrays[j]))
                return SHEAF_FAIL(SHEAF_ERR_ARGUMENT,
                                  "svd: two of its arrays share memory (\"%s\" and \"%s\"): each "
                                  "output needs its own",
                                  request->arrays[i]->key, request->arrays[j]->key);
    return SHEAF_OK;
}

/* One matrix for LAPACK may have all threads of the executor, if it is large. Two against one on a Zen 4, ms: values of
 * (1000, 1000), (1400, 1400), (2000, 2000) 134 to 147, 279 to 420, 790 to 1380; reduced vectors of (300, 300), (600, 600),
 * (1000, 1000) 16.5 to 16.2, 84 to 91, 290 to 385. Of several matrices, each has one thread. */
static uint32_t threads_for(const sheaf_array *a, sheaf_executor *executor, sheaf_svd_mode mode)
{
    if (a->ndim < 2 || a->size == 0)
        return 1;
    size_t m = a->shape[a->ndim - 2];
    size_t n = a->shape[a->ndim - 1];
    bool is_one = a->size / m == n;
    size_t least = mode == SHEAF_SVD_VALUES ? SVD_SPREAD_SIZE : SVD_SPREAD_VECTORS_SIZE;
    return is_one && svd_is_for_lapack(m, n) && a->size >= least ? executor_threads(executor) : 1;
}

static sheaf_status make_request(struct request *request, const sheaf_svd_arrays *out,
                                 const sheaf_array *a, const sheaf_svd_options *options,
                                 sheaf_svd_mode mode)
{
    const struct svd_params params = {
        .reproducible = options != NULL && options->reproducible,
        .mode = (uint32_t)mode,
        .threads = threads_for(a, options != NULL ? options->executor : NULL, mode),
    };
    bool is_tall = mode != SHEAF_SVD_FULL && a->ndim >= 2 &&
                   svd_is_tall(a->shape[a->ndim - 2], a->shape[a->ndim - 1]);
    request_clear(request);
    memcpy(request->params, &params, sizeof params);
    request->op = sheaf_op_find(is_tall ? "svd_tall" : "svd");
    request->arrays[SVD_A] = a;
    request->arrays[SVD_S] = out->s;
    request->array_count = 2;
    if (mode != SHEAF_SVD_VALUES) {
        request->arrays[SVD_U] = out->u;
        request->arrays[SVD_VT] = out->vt;
        request->array_count = 4;
    }
    if (options != NULL && options->status != NULL)
        request->arrays[request->array_count++] = options->status;
    sheaf_status status = check_apart(request);
    return status == SHEAF_OK ? call_isa(&request->isa, options != NULL ? options->isa : NULL)
                              : status;
}

/* Checks, and makes what is to be handed down. On an error nothing is left of it. */
static sheaf_status prepare(struct request *request, struct outputs *outputs,
                            const sheaf_svd_arrays *given, const sheaf_array *a,
                            const sheaf_svd_options *options)
{
    sheaf_svd_mode mode = options != NULL ? options->mode : SHEAF_SVD_VALUES;
    memset(outputs, 0, sizeof *outputs);
    if (given == NULL || a == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "svd: %s is NULL", a == NULL ? "a" : "arrays");
    if (mode != SHEAF_SVD_VALUES && mode != SHEAF_SVD_REDUCED && mode != SHEAF_SVD_FULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "svd: unknown mode %d", (int)mode);
    if (mode == SHEAF_SVD_VALUES && (given->u != NULL || given->vt != NULL))
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT,
                          "svd: u or vt is given, but the mode is SHEAF_SVD_VALUES: leave it NULL, "
                          "or set the option mode to SHEAF_SVD_REDUCED or SHEAF_SVD_FULL");
    outputs->all = *given;
    sheaf_status status = make_outputs(outputs, a, mode);
    if (status == SHEAF_OK)
        status = make_request(request, &outputs->all, a, options, mode);
    if (status != SHEAF_OK)
        drop(outputs);
    return status;
}

sheaf_status sheaf_svd(sheaf_svd_arrays *out, sheaf_svd_report *report, const sheaf_array *a,
                       const sheaf_svd_options *options)
{
    struct request request;
    struct outputs outputs;
    sheaf_svd_report unwanted;
    sheaf_status status = prepare(&request, &outputs, out, a, options);
    if (status != SHEAF_OK)
        return status;
    status = call_run(report != NULL ? report : &unwanted,
                      options != NULL ? options->executor : NULL, &request);
    if (status == SHEAF_OK)
        *out = outputs.all;
    else
        drop(&outputs);
    return status;
}

sheaf_status sheaf_svd_submit(sheaf_future **out, sheaf_svd_arrays *arrays, const sheaf_array *a,
                              const sheaf_svd_options *options)
{
    struct request request;
    struct outputs outputs;
    sheaf_status status = out != NULL ? prepare(&request, &outputs, arrays, a, options)
                                      : SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "svd: out is NULL");
    if (status != SHEAF_OK)
        return status;
    status = call_submit(out, options != NULL ? options->executor : NULL, &request);
    if (status == SHEAF_OK)
        *arrays = outputs.all;
    else
        drop(&outputs);
    return status;
}

sheaf_status sheaf_svd_values(sheaf_array *values, sheaf_svd_report *report, const sheaf_array *a,
                              const sheaf_svd_options *options)
{
    struct request request;
    sheaf_svd_report unwanted;
    if (values == NULL || a == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "svd: %s is NULL", values == NULL ? "values" : "a");
    sheaf_status status =
        make_request(&request, &(sheaf_svd_arrays){.s = values}, a, options, SHEAF_SVD_VALUES);
    if (status != SHEAF_OK)
        return status;
    return call_run(report != NULL ? report : &unwanted, options != NULL ? options->executor : NULL,
                    &request);
}
