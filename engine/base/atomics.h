/* atomics.h -- atomic operations with the memory order in their names, so that it can be searched
 * for. They take any _Atomic object. The comment at each use names the partner. */
#ifndef SHEAF_BASE_ATOMICS_H
#define SHEAF_BASE_ATOMICS_H

#include <stdatomic.h>

#define load_relaxed(p)        atomic_load_explicit(p, memory_order_relaxed)
#define load_acquire(p)        atomic_load_explicit(p, memory_order_acquire)
#define load_seq_cst(p)        atomic_load_explicit(p, memory_order_seq_cst)
#define store_relaxed(p, v)    atomic_store_explicit(p, v, memory_order_relaxed)
#define store_release(p, v)    atomic_store_explicit(p, v, memory_order_release)
#define store_seq_cst(p, v)    atomic_store_explicit(p, v, memory_order_seq_cst)
#define add_relaxed(p, v)      atomic_fetch_add_explicit(p, v, memory_order_relaxed)
#define add_seq_cst(p, v)      atomic_fetch_add_explicit(p, v, memory_order_seq_cst)
#define sub_acq_rel(p, v)      atomic_fetch_sub_explicit(p, v, memory_order_acq_rel)
#define or_seq_cst(p, v)       atomic_fetch_or_explicit(p, v, memory_order_seq_cst)
#define and_seq_cst(p, v)      atomic_fetch_and_explicit(p, v, memory_order_seq_cst)
#define exchange_seq_cst(p, v) atomic_exchange_explicit(p, v, memory_order_seq_cst)

/* True if *p was *expected and is now desired; else *expected is what *p was. */
#define cas_seq_cst(p, expected, desired)                                                          \
    atomic_compare_exchange_strong_explicit(p, expected, desired, memory_order_seq_cst,            \
                                            memory_order_seq_cst)

/* Tells the CPU that we spin. */
static inline void cpu_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
