/* reduce_case.c -- cases from bytes. */
#include "reduce_case.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIMS = 4, VIEWS = 4 };

/* Bytes that are used up; then zeros. */
struct bytes {
    const uint8_t *at;
    size_t left;
};

static size_t below(struct bytes *in, size_t n)
{
    size_t value = 0;
    for (size_t most = n; most > 1 && in->left > 0; most = (most + 255) / 256) {
        value = value << 8 | *in->at++;
        in->left--;
    }
    return n > 0 ? value % n : 0;
}

static void must(sheaf_status status)
{
    if (status == SHEAF_OK)
        return;
    fprintf(stderr, "%s: %s\n", sheaf_status_name(status), sheaf_last_error());
    abort();
}

/* Any bits: NaNs, infinities and denormal numbers among them; sometimes ties, or zeros. */
static void fill(sheaf_array *array, struct bytes *in)
{
    const size_t bytes = sheaf_dtype_size(sheaf_array_dtype(array));
    const size_t kind = below(in, 5);
    uint64_t state = below(in, 65536);
    unsigned char *to = sheaf_array_data(array);
    for (size_t i = 0; i < sheaf_array_size(array); i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t z = state ^ state >> 29;
        sheaf_scalar small = sheaf_scalar_of_f64(sheaf_array_dtype(array), (double)(z >> 60) - 7);
        if (kind == 0 || kind == 4)
            memcpy(to + i * bytes, &z, bytes);
        else if (kind == 1 && z % 97 != 0)
            memset(to + i * bytes, 0, bytes);
        else
            memcpy(to + i * bytes, &small.value, bytes);
        if (kind ==
            4) /* of a float, the upper bit of its exponent: finite, from 2 down to denormal */
            to[(i + 1) * bytes - 1] &= 0xbf;
        if (sheaf_array_dtype(array) == SHEAF_BOOL)
            to[i] &= 1;
    }
}

static sheaf_array *make_array(struct bytes *in, size_t most)
{
    static const size_t extents[] = {1,  2,  3,   5,   8,    31,   32,    33,
                                     64, 65, 511, 513, 8191, 8193, 16500, 0};
    const size_t ndim = below(in, DIMS + 1);
    size_t shape[DIMS];
    size_t size = 1;
    sheaf_array *array;
    for (size_t d = 0; d < ndim; d++) {
        shape[d] = extents[below(in, sizeof extents / sizeof extents[0])];
        if (size * shape[d] > most)
            shape[d] = 1 + below(in, 4);
        if (size * shape[d] > most)
            shape[d] = 1;
        size *= shape[d] > 0 ? shape[d] : 1;
    }
    must(sheaf_create_anonymous(&array, (sheaf_dtype)(1 + below(in, 13)), ndim, shape));
    fill(array, in);
    return array;
}

/* Takes the array, and gives a view of it. */
static sheaf_array *make_view(sheaf_array *array, struct bytes *in)
{
    size_t ndim = sheaf_array_ndim(array);
    sheaf_array *view;
    int64_t order[DIMS + 1];
    size_t shape[DIMS + 1] = {2};
    size_t axis = below(in, ndim);
    for (size_t d = 0; d < ndim; d++) {
        order[d] = (int64_t)((d + axis) % ndim);
        shape[d + 1] = sheaf_array_shape(array)[d];
    }
    size_t kind = below(in, 6);
    if (ndim == 0 || kind == 5)
        return array;
    if (kind == 0)
        must(sheaf_view_slice(&view, array, (int64_t)axis, (int64_t)below(in, 3), SHEAF_END,
                              1 + (int64_t)below(in, 3)));
    else if (kind == 1)
        must(sheaf_view_slice(&view, array, (int64_t)axis, SHEAF_END, SHEAF_BEGIN,
                              -1 - (int64_t)below(in, 2)));
    else if (kind == 4 && ndim < DIMS && sheaf_array_size(array) < 4096)
        must(sheaf_view_broadcast(&view, array, ndim + 1, shape));
    else
        must(sheaf_view_transpose(&view, array, kind == 2 ? NULL : order));
    sheaf_detach(array);
    return view;
}

