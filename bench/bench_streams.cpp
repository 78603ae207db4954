/* bench_streams.cpp -- what `sheaf compare` has no row for: dot, which reads two arrays, beside a bare read of both; any
 * and all, which stop at the first hit; BLAKE3 of little inputs; the error of sum beside the bound that reduce.h proves. */
#include "bench.h"

#include <cmath>
#include <dlfcn.h>
#include <thread>

enum : size_t { ELEMENTS = 30000000, BLOCK = 4096 };

static size_t elements()
{
    const char *given = std::getenv("SHEAF_BENCH_ELEMENTS");
    size_t most = given == nullptr ? 0 : std::strtoull(given, nullptr, 10);
    return most == 0 ? size_t{ELEMENTS} : most;
}

static const sheaf_array *numbers(int which)
{
    static array_ptr arrays[2];
    if (arrays[which] == nullptr)
        arrays[which] = make_array(SHEAF_F64, elements());
    return arrays[which].get();
}

/* A block of one, a block of the other, as dot does. */
static void read_part(const std::string &isa, const char *a, const char *b, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += BLOCK) {
        size_t block = std::min<size_t>(BLOCK, bytes - at);
        read_only(isa, a + at, block);
        read_only(isa, b + at, block);
    }
}

static void read_two(benchmark::State &state, size_t workers)
{
    const char *a = static_cast<const char *>(sheaf_array_data(numbers(0)));
    const char *b = static_cast<const char *>(sheaf_array_data(numbers(1)));
    size_t bytes = sheaf_array_bytes(numbers(0));
    size_t part = bytes / workers / 64 * 64;
    const std::string isa = isas().back();
    for (auto _ : state) {
        std::vector<std::thread> others;
        for (size_t i = 1; i < workers; i++)
            others.emplace_back(read_part, isa, a + i * part, b + i * part, part);
        read_part(isa, a, b, part);
        for (std::thread &other : others)
            other.join();
    }
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                            static_cast<int64_t>(2 * part * workers));
}

static void dot(benchmark::State &state, sheaf_backend backend)
{
    executor_ptr executor = open_executor(backend, sheaf_executor_workers(nullptr));
    sheaf_reduce_options options = {};
    options.executor = executor.get();
    options.second = numbers(1);
    sheaf_scalar result;
    for (int warm = 0; warm < 3; warm++)
        need(sheaf_reduce(&result, numbers(0), SHEAF_DOT, &options), "dot");
    for (auto _ : state)
        need(sheaf_reduce(&result, numbers(0), SHEAF_DOT, &options), "dot");
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                            static_cast<int64_t>(2 * sheaf_array_bytes(numbers(0))));
}

/* any or all. hit: the first element that decides it, in per cent of the array; over 100: none. */
static void early(benchmark::State &state, sheaf_op op, size_t hit)
{
    static sheaf_array *array;
    const double other = op == SHEAF_ANY ? 0 : 1;
    size_t n = elements();
    if (array == nullptr)
        need(sheaf_create_anonymous(&array, SHEAF_F64, 1, &n), "create");
    double *data = static_cast<double *>(sheaf_array_data(array));
    std::fill(data, data + n, other);
    if (hit < 100)
        data[n * hit / 100] = 1 - other;
    sheaf_scalar result;
    for (auto _ : state)
        need(sheaf_reduce(&result, array, op, nullptr), "any or all");
}

static void hash(benchmark::State &state, size_t bytes)
{
    std::vector<unsigned char> input(bytes, 7);
    uint8_t out[SHEAF_HASH_BYTES];
    for (auto _ : state) {
        need(sheaf_hash_bytes(out, input.data(), bytes, nullptr), "hash");
        benchmark::DoNotOptimize(out);
    }
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(bytes));
}

/* What reduce.h proves: the most additions that an element goes through. */
static double bound_of(size_t n)
{
    auto levels = [](size_t count) { return std::ceil(std::log2(static_cast<double>(count))); };
    const size_t leaf = std::min<size_t>(n, 8192);
    const double h = std::min(std::ceil(static_cast<double>(n) / 32), 16.0) - 1 +
                     levels((leaf + 511) / 512) + 5 + levels((n + 8191) / 8192);
    return h * 0x1p-53 / (1 - h * 0x1p-53);
}

/* The magnitudes of kind 0 are alike; of 1 over 2^0 to 2^60; in 2 all but the last element cancels. */
static void fill_hard(double *x, size_t n, int kind, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t bits = random_u64(seed);
        const double m = 1 + static_cast<double>(bits >> 12) * 0x1p-52;
        const double scaled = std::ldexp(m, kind == 0 ? 0 : static_cast<int>(bits % 61));
        x[i] = (bits >> 11 & 1) != 0 ? -scaled : scaled;
        if (kind == 2 && i % 2 == 1)
            x[i] = -x[i - 1];
    }
    x[n - 1] = 0x1p-30;
}

