/* fp_mode.c -- the floating-point control register around a task. */
#include "job/run.h"

#if defined(__x86_64__)

#include <immintrin.h>

enum { MXCSR_DEFAULT = 0x1f80 }; /* all exceptions masked, to nearest, no FTZ, no DAZ */

struct fp_mode fp_mode_enter(void)
{
    struct fp_mode mode = {_mm_getcsr()};
    if ((mode.saved & ~UINT64_C(0x3f)) != MXCSR_DEFAULT) /* the low bits are sticky flags */
        _mm_setcsr(MXCSR_DEFAULT);
    return mode;
}

void fp_mode_leave(struct fp_mode mode)
{
    if ((mode.saved & ~UINT64_C(0x3f)) != MXCSR_DEFAULT)
        _mm_setcsr((unsigned)mode.saved);
}

#elif defined(__aarch64__)

struct fp_mode fp_mode_enter(void)
{
    struct fp_mode mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode.saved));
    if (mode.saved != 0)
        __asm__ volatile("msr fpcr, %0" : : "r"(UINT64_C(0)));
    return mode;
}

void fp_mode_leave(struct fp_mode mode)
{
    if (mode.saved != 0)
        __asm__ volatile("msr fpcr, %0" : : "r"(mode.saved));
}

#else
#error "fp_mode: say how this architecture keeps its rounding mode"
#endif
