/* sequential.c -- the executor that is the caller. */
#include "exec/executor.h"
#include "exec/initializer.h"

static sheaf_status open_sequential(struct sheaf_executor *executor,
                                    const sheaf_executor_options *options)
{
    executor->workers = 1;
    return initializer_run(options);
}

static bool always(double bytes)
{
    (void)bytes;
    return true;
}

const struct executor_ops sequential_ops = {
    .backend = SHEAF_SEQUENTIAL,
    .name = "sequential",
    .open = open_sequential,
    .runs_inline = always,
};
