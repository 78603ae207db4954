/* bench_tall.cpp -- one tall matrix, (1000000, 20): its singular values, and its vectors, beside a bare read of it.
 *
 *     tall/WHAT/HOW      WHAT: values, reduced; HOW: sequential, threads, processes. Counter memory: bytes that the
 *                        caller and its threads grow by, at their peak, beyond the matrix and the results
 *     read/WORKERS       every byte loaded once, and nothing done with it
 *
 * NumPy's rows of the same shape are those of peers.py. With SHEAF_BENCH_ELEMENTS as many rows of 20 as that
 * makes. */
#include "bench.h"

#include <fstream>
#include <thread>

enum : size_t { COLUMNS = 20, ROWS = 1000000 };

static size_t rows()
{
    const char *given = std::getenv("SHEAF_BENCH_ELEMENTS");
    size_t elements = given == nullptr ? 0 : std::strtoull(given, nullptr, 10);
    return elements == 0 ? size_t{ROWS} : std::max<size_t>(elements / COLUMNS, COLUMNS);
}

static const sheaf_array *matrix()
{
    static array_ptr flat = make_array(SHEAF_F64, rows() * COLUMNS);
    static array_ptr shaped;
    const size_t shape[] = {rows(), COLUMNS};
    sheaf_array *view = nullptr;
    if (shaped == nullptr) {
        need(sheaf_view_reshape(&view, flat.get(), 2, shape), "reshape");
        shaped = array_ptr(view);
    }
    return shaped.get();
}

/* A field of /proc/self/status in bytes; 0 if there is none. */
static double status_bytes(const std::string &field)
{
    std::ifstream status("/proc/self/status");
    std::string line;
    while (std::getline(status, line))
        if (line.rfind(field + ":", 0) == 0)
            return 1024 * std::strtod(line.c_str() + field.size() + 1, nullptr);
    return 0;
}

/* From now on VmHWM is the peak since now (proc(5), clear_refs). */
static void forget_peak()
{
    std::ofstream("/proc/self/clear_refs") << 5;
}

static void svd(benchmark::State &state, sheaf_svd_mode mode, sheaf_backend backend, size_t workers)
{
    const sheaf_array *a = matrix();
    executor_ptr executor = open_executor(backend, workers);
    sheaf_svd_options options = {};
    sheaf_svd_arrays out = {};
    options.executor = executor.get();
    options.mode = mode;
    const double before = status_bytes("VmRSS");
    forget_peak();
    need(sheaf_svd(&out, nullptr, a, &options), "svd");
    double results = mode == SHEAF_SVD_VALUES ? 0 : static_cast<double>(sheaf_array_bytes(out.u));
    const double grown = status_bytes("VmHWM") - before - results;
    for (auto _ : state)
        if (sheaf_svd(&out, nullptr, a, &options) != SHEAF_OK)
            state.SkipWithError(sheaf_last_error());
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                            static_cast<int64_t>(sheaf_array_bytes(a)));
    if (backend != SHEAF_PROCESSES)
        state.counters["memory"] = std::max(grown, 0.0);
    sheaf_detach(out.u);
    sheaf_detach(out.s);
    sheaf_detach(out.vt);
}

static void read_all(benchmark::State &state, size_t workers)
{
    const char *data = static_cast<const char *>(sheaf_array_data(matrix()));
    const size_t part = sheaf_array_bytes(matrix()) / workers / 64 * 64;
    const std::string isa = isas().back();
    for (auto _ : state) {
        std::vector<std::thread> others;
        for (size_t i = 1; i < workers; i++)
            others.emplace_back(read_only, isa, data + i * part, part);
        read_only(isa, data, part);
        for (std::thread &other : others)
            other.join();
    }
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                            static_cast<int64_t>(part * workers));
}

int main(int argc, char **argv)
{
    static const char *const modes[] = {"values", "reduced"};
    const size_t all = sheaf_executor_workers(nullptr);
    for (sheaf_svd_mode mode : {SHEAF_SVD_VALUES, SHEAF_SVD_REDUCED})
        for (sheaf_backend backend : {SHEAF_SEQUENTIAL, SHEAF_THREADS, SHEAF_PROCESSES})
            benchmark::RegisterBenchmark(
                (std::string("tall/") + modes[mode] + "/" + sheaf_backend_name(backend)).c_str(),
                svd, mode, backend, backend == SHEAF_SEQUENTIAL ? 1 : all)
                ->UseRealTime();
    for (size_t workers : worker_counts())
        benchmark::RegisterBenchmark(("read/" + std::to_string(workers)).c_str(), read_all, workers)
            ->UseRealTime();
    return bench_main(argc, argv);
}
