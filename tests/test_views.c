/* test_views.c -- views against a model that has no strides: a list of the elements' numbers. */
#include "check.h"

#include <stdint.h>

#include <sheaf/sheaf.h>

enum { MODEL_MAX = 4096, STEPS = 5, ROUNDS = 3000 };

/* What a view must be: the number of each element, in C order. */
struct model {
    size_t ndim;
    size_t shape[SHEAF_MAX_DIMS];
    size_t size;
    int32_t element[MODEL_MAX];
};

static size_t below(unsigned long long *state, size_t n)
{
    return (size_t)(check_random(state) % n);
}

static size_t measure(size_t ndim, const size_t *shape)
{
    size_t size = 1;
    for (size_t i = 0; i < ndim; i++)
        size *= shape[i];
    return size;
}

/* The number in C order of the element at these places. */
static size_t number_of(const struct model *model, const size_t *place)
{
    size_t number = 0;
    for (size_t i = 0; i < model->ndim; i++)
        number = number * model->shape[i] + place[i];
    return number;
}

/* Where element i of the view lies, from its strides. */
static const char *address_of(const sheaf_array *view, size_t i)
{
    const char *at = sheaf_array_data(view);
    for (size_t d = sheaf_array_ndim(view); d-- > 0;) {
        size_t extent = sheaf_array_shape(view)[d];
        at += (int64_t)(i % extent) * sheaf_array_strides(view)[d];
        i /= extent;
    }
    return at;
}

static void check_view(const sheaf_array *view, const struct model *model)
{
    sheaf_array *copy;
    CHECK(sheaf_array_ndim(view) == model->ndim && sheaf_array_size(view) == model->size);
    CHECK(memcmp(sheaf_array_shape(view), model->shape, model->ndim * sizeof(size_t)) == 0);
    CHECK_OK(sheaf_copy(&copy, view, NULL, NULL));
    CHECK(sheaf_array_is_dense(copy) && sheaf_array_bytes(copy) == model->size * sizeof(int32_t));
    bool is_dense = true;
    for (size_t i = 0; i < model->size; i++) {
        const char *at = address_of(view, i);
        CHECK(memcmp(at, &model->element[i], sizeof model->element[i]) == 0);
        CHECK(((int32_t *)sheaf_array_data(copy))[i] == model->element[i]);
        is_dense &= at == (const char *)sheaf_array_data(view) + i * sizeof model->element[i];
    }
    CHECK(sheaf_array_is_dense(view) == is_dense);
    sheaf_detach(copy);
}

/* Of axis d of the model, these places: what a slice, an index and a broadcast do. */
static void take(struct model *model, size_t d, const size_t *places, size_t count)
{
    struct model old = *model;
    size_t place[SHEAF_MAX_DIMS];
    model->shape[d] = count;
    model->size = measure(model->ndim, model->shape);
    for (size_t i = 0; i < model->size; i++) {
        size_t rest = i;
        for (size_t k = model->ndim; k-- > 0;) {
            place[k] = rest % model->shape[k];
            rest /= model->shape[k];
        }
        place[d] = places[place[d]];
        model->element[i] = old.element[number_of(&old, place)];
    }
}

static sheaf_status slice(sheaf_array **out, const sheaf_array *view, struct model *model,
                          unsigned long long *state)
{
    size_t d = below(state, model->ndim);
    int64_t n = (int64_t)model->shape[d];
    int64_t step = (int64_t)below(state, 7) - 3;
    int64_t start = (int64_t)below(state, (size_t)(2 * n + 3)) - n - 1;
    int64_t stop = (int64_t)below(state, (size_t)(2 * n + 3)) - n - 1;
    size_t places[64];
    size_t count = 0;
    step += step == 0;
    start = below(state, 4) == 0 ? (step > 0 ? SHEAF_BEGIN : SHEAF_END) : start;
    stop = below(state, 4) == 0 ? (step > 0 ? SHEAF_END : SHEAF_BEGIN) : stop;
    /* the places between them, one by one, as Python's documentation says it */
    int64_t from = start >= 0 || start == SHEAF_BEGIN ? start : start + n;
    int64_t to = stop >= 0 || stop == SHEAF_BEGIN ? stop : stop + n;
    from = from < 0 ? (step > 0 ? 0 : -1) : from >= n ? (step > 0 ? n : n - 1) : from;
    for (int64_t i = from; step > 0 ? i < to : i > to; i += step)
        if (i >= 0 && i < n)
            places[count++] = (size_t)i;
        else
            break;
    take(model, d, places, count);
    return sheaf_view_slice(out, view,
                            below(state, 2) ? (int64_t)d : (int64_t)d - (int64_t)model->ndim, start,
                            stop, step);
}

