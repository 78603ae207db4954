/* callables.h -- the functions of callables.c. */
#ifndef SHEAF_TESTS_CALLABLES_H
#define SHEAF_TESTS_CALLABLES_H

#include <sheaf/sheaf.h>

/* an int64_t -> its square */
int square(const sheaf_task *task);

#endif
