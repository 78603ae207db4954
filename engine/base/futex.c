/* futex.c -- the futex system call. Not the PRIVATE form: words may lie in memory that processes
 * share, and the two forms do not wake each other. */
#include "base/futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

void futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns)
{
    int saved = errno;
    struct timespec bound = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    syscall(SYS_futex, word, FUTEX_WAIT, expected, timeout_ns < 0 ? NULL : &bound, NULL, 0);
    errno = saved;
}

/* A kernel before 5.16 has no futex_waitv: then a look every millisecond has to do. */
void futex_wait_any(_Atomic uint32_t *const *words, const uint32_t *expected, size_t count,
                    int64_t timeout_ns)
{
    enum { LOOK_NS = 1000000, WORDS_MAX = 128 };
    if (count == 1) {
        futex_wait(words[0], expected[0], timeout_ns);
        return;
    }
    int saved = errno;
#if defined(SYS_futex_waitv) && defined(FUTEX_WAITV_MAX)
    struct futex_waitv waiters[WORDS_MAX] = {0};
    struct timespec end;
    int64_t end_ns = clock_now_ns() + timeout_ns;
    for (size_t i = 0; i < count && i < WORDS_MAX; i++) {
        waiters[i].uaddr = (uintptr_t)words[i];
        waiters[i].val = expected[i];
        waiters[i].flags = FUTEX_32;
    }
    end.tv_sec = end_ns / 1000000000;
    end.tv_nsec = end_ns % 1000000000;
    long result = syscall(SYS_futex_waitv, waiters, count < WORDS_MAX ? count : WORDS_MAX, 0,
                          timeout_ns < 0 ? NULL : &end, CLOCK_MONOTONIC);
    bool is_missing = result < 0 && errno == ENOSYS;
#else
    bool is_missing = true;
#endif
    if (is_missing)
        futex_wait(words[0], expected[0],
                   timeout_ns < 0 || timeout_ns > LOOK_NS ? LOOK_NS : timeout_ns);
    errno = saved;
}

void futex_wake(_Atomic uint32_t *word, int count)
{
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
    errno = saved;
}