static sheaf_status transpose(sheaf_array **out, const sheaf_array *view, struct model *model,
                              unsigned long long *state)
{
    struct model old = *model;
    int64_t order[SHEAF_MAX_DIMS];
    for (size_t i = 0; i < model->ndim; i++)
        order[i] = (int64_t)i;
    for (size_t i = model->ndim; i-- > 1;) {
        size_t k = below(state, i + 1);
        int64_t kept = order[i];
        order[i] = order[k];
        order[k] = kept;
    }
    for (size_t i = 0; i < model->ndim; i++)
        model->shape[i] = old.shape[order[i]];
    for (size_t i = 0; i < model->size; i++) {
        size_t place[SHEAF_MAX_DIMS];
        size_t rest = i;
        for (size_t k = model->ndim; k-- > 0;) {
            place[order[k]] = rest % model->shape[k];
            rest /= model->shape[k];
        }
        model->element[i] = old.element[number_of(&old, place)];
    }
    return sheaf_view_transpose(out, view, order);
}

static sheaf_status broadcast(sheaf_array **out, const sheaf_array *view, struct model *model,
                              unsigned long long *state)
{
    const size_t zeros[4] = {0};
    size_t shape[SHEAF_MAX_DIMS];
    if (model->size * 12 > MODEL_MAX || model->ndim > 6)
        return sheaf_view_transpose(out, view, (const int64_t[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    memmove(model->shape + 1, model->shape, model->ndim * sizeof(size_t));
    model->shape[0] = 1;
    model->ndim++;
    memcpy(shape, model->shape, sizeof shape);
    for (size_t d = 0; d < model->ndim; d++)
        if (model->shape[d] == 1 && model->size * 4 < MODEL_MAX) {
            shape[d] = below(state, 4);
            take(model, d, zeros, shape[d]);
        }
    return sheaf_view_broadcast(out, view, model->ndim, shape);
}

static sheaf_status index_one(sheaf_array **out, const sheaf_array *view, struct model *model,
                              unsigned long long *state)
{
    size_t d = below(state, model->ndim);
    size_t at = model->shape[d] > 0 ? below(state, model->shape[d]) : 0;
    size_t n = model->shape[d];
    if (n == 0)
        return sheaf_view_slice(out, view, (int64_t)d, 0, 0, 1);
    take(model, d, &at, 1);
    model->ndim--;
    memmove(model->shape + d, model->shape + d + 1, (model->ndim - d) * sizeof(size_t));
    return sheaf_view_index(out, view, (int64_t)d,
                            below(state, 2) ? (int64_t)at : (int64_t)at - (int64_t)n);
}

/* Some factors of the size. If the strides allow no view, a copy's must. */
static sheaf_status reshape(sheaf_array **out, const sheaf_array *view, struct model *model,
                            unsigned long long *state)
{
    size_t shape[SHEAF_MAX_DIMS];
    size_t left = model->size;
    size_t ndim = 0;
    sheaf_array *copy;
    if (model->size == 0)
        return sheaf_view_transpose(out, view, (const int64_t[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    while (left > 1 && ndim < 6) {
        size_t factor = 1 + below(state, 6);
        if (left % factor == 0) {
            shape[ndim++] = factor;
            left /= factor;
        }
    }
    shape[ndim] = below(state, 2) ? left : SHEAF_INFER;
    sheaf_status status = sheaf_view_reshape(out, view, ndim + 1, shape);
    if (status == SHEAF_ERR_SHAPE) {
        CHECK(!sheaf_array_is_dense(view));
        CHECK_OK(sheaf_copy(&copy, view, NULL, NULL));
        status = sheaf_view_reshape(out, copy, ndim + 1, shape);
        sheaf_detach(copy);
    }
    shape[ndim] = left;
    model->ndim = ndim + 1;
    memcpy(model->shape, shape, sizeof shape);
    return status;
}

static void chains_of_views_are_what_the_model_says(void)
{
    sheaf_status (*const makers[])(sheaf_array **, const sheaf_array *, struct model *,
                                   unsigned long long *) = {slice,     slice,     transpose,
                                                            broadcast, index_one, reshape};
    static struct model model;
    for (unsigned long long round = 0; round < ROUNDS; round++) {
        unsigned long long state = round;
        sheaf_array *view;
        model.ndim = 1 + below(&state, 4);
        for (size_t d = 0; d < model.ndim; d++)
            model.shape[d] = below(&state, 16) == 0 ? 0 : 1 + below(&state, 6);
        model.size = measure(model.ndim, model.shape);
        CHECK_OK(sheaf_create_anonymous(&view, SHEAF_I32, model.ndim, model.shape));
        for (size_t i = 0; i < model.size; i++)
            ((int32_t *)sheaf_array_data(view))[i] = model.element[i] = (int32_t)i;
        for (size_t step = 0; step < STEPS && model.ndim > 0; step++) {
            sheaf_array *next;
            CHECK_OK(makers[below(&state, sizeof makers / sizeof makers[0])](&next, view, &model,
                                                                             &state));
            sheaf_detach(view); /* the view keeps the memory */
            view = next;
            check_view(view, &model);
        }
        sheaf_detach(view);
    }
}

static void what_is_no_view_is_refused(void)
{
    sheaf_array *array;
    sheaf_array *turned;
    sheaf_array *view = NULL;
    const size_t shape[] = {4, 6};
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_F64, 2, shape));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_view_slice(&view, array, 2, 0, 1, 1));
    CHECK_ERROR_SAYS("no axis 2: the array has 2 dimensions");
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_view_slice(&view, array, -3, 0, 1, 1));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_view_slice(&view, array, 0, 0, 1, 0));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_view_slice(&view, NULL, 0, 0, 1, 1));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_view_slice(NULL, array, 0, 0, 1, 1));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_view_index(&view, array, 0, 4));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_view_index(&view, array, 1, -7));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_view_transpose(&view, array, (const int64_t[]){0, 0}));
    CHECK_ERROR_SAYS("axis 0 is there twice");
    CHECK_STATUS(SHEAF_ERR_SHAPE, sheaf_view_broadcast(&view, array, 2, (const size_t[]){4, 12}));
    CHECK_STATUS(SHEAF_ERR_SHAPE, sheaf_view_broadcast(&view, array, 1, shape));
    CHECK_STATUS(SHEAF_ERR_OVERFLOW,
                 sheaf_view_broadcast(&view, array, 3, (const size_t[]){SIZE_MAX / 8, 4, 6}));
    CHECK_STATUS(SHEAF_ERR_SHAPE, sheaf_view_reshape(&view, array, 1, (const size_t[]){23}));
    CHECK_STATUS(SHEAF_ERR_SHAPE,
                 sheaf_view_reshape(&view, array, 2, (const size_t[]){SHEAF_INFER, SHEAF_INFER}));
    CHECK_STATUS(SHEAF_ERR_SHAPE,
                 sheaf_view_reshape(&view, array, 2, (const size_t[]){SIZE_MAX / 2, 6}));
    CHECK_OK(sheaf_view_transpose(&turned, array, NULL));
    CHECK_STATUS(SHEAF_ERR_SHAPE, sheaf_view_reshape(&view, turned, 1, (const size_t[]){24}));
    CHECK_ERROR_SAYS("reshape a sheaf_copy()");
    CHECK(view == NULL);
    sheaf_detach(turned);
    sheaf_detach(array);
}

