/* check.h -- the little that a test program needs: checks, a table of cases, and proof at the end
 * that nothing was left behind. */
#ifndef SHEAF_TESTS_CHECK_H
#define SHEAF_TESTS_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sheaf/status.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            check_failed(__FILE__, __LINE__, #condition);                                          \
    } while (0)

/* The status of a call, and if it is another one, the text that came with it. */
#define CHECK_STATUS(expected, call)                                                               \
    do {                                                                                           \
        sheaf_status check_status_ = (call);                                                       \
        if (check_status_ != (expected))                                                           \
            check_status_failed(__FILE__, __LINE__, #call, expected, check_status_);               \
    } while (0)

#define CHECK_OK(call) CHECK_STATUS(SHEAF_OK, call)

/* The last error's text contains this. */
#define CHECK_ERROR_SAYS(part)                                                                     \
    do {                                                                                           \
        if (strstr(sheaf_last_error(), part) == NULL)                                              \
            check_failed(__FILE__, __LINE__, "last error says \"" part "\"");                      \
    } while (0)

struct check_case {
    const char *name;
    void (*run)(void);
};

/* Print what failed and end the program with 1. */
_Noreturn void check_failed(const char *file, int line, const char *what);
_Noreturn void check_status_failed(const char *file, int line, const char *call,
                                   sheaf_status expected, sheaf_status got);

/* Print why and end the program with 77, which ctest counts as skipped. */
_Noreturn void check_skip(const char *reason);

/* Says so, in the place of a CASE_OF_ONE_THREAD(). */
void check_not_on_threads(void);

/* Runs the cases (those whose names contain argv[1], if it is given), then checks that this process
 * has no more descriptors, children or shared mappings than before, and that no key of check_key()
 * is left. Returns main()'s result. Ends with "N passed". */
int check_main(int argc, char **argv, const struct check_case *cases, size_t count);

/* A key for this process alone: "sheaf-test-PID-NAME". A static buffer of 4 in turn. */
const char *check_key(const char *name);

#define CHECK_MAIN(...)                                                                            \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        static const struct check_case cases[] = {__VA_ARGS__};                                    \
        return check_main(argc, argv, cases, sizeof cases / sizeof cases[0]);                      \
    }
/* A case that calls us from one thread, with a sequential executor or none: it shows the thread sanitizer nothing,
 * which takes ten times as long over it. It is left out there, and says so. */
#ifdef __SANITIZE_THREAD__
enum { IS_THREAD_SANITIZED = 1 };
#else
enum { IS_THREAD_SANITIZED = 0 };
#endif
#define CASE_OF_ONE_THREAD(function)                                                               \
    {                                                                                              \
#function, IS_THREAD_SANITIZED ? check_not_on_threads : function                           \
    }
#define CASE(function)                                                                             \
    {                                                                                              \
#function, function                                                                        \
    }

/* Open descriptors of this process, and 3 more: "." and "..", and the one of the listing. */
size_t check_descriptors(void);

void check_sleep_us(long us);

/* splitmix64 (Steele, Lea, Flood 2014): test data from a seed. */
unsigned long long check_random(unsigned long long *state);

#endif
