/* bench_reductions.cpp -- end to end: one array of doubles, reduced by the caller, by threads and by
 * processes, scalar and SIMD.
 *
 * SHEAF_BENCH_ELEMENTS sets the larger of the two sizes; 300000000 is the main job's. `sheaf compare`
 * is the careful measurement (interleaved rounds, beside the machine's read limit); these are for a
 * quick look and for profiles. */
#include "bench.h"

/* The array of this many doubles; one at a time. */
static const sheaf_array *numbers(size_t elements)
{
    static array_ptr array;
    if (array == nullptr || sheaf_array_size(array.get()) != elements) {
        array.reset();
        array = make_array(SHEAF_F64, elements);
    }
    return array.get();
}

static void set_bytes(benchmark::State &state, const sheaf_array *array)
{
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                            static_cast<int64_t>(sheaf_array_bytes(array)));
}

/* Rounds before it is timed. Which worker takes which part is not fixed, so that a process meets some
 * pages for the first time in its second or third round. */
enum { WARM_ROUNDS = 5 };

static void reduction(benchmark::State &state, sheaf_op op, size_t elements, sheaf_backend backend,
                      size_t workers, std::string isa)
{
    const sheaf_array *array = numbers(elements);
    executor_ptr executor = open_executor(backend, workers);
    sheaf_reduce_options options = {};
    options.executor = executor.get();
    options.isa = isa.c_str();
    sheaf_scalar result;
    for (int i = 0; i < WARM_ROUNDS; i++)
        need(sheaf_reduce(&result, array, op, &options), "reduce");
    for (auto _ : state) {
        if (sheaf_reduce(&result, array, op, &options) != SHEAF_OK) {
            state.SkipWithError(sheaf_last_error());
            return;
        }
        benchmark::DoNotOptimize(result);
    }
    set_bytes(state, array);
}

static void register_size(size_t elements)
{
    const size_t all = sheaf_executor_workers(nullptr);
    const std::vector<std::string> sets = isas();
    const std::string size = "/" + std::to_string(elements);
    for (sheaf_op op : {SHEAF_MAX, SHEAF_SUM})
        for (sheaf_backend backend : {SHEAF_SEQUENTIAL, SHEAF_THREADS, SHEAF_PROCESSES})
            for (const std::string &isa : sets) {
                size_t workers = backend == SHEAF_SEQUENTIAL ? 1 : all;
                std::string name = std::string(sheaf_op_name(op)) + "/" +
                                   sheaf_backend_name(backend) + "/" + std::to_string(workers) +
                                   "/" + isa + size;
                benchmark::RegisterBenchmark(name.c_str(), reduction, op, elements, backend,
                                             workers, isa)
                    ->UseRealTime();
            }
}

int main(int argc, char **argv)
{
    const char *given = std::getenv("SHEAF_BENCH_ELEMENTS");
    size_t largest = given == nullptr ? 30000000 : std::strtoull(given, nullptr, 10);
    if (largest == 0 || largest > SIZE_MAX / 8) {
        std::fprintf(stderr, "SHEAF_BENCH_ELEMENTS=%s: a number of doubles is wanted\n", given);
        return 2;
    }
    if (largest > 1000000)
        register_size(1000000);
    register_size(largest);
    return bench_main(argc, argv);
}
