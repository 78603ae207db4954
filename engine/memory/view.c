/* view.c -- views of arrays, and dense copies of them. */
#include <sheaf/view.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "memory/array.h"
#include "memory/layout.h"
#include "memory/shape.h"

/* A second handle on the same elements. Errors: ARGUMENT, NO_MEMORY. */
static sheaf_status view_new(sheaf_array **out, const sheaf_array *array, const char *what)
{
    if (out == NULL || array == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "%s: %s is NULL", what,
                          out == NULL ? "out" : "array");
    sheaf_array *view = malloc(sizeof *view);
    if (view == NULL)
        return SHEAF_FAIL(SHEAF_ERR_NO_MEMORY, "no memory for the handle of a view");
    *view = *array;
    view->is_view = true;
    segment_retain(view->segment);
    *out = view;
    return SHEAF_OK;
}

/* After shape and strides have been set. */
static void view_measure(sheaf_array *view)
{
    size_t element_bytes = sheaf_dtype_size(view->dtype);
    shape_measure(&view->size, &view->bytes, view->shape, view->ndim, element_bytes);
    view->is_dense = layout_is_dense(view->ndim, view->shape, view->strides, element_bytes);
}

static void drop_axis(sheaf_array *view, size_t axis)
{
    size_t after = view->ndim - axis - 1;
    memmove(view->shape + axis, view->shape + axis + 1, after * sizeof view->shape[0]);
    memmove(view->strides + axis, view->strides + axis + 1, after * sizeof view->strides[0]);
    view->ndim--;
}

sheaf_status array_axis(size_t *out, int64_t axis, size_t ndim, const char *what)
{
    int64_t n = (int64_t)ndim;
    if (axis < -n || axis >= n)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT,
                          "%s: there is no axis %lld: the array has %zu dimensions", what,
                          (long long)axis, ndim);
    *out = (size_t)(axis < 0 ? axis + n : axis);
    return SHEAF_OK;
}

/* As PySlice_AdjustIndices() documents it: a place that is negative counts from the end, and then both
 * are held between low and high. */
static int64_t place_of(int64_t place, int64_t n, int64_t low, int64_t high)
{
    if (place < 0)
        place = place < -n ? low : place + n;
    return place < low ? low : place > high ? high : place;
}

sheaf_status sheaf_view_slice(sheaf_array **out, const sheaf_array *array, int64_t axis,
                              int64_t start, int64_t stop, int64_t step)
{
    sheaf_array *view;
    size_t d;
    if (step == 0 || step == INT64_MIN)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "slice: step is %lld", (long long)step);
    sheaf_status status = view_new(&view, out != NULL ? array : NULL, "slice");
    if (status != SHEAF_OK)
        return status;
    status = array_axis(&d, axis, array->ndim, "slice");
    if (status != SHEAF_OK) {
        sheaf_detach(view);
        return status;
    }
    int64_t n = (int64_t)array->shape[d];
    int64_t low = step < 0 ? -1 : 0;
    int64_t high = step < 0 ? n - 1 : n;
    start = place_of(start, n, low, high);
    stop = place_of(stop, n, low, high);
    uint64_t span = (uint64_t)(step > 0 ? stop - start : start - stop);
    uint64_t pace = (uint64_t)(step > 0 ? step : -step);
    bool is_empty = step > 0 ? stop <= start : start <= stop;
    view->shape[d] = is_empty ? 0 : (span - 1) / pace + 1;
    if (!is_empty)
        view->offset += (size_t)(start * array->strides[d]);
    if (view->shape[d] > 1) /* then step * stride lies within the array, and so fits */
        view->strides[d] *= step;
    view_measure(view);
    *out = view;
    return SHEAF_OK;
}

sheaf_status sheaf_view_index(sheaf_array **out, const sheaf_array *array, int64_t axis,
                              int64_t index)
{
    sheaf_array *view;
    size_t d;
    sheaf_status status = view_new(&view, out != NULL ? array : NULL, "index");
    if (status != SHEAF_OK)
        return status;
    status = array_axis(&d, axis, array->ndim, "index");
    if (status != SHEAF_OK)
        goto detach;
    int64_t n = (int64_t)array->shape[d];
    if (index < -n || index >= n) {
        status = SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "index: there is no element %lld of %lld",
                            (long long)index, (long long)n);
        goto detach;
    }
    view->offset += (size_t)((index < 0 ? index + n : index) * array->strides[d]);
    drop_axis(view, d);
    view_measure(view);
    *out = view;
    return SHEAF_OK;

