/* test_memory_numpy.c -- NumPy as the oracle: it maps our keys, and it and we read each other's files, which
 * are the same bytes. Skipped where there is no NumPy. */
#include "check.h"

#include <spawn.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sheaf/array.h>

static const struct {
    sheaf_dtype dtype;
    const char *numpy;
    size_t ndim;
    size_t shape[32];
} samples[] = {
    {SHEAF_F64, "<f8", 2, {3, 4}},
    {SHEAF_F64, "<f8", 0, {0}},
    {SHEAF_F32, "<f4", 1, {1000}},
    {SHEAF_I32, "<i4", 3, {0, 2, 3}},
    {SHEAF_I64, "<i8", 3, {7, 1, 13}},
    {SHEAF_I64, "<i8", 1, {1234567}},
    {SHEAF_F32, "<f4", 1, {0}},
    {SHEAF_I32, "<i4", 20, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3}},
    {SHEAF_F64, "<f8", 14, {3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 100}},
    {SHEAF_F64, "<f8", 32, {1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                            1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 5}},
};

enum { SAMPLES = sizeof samples / sizeof samples[0] };

static char directory[] = "/tmp/sheaf-test-numpy-XXXXXX";

static const char *file_of(size_t i, const char *suffix)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/case%zu%s", directory, i, suffix);
    return path;
}

static const char *key_of(size_t i)
{
    char name[32];
    snprintf(name, sizeof name, "numpy%zu", i);
    return check_key(name);
}

static double value_at(const sheaf_array *array, size_t i)
{
    const void *data = sheaf_array_data(array);
    switch (sheaf_array_dtype(array)) {
    case SHEAF_I32:
        return ((const int32_t *)data)[i];
    case SHEAF_I64:
        return (double)((const int64_t *)data)[i];
    case SHEAF_F32:
        return (double)((const float *)data)[i];
    default:
        return ((const double *)data)[i];
    }
}

static void fill(sheaf_array *array)
{
    void *data = sheaf_array_data(array);
    for (size_t i = 0; i < sheaf_array_size(array); i++)
        switch (sheaf_array_dtype(array)) {
        case SHEAF_I32:
            ((int32_t *)data)[i] = (int32_t)i;
            break;
        case SHEAF_I64:
            ((int64_t *)data)[i] = (int64_t)i;
            break;
        case SHEAF_F32:
            ((float *)data)[i] = (float)i;
            break;
        default:
            ((double *)data)[i] = (double)i;
        }
}

/* Element i is i + 1, for every i. */
static void check_is_one_more(const sheaf_array *array, size_t k)
{
    CHECK(sheaf_array_dtype(array) == samples[k].dtype &&
          sheaf_array_ndim(array) == samples[k].ndim);
    for (size_t i = 0; i < samples[k].ndim; i++)
        CHECK(sheaf_array_shape(array)[i] == samples[k].shape[i]);
    for (size_t i = 0; i < sheaf_array_size(array); i++)
        CHECK(value_at(array, i) == (double)(i + 1));
}

static int run_numpy(void)
{
    char *arguments[] = {PYTHON, SCRIPT, directory, NULL};
    pid_t child;
    int status;
    if (posix_spawn(&child, PYTHON, NULL, NULL, arguments, environ) != 0)
        return 77;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void clean(void)
{
    char command[100];
    for (size_t k = 0; k < SAMPLES; k++)
        sheaf_unlink(key_of(k));
    snprintf(command, sizeof command, "rm -r %s", directory);
    CHECK(system(command) == 0);
}

static void check_file(size_t k, const char *suffix)
{
    char key[256];
    sheaf_array *array;
    CHECK_OK(sheaf_load(&array, file_of(k, suffix), check_key("loaded"), NULL));
    check_is_one_more(array, k);
    sheaf_detach(array);
    CHECK_OK(sheaf_unlink(check_key("loaded")));
    snprintf(key, sizeof key, "file://%s", file_of(k, suffix));
    CHECK_OK(sheaf_attach(&array, key, &(sheaf_attach_options){.access = SHEAF_READ_ONLY}));
    check_is_one_more(array, k);
    sheaf_detach(array);
}

static void check_refused(const char *name, sheaf_status expected)
{
    char path[200];
    sheaf_array *array;
    snprintf(path, sizeof path, "%s/%s.npy", directory, name);
    CHECK_STATUS(expected, sheaf_load(&array, path, check_key("loaded"), NULL));
}

static void numpy_and_we_read_each_other(void)
{
    sheaf_array *arrays[SAMPLES];
    char list[200];
    CHECK(mkdtemp(directory) != NULL);
    snprintf(list, sizeof list, "%s/cases.txt", directory);
    FILE *file = fopen(list, "we");
    CHECK(file != NULL);
    for (size_t k = 0; k < SAMPLES; k++) {
        CHECK_OK(sheaf_create(&arrays[k], key_of(k), samples[k].dtype, samples[k].ndim,
                              samples[k].shape, NULL));
        fill(arrays[k]);
        CHECK_OK(sheaf_save(arrays[k], file_of(k, ".npy")));
        fprintf(file, "%s case%zu %s", key_of(k), k, samples[k].numpy);
        for (size_t i = 0; i < samples[k].ndim; i++)
            fprintf(file, " %zu", samples[k].shape[i]);
        fprintf(file, "\n");
    }
    fclose(file);
    int outcome = run_numpy();
    if (outcome == 77) {
        clean();
        check_skip("there is no NumPy for " PYTHON " (apt-get install python3-numpy)");
    }
    CHECK(outcome == 0);
    for (size_t k = 0; k < SAMPLES; k++) {
        check_is_one_more(arrays[k], k);
        sheaf_detach(arrays[k]);
        check_file(k, ".v1.npy");
        check_file(k, ".v2.npy");
        check_file(k, ".v3.npy");
    }
    check_refused("fortran", SHEAF_ERR_FORMAT);
    check_refused("big", SHEAF_ERR_FORMAT);
    check_refused("objects", SHEAF_ERR_FORMAT);
    check_refused("structured", SHEAF_ERR_FORMAT);
    check_refused("complex", SHEAF_ERR_DTYPE);
    clean();
}

CHECK_MAIN(CASE(numpy_and_we_read_each_other))
