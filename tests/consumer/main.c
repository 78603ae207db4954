/* main.c -- a user's program: reduces an array on threads and on processes, with the installed copy.
 *
 * argv[1] is the prefix that the library and its worker must come from; argv[2] a key of our own. */
#include <sheaf/sheaf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COUNT = 1000000 };

static void fail(const char *what)
{
    fprintf(stderr, "consumer: %s: %s\n", what, sheaf_last_error());
    exit(1);
}

/* The maximum on one executor. */
static double maximum(const sheaf_array *array, sheaf_executor *executor)
{
    sheaf_scalar max = {0};
    sheaf_reduce_options options = {.executor = executor};
    if (sheaf_reduce(&max, array, SHEAF_MAX, &options) != SHEAF_OK)
        fail("reduce");
    if (max.dtype != SHEAF_F64)
        fail("dtype of the result");
    return max.value.f64;
}

/* The worker process that serves us is the installed one. */
static void check_worker(const sheaf_executor *executor, const char *prefix)
{
    char link[64], program[4096];
    sheaf_worker_info info;
    if (sheaf_executor_worker(&info, executor, 0) != SHEAF_OK)
        fail("worker");
    snprintf(link, sizeof link, "/proc/%d/exe", (int)info.pid);
    ssize_t length = readlink(link, program, sizeof program - 1);
    if (length < 0)
        fail(link);
    program[length] = '\0';
    printf("worker: %s\n", program);
    if (strncmp(program, prefix, strlen(prefix)) != 0)
        fail("a worker that is not the installed one");
}

int main(int argc, char **argv)
{
    sheaf_array *array;
    sheaf_executor *threads, *processes;
    size_t shape[] = {COUNT};
    if (argc != 3 || strcmp(sheaf_version(), SHEAF_VERSION) != 0)
        fail("usage, or the library of another version");
    sheaf_create_options owned = {.lifetime = SHEAF_OWNED};
    if (sheaf_create(&array, argv[2], SHEAF_F64, 1, shape, &owned) != SHEAF_OK)
        fail("create");
    double *data = sheaf_array_data(array);
    for (size_t i = 0; i < COUNT; i++)
        data[i] = (double)((i * 7919) % COUNT);

    sheaf_executor_options two = {.workers = 2};
    if (sheaf_executor_open(&threads, SHEAF_THREADS, &two) != SHEAF_OK ||
        sheaf_executor_open(&processes, SHEAF_PROCESSES, &two) != SHEAF_OK)
        fail("open");
    check_worker(processes, argv[1]);
    double by_threads = maximum(array, threads);
    double by_processes = maximum(array, processes);
    printf("max %.17g on threads, %.17g on processes\n", by_threads, by_processes);
    sheaf_executor_close(processes);
    sheaf_executor_close(threads);
    sheaf_detach(array);
    return by_threads == COUNT - 1 && by_processes == COUNT - 1 ? 0 : 1;
}
