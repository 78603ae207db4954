/* fork.c -- a counter that pthread_atfork() moves in the child. */
#include "base/fork.h"

#include <pthread.h>

#include "base/atomics.h"

static _Atomic uint32_t count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void in_child(void)
{
    add_relaxed(&count, 1);
}

static void register_handler(void)
{
    pthread_atfork(NULL, NULL, in_child);
}

uint32_t fork_count(void)
{
    pthread_once(&once, register_handler);
    return load_relaxed(&count);
}
