/* test_base.c -- the lowest layer: statuses, dtypes, CPUs, futexes. */
#include "check.h"

#include <sched.h>

#include <sheaf/dtype.h>

#include "base/clock.h"
#include "base/cpus.h"
#include "base/error.h"
#include "base/futex.h"

static void error_text_is_the_last_one_and_may_quote_itself(void)
{
    CHECK(SHEAF_FAIL(SHEAF_ERR_EMPTY, "max of \"%s\"", "k") == SHEAF_ERR_EMPTY);
    CHECK(strcmp(sheaf_last_error(), "max of \"k\"") == 0);
    SHEAF_FAIL(SHEAF_ERR_EMPTY, "outer: %s", sheaf_last_error());
    CHECK(strcmp(sheaf_last_error(), "outer: max of \"k\"") == 0);
}

static void every_status_has_its_name(void)
{
    CHECK(strcmp(sheaf_status_name(SHEAF_OK), "SHEAF_OK") == 0);
    CHECK(strcmp(sheaf_status_name(SHEAF_ERR_SYSTEM), "SHEAF_ERR_SYSTEM") == 0);
    for (int s = 0; s <= SHEAF_ERR_CANCELLED; s++)
        CHECK(strchr(sheaf_status_name((sheaf_status)s), '?') == NULL);
    CHECK(strcmp(sheaf_status_name((sheaf_status)999), "SHEAF_ERR_?") == 0);
    CHECK(strcmp(sheaf_status_name((sheaf_status)-1), "SHEAF_ERR_?") == 0);
}

static void dtypes_go_by_name_and_code(void)
{
    CHECK(sheaf_dtype_by_name("f64") == SHEAF_F64 && sheaf_dtype_size(SHEAF_F64) == 8);
    CHECK(sheaf_dtype_by_name("i32") == SHEAF_I32 && sheaf_dtype_size(SHEAF_I32) == 4);
    CHECK(sheaf_dtype_by_name("f65") == 0 && sheaf_dtype_by_name(NULL) == 0);
    CHECK(sheaf_dtype_size((sheaf_dtype)0) == 0 &&
          strcmp(sheaf_dtype_name((sheaf_dtype)99), "?") == 0);
}

static void there_is_at_least_one_cpu(void)
{
    CHECK(cpus_usable() >= 1);
}

/* Which CPUs a thread may use is the same before and after; with one alone there is nowhere to go. */
static void a_thread_goes_to_another_cpu_if_it_may(void)
{
    cpu_set_t before;
    cpu_set_t after;
    cpu_set_t one;
    uint32_t cpu = cpus_current();
    CHECK(sched_getaffinity(0, sizeof before, &before) == 0);
    CHECK(cpu >= 1 && CPU_ISSET(cpu - 1, &before));
    CHECK(cpus_leave(cpu) == (CPU_COUNT(&before) > 1));
    CHECK(sched_getaffinity(0, sizeof after, &after) == 0 && CPU_EQUAL(&before, &after));
    CHECK(!cpus_leave(0));
    CPU_ZERO(&one);
    CPU_SET(cpu - 1, &one);
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
    CHECK(cpus_current() == cpu && !cpus_leave(cpu));
    CHECK(sched_getaffinity(0, sizeof after, &after) == 0 && CPU_EQUAL(&one, &after));
    CHECK(sched_setaffinity(0, sizeof before, &before) == 0);
}

static void a_futex_wait_ends_at_its_bound(void)
{
    _Atomic uint32_t word = 7;
    int64_t start = clock_now_ns();
    futex_wait(&word, 7, 2000000);
    CHECK(clock_now_ns() - start >= 1000000);
    futex_wait(&word, 8, -1); /* another value: returns at once */
}

CHECK_MAIN(CASE(error_text_is_the_last_one_and_may_quote_itself), CASE(every_status_has_its_name),
           CASE(dtypes_go_by_name_and_code), CASE(there_is_at_least_one_cpu),
           CASE(a_thread_goes_to_another_cpu_if_it_may), CASE(a_futex_wait_ends_at_its_bound))
