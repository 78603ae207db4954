/* callable_fixture.h -- for tests of callables: the three executors, and the functions of callables.c. */
#ifndef SHEAF_TESTS_CALLABLE_FIXTURE_H
#define SHEAF_TESTS_CALLABLE_FIXTURE_H

#include "check.h"

#include <sheaf/sheaf.h>

static const sheaf_backend backends[] = {SHEAF_SEQUENTIAL, SHEAF_THREADS, SHEAF_PROCESSES};

static inline sheaf_callable *load(const char *name)
{
    sheaf_callable *callable;
    CHECK_OK(sheaf_callable_open(&callable, CALLABLES, name));
    return callable;
}

/* Of backends[]; ELASTIC: threads that come and go one by one, after a few tasks or some idle time. */
enum { ELASTIC = 3 };

static inline sheaf_executor *open_executor(size_t backend, size_t workers)
{
    sheaf_executor *executor;
    bool is_elastic = backend == ELASTIC;
    CHECK_OK(sheaf_executor_open(&executor, is_elastic ? SHEAF_THREADS : backends[backend],
                                 &(sheaf_executor_options){.workers = workers,
                                                           .tasks_per_worker = is_elastic ? 3 : 0,
                                                           .idle_ns = is_elastic ? 2000000 : 0}));
    return executor;
}

#endif
