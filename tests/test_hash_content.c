/* test_hash_content.c -- the content hash, and hashes of views. */
#include "check.h"

#include <sheaf/sheaf.h>

enum { LONG = 131, MODES = 3 };

static sheaf_hash_options options_of(size_t mode)
{
    sheaf_hash_options options = {.out_bytes = LONG, .mode = (sheaf_hash_mode)mode};
    options.key =
        mode == SHEAF_HASH_KEYED ? (const uint8_t *)"a key of thirty-two bytes, or so" : NULL;
    options.context = mode == SHEAF_HASH_DERIVE_KEY ? "test_hash_content.c" : NULL;
    return options;
}

static size_t put_le(uint8_t *to, size_t at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[at + i] = (uint8_t)(value >> (8 * i));
    return at + bytes;
}

static void the_content_hash_is_of_the_bytes_that_its_header_says(void)
{
    size_t shape[] = {300, 5, 70};
    double *x = malloc(sizeof *x * 300 * 5 * 70);
    sheaf_array *array;
    sheaf_executor *pool;
    CHECK(x != NULL);
    for (size_t i = 0; i < 300 * 5 * 70; i++)
        x[i] = (double)i / 3;
    CHECK_OK(sheaf_create_anonymous(&array, SHEAF_F64, 3, shape));
    memcpy(sheaf_array_data(array), x, sheaf_array_bytes(array));
    CHECK_OK(sheaf_executor_open(&pool, SHEAF_PROCESSES, &(sheaf_executor_options){.workers = 2}));
    for (size_t mode = 0; mode < MODES; mode++) {
        uint8_t text[200] = "sheaf content 1";
        uint8_t expected[LONG], found[LONG];
        sheaf_hash_options options = options_of(mode);
        size_t at = put_le(text, 16, 13, 4); /* f64 */
        CHECK(SHEAF_F64 == 13);
        at = put_le(text, at, 3, 4);
        for (size_t d = 0; d < 3; d++)
            at = put_le(text, at, shape[d], 8);
        options.out_bytes = 0;
        CHECK_OK(sheaf_hash_bytes(text + at, x, sheaf_array_bytes(array), &options));
        options.out_bytes = LONG;
        CHECK_OK(sheaf_hash_bytes(expected, text, at + 32, &options));
        options.content = true;
        CHECK_OK(sheaf_hash(found, array, &options));
        CHECK(memcmp(found, expected, LONG) == 0);
        options.executor = pool;
        CHECK_OK(sheaf_hash(found, array, &options));
        CHECK(memcmp(found, expected, LONG) == 0);
    }
    sheaf_executor_close(pool);
    sheaf_detach(array);
    free(x);
}

static void content_hash(uint8_t hash[SHEAF_HASH_BYTES], void *data, sheaf_dtype dtype, size_t ndim,
                         const size_t *shape)
{
    sheaf_array *array;
    CHECK_OK(sheaf_wrap(&array, data, dtype, ndim, shape));
    CHECK_OK(sheaf_hash(hash, array, &(sheaf_hash_options){.content = true}));
    sheaf_detach(array);
}

static void the_content_hash_covers_dtype_and_shape(void)
{
    _Alignas(8) uint8_t data[96] = {1, 2, 3}, copy[96] = {1, 2, 3};
    uint8_t hash[8][SHEAF_HASH_BYTES];
    content_hash(hash[0], data, SHEAF_F64, 1, (size_t[]){12});
    content_hash(hash[1], data, SHEAF_I64, 1, (size_t[]){12});
    content_hash(hash[2], data, SHEAF_F32, 1, (size_t[]){24});
    content_hash(hash[3], data, SHEAF_F64, 2, (size_t[]){3, 4});
    content_hash(hash[4], data, SHEAF_F64, 2, (size_t[]){4, 3});
    content_hash(hash[5], data, SHEAF_F64, 2, (size_t[]){12, 1});
    content_hash(hash[6], data, SHEAF_F64, 2, (size_t[]){0, 1});
    content_hash(hash[7], data, SHEAF_F64, 2, (size_t[]){1, 0});
    for (size_t i = 0; i < 8; i++)
        for (size_t j = 0; j < i; j++)
            CHECK(memcmp(hash[i], hash[j], SHEAF_HASH_BYTES) != 0);
    content_hash(hash[1], copy, SHEAF_F64, 1, (size_t[]){12});
    CHECK(memcmp(hash[0], hash[1], SHEAF_HASH_BYTES) == 0);
}

