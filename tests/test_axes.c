/* test_axes.c -- reductions of views and along axes: every result is that of a dense copy of its elements,
 * bit for bit; and what NumPy does of nothing, with an initial value, a dtype, and keepdims. */
#include "check.h"

#include <math.h>

#include <sheaf/sheaf.h>

#include "kernels.h"
#include "ops/panels.h"
#include "reduce_case.h"

enum { CASE_BYTES = 48 };

/* The threads do the same for every dtype: the thread sanitizer sees the first of three. */
enum { NEXT_DTYPE = IS_THREAD_SANITIZED ? 3 : 1 };

static void run_cases(size_t cases, size_t most_elements, sheaf_executor *executor,
                      unsigned long long seed)
{
    for (size_t i = 0; i < cases; i++) {
        uint8_t bytes[CASE_BYTES];
        unsigned long long state = seed + i;
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (uint8_t)(check_random(&state) >> 56);
        bool is_right = reduce_case(bytes, sizeof bytes, most_elements, executor);
        if (!is_right)
            fprintf(stderr, "seed %llu\n", seed + i);
        CHECK(is_right);
    }
}

static void small_views_give_the_bits_of_their_copies(void)
{
    sheaf_executor *executor;
    CHECK_OK(sheaf_executor_open(&executor, SHEAF_SEQUENTIAL, NULL));
    run_cases(4000, 600, executor, 1);
    sheaf_executor_close(executor);
}

static void large_views_give_the_bits_of_their_copies(void)
{
    static const struct {
        sheaf_backend backend;
        size_t workers;
    } kinds[] = {{SHEAF_THREADS, 2}, {SHEAF_THREADS, 5}, {SHEAF_PROCESSES, 3}};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        sheaf_executor *executor;
        CHECK_OK(sheaf_executor_open(&executor, kinds[k].backend,
                                     &(sheaf_executor_options){.workers = kinds[k].workers}));
        run_cases(150, 300000, executor, 100000 * (k + 1));
        sheaf_executor_close(executor);
    }
}

/* A column of `array`, copied, has the bits of result number i. */
static void check_column(const sheaf_array *out, const sheaf_array *array, sheaf_op op, size_t i)
{
    sheaf_array *column;
    sheaf_array *copy;
    sheaf_scalar want;
    size_t size = sheaf_dtype_size(sheaf_array_dtype(out));
    CHECK_OK(sheaf_view_index(&column, array, 1, (int64_t)i));
    CHECK_OK(sheaf_copy(&copy, column, NULL, NULL));
    CHECK_OK(sheaf_reduce(&want, copy, op,
                          &(sheaf_reduce_options){.second = op == SHEAF_DOT ? copy : NULL}));
    const void *bits = strstr(sheaf_op_name(op), "arg") != NULL ? (void *)&want.index : &want.value;
    CHECK(memcmp((char *)sheaf_array_data(out) + i * size, bits, size) == 0);
    sheaf_detach(copy);
    sheaf_detach(column);
}

static void check_columns(const sheaf_array *array, sheaf_op op, sheaf_executor *executor)
{
    const int64_t axis = 0;
    sheaf_array *out;
    CHECK_OK(sheaf_reduce_axes(&out, array, op,
                               &(sheaf_reduce_options){.executor = executor,
                                                       .axes = &axis,
                                                       .axis_count = 1,
                                                       .second = op == SHEAF_DOT ? array : NULL}));
    for (size_t i = 0;
         i<sheaf_array_shape(array)[1]; i += sheaf_array_shape(array)[1]> 100 ? 347 : 23)
        check_column(out, array, op, i);
    sheaf_detach(out);
}

static sheaf_array *random_matrix(sheaf_dtype dtype, size_t rows, size_t columns)
{
    const size_t shape[] = {rows, columns};
    const size_t bytes = sheaf_dtype_size(dtype);
    unsigned long long seed = dtype;
    sheaf_array *array;
    CHECK_OK(sheaf_create_anonymous(&array, dtype, 2, shape));
    for (size_t i = 0; i < rows * columns; i++) {
        double x = 1 + (double)(check_random(&seed) >> 11) * 0x1p-60;
        if (dtype == SHEAF_F64) {
            ((double *)sheaf_array_data(array))[i] = x;
            continue;
        }
        sheaf_scalar element = sheaf_scalar_of_f64(dtype, bytes == 8 ? x : 1 / (x - 0.999));
        memcpy((char *)sheaf_array_data(array) + i * bytes, &element.value, bytes);
    }
    return array;
}

