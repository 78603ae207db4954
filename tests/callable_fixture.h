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

static inline sheaf_executor *open_executor(size_t backend, size_t workers)
{
    sheaf_executor *executor;
    CHECK_OK(sheaf_executor_open(&executor, backends[backend],
                                 &(sheaf_executor_options){.workers = workers}));
    return executor;
}

#endif