/* The exact error is the exact sum of the elements and of less the computed sum. */
static double error_over_bound(double *x, size_t n)
{
    sheaf_scalar sum, magnitudes, error;
    sheaf_array *array = nullptr;
    need(sheaf_wrap(&array, x, SHEAF_F64, 1, &n), "wrap");
    const array_ptr elements(array);
    need(sheaf_reduce(&sum, array, SHEAF_SUM, nullptr), "sum");
    need(sheaf_reduce(&magnitudes, array, SHEAF_NORM1, nullptr), "norm1");
    x[n] = -sum.value.f64;
    const size_t with = n + 1;
    need(sheaf_wrap(&array, x, SHEAF_F64, 1, &with), "wrap");
    const array_ptr and_sum(array);
    need(sheaf_reduce(&error, array, SHEAF_FSUM, nullptr), "fsum");
    return std::fabs(error.value.f64) / (bound_of(n) * magnitudes.value.f64);
}

static void sum_error(benchmark::State &state)
{
    std::vector<double> x(1000001);
    double worst = 0;
    for (auto _ : state)
        for (int kind = 0; kind < 3; kind++)
            for (size_t n : {33, 513, 8193, 100000, 1000000}) {
                fill_hard(x.data(), n, kind, n);
                worst = std::max(worst, error_over_bound(x.data(), n));
            }
    state.counters["worst"] = worst;
}

/* BLAKE3's own C library with its assembly, which b3sum's crate is built on: as LLVM brings it along, or by itself.
 * So the cost of b3sum's library is measured, beside ours and in the same process, and not estimated. */
struct blake3_library {
    void (*init)(void *);
    void (*update)(void *, const void *, size_t);
    void (*finalize)(const void *, uint8_t *, size_t);
};

static void *symbol(void *library, const std::string &name)
{
    void *plain = dlsym(library, ("blake3_hasher_" + name).c_str());
    return plain != nullptr ? plain : dlsym(library, ("llvm_blake3_hasher_" + name).c_str());
}

static const blake3_library *find_library()
{
    static blake3_library found;
    for (const char *name : {"libblake3.so.0", "libLLVM-15.so.1", "libLLVM-16.so.1",
                             "libLLVM-17.so.1", "libLLVM.so.18.1", "libLLVM.so.19.1"}) {
        void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr || symbol(library, "finalize") == nullptr)
            continue;
        found.init = reinterpret_cast<decltype(found.init)>(symbol(library, "init"));
        found.update = reinterpret_cast<decltype(found.update)>(symbol(library, "update"));
        found.finalize = reinterpret_cast<decltype(found.finalize)>(symbol(library, "finalize"));
        return &found;
    }
    return nullptr;
}

static void hash_by_library(benchmark::State &state, const blake3_library *library, size_t bytes)
{
    std::vector<unsigned char> input(bytes, 7);
    uint8_t out[SHEAF_HASH_BYTES];
    alignas(64) unsigned char hasher[4096]; /* its own takes 1912 */
    for (auto _ : state) {
        library->init(hasher);
        library->update(hasher, input.data(), bytes);
        library->finalize(hasher, out, sizeof out);
        benchmark::DoNotOptimize(out);
    }
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(bytes));
}

int main(int argc, char **argv)
{
    size_t all = sheaf_executor_workers(nullptr);
    benchmark::RegisterBenchmark("read two", read_two, all)->UseRealTime();
    benchmark::RegisterBenchmark("dot/threads", dot, SHEAF_THREADS)->UseRealTime();
    benchmark::RegisterBenchmark("dot/processes", dot, SHEAF_PROCESSES)->UseRealTime();
    for (sheaf_op op : {SHEAF_ANY, SHEAF_ALL})
        for (size_t hit : {1, 50, 101}) {
            const std::string where =
                hit < 100 ? "hit at " + std::to_string(hit) + " %" : std::string("no hit");
            const std::string name = std::string(sheaf_op_name(op)) + "/" + where;
            benchmark::RegisterBenchmark(name.c_str(), early, op, hit)->UseRealTime();
        }
    const blake3_library *library = find_library();
    for (size_t bytes : {64, 256, 1024, 4096}) {
        const std::string size = std::to_string(bytes);
        benchmark::RegisterBenchmark(("blake3/" + size).c_str(), hash, bytes);
        if (library != nullptr) /* package libblake3-0, or libllvm15 or later */
            benchmark::RegisterBenchmark(("BLAKE3's C library/" + size).c_str(), hash_by_library,
                                         library, bytes);
    }
    benchmark::RegisterBenchmark("sum/error over its bound", sum_error);
    return bench_main(argc, argv);
}
