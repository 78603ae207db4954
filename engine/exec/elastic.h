/* elastic.h -- threads that come and go one by one. */
#ifndef SHEAF_EXEC_ELASTIC_H
#define SHEAF_EXEC_ELASTIC_H

#include "exec/executor.h"

/* What a threads executor becomes if its options say that workers are replaced after some tasks or leave when they are
 * idle. `caller_helps` and `runs_inline` are those of threads.c. */
extern const struct executor_ops elastic_ops;

/* Whether work of so many bytes is better done in the calling thread than in threads. */
bool threads_run_inline(double bytes);

#endif