/* An owned key goes with the handle that created it, not with a view. */
static void a_view_keeps_memory_but_no_key(void)
{
    const char *key = check_key("views");
    const size_t n = 5;
    sheaf_array *array;
    sheaf_array *view;
    sheaf_array *other;
    CHECK_OK(sheaf_create(&array, key, SHEAF_I64, 1, &n,
                          &(sheaf_create_options){.lifetime = SHEAF_OWNED}));
    ((int64_t *)sheaf_array_data(array))[4] = 7;
    CHECK_OK(sheaf_view_slice(&view, array, 0, SHEAF_END, SHEAF_BEGIN, -1));
    sheaf_detach(view);
    CHECK_OK(sheaf_attach(&other, key, NULL));
    sheaf_detach(other);
    CHECK_OK(sheaf_view_slice(&view, array, 0, SHEAF_END, SHEAF_BEGIN, -1));
    sheaf_detach(array);
    CHECK_STATUS(SHEAF_ERR_NOT_FOUND, sheaf_attach(&other, key, NULL));
    CHECK(*(int64_t *)sheaf_array_data(view) == 7 && sheaf_array_strides(view)[0] == -8);
    sheaf_detach(view);
}

/* What takes dense arrays alone says so, instead of reading what lies between. */
static void a_view_is_refused_where_dense_memory_is_wanted(void)
{
    const size_t shape[] = {2, 3};
    sheaf_array *array;
    sheaf_array *turned;
    sheaf_array *values;
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_F64, 2, shape));
    CHECK_OK(sheaf_create_anonymous(&values, SHEAF_F64, 1, shape));
    CHECK_OK(sheaf_view_broadcast(&turned, values, 1, shape));
    CHECK_OK(sheaf_svd_values(turned, NULL, array, NULL)); /* dense, though a view */
    sheaf_detach(turned);
    CHECK_OK(sheaf_view_slice(&turned, values, 0, SHEAF_END, SHEAF_BEGIN, -1));
    CHECK_STATUS(SHEAF_ERR_UNSUPPORTED, sheaf_svd_values(turned, NULL, array, NULL));
    CHECK_ERROR_SAYS("sheaf_copy()");
    sheaf_detach(turned);
    sheaf_detach(values);
    sheaf_detach(array);
}

CHECK_MAIN(CASE(chains_of_views_are_what_the_model_says), CASE(what_is_no_view_is_refused),
           CASE(a_view_keeps_memory_but_no_key),
           CASE(a_view_is_refused_where_dense_memory_is_wanted))