/* Five leaves of 70 columns: their tree has a turn to take. */
static void many_leaves_of_many_columns(void)
{
    static const sheaf_dtype dtypes[] = {SHEAF_F64, SHEAF_F16, SHEAF_U16};
    sheaf_executor *executor;
    CHECK_OK(
        sheaf_executor_open(&executor, SHEAF_THREADS, &(sheaf_executor_options){.workers = 3}));
    for (size_t t = 0; t < sizeof dtypes / sizeof dtypes[0]; t += NEXT_DTYPE) {
        sheaf_array *array = random_matrix(dtypes[t], 33000, 70);
        for (sheaf_op op = SHEAF_MAX; strcmp(sheaf_op_name(op), "?") != 0; op++)
            check_columns(array, op, executor);
        sheaf_detach(array);
    }
    sheaf_executor_close(executor);
}

static void check_steps(const sheaf_array *array, sheaf_op op)
{
    sheaf_array *step;
    check_columns(array, op, NULL);
    CHECK_OK(sheaf_view_slice(&step, array, 1, SHEAF_END, SHEAF_BEGIN, -2));
    check_columns(step, op, NULL);
    sheaf_detach(step);
    CHECK_OK(sheaf_view_slice(&step, array, 1, 1, SHEAF_END, 2));
    check_columns(step, op, NULL);
    sheaf_detach(step);
}

/* So wide that panels go down a lane or two at a time; in place, every other column, and those backwards. */
static void wide_panels(void)
{
    static const sheaf_op ops[] = {SHEAF_SUM, SHEAF_NANVAR, SHEAF_DOT};
    sheaf_array *array = random_matrix(SHEAF_F64, 520, 33000);
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        check_steps(array, ops[i]);
    sheaf_detach(array);
}

/* Panels of two leaves that one task has all of are gone down as one. */
static void joined_panels(void)
{
    static const sheaf_op ops[] = {SHEAF_SUM,    SHEAF_MAX, SHEAF_MINMAX,
                                   SHEAF_ARGMIN, SHEAF_VAR, SHEAF_NORM2};
    sheaf_array *array = random_matrix(SHEAF_F32, 8192 + 700, 1061);
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        check_steps(array, ops[i]);
    sheaf_detach(array);
}

/* Every other element of rows of more than a leaf, up to the last one that there is: folded in place. */
static void runs_of_every_other_element(void)
{
    static const sheaf_dtype dtypes[] = {SHEAF_F64, SHEAF_F32, SHEAF_BF16};
    static const sheaf_op ops[] = {SHEAF_SUM, SHEAF_PROD, SHEAF_DOT, SHEAF_NANVAR, SHEAF_ARGMAX};
    for (size_t t = 0; t < sizeof dtypes / sizeof dtypes[0]; t++)
        for (size_t columns = 17003; columns <= 17409; columns += 406) { /* to a whole row, too */
            sheaf_array *array = random_matrix(dtypes[t], 3, columns);
            sheaf_array *step;
            sheaf_array *view;
            CHECK_OK(sheaf_view_slice(&step, array, 1, SHEAF_BEGIN, SHEAF_END, 2));
            CHECK_OK(sheaf_view_transpose(&view, step, NULL));
            for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
                check_columns(view, ops[i], NULL);
            sheaf_detach(view);
            sheaf_detach(step);
            sheaf_detach(array);
        }
}

/* (48, 2048, columns) doubles along dimension 1: panels of different rows cannot be gone down as one, and what cannot
 * is no reason for larger tasks, which share out worse. */
static void only_neighbours_are_joined(void)
{
    static const struct {
        uint64_t columns, joined;
    } cases[] = {{16, 1}, {2048, 1}, {2049, 2}, {5000, 3}, {100000, 3}};
    const struct reduce_params params = {.op = sheaf_op_index(SHEAF_VAR), .kept = 2};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int64_t c = (int64_t)cases[i].columns;
        struct op_array arrays[OP_ARRAYS_MAX] = {{.dtype = SHEAF_F64,
                                                  .ndim = 3,
                                                  .shape = {48, cases[i].columns, 2048},
                                                  .strides = {2048 * 8 * c, 8, 8 * c}}};
        struct op_call call = {.params = &params, .arrays = arrays, .kernels = sheaf_kernels_at(0)};
        struct frame frame;
        arrays[Y] = arrays[X];
        arrays[RESULTS] = (struct op_array){
            .dtype = SHEAF_F64, .ndim = 2, .shape = {48, cases[i].columns}, .strides = {8 * c, 8}};
        panels_frame(&frame, &call);
        CHECK(frame.joined == cases[i].joined);
    }
}

