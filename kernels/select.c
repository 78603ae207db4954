/* select.c -- which instruction sets this CPU runs, found out once. */
#include "kernels.h"

#include <pthread.h>

#include "sha256.h"

#define ISA(name, runs_here) extern const struct kernels sheaf_kernels_##name;
#include "isas.def"
#undef ISA

const enum kernel_dtype sheaf_kernel_computed[KERNEL_STORED] = {
#define X(NAME, T, stored_t, COMPUTED, computed_t) [STORED_##NAME] = KERNEL_##COMPUTED,
#include "stored.def"
#undef X
};

const size_t sheaf_kernel_bytes[KERNEL_DTYPES] = {
#define X(NAME, T, elem_t, acc_t) [KERNEL_##NAME] = sizeof(elem_t),
#include "dtypes.def"
#undef X
};

enum {
#define ISA(name, runs_here) INDEX_##name,
#include "isas.def"
#undef ISA
    ISAS
};

static struct kernels found[ISAS]; /* copies */
static size_t found_count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void find(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
#define ISA(name, runs_here)                                                                       \
    if (runs_here)                                                                                 \
        found[found_count++] = sheaf_kernels_##name;
#include "isas.def"
#undef ISA
    /* SHA-NI comes with no instruction set of ours in particular: it is in all but the scalar table. */
    for (size_t i = 1; i < found_count && sheaf_sha256_has_ni(); i++) {
        found[i].sha256 = sheaf_sha256_ni;
        found[i].sha256_many = sheaf_sha256_many_ni;
    }
}

const struct kernels *sheaf_kernels_at(size_t i)
{
    pthread_once(&once, find);
    return i < found_count ? &found[i] : NULL;
}
