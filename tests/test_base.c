/* test_base.c -- the lowest layer: statuses, dtypes, CPUs, futexes. */
#include "check.h"

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
           CASE(a_futex_wait_ends_at_its_bound))
