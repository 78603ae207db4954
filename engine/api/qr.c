/* qr.c -- the public QR factorisation. */
#include <sheaf/qr.h>

#include <string.h>

#include "api/call.h"
#include "base/error.h"
#include "memory/array.h"

enum { A, Q, R };

static bool overlap(const sheaf_array *x, const sheaf_array *y)
{
    const char *x_at = sheaf_array_data(x);
    const char *y_at = sheaf_array_data(y);
    return x->bytes > 0 && y->bytes > 0 && x_at < y_at + y->bytes && y_at < x_at + x->bytes;
}

/* The array, unless the caller gave one: the shape of a with `rows` rows. */
static sheaf_status make_one(sheaf_array **array, sheaf_array **created, const sheaf_array *a,
                             size_t rows)
{
    size_t shape[SHEAF_MAX_DIMS];
    if (*array != NULL)
        return SHEAF_OK;
    memcpy(shape, a->shape, sizeof shape);
    shape[a->ndim - 2] = rows;
    sheaf_status status = sheaf_create_anonymous(created, a->dtype, a->ndim, shape);
    if (status == SHEAF_OK)
        *array = *created;
    return status;
}

static sheaf_status run(const sheaf_qr_arrays *out, const sheaf_array *a,
                        const sheaf_qr_options *options)
{
    struct request request;
    unsigned char nothing;
    request_clear(&request);
    request.op = sheaf_op_find("qr");
    request.arrays[A] = a;
    request.arrays[Q] = out->q;
    request.arrays[R] = out->r;
    request.array_count = 3;
    if (overlap(a, out->q) || overlap(a, out->r) || overlap(out->q, out->r))
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT,
                          "qr: two of its arrays share memory: each output needs its own");
    sheaf_status status = call_isa(&request.isa, options != NULL ? options->isa : NULL);
    if (status != SHEAF_OK)
        return status;
    return call_run(&nothing, options != NULL ? options->executor : NULL, &request);
}

sheaf_status sheaf_qr(sheaf_qr_arrays *out, const sheaf_array *a, const sheaf_qr_options *options)
{
    sheaf_array *created_q = NULL;
    sheaf_array *created_r = NULL;
    if (out == NULL || a == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "qr: %s is NULL", a == NULL ? "a" : "out");
    if (a->ndim < 2)
        return SHEAF_FAIL(SHEAF_ERR_SHAPE,
                          "\"%s\": qr: a has %zu dimensions; it must have 2 or more", a->key,
                          a->ndim);
    if (a->dtype != SHEAF_F32 && a->dtype != SHEAF_F64)
        return SHEAF_FAIL(SHEAF_ERR_DTYPE, "\"%s\": qr: a is %s; it must be f32 or f64", a->key,
                          sheaf_dtype_name(a->dtype));
    sheaf_qr_arrays all = *out;
    sheaf_status status = make_one(&all.q, &created_q, a, a->shape[a->ndim - 2]);
    if (status == SHEAF_OK)
        status = make_one(&all.r, &created_r, a, a->shape[a->ndim - 1]);
    if (status == SHEAF_OK)
        status = run(&all, a, options);
    if (status == SHEAF_OK) {
        *out = all;
        return SHEAF_OK;
    }
    sheaf_detach(created_q);
    sheaf_detach(created_r);
    return status;
}