detach:
    sheaf_detach(view);
    return status;
}

sheaf_status sheaf_view_transpose(sheaf_array **out, const sheaf_array *array, const int64_t *order)
{
    sheaf_array *view;
    bool is_taken[SHEAF_MAX_DIMS] = {false};
    sheaf_status status = view_new(&view, out != NULL ? array : NULL, "transpose");
    if (status != SHEAF_OK)
        return status;
    for (size_t i = 0; i < array->ndim; i++) {
        size_t d = array->ndim - 1 - i;
        if (order != NULL)
            status = array_axis(&d, order[i], array->ndim, "transpose");
        if (status == SHEAF_OK && is_taken[d])
            status = SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "transpose: axis %zu is there twice", d);
        if (status != SHEAF_OK) {
            sheaf_detach(view);
            return status;
        }
        is_taken[d] = true;
        view->shape[i] = array->shape[d];
        view->strides[i] = array->strides[d];
    }
    view_measure(view);
    *out = view;
    return SHEAF_OK;
}

sheaf_status sheaf_view_broadcast(sheaf_array **out, const sheaf_array *array, size_t ndim,
                                  const size_t *shape)
{
    sheaf_array *view;
    size_t size;
    size_t bytes;
    sheaf_status status = view_new(&view, out != NULL ? array : NULL, "broadcast");
    if (status != SHEAF_OK)
        return status;
    if (ndim > SHEAF_MAX_DIMS || (ndim > 0 && shape == NULL))
        status = SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "broadcast: ndim is %zu, and %d the limit%s", ndim,
                            SHEAF_MAX_DIMS, shape == NULL ? "; shape is NULL" : "");
    else if (ndim < array->ndim)
        status = SHEAF_FAIL(SHEAF_ERR_SHAPE, "broadcast: %zu dimensions to %zu: drop some first",
                            array->ndim, ndim);
    else if (!shape_measure(&size, &bytes, shape, ndim, sheaf_dtype_size(array->dtype)))
        status = SHEAF_FAIL(SHEAF_ERR_OVERFLOW, "the bytes of this shape do not fit in 63 bits");
    for (size_t i = 0; status == SHEAF_OK && i < ndim; i++) {
        size_t more = ndim - array->ndim;
        uint64_t extent = i < more ? 1 : array->shape[i - more];
        if (extent != 1 && extent != shape[i])
            status = SHEAF_FAIL(SHEAF_ERR_SHAPE, "broadcast: axis %zu has %llu elements, not %zu",
                                i - more, (unsigned long long)extent, shape[i]);
        view->shape[i] = shape[i];
        view->strides[i] = extent == 1 && shape[i] != 1 ? 0
                           : i < more                   ? 0
                                                        : array->strides[i - more];
    }
    if (status != SHEAF_OK) {
        sheaf_detach(view);
        return status;
    }
    view->ndim = ndim;
    view_measure(view);
    *out = view;
    return SHEAF_OK;
}

/* Puts what is left in the place of SHEAF_INFER. False if the elements are not as many. */
static bool infer_shape(sheaf_array *view, size_t ndim, const size_t *shape)
{
    size_t unknown = ndim;
    size_t known = 1;
    bool is_empty = false;
    for (size_t i = 0; i < ndim; i++) {
        view->shape[i] = shape[i];
        if (shape[i] == SHEAF_INFER && unknown < ndim)
            return false;
        if (shape[i] == SHEAF_INFER)
            unknown = i;
        else if (shape[i] == 0)
            is_empty = true;
        else if (__builtin_mul_overflow(known, shape[i], &known))
            return false;
    }
    if (unknown == ndim)
        return view->size == (is_empty ? 0 : known);
    if (is_empty || view->size % known != 0)
        return false;
    view->shape[unknown] = view->size / known;
    return true;
}

