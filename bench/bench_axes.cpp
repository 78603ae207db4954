/* bench_axes.cpp -- reductions along either axis of a matrix, as it is,
 * transposed, and a 2-step slice of it, beside a bare read of the same lines.
 *
 * (20000, 15000) doubles; with SHEAF_BENCH_ELEMENTS as many rows of 15000 as
 * that makes. */
#include "bench.h"

#include <thread>

enum { COLUMNS = 15000, ROWS = 20000 };

static size_t rows()
{
    const char *given = std::getenv("SHEAF_BENCH_ELEMENTS");
    size_t elements = given == nullptr ? 0 : std::strtoull(given, nullptr, 10);
    return elements == 0 ? static_cast<size_t>(ROWS) : std::max<size_t>(elements / COLUMNS, 2);
}

static const sheaf_array *matrix()
{
    static array_ptr whole = make_array(SHEAF_F64, rows() * COLUMNS);
    static array_ptr shaped;
    const size_t shape[] = {rows(), COLUMNS};
    sheaf_array *view = nullptr;
    if (shaped == nullptr) {
        need(sheaf_view_reshape(&view, whole.get(), 2, shape), "reshape");
        shaped = array_ptr(view);
    }
    return shaped.get();
}

/* One view of it: "whole", "transposed" or "step". */
static array_ptr view_of(const std::string &kind)
{
    sheaf_array *view = nullptr;
    sheaf_array *half = nullptr;
    const int64_t order[] = {0, 1};
    if (kind == "transposed") {
        need(sheaf_view_transpose(&view, matrix(), nullptr), "transpose");
    } else if (kind == "step") {
        need(sheaf_view_slice(&half, matrix(), 0, SHEAF_BEGIN, SHEAF_END, 2), "slice");
        need(sheaf_view_slice(&view, half, 1, SHEAF_BEGIN, SHEAF_END, 2), "slice");
        sheaf_detach(half);
    } else {
        need(sheaf_view_transpose(&view, matrix(), order), "view");
    }
    return array_ptr(view);
}

/* Four streams a worker, as the read limit of `sheaf compare`. */
static uint64_t read_part(const uint64_t *x, size_t n)
{
    uint64_t bits[4] = {0, 0, 0, 0};
    const size_t part = n / 4;
    for (size_t i = 0; i < part; i++)
        for (size_t s = 0; s < 4; s++)
            bits[s] |= x[s * part + i];
    return bits[0] | bits[1] | bits[2] | bits[3];
}

/* The lines that a view touches: all of the matrix, or every other row. is_straight: in one stream a worker, by the
 * widest loads; the limit is the faster of both. */
static void read_lines(benchmark::State &state, bool is_half, bool is_straight, size_t workers)
{
    const std::string isa = isas().back();
    const uint64_t *x = static_cast<const uint64_t *>(sheaf_array_data(matrix()));
    const size_t step = is_half ? 2 : 1;
    const size_t count = rows() / workers;
    for (auto _ : state) {
        std::vector<std::thread> team;
        std::vector<uint64_t> bits(workers);
        for (size_t w = 0; w < workers; w++)
            team.emplace_back([=, &bits] {
                const size_t length = (is_half ? size_t{1} : count) * COLUMNS;
                for (size_t r = w * count; r < (w + 1) * count; r += is_half ? step : count) {
                    if (is_straight)
                        read_only(isa, x + r * COLUMNS, length * sizeof *x);
                    else
                        bits[w] |= read_part(x + r * COLUMNS, length);
                }
            });
        for (std::thread &thread : team)
            thread.join();
        benchmark::DoNotOptimize(bits.data());
    }
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                            static_cast<int64_t>(rows() / step * COLUMNS * sizeof(double)));
}

static void along(benchmark::State &state, sheaf_op op, int64_t axis, std::string kind,
                  size_t workers)
{
    array_ptr view = view_of(kind);
    executor_ptr executor = open_executor(SHEAF_THREADS, workers);
    sheaf_reduce_options options = {};
    options.executor = executor.get();
    options.axes = &axis;
    options.axis_count = 1;
    for (auto _ : state) {
        sheaf_array *out = nullptr;
        need(sheaf_reduce_axes(&out, view.get(), op, &options), "reduce");
        sheaf_detach(out);
    }
    state.SetBytesProcessed(
        static_cast<int64_t>(state.iterations()) *
        static_cast<int64_t>(rows() / (kind == "step" ? 2 : 1) * COLUMNS * sizeof(double)));
}

int main(int argc, char **argv)
{
    const size_t all = sheaf_executor_workers(nullptr);
    for (bool is_straight : {false, true}) {
        const std::string tail = is_straight ? "/straight" : "";
        benchmark::RegisterBenchmark(("read/whole" + tail).c_str(), read_lines, false, is_straight,
                                     all)
            ->UseRealTime();
        benchmark::RegisterBenchmark(("read/step" + tail).c_str(), read_lines, true, is_straight,
                                     all)
            ->UseRealTime();
    }
    for (sheaf_op op : {SHEAF_SUM, SHEAF_MAX, SHEAF_MINMAX, SHEAF_ARGMAX, SHEAF_VAR})
        for (const char *kind : {"whole", "transposed", "step"})
            for (int64_t axis : {0, 1}) {
                std::string name =
                    std::string(sheaf_op_name(op)) + "/" + kind + "/axis " + std::to_string(axis);
                benchmark::RegisterBenchmark(name.c_str(), along, op, axis, std::string(kind), all)
                    ->UseRealTime();
            }
    return bench_main(argc, argv);
}
