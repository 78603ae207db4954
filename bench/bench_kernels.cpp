/* bench_kernels.cpp -- the inner loops: operation x dtype x instruction set x where the data lies.
 *
 * Through the public API, on the caller, so each figure holds one call's overhead; the row "call" is
 * that overhead, a reduction of one element. "read" loads the same bytes and does nothing. */
#include "bench.h"

struct place {
    const char *name;
    size_t bytes;
};

static size_t cache_bytes(int level, size_t otherwise)
{
    long bytes = sysconf(level);
    return bytes > 0 ? static_cast<size_t>(bytes) : otherwise;
}

/* 16 KiB are in any L1; the others half fill their level. Past the L3 four times its size is memory,
 * as far as a quarter of what the machine has allows. */
static std::vector<place> places()
{
    size_t l2 = cache_bytes(_SC_LEVEL2_CACHE_SIZE, size_t{1} << 20);
    size_t l3 = cache_bytes(_SC_LEVEL3_CACHE_SIZE, size_t{16} << 20);
    size_t machine =
        static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
    size_t memory = std::min(std::max(4 * l3, size_t{256} << 20), machine / 4);
    const char *given = std::getenv("SHEAF_BENCH_ELEMENTS");
    if (given != nullptr) /* at most so many doubles */
        memory = std::min<size_t>(memory, std::strtoull(given, nullptr, 10) * 8);
    std::vector<place> list = {{"L1", size_t{16} << 10},
                               {"L2", l2 / 2},
                               {"L3", std::max(2 * l2, std::min(l3 / 2, size_t{32} << 20))},
                               {"memory", memory}};
    for (place &one : list)
        one.bytes = std::max<size_t>(std::min(one.bytes, memory) / 512 * 512, 512);
    return list;
}

/* The arrays of one dtype and all places; made when first used, and freed when the next dtype is. */
static const sheaf_array *data_for(sheaf_dtype dtype, size_t bytes)
{
    static array_ptr array;
    if (array == nullptr || sheaf_array_dtype(array.get()) != dtype ||
        sheaf_array_bytes(array.get()) != bytes) {
        array.reset();
        array = make_array(dtype, bytes / sheaf_dtype_size(dtype));
    }
    return array.get();
}

static void kernel(benchmark::State &state, sheaf_op op, sheaf_dtype dtype, std::string isa,
                   size_t bytes, sheaf_executor *executor)
{
    const sheaf_array *array = data_for(dtype, bytes);
    sheaf_reduce_options options = {};
    options.executor = executor;
    options.isa = isa.c_str();
    sheaf_scalar result;
    for (auto _ : state) {
        if (sheaf_reduce(&result, array, op, &options) != SHEAF_OK) {
            state.SkipWithError(sheaf_last_error());
            return;
        }
        benchmark::DoNotOptimize(result);
    }
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                            static_cast<int64_t>(sheaf_array_bytes(array)));
}

static void read_all(benchmark::State &state, std::string isa, size_t bytes)
{
    const sheaf_array *array = data_for(SHEAF_F64, bytes);
    for (auto _ : state)
        read_only(isa, sheaf_array_data(array), bytes);
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(bytes));
}

static void add(const std::string &name, sheaf_op op, sheaf_dtype dtype, const std::string &isa,
                size_t bytes, sheaf_executor *executor)
{
    benchmark::RegisterBenchmark(name.c_str(), kernel, op, dtype, isa, bytes, executor)
        ->UseRealTime();
}

/* Sorted so that the rows that are compared follow each other on the same pages. */
static void register_all(sheaf_executor *executor)
{
    for (const std::string &isa : isas())
        add("call/" + isa, SHEAF_SUM, SHEAF_F64, isa, 8, executor);
    for (const place &where : places())
        for (sheaf_dtype dtype : {SHEAF_F64, SHEAF_F32, SHEAF_I64, SHEAF_I32})
            for (const std::string &isa : isas()) {
                std::string tail =
                    std::string(sheaf_dtype_name(dtype)) + "/" + isa + "/" + where.name;
                if (dtype == SHEAF_F64)
                    benchmark::RegisterBenchmark(("read/" + tail).c_str(), read_all, isa,
                                                 where.bytes)
                        ->UseRealTime();
                for (sheaf_op op : {SHEAF_SUM, SHEAF_MAX, SHEAF_MIN})
                    add(sheaf_op_name(op) + ("/" + tail), op, dtype, isa, where.bytes, executor);
            }
}

int main(int argc, char **argv)
{
    executor_ptr sequential = open_executor(SHEAF_SEQUENTIAL, 1);
    register_all(sequential.get());
    return bench_main(argc, argv);
}
