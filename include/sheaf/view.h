/* view.h -- views: other shapes of an array's elements, in the same memory.
 *
 * A view is a sheaf_array: it has a shape of its own and, for each dimension, a stride, the bytes from one
 * element to the next: negative for a reversed dimension, 0 for one that repeats. It holds the memory,
 * not the handle that it was made of, which may be detached first (an owned key goes then). Views are
 * made of views alike; none of these functions looks at an element, or takes longer for larger arrays.
 *
 * Where a function wants dense memory, SHEAF_ERR_UNSUPPORTED says so, and sheaf_copy() makes it. A result depends on the elements and their
 * order alone: a view and its copy give the same bits. */
#ifndef SHEAF_VIEW_H
#define SHEAF_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sheaf/array.h>
#include <sheaf/export.h>
#include <sheaf/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Python's a[start:stop:step] along one dimension. Negative places count from the end, and what lies
 * outside is cut off: so SHEAF_BEGIN and SHEAF_END are what Python's empty places are. Backwards they
 * change sides: a[::-1] is (SHEAF_END, SHEAF_BEGIN, -1). step 0 is ARGUMENT.
 * The caller owns *out and detaches it. Errors: ARGUMENT (axis, step), NO_MEMORY. */
#define SHEAF_BEGIN INT64_MIN
#define SHEAF_END   INT64_MAX
SHEAF_EXPORT sheaf_status sheaf_view_slice(sheaf_array **out, const sheaf_array *array,
                                           int64_t axis, int64_t start, int64_t stop, int64_t step);

/* The elements at one place of a dimension, which the view no longer has: a[.., index, ..]. Axis and
 * index may be negative. Errors: ARGUMENT (axis, index), NO_MEMORY. */
SHEAF_EXPORT sheaf_status sheaf_view_index(sheaf_array **out, const sheaf_array *array,
                                           int64_t axis, int64_t index);

/* Dimension i of the view is dimension order[i] of the array; NULL: the reverse order. Each must be
 * there once. Errors: ARGUMENT (order), NO_MEMORY. */
SHEAF_EXPORT sheaf_status sheaf_view_transpose(sheaf_array **out, const sheaf_array *array,
                                               const int64_t *order);

/* To this shape: dimensions are matched from the last on; what is 1 or missing is repeated, in no
 * memory. Errors: SHAPE (it does not fit), OVERFLOW, ARGUMENT, NO_MEMORY. */
SHEAF_EXPORT sheaf_status sheaf_view_broadcast(sheaf_array **out, const sheaf_array *array,
                                               size_t ndim, const size_t *shape);

/* The same elements, in the same order, in another shape; one extent may be SHEAF_INFER, which is what
 * is left. Errors: SHAPE (another number of elements, or strides that allow it in no view: then
 * reshape a copy), ARGUMENT, NO_MEMORY. */
#define SHEAF_INFER SIZE_MAX
SHEAF_EXPORT sheaf_status sheaf_view_reshape(sheaf_array **out, const sheaf_array *array,
                                             size_t ndim, const size_t *shape);

/* The elements in C order, dense, as a new array under a key (NULL: without one; then options must be
 * NULL or zeros). Errors: as sheaf_create(). */
SHEAF_EXPORT sheaf_status sheaf_copy(sheaf_array **out, const sheaf_array *array, const char *key,
                                     const sheaf_create_options *options);

/* Bytes from one element to the next, for each dimension. Never fails; array's own memory. */
SHEAF_EXPORT const int64_t *sheaf_array_strides(const sheaf_array *array);

/* Whether the elements lie one after the other in C order, without gaps. */
SHEAF_EXPORT bool sheaf_array_is_dense(const sheaf_array *array);

#ifdef __cplusplus
}
#endif
#endif
