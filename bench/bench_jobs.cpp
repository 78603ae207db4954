/* bench_jobs.cpp -- functions of the user's own: an empty one from submit to result, with the distribution of what it
 * takes; maps of many; and what a pool costs that has nothing to do, or no more. */
#include "bench.h"

#include <chrono>
#include <cstring>
#include <fstream>
#include <functional>
#include <thread>
#include <time.h>

using steady = std::chrono::steady_clock;

static double seconds_since(steady::time_point begin)
{
    return std::chrono::duration<double>(steady::now() - begin).count();
}

extern "C" int bench_empty(const sheaf_task *)
{
    return 0;
}

static sheaf_callable *empty()
{
    static sheaf_callable *callable;
    if (callable == nullptr)
        need(sheaf_callable_open(&callable, nullptr, "empty"), "callable");
    return callable;
}

/* Counters q01, q05, q10 .. q99: so many per cent of the jobs took no longer. */
static void set_quantiles(benchmark::State &state, std::vector<double> &seconds)
{
    std::sort(seconds.begin(), seconds.end());
    for (int share : {1, 5, 10, 25, 50, 75, 90, 95, 98, 99}) {
        char name[8];
        std::snprintf(name, sizeof name, "q%02d", share);
        state.counters[name] = seconds[seconds.size() * static_cast<size_t>(share) / 100];
    }
}

struct setting {
    sheaf_backend backend;
    sheaf_spin spin;
    bool is_asleep; /* workers have slept for a millisecond when the job comes */
};

static void submit(benchmark::State &state, setting how)
{
    executor_ptr executor = open_executor(how.backend, sheaf_executor_workers(nullptr), how.spin);
    sheaf_submit_options options = {};
    options.executor = executor.get();
    std::vector<double> seconds;
    int warm = 20;
    auto once = [&] {
        sheaf_future *future = nullptr;
        if (how.is_asleep)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        steady::time_point begin = steady::now();
        sheaf_status status = sheaf_submit(&future, empty(), nullptr, 0, &options);
        if (status == SHEAF_OK)
            status = sheaf_future_wait(future, SHEAF_FOREVER);
        double took = seconds_since(begin);
        sheaf_future_release(future);
        need(status, "submit");
        return took;
    };
    while (warm-- > 0)
        once();
    for (auto _ : state) {
        seconds.push_back(once());
        state.SetIterationTime(seconds.back());
    }
    set_quantiles(state, seconds);
}

/* The time of one item. */
static void map(benchmark::State &state, sheaf_backend backend, size_t workers, size_t items,
                size_t chunk)
{
    executor_ptr executor = open_executor(backend, workers);
    sheaf_map_options options = {};
    options.executor = executor.get();
    options.chunk = chunk;
    need(sheaf_map(nullptr, empty(), 1000, &options), "map");
    for (auto _ : state) {
        steady::time_point begin = steady::now();
        need(sheaf_map(nullptr, empty(), items, &options), "map");
        state.SetIterationTime(seconds_since(begin) / static_cast<double>(items));
    }
}

/* CPU seconds of a process, and bytes of memory that are its alone. */
static double cpu_of(pid_t pid)
{
    clockid_t clock;
    timespec time = {};
    if (clock_getcpuclockid(pid, &clock) == 0)
        clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

static double anonymous_bytes(pid_t pid)
{
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    std::string word;
    double kibibytes = 0;
    while (status >> word)
        if (word == "RssAnon:")
            status >> kibibytes;
    return kibibytes * 1024;
}

static std::vector<pid_t> workers_of(sheaf_executor *pool)
{
    std::vector<pid_t> pids;
    for (size_t i = 0; i < sheaf_executor_workers(pool); i++) {
        sheaf_worker_info info;
        need(sheaf_executor_worker(&info, pool, i), "worker");
        pids.push_back(info.pid);
    }
    return pids;
}

/* A second of doing nothing; the row's time is the CPU time of all workers in five seconds. */
static void idle(benchmark::State &state)
{
    executor_ptr pool = open_executor(SHEAF_PROCESSES, sheaf_executor_workers(nullptr));
    array_ptr array = make_array(SHEAF_F64, 100000);
    sheaf_reduce_options options = {};
    options.executor = pool.get();
    sheaf_scalar sum;
    need(sheaf_reduce(&sum, array.get(), SHEAF_SUM, &options), "sum");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    for (auto _ : state) {
        double before = 0, after = 0;
        for (pid_t pid : workers_of(pool.get()))
            before += cpu_of(pid);
        std::this_thread::sleep_for(std::chrono::seconds(1));
        for (pid_t pid : workers_of(pool.get()))
            after += cpu_of(pid);
        state.SetIterationTime(std::max(5 * (after - before), 1e-9));
    }
}

/* CPU seconds of the only worker: of its process, or of all threads of ours but this one. */
static double cpu_of_worker(sheaf_executor *pool)
{
    timespec all = {}, own = {};
    if (pid_t pid = workers_of(pool)[0]; pid != 0)
        return cpu_of(pid);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &all);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &own);
    return static_cast<double>(all.tv_sec - own.tv_sec) +
           1e-9 * static_cast<double>(all.tv_nsec - own.tv_nsec);
}

