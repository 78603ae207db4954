/* select.c -- which instruction sets this CPU runs, found out once. */
#include "kernels.h"

#include <pthread.h>

#define ISA(name, runs_here) extern const struct kernels sheaf_kernels_##name;
#include "isas.def"
#undef ISA

enum {
#define ISA(name, runs_here) INDEX_##name,
#include "isas.def"
#undef ISA
    ISAS
};

static const struct kernels *found[ISAS];
static size_t found_count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void find(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
#define ISA(name, runs_here)                                                                       \
    if (runs_here)                                                                                 \
        found[found_count++] = &sheaf_kernels_##name;
#include "isas.def"
#undef ISA
}

const struct kernels *sheaf_kernels_at(size_t i)
{
    pthread_once(&once, find);
    return i < found_count ? found[i] : NULL;
}