/* ---- Views -------------------------------------------------------------------------------- */

/* Of an array of shape {x, y, z} of elements of 1 to 8 bytes: every kind of view. */
enum { VIEWS = 6 };
static void make_views(sheaf_array *views[VIEWS], const sheaf_array *array)
{
    sheaf_array *some;
    CHECK_OK(sheaf_view_transpose(&views[0], array, NULL));
    CHECK_OK(sheaf_view_transpose(&views[1], array, (const int64_t[]){1, 0, 2}));
    CHECK_OK(sheaf_view_slice(&views[2], array, 0, SHEAF_END, SHEAF_BEGIN, -1));
    CHECK_OK(sheaf_view_slice(&views[3], array, 2, 1, SHEAF_END, 3));
    CHECK_OK(sheaf_view_index(&some, array, 1, -1));
    CHECK_OK(sheaf_view_broadcast(
        &views[4], some, 3,
        (const size_t[]){5, sheaf_array_shape(array)[0], sheaf_array_shape(array)[2]}));
    sheaf_detach(some);
    CHECK_OK(sheaf_view_slice(&views[5], array, 1, 0, 0, 1)); /* nothing */
}

/* By the executor, the hash of a view and that of its copy, plain and of the content. */
static void compare_view(const sheaf_array *view, sheaf_executor *executor, size_t mode)
{
    uint8_t ours[LONG], copys[LONG];
    sheaf_hash_options options = options_of(mode);
    sheaf_array *copy;
    CHECK_OK(sheaf_copy(&copy, view, NULL, NULL));
    CHECK(sheaf_array_is_dense(copy));
    for (int content = 0; content < 2; content++) {
        options.content = content != 0;
        options.executor = NULL;
        CHECK_OK(sheaf_hash(copys, copy, &options));
        options.executor = executor;
        CHECK_OK(sheaf_hash(ours, view, &options));
        CHECK(memcmp(ours, copys, LONG) == 0);
    }
    sheaf_detach(copy);
}

static void a_view_has_the_hash_of_its_copy(void)
{
    static const sheaf_backend backends[] = {SHEAF_SEQUENTIAL, SHEAF_THREADS, SHEAF_PROCESSES};
    static const sheaf_dtype dtypes[] = {SHEAF_I8, SHEAF_F16, SHEAF_F32, SHEAF_F64};
    static const size_t shapes[][3] = {{3, 5, 7}, {40, 3, 33}, {128, 16, 256}, {301, 70, 45}};
    /* What is sequential shows the thread sanitizer nothing. */
    for (size_t b = IS_THREAD_SANITIZED ? 1 : 0; b < 3; b++) {
        sheaf_executor *executor;
        CHECK_OK(sheaf_executor_open(&executor, backends[b],
                                     &(sheaf_executor_options){.workers = b == 0 ? 0 : 3}));
        for (size_t s = 0; s < 4; s++) {
            sheaf_array *array;
            sheaf_array *views[VIEWS];
            CHECK_OK(sheaf_create_anonymous(&array, dtypes[(s + b) % 4], 3, shapes[s]));
            unsigned long long state = 3;
            uint8_t *x = sheaf_array_data(array);
            for (size_t i = 0; i < sheaf_array_bytes(array); i++)
                x[i] = (uint8_t)check_random(&state);
            make_views(views, array);
            sheaf_detach(array);
            for (size_t v = 0; v < VIEWS; v++) {
                compare_view(views[v], executor, v % MODES);
                sheaf_detach(views[v]);
            }
        }
        sheaf_executor_close(executor);
    }
}

CHECK_MAIN(CASE(the_content_hash_is_of_the_bytes_that_its_header_says),
           CASE(the_content_hash_covers_dtype_and_shape), CASE(a_view_has_the_hash_of_its_copy))
