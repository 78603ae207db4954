/* wipe.c -- the stack below a caller, zeroed. */
#include "base/wipe.h"

enum { STACK_BYTES = 24 * 1024 }; /* more than the hashes and their kernels take together */

__attribute__((noinline)) void wipe_stack(void)
{
    unsigned char below[STACK_BYTES];
    explicit_bzero(below, sizeof below);
}