/* How long a worker spins after one job that has woken it: its CPU time, until it has slept for long, less that of a
 * worker that never spins. The median of so many pairs. */
static void spin(benchmark::State &state, sheaf_backend backend)
{
    enum { PAIRS = 101 };
    executor_ptr pools[] = {open_executor(backend, 1, SHEAF_SPIN_NEVER),
                            open_executor(backend, 1, SHEAF_SPIN_ALL)};
    for (auto _ : state) {
        std::vector<double> spins;
        for (int i = 0; i < PAIRS; i++) {
            double took[2];
            for (int which = 0; which < 2; which++) {
                sheaf_executor *pool = pools[which].get();
                sheaf_submit_options options = {};
                options.executor = pool;
                sheaf_future *future = nullptr;
                double before = cpu_of_worker(pool);
                need(sheaf_submit(&future, empty(), nullptr, 0, &options), "submit");
                std::this_thread::sleep_for(std::chrono::milliseconds(2));
                took[which] = cpu_of_worker(pool) - before;
                need(sheaf_future_wait(future, SHEAF_FOREVER), "wait");
                sheaf_future_release(future);
            }
            spins.push_back(took[1] - took[0]);
        }
        std::sort(spins.begin(), spins.end());
        state.SetIterationTime(std::max(spins[PAIRS / 2], 1e-9));
    }
}

/* What the memory of its own of a worker grows by when a pool of so many does some work. */
static void memory(benchmark::State &state, size_t workers,
                   const std::function<void(sheaf_executor *)> &work, double expected)
{
    double grown = 0;
    for (auto _ : state) {
        executor_ptr pool = open_executor(SHEAF_PROCESSES, workers);
        double before = 0, after = 0;
        for (pid_t pid : workers_of(pool.get()))
            before = std::max(before, anonymous_bytes(pid));
        steady::time_point begin = steady::now();
        work(pool.get());
        state.SetIterationTime(seconds_since(begin));
        for (pid_t pid : workers_of(pool.get()))
            after = std::max(after, anonymous_bytes(pid));
        grown = std::max(grown, after - before - expected);
    }
    state.counters["grown"] = grown;
}

/* It sums a large array, in place. */
static void memory_of_sum(benchmark::State &state)
{
    array_ptr array = make_array(SHEAF_F64, 20000000);
    auto work = [&](sheaf_executor *pool) {
        sheaf_reduce_options options = {};
        options.executor = pool;
        sheaf_scalar sum;
        need(sheaf_reduce(&sum, array.get(), SHEAF_SUM, &options), "sum");
    };
    memory(state, sheaf_executor_workers(nullptr), work, 0);
}

/* One worker has two passwords in flight: what it takes beside their rows, of 128 n r bytes each. */
static void memory_of_scrypt(benchmark::State &state)
{
    const sheaf_bytes passwords[2] = {{"a", 1}, {"b", 1}};
    const sheaf_bytes salt = {"NaCl", 4};
    const sheaf_scrypt_batch batch = {passwords, 2, &salt, 1};
    const sheaf_scrypt_params params = {16384, 8, 1, 64};
    auto work = [&](sheaf_executor *pool) {
        sheaf_scrypt_options options = {};
        options.executor = pool;
        uint8_t keys[2 * 64];
        need(sheaf_scrypt_many(keys, &batch, &params, &options), "scrypt");
    };
    memory(state, 1, work, 2 * 128.0 * 16384 * 8);
}

template <typename... Arguments>
static benchmark::internal::Benchmark *add(const std::string &name, Arguments... arguments)
{
    return benchmark::RegisterBenchmark(name.c_str(), arguments...)->UseManualTime();
}

int main(int argc, char **argv)
{
    need(sheaf_register("empty", bench_empty), "register");
    sheaf_worker_main(argc, argv); /* a worker stays in here */
    const size_t all = sheaf_executor_workers(nullptr);
    for (sheaf_backend backend : {SHEAF_THREADS, SHEAF_PROCESSES}) {
        const std::string name = sheaf_backend_name(backend);
        add("submit/hot/" + name, submit, setting{backend, SHEAF_SPIN_ALL, false})
            ->Iterations(2000);
        add("submit/asleep/" + name, submit, setting{backend, SHEAF_SPIN_NEVER, true})
            ->Iterations(100);
        add("map/automatic/" + name, map, backend, all, size_t{1000000}, size_t{0})->Iterations(1);
        add("spin/" + name, spin, backend)->Iterations(1);
        add("map/one by one/" + name, map, backend, all, size_t{50000}, size_t{1})->Iterations(1);
    }
    add("idle, CPU in 5 s", idle)->Iterations(1);
    add("memory of a worker", memory_of_sum)->Iterations(1);
    add("memory of a worker, scrypt", memory_of_scrypt)->Iterations(1);
    return bench_main(argc, argv);
}
