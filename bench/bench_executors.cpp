/* bench_executors.cpp -- what it costs to have somebody else do it: an empty job, from submit to its
 * result, with workers that spin and workers that sleep; submitting alone; opening and closing. */
#include "bench.h"

#include <chrono>
#include <thread>

using steady = std::chrono::steady_clock;

static double seconds_since(steady::time_point begin)
{
    return std::chrono::duration<double>(steady::now() - begin).count();
}

struct setting {
    sheaf_backend backend;
    size_t workers;
};

/* Submits the sum of one element and waits for its result. *submit_seconds: the first half. */
static bool round_trip(benchmark::State &state, const sheaf_array *array, sheaf_executor *executor,
                       double *submit_seconds, double *seconds)
{
    sheaf_reduce_options options = {};
    options.executor = executor;
    sheaf_future *future = nullptr;
    sheaf_scalar result;
    steady::time_point begin = steady::now();
    sheaf_status status = sheaf_reduce_submit(&future, array, SHEAF_SUM, &options);
    *submit_seconds = seconds_since(begin);
    if (status == SHEAF_OK)
        status = sheaf_future_result(&result, sizeof result, future, SHEAF_FOREVER);
    *seconds = seconds_since(begin);
    sheaf_future_release(future);
    if (status != SHEAF_OK)
        state.SkipWithError(sheaf_last_error());
    return status == SHEAF_OK;
}

/* Workers that have just had a job, and spin for the next. */
static void empty_hot(benchmark::State &state, setting how, bool submit_only)
{
    executor_ptr executor = open_executor(how.backend, how.workers, SHEAF_SPIN_ALL);
    array_ptr array = make_array(SHEAF_F64, 1);
    double submit_seconds, seconds;
    for (auto _ : state) {
        if (!round_trip(state, array.get(), executor.get(), &submit_seconds, &seconds))
            return;
        state.SetIterationTime(submit_only ? submit_seconds : seconds);
    }
}

/* Workers that have been idle for 2 ms, and sleep. */
static void empty_asleep(benchmark::State &state, setting how)
{
    executor_ptr executor = open_executor(how.backend, how.workers, SHEAF_SPIN_NEVER);
    array_ptr array = make_array(SHEAF_F64, 1);
    double submit_seconds, seconds;
    for (auto _ : state) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        if (!round_trip(state, array.get(), executor.get(), &submit_seconds, &seconds))
            return;
        state.SetIterationTime(seconds);
    }
}

/* A synchronous call. executor NULL: the default one. */
static void reduce(benchmark::State &state, const sheaf_array *array, sheaf_executor *executor)
{
    sheaf_reduce_options options = {};
    options.executor = executor;
    sheaf_scalar result;
    for (auto _ : state) {
        if (sheaf_reduce(&result, array, SHEAF_SUM, &options) != SHEAF_OK) {
            state.SkipWithError(sheaf_last_error());
            return;
        }
        benchmark::DoNotOptimize(result);
    }
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                            static_cast<int64_t>(sheaf_array_bytes(array)));
}

static void reduce_default(benchmark::State &state)
{
    array_ptr array = make_array(SHEAF_F64, static_cast<size_t>(state.range(0)));
    reduce(state, array.get(), nullptr);
}

static void reduce_workers(benchmark::State &state, setting how)
{
    executor_ptr executor = open_executor(how.backend, how.workers);
    array_ptr array = make_array(SHEAF_F64, static_cast<size_t>(state.range(0)));
    reduce(state, array.get(), executor.get());
}

/* Opening: until all workers have said hello. Closing: until they are gone. */
static void open_and_close(benchmark::State &state, setting how, bool time_open)
{
    sheaf_executor_options options = {};
    options.workers = how.workers;
    for (auto _ : state) {
        sheaf_executor *executor = nullptr;
        steady::time_point begin = steady::now();
        if (sheaf_executor_open(&executor, how.backend, &options) != SHEAF_OK) {
            state.SkipWithError(sheaf_last_error());
            return;
        }
        double open_seconds = seconds_since(begin);
        begin = steady::now();
        sheaf_executor_close(executor);
        state.SetIterationTime(time_open ? open_seconds : seconds_since(begin));
    }
}

static void register_backend(sheaf_backend backend)
{
    const std::string name = sheaf_backend_name(backend);
    for (size_t workers : worker_counts()) {
        if (backend == SHEAF_SEQUENTIAL && workers > 1)
            break;
        const setting how = {backend, workers};
        const std::string tail = name + "/" + std::to_string(workers);
        benchmark::RegisterBenchmark(("empty/hot/" + tail).c_str(), empty_hot, how, false)
            ->UseManualTime();
        benchmark::RegisterBenchmark(("empty/asleep/" + tail).c_str(), empty_asleep, how)
            ->UseManualTime()
            ->Iterations(200);
        benchmark::RegisterBenchmark(("submit/" + tail).c_str(), empty_hot, how, true)
            ->UseManualTime();
        benchmark::RegisterBenchmark(("reduce/" + tail).c_str(), reduce_workers, how)
            ->UseRealTime()
            ->Arg(1000)
            ->Arg(100000)
            ->Arg(1000000);
        benchmark::RegisterBenchmark(("open/" + tail).c_str(), open_and_close, how, true)
            ->UseManualTime()
            ->Iterations(20);
        benchmark::RegisterBenchmark(("close/" + tail).c_str(), open_and_close, how, false)
            ->UseManualTime()
            ->Iterations(20);
    }
}

int main(int argc, char **argv)
{
    benchmark::RegisterBenchmark("reduce/default", reduce_default)
        ->UseRealTime()
        ->Arg(1)
        ->Arg(1000)
        ->Arg(100000)
        ->Arg(1000000);
    for (sheaf_backend backend : {SHEAF_SEQUENTIAL, SHEAF_THREADS, SHEAF_PROCESSES})
        register_backend(backend);
    return bench_main(argc, argv);
}
