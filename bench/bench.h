/* bench.h -- what the benchmark programs share: arrays of test data, sizes, and the read limit. */
#ifndef SHEAF_BENCH_H
#define SHEAF_BENCH_H

#include <sheaf/sheaf.h>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

/* The end of every main(), after the rows are registered: runs them, or (--serve) one at a time for bench/house. */
int bench_main(int argc, char **argv);

/* Setting up is no part of what is measured: a failure there ends the program. */
static inline void need(sheaf_status status, const char *what)
{
    if (status == SHEAF_OK)
        return;
    std::fprintf(stderr, "%s: %s\n", what, sheaf_last_error());
    std::exit(1);
}

struct detach_array {
    void operator()(sheaf_array *array) const
    {
        sheaf_detach(array);
    }
};
using array_ptr = std::unique_ptr<sheaf_array, detach_array>;

struct close_executor {
    void operator()(sheaf_executor *executor) const
    {
        sheaf_executor_close(executor);
    }
};
using executor_ptr = std::unique_ptr<sheaf_executor, close_executor>;

/* splitmix64 (Steele, Lea, Flood 2014). */
static inline uint64_t random_u64(uint64_t &state)
{
    uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

template <typename T> static inline void fill(sheaf_array *array)
{
    T *data = static_cast<T *>(sheaf_array_data(array));
    uint64_t state = 1;
    for (size_t i = 0; i < sheaf_array_size(array); i++) {
        double uniform = static_cast<double>(random_u64(state) >> 11) * 0x1p-53;
        data[i] = static_cast<T>(uniform * (static_cast<T>(0.5) == 0 ? 1e9 : 1.0));
    }
}

/* The same of any dtype; integers are 0 to 99. */
static inline void fill_any(sheaf_array *array)
{
    uint64_t state = 1;
    sheaf_dtype dtype = sheaf_array_dtype(array);
    size_t bytes = sheaf_dtype_size(dtype);
    double scale = sheaf_dtype_kind(dtype) == 'f' ? 1 : sheaf_dtype_kind(dtype) == 'b' ? 2 : 100;
    for (size_t i = 0; i < sheaf_array_size(array); i++) {
        double uniform = static_cast<double>(random_u64(state) >> 11) * 0x1p-53;
        sheaf_scalar element =
            sheaf_scalar_of_f64(dtype, static_cast<double>(static_cast<int>(uniform * scale)));
        if (scale == 1)
            element = sheaf_scalar_of_f64(dtype, uniform);
        memcpy(static_cast<char *>(sheaf_array_data(array)) + i * bytes, &element.value, bytes);
    }
}

/* An array without a key, every page written, so that no page is touched first while it is timed. */
static inline array_ptr make_array(sheaf_dtype dtype, size_t elements)
{
    sheaf_array *array = nullptr;
    need(sheaf_create_anonymous(&array, dtype, 1, &elements), "create");
    switch (dtype) {
    case SHEAF_I32:
        fill<int32_t>(array);
        break;
    case SHEAF_I64:
        fill<int64_t>(array);
        break;
    case SHEAF_F32:
        fill<float>(array);
        break;
    case SHEAF_F64:
        fill<double>(array);
        break;
    default:
        fill_any(array);
        break;
    }
    return array_ptr(array);
}

static inline executor_ptr open_executor(sheaf_backend backend, size_t workers,
                                         sheaf_spin spin = SHEAF_SPIN_AUTO)
{
    sheaf_executor *executor = nullptr;
    sheaf_executor_options options = {};
    options.workers = workers;
    options.spin = spin;
    need(sheaf_executor_open(&executor, backend, &options), "open");
    return executor_ptr(executor);
}

/* Worker counts to try: 1, 2, 4, ... and the number of CPUs that we may use. */
static inline std::vector<size_t> worker_counts()
{
    size_t all = sheaf_executor_workers(nullptr);
    std::vector<size_t> counts;
    for (size_t n = 1; n < all; n *= 2)
        counts.push_back(n);
    counts.push_back(all);
    return counts;
}

static inline void load_word(const char *at)
{
    uint64_t word = *reinterpret_cast<const uint64_t *>(at);
    __asm__ volatile("" : : "r"(word));
}

/* Loads every byte of [data, data + bytes) once, in loads of the width that the instruction set has,
 * and does nothing with it: the limit that a reduction can come close to. bytes: a multiple of 8. */
static inline void read_only(const std::string &isa, const void *data, size_t bytes)
{
    const char *at = static_cast<const char *>(data);
    const char *end = at + bytes;
#if defined(__x86_64__)
    if (isa == "avx512") {
        for (; end - at >= 512; at += 512)
            __asm__ volatile("vmovups (%0), %%zmm0\n\tvmovups 64(%0), %%zmm1\n\t"
                             "vmovups 128(%0), %%zmm2\n\tvmovups 192(%0), %%zmm3\n\t"
                             "vmovups 256(%0), %%zmm4\n\tvmovups 320(%0), %%zmm5\n\t"
                             "vmovups 384(%0), %%zmm6\n\tvmovups 448(%0), %%zmm7"
                             :
                             : "r"(at)
                             : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                               "memory");
        __asm__ volatile("vzeroupper" ::: "memory");
    }
    if (isa == "avx2") {
        for (; end - at >= 256; at += 256)
            __asm__ volatile("vmovups (%0), %%ymm0\n\tvmovups 32(%0), %%ymm1\n\t"
                             "vmovups 64(%0), %%ymm2\n\tvmovups 96(%0), %%ymm3\n\t"
                             "vmovups 128(%0), %%ymm4\n\tvmovups 160(%0), %%ymm5\n\t"
                             "vmovups 192(%0), %%ymm6\n\tvmovups 224(%0), %%ymm7"
                             :
                             : "r"(at)
                             : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                               "memory");
        __asm__ volatile("vzeroupper" ::: "memory");
    }
#endif
    (void)isa;
    for (; end - at >= 64; at += 64)
        for (int i = 0; i < 8; i++)
            load_word(at + i * 8);
    for (; at < end; at += 8)
        load_word(at);
}

static inline std::vector<std::string> isas()
{
    std::vector<std::string> names;
    for (size_t i = 0; sheaf_isa_name(i) != nullptr; i++)
        names.emplace_back(sheaf_isa_name(i));
    return names;
}

#endif