/* Whole arrays, transposed, whose lines are brought together: the bits of a copy, and the same index. */
static void transposed_arrays(void)
{
    static const sheaf_dtype dtypes[] = {SHEAF_F64, SHEAF_F32, SHEAF_F16, SHEAF_I8, SHEAF_U16};
    for (size_t t = 0; t < sizeof dtypes / sizeof dtypes[0]; t += NEXT_DTYPE) {
        sheaf_array *array = random_matrix(dtypes[t], 1300, 530);
        sheaf_array *view;
        sheaf_array *copy;
        CHECK_OK(sheaf_view_transpose(&view, array, NULL));
        CHECK_OK(sheaf_copy(&copy, view, NULL, NULL));
        for (sheaf_op op = SHEAF_MAX; strcmp(sheaf_op_name(op), "?") != 0; op++) {
            sheaf_scalar got;
            sheaf_scalar want;
            sheaf_reduce_options options = {.second = op == SHEAF_DOT ? view : NULL};
            CHECK_OK(sheaf_reduce(&got, view, op, &options));
            options.second = op == SHEAF_DOT ? copy : NULL;
            CHECK_OK(sheaf_reduce(&want, copy, op, &options));
            CHECK(memcmp(&got, &want, sizeof got) == 0);
        }
        sheaf_detach(copy);
        sheaf_detach(view);
        sheaf_detach(array);
    }
}

/* Element (i, j) of a 3 x 4 array is 10 i + j. */
static sheaf_array *numbers(void)
{
    const size_t shape[] = {3, 4};
    sheaf_array *array;
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_I32, 2, shape));
    for (int32_t i = 0; i < 12; i++)
        ((int32_t *)sheaf_array_data(array))[i] = 10 * (i / 4) + i % 4;
    return array;
}

static void check_i64(const sheaf_array *results, size_t ndim, const size_t *shape,
                      const int64_t *expected)
{
    CHECK(sheaf_array_dtype(results) == SHEAF_I64 && sheaf_array_ndim(results) == ndim);
    CHECK(ndim == 0 || memcmp(sheaf_array_shape(results), shape, ndim * sizeof *shape) == 0);
    CHECK(memcmp(sheaf_array_data(results), expected, sheaf_array_bytes(results)) == 0);
}

static void axes_are_numpys(void)
{
    sheaf_array *array = numbers();
    sheaf_array *out;
    int64_t axis = 0;
    sheaf_reduce_options options = {.axes = &axis, .axis_count = 1};
    CHECK_OK(sheaf_reduce_axes(&out, array, SHEAF_SUM, &options));
    check_i64(out, 1, (const size_t[]){4}, (const int64_t[]){30, 33, 36, 39});
    sheaf_detach(out);
    axis = -1;
    options.keepdims = true;
    CHECK_OK(sheaf_reduce_axes(&out, array, SHEAF_SUM, &options));
    check_i64(out, 2, (const size_t[]){3, 1}, (const int64_t[]){6, 46, 86});
    sheaf_detach(out);
    CHECK_OK(sheaf_reduce_axes(&out, array, SHEAF_SUM, &(sheaf_reduce_options){.keepdims = true}));
    check_i64(out, 2, (const size_t[]){1, 1}, (const int64_t[]){138});
    sheaf_detach(out);
    CHECK_OK(sheaf_reduce_axes(&out, array, SHEAF_ARGMAX, NULL));
    check_i64(out, 0, NULL, (const int64_t[]){11});
    sheaf_detach(out);
    options.keepdims = false;
    options.initial = &(sheaf_scalar){.dtype = SHEAF_I64, .value = {.i64 = 1000}};
    CHECK_OK(sheaf_reduce_axes(&out, array, SHEAF_SUM, &options));
    check_i64(out, 1, (const size_t[]){3}, (const int64_t[]){1006, 1046, 1086});
    sheaf_detach(out);
    sheaf_detach(array);
}