/* What a cell must be: the reduction of a dense copy. */
static sheaf_status expected(sheaf_scalar *out, const sheaf_array *cell, const sheaf_array *second,
                             sheaf_op op)
{
    static sheaf_executor *sequential;
    sheaf_array *copy;
    sheaf_array *other = NULL;
    if (sequential == NULL)
        must(sheaf_executor_open(&sequential, SHEAF_SEQUENTIAL, NULL));
    must(sheaf_copy(&copy, cell, NULL, NULL));
    if (second != NULL)
        must(sheaf_copy(&other, second, NULL, NULL));
    sheaf_status status = sheaf_reduce(
        out, copy, op,
        &(sheaf_reduce_options){.executor = sequential, .isa = "scalar", .second = other});
    sheaf_detach(copy);
    sheaf_detach(other);
    return status;
}

/* A second view of the same, with the last dimension reversed if asked for. */
static sheaf_array *again(const sheaf_array *view, bool is_reversed)
{
    static const int64_t order[DIMS] = {0, 1, 2, 3};
    sheaf_array *other;
    if (is_reversed && sheaf_array_ndim(view) > 0)
        must(sheaf_view_slice(&other, view, -1, SHEAF_END, SHEAF_BEGIN, -1));
    else
        must(sheaf_view_transpose(&other, view, order));
    return other;
}

/* The elements of cell number i: those at its place in the dimensions that are kept. */
static sheaf_array *cell_of(const sheaf_array *view, const bool *is_reduced, size_t i)
{
    sheaf_array *cell = again(view, false);
    for (size_t d = sheaf_array_ndim(view); d-- > 0;) {
        sheaf_array *next;
        size_t extent = sheaf_array_shape(view)[d];
        if (is_reduced[d])
            continue;
        must(sheaf_view_index(&next, cell, (int64_t)d, (int64_t)(i % extent)));
        i /= extent;
        sheaf_detach(cell);
        cell = next;
    }
    return cell;
}

static bool same(const void *got, const void *want, size_t bytes, const char *what, size_t i)
{
    if (memcmp(got, want, bytes) == 0)
        return true;
    uint64_t bits[2] = {0, 0};
    memcpy(&bits[0], got, bytes);
    memcpy(&bits[1], want, bytes);
    fprintf(stderr, "%s, result %zu: %016" PRIx64 ", not %016" PRIx64 "\n", what, i, bits[0],
            bits[1]);
    return false;
}

static bool check_cells(const sheaf_array *results, const sheaf_array *view,
                        const sheaf_array *second, const bool *is_reduced, sheaf_op op)
{
    const bool is_pair = op == SHEAF_MINMAX;
    const size_t cells = sheaf_array_size(results) / (is_pair ? 2 : 1);
    const unsigned char *got = sheaf_array_data(results);
    const size_t bytes = sheaf_dtype_size(sheaf_array_dtype(results));
    const bool has_index = strstr(sheaf_op_name(op), "arg") != NULL;
    for (size_t i = 0; i < cells; i += 1 + cells / 64) {
        sheaf_scalar want;
        sheaf_array *cell = cell_of(view, is_reduced, i);
        sheaf_array *other = second != NULL ? cell_of(second, is_reduced, i) : NULL;
        must(expected(&want, cell, other, op));
        sheaf_detach(cell);
        sheaf_detach(other);
        if (!same(got + i * bytes, has_index ? (const void *)&want.index : &want.value, bytes,
                  sheaf_op_name(op), i))
            return false;
        if (is_pair && !same(got + (cells + i) * bytes, &want.second, bytes, "minmax", i))
            return false;
    }
    return true;
}

