/* futex.h -- sleeping on a 32-bit word, across threads and processes. */
#ifndef SHEAF_BASE_FUTEX_H
#define SHEAF_BASE_FUTEX_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Sleeps while *word is expected, until woken, or timeout_ns have passed (negative: no bound), or a
 * signal came. It may return for no reason: look again. Never fails. */
void futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns);

/* The same for several words (at most 128): sleeps while each is what is expected of it. */
void futex_wait_any(_Atomic uint32_t *const *words, const uint32_t *expected, size_t count,
                    int64_t timeout_ns);

/* Wakes at most count sleepers. */
void futex_wake(_Atomic uint32_t *word, int count);

#endif