static void a_given_array_is_written(void)
{
    sheaf_array *array = numbers();
    sheaf_array *out;
    sheaf_future *future;
    const int64_t axis = 0;
    const sheaf_reduce_options options = {.axes = &axis, .axis_count = 1};
    CHECK_OK(sheaf_create_anonymous(&out, SHEAF_F64, 1, (const size_t[]){4}));
    CHECK_OK(sheaf_reduce_into(out, array, SHEAF_MEAN, &options));
    CHECK(((double *)sheaf_array_data(out))[3] == 13);
    memset(sheaf_array_data(out), 0, 32);
    CHECK_OK(sheaf_reduce_into_submit(&future, out, array, SHEAF_MEAN, &options));
    sheaf_detach(array); /* the work holds its memory */
    CHECK_OK(sheaf_future_wait(future, -1));
    CHECK(((double *)sheaf_array_data(out))[2] == 12);
    sheaf_future_release(future);
    sheaf_detach(out);
}

static void dtypes_of_results_can_be_chosen(void)
{
    const size_t n = 3;
    sheaf_array *bytes;
    sheaf_scalar value;
    CHECK_OK(sheaf_create_anonymous(&bytes, SHEAF_U8, 1, &n));
    memset(sheaf_array_data(bytes), 200, n);
    CHECK_OK(sheaf_reduce(&value, bytes, SHEAF_SUM, NULL));
    CHECK(value.dtype == SHEAF_U64 && value.value.u64 == 600);
    CHECK_OK(sheaf_reduce(&value, bytes, SHEAF_SUM, &(sheaf_reduce_options){.dtype = SHEAF_U8}));
    CHECK(value.dtype == SHEAF_U8 && value.value.u8 == 88); /* wraps, as NumPy's */
    CHECK_OK(sheaf_reduce(&value, bytes, SHEAF_PROD, &(sheaf_reduce_options){.dtype = SHEAF_F32}));
    CHECK(value.dtype == SHEAF_F32 && value.value.f32 == 8e6F);
    CHECK_OK(sheaf_reduce(&value, bytes, SHEAF_MEAN, &(sheaf_reduce_options){.dtype = SHEAF_F16}));
    CHECK(value.dtype == SHEAF_F16 && sheaf_scalar_f64(&value) == 200);
    CHECK_STATUS(SHEAF_ERR_DTYPE, sheaf_reduce(&value, bytes, SHEAF_MEAN,
                                               &(sheaf_reduce_options){.dtype = SHEAF_I32}));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_reduce(&value, bytes, SHEAF_MAX,
                                                  &(sheaf_reduce_options){.dtype = SHEAF_I32}));
    CHECK_ERROR_SAYS("its result is u8");
    CHECK(sheaf_reduce_dtype(SHEAF_SUM, SHEAF_I8, 0) == SHEAF_I64);
    CHECK(sheaf_reduce_dtype(SHEAF_STD, SHEAF_BF16, 0) == SHEAF_BF16);
    CHECK(sheaf_reduce_dtype(SHEAF_SUM, SHEAF_F32, SHEAF_I64) == 0);
    CHECK(sheaf_reduce_dtype(SHEAF_PTP, SHEAF_BOOL, 0) == 0);
    sheaf_detach(bytes);
}

/* As NumPy: an error only where there is a result to have. */
static void of_nothing(void)
{
    sheaf_array *array;
    sheaf_array *out;
    sheaf_scalar value;
    int64_t axis = 0;
    sheaf_reduce_options options = {.axes = &axis, .axis_count = 1};
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_F32, 2, (const size_t[]){0, 3}));
    CHECK_STATUS(SHEAF_ERR_EMPTY, sheaf_reduce_axes(&out, array, SHEAF_MAX, &options));
    CHECK_ERROR_SAYS("give the option initial");
    CHECK_OK(sheaf_reduce_axes(&out, array, SHEAF_SUM, &options));
    CHECK(sheaf_array_size(out) == 3 && ((float *)sheaf_array_data(out))[2] == 0);
    sheaf_detach(out);
    CHECK_OK(sheaf_reduce_axes(&out, array, SHEAF_MEAN, &options));
    CHECK(isnan(((float *)sheaf_array_data(out))[0]));
    sheaf_detach(out);
    options.initial = &(sheaf_scalar){.dtype = SHEAF_F32, .value = {.f32 = -2}};
    CHECK_OK(sheaf_reduce_axes(&out, array, SHEAF_MAX, &options));
    CHECK(((float *)sheaf_array_data(out))[1] == -2);
    sheaf_detach(out);
    axis = 1;
    options.initial = NULL;
    CHECK_OK(sheaf_reduce_axes(&out, array, SHEAF_MAX, &options));
    CHECK(sheaf_array_ndim(out) == 1 && sheaf_array_size(out) == 0);
    sheaf_detach(out);
    CHECK_OK(sheaf_reduce(&value, array, SHEAF_MIN,
                          &(sheaf_reduce_options){.initial = &(sheaf_scalar){
                                                      .dtype = SHEAF_F32, .value = {.f32 = 5}}}));
    CHECK(value.value.f32 == 5);
    sheaf_detach(array);
}