static bool check_whole(const sheaf_array *view, const sheaf_array *second, sheaf_op op,
                        const sheaf_reduce_options *options)
{
    sheaf_scalar want;
    sheaf_scalar got;
    sheaf_reduce_options whole = *options;
    sheaf_status status = expected(&want, view, second, op);
    whole.axis_count = 0;
    whole.keepdims = false;
    if (sheaf_reduce(&got, view, op, &whole) != status)
        return false;
    return status != SHEAF_OK || (same(&got.value, &want.value, 8, sheaf_op_name(op), 0) &&
                                  same(&got.second, &want.second, 8, sheaf_op_name(op), 0) &&
                                  same(&got.index, &want.index, 8, sheaf_op_name(op), 0));
}

/* The axes, and what the result's own memory is: new, or a given array that is no dense one. */
static bool check_axes(const sheaf_array *view, const sheaf_array *second, sheaf_op op,
                       sheaf_reduce_options *options, struct bytes *in)
{
    bool is_reduced[DIMS] = {false};
    int64_t axes[DIMS];
    sheaf_array *results;
    size_t ndim = sheaf_array_ndim(view);
    for (size_t d = 0; d < ndim; d++) {
        is_reduced[d] = below(in, 2);
        if (is_reduced[d])
            axes[options->axis_count++] = (int64_t)d - (below(in, 2) ? (int64_t)ndim : 0);
    }
    for (size_t d = 0; options->axis_count == 0 && d < ndim; d++)
        is_reduced[d] = true;
    options->axes = axes;
    options->keepdims = below(in, 2);
    sheaf_status status = sheaf_reduce_axes(&results, view, op, options);
    if (status == SHEAF_ERR_EMPTY)
        return sheaf_array_size(view) == 0;
    must(status);
    if (sheaf_array_ndim(results) > 0 && below(in, 2)) {
        sheaf_array *wide;
        sheaf_array *turned;
        size_t shape[2 * DIMS];
        size_t last = sheaf_array_ndim(results) - 1;
        memcpy(shape, sheaf_array_shape(results), sizeof shape[0] * (last + 1));
        shape[last] = 2 * shape[last] + 1;
        must(sheaf_create_anonymous(&wide, sheaf_array_dtype(results), last + 1, shape));
        must(sheaf_view_slice(&turned, wide, (int64_t)last, 1, SHEAF_END, 2));
        must(sheaf_reduce_into(turned, view, op, options));
        sheaf_detach(results);
        must(sheaf_copy(&results, turned, NULL, NULL));
        sheaf_detach(turned);
        sheaf_detach(wide);
    }
    bool is_right = check_cells(results, view, second, is_reduced, op);
    sheaf_detach(results);
    return is_right;
}

bool reduce_case(const uint8_t *bytes, size_t count, size_t most_elements, sheaf_executor *executor)
{
    struct bytes in = {bytes, count};
    sheaf_array *view = make_array(&in, most_elements);
    size_t isas = 0;
    while (sheaf_isa_name(isas) != NULL)
        isas++;
    sheaf_reduce_options options = {.executor = executor, .isa = sheaf_isa_name(below(&in, isas))};
    sheaf_op op = (sheaf_op)(SHEAF_MAX + (int)below(&in, SHEAF_FSUM));
    for (size_t i = 0; i < VIEWS; i++)
        view = make_view(view, &in);
    sheaf_array *second = NULL;
    if (op == SHEAF_PTP && sheaf_array_dtype(view) == SHEAF_BOOL)
        op = SHEAF_MINMAX;
    if (op == SHEAF_DOT)
        options.second = second = again(view, true);
    bool is_right =
        check_whole(view, second, op, &options) && check_axes(view, second, op, &options, &in);
    if (!is_right) {
        fprintf(stderr, "%s %s, isa %s, %zu axes of %zu, shape", sheaf_op_name(op),
                sheaf_dtype_name(sheaf_array_dtype(view)), options.isa, options.axis_count,
                sheaf_array_ndim(view));
        for (size_t d = 0; d < sheaf_array_ndim(view); d++)
            fprintf(stderr, " %zu (stride %" PRId64 ")", sheaf_array_shape(view)[d],
                    sheaf_array_strides(view)[d]);
        fprintf(stderr, "\n");
    }
    sheaf_detach(second);
    sheaf_detach(view);
    return is_right;
}
