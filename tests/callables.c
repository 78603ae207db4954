/* callables.c -- functions for test_callables.c and others: in a shared object, found by name. */
#include "callables.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t number(const void *bytes)
{
    int64_t x;
    memcpy(&x, bytes, sizeof x);
    return x;
}

static int give(const sheaf_task *task, int64_t x)
{
    memcpy(task->result, &x, sizeof x);
    return 0;
}

int square(const sheaf_task *task)
{
    return give(task, number(task->arguments) * number(task->arguments));
}

int reverse(const sheaf_task *task)
{
    const char *from = task->arguments;
    char *to = task->result;
    for (size_t i = 0; i < task->result_bytes; i++)
        to[i] = from[task->argument_bytes - 1 - i];
    return 0;
}

int refuse(const sheaf_task *task)
{
    int code = *(const int *)task->arguments;
    return code % 2 != 0 ? sheaf_task_fail(code, "%d is odd", code) : code;
}

int end_worker(const sheaf_task *task)
{
    int signal = *(const int *)task->arguments;
    if (signal == 0)
        exit(3);
    raise(signal);
    return 0;
}

int sleep_us(const sheaf_task *task)
{
    int64_t us = number(task->arguments);
    struct timespec time = {us / 1000000, us % 1000000 * 1000};
    nanosleep(&time, NULL);
    return 0;
}

int who(const sheaf_task *task)
{
    return give(task, getpid());
}

int which_thread(const sheaf_task *task)
{
    return give(task, syscall(SYS_gettid));
}

int nothing(const sheaf_task *task)
{
    (void)task;
    return 0;
}

int square_index(const sheaf_task *task)
{
    int64_t x = (int64_t)task->index + (task->argument_bytes != 0 ? number(task->arguments) : 0);
    return give(task, x * x);
}

int add_item(const sheaf_task *task)
{
    return give(task, number(task->item) + number(task->arguments));
}

int refuse_multiples(const sheaf_task *task)
{
    if ((int64_t)task->index % number(task->arguments) == 0)
        return sheaf_task_fail(7, "a multiple");
    return give(task, (int64_t)task->index);
}

int sum_arrays(const sheaf_task *task)
{
    int64_t sum = 0;
    for (size_t a = 0; a < task->array_count; a++)
        for (int64_t i = 0; i < number(task->arguments); i++)
            sum += ((const int64_t *)task->arrays[a])[i];
    return give(task, sum);
}

int nested(const sheaf_task *task)
{
    sheaf_callable *callable;
    sheaf_future *future;
    int64_t x = 0;
    sheaf_submit_options options = {.result_bytes = sizeof x};
    if (sheaf_callable_open(&callable, getenv("SHEAF_TEST_CALLABLES"), "square") != SHEAF_OK)
        return 1;
    if (sheaf_submit(&future, callable, task->arguments, task->argument_bytes, &options) !=
        SHEAF_OK)
        return 2;
    bool is_done = sheaf_future_done(future);
    if (sheaf_future_result(&x, sizeof x, future, SHEAF_FOREVER) != SHEAF_OK || !is_done)
        return 3;
    sheaf_future_release(future);
    sheaf_callable_release(callable);
    return give(task, x);
}

int note_start(const sheaf_task *task)
{
    if (strcmp(task->arguments, "refuse") == 0)
        return sheaf_task_fail(5, "no start today");
    return setenv("SHEAF_TEST_NOTE", task->arguments, 1);
}

int tell_note(const sheaf_task *task)
{
    const char *note = getenv("SHEAF_TEST_NOTE");
    strncpy(task->result, note != NULL ? note : "", task->result_bytes - 1);
    return 0;
}