/* The strides of the new shape: each dimension must lie within one of the simplified layout. From the
 * last dimension on; `left` is what is not yet used of that of the old, and `stride` its next stride. */
static bool split_strides(int64_t *strides, size_t ndim, const uint64_t *shape,
                          const struct layout *old)
{
    size_t d = old->ndim - 1;
    uint64_t left = old->shape[d];
    int64_t stride = old->strides[d];
    for (size_t i = ndim; i-- > 0;) {
        if (shape[i] == 1) {
            strides[i] = stride;
            continue;
        }
        if (left == 1 && d > 0) {
            d--;
            left = old->shape[d];
            stride = old->strides[d];
        }
        if (left % shape[i] != 0)
            return false;
        strides[i] = stride;
        left /= shape[i];
        stride = left > 1 ? stride * (int64_t)shape[i] : stride;
    }
    return true;
}

sheaf_status sheaf_view_reshape(sheaf_array **out, const sheaf_array *array, size_t ndim,
                                const size_t *shape)
{
    sheaf_array *view;
    struct layout old;
    sheaf_status status = view_new(&view, out != NULL ? array : NULL, "reshape");
    if (status != SHEAF_OK)
        return status;
    if (ndim > SHEAF_MAX_DIMS || (ndim > 0 && shape == NULL)) {
        status = SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "reshape: ndim is %zu, and %d the limit%s", ndim,
                            SHEAF_MAX_DIMS, shape == NULL ? "; shape is NULL" : "");
        goto detach;
    }
    if (!infer_shape(view, ndim, shape)) {
        status = SHEAF_FAIL(SHEAF_ERR_SHAPE, "reshape: the new shape does not have %zu elements",
                            array->size);
        goto detach;
    }
    view->ndim = ndim;
    if (array->size == 0 || array->is_dense) {
        layout_dense(view->strides, ndim, view->shape, sheaf_dtype_size(array->dtype));
    } else {
        layout_simplify(&old, array->ndim, array->shape, array->strides);
        if (!split_strides(view->strides, ndim, view->shape, &old)) {
            status = SHEAF_FAIL(SHEAF_ERR_SHAPE, "reshape: the strides of this view allow no view "
                                                 "of that shape: reshape a sheaf_copy() of it");
            goto detach;
        }
    }
    view_measure(view);
    *out = view;
    return SHEAF_OK;

detach:
    sheaf_detach(view);
    return status;
}

/* Fills a dense array with the elements of `context`, a view of the same size. */
static void fill_copy(sheaf_array *to, void *context)
{
    const sheaf_array *from = context;
    struct layout layout;
    if (from->size == 0)
        return;
    layout_simplify(&layout, from->ndim, from->shape, from->strides);
    layout_gather(sheaf_array_data(to), &layout, sheaf_array_data(from),
                  sheaf_dtype_size(from->dtype), 0, from->size);
}

sheaf_status sheaf_copy(sheaf_array **out, const sheaf_array *array, const char *key,
                        const sheaf_create_options *options)
{
    sheaf_array *copy;
    sheaf_create_options how = {.fill = fill_copy, .context = (void *)(uintptr_t)array};
    if (out == NULL || array == NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "copy: %s is NULL", out == NULL ? "out" : "array");
    if (options != NULL && options->fill != NULL)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "copy: the elements are the array's: no fill");
    if (options != NULL)
        how.lifetime = options->lifetime;
    if (key != NULL)
        return sheaf_create(out, key, array->dtype, array->ndim, array->shape, &how);
    if (how.lifetime != SHEAF_PERSISTENT)
        return SHEAF_FAIL(SHEAF_ERR_ARGUMENT, "copy: an array without a key has no lifetime");
    sheaf_status status = sheaf_create_anonymous(&copy, array->dtype, array->ndim, array->shape);
    if (status != SHEAF_OK)
        return status;
    fill_copy(copy, how.context);
    *out = copy;
    return SHEAF_OK;
}

const int64_t *sheaf_array_strides(const sheaf_array *array)
{
    return array->strides;
}

bool sheaf_array_is_dense(const sheaf_array *array)
{
    return array->is_dense;
}