static void bad_arguments_are_errors(void)
{
    sheaf_array *array = numbers();
    sheaf_array *out = NULL;
    sheaf_array *own;
    sheaf_scalar value;
    const int64_t twice[] = {0, -2};
    const int64_t two = 2;
    const int64_t axis = 0;
    const sheaf_reduce_options along = {.axes = &axis, .axis_count = 1};
    CHECK_STATUS(SHEAF_ERR_ARGUMENT,
                 sheaf_reduce_axes(&out, array, SHEAF_SUM,
                                   &(sheaf_reduce_options){.axes = twice, .axis_count = 2}));
    CHECK_ERROR_SAYS("axis 0 is given twice");
    CHECK_STATUS(SHEAF_ERR_ARGUMENT,
                 sheaf_reduce_axes(&out, array, SHEAF_SUM,
                                   &(sheaf_reduce_options){.axes = &two, .axis_count = 1}));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_reduce_axes(&out, array, SHEAF_SUM,
                                                       &(sheaf_reduce_options){.axis_count = 1}));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_reduce(&value, array, SHEAF_SUM, &along));
    CHECK_ERROR_SAYS("sheaf_reduce_axes()");
    CHECK_STATUS(
        SHEAF_ERR_DTYPE,
        sheaf_reduce(&value, array, SHEAF_SUM,
                     &(sheaf_reduce_options){.initial = &(sheaf_scalar){.dtype = SHEAF_F64}}));
    CHECK_STATUS(
        SHEAF_ERR_ARGUMENT,
        sheaf_reduce(&value, array, SHEAF_MEAN,
                     &(sheaf_reduce_options){.initial = &(sheaf_scalar){.dtype = SHEAF_F64}}));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_reduce_axes(&out, array, SHEAF_DOT, &along));
    CHECK(out == NULL);
    CHECK_OK(sheaf_create_anonymous(&own, SHEAF_I64, 1, (const size_t[]){4}));
    CHECK_STATUS(SHEAF_ERR_DTYPE, sheaf_reduce_into(own, array, SHEAF_MEAN, &along));
    CHECK_STATUS(SHEAF_ERR_SHAPE, sheaf_reduce_into(own, array, SHEAF_SUM, NULL));
    CHECK_ERROR_SAYS("no dimension");
    CHECK_OK(sheaf_view_broadcast(&out, own, 2, (const size_t[]){1, 4}));
    CHECK_STATUS(SHEAF_ERR_SHAPE, sheaf_reduce_into(out, array, SHEAF_SUM, &along));
    CHECK_ERROR_SAYS("than the results: 4");
    sheaf_detach(out);
    sheaf_detach(own);
    CHECK_OK(sheaf_create_anonymous(&own, SHEAF_I64, 1, (const size_t[]){1}));
    CHECK_OK(sheaf_view_broadcast(&out, own, 1, (const size_t[]){4}));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_reduce_into(out, array, SHEAF_SUM, &along));
    CHECK_ERROR_SAYS("stride 0");
    sheaf_detach(out);
    sheaf_detach(own);
    CHECK_OK(sheaf_view_index(&out, array, 0, 1));
    CHECK_STATUS(SHEAF_ERR_ARGUMENT, sheaf_reduce_into(out, array, SHEAF_MAX, &along));
    CHECK_ERROR_SAYS("in the memory of its input");
    sheaf_detach(out);
    sheaf_detach(array);
}

CHECK_MAIN(CASE(axes_are_numpys), CASE(a_given_array_is_written),
           CASE(dtypes_of_results_can_be_chosen), CASE(of_nothing), CASE(bad_arguments_are_errors),
           CASE_OF_ONE_THREAD(small_views_give_the_bits_of_their_copies),
           CASE(many_leaves_of_many_columns), CASE(wide_panels), CASE(joined_panels),
           CASE(only_neighbours_are_joined), CASE(runs_of_every_other_element),
           CASE(transposed_arrays), CASE(large_views_give_the_bits_of_their_copies))
