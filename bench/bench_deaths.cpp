/* bench_deaths.cpp -- how long a dead worker is missed: from SIGKILL until its process has ended, which is the
 * kernel's part and takes as long as it has memory to unmap; until its death is known, its replacement has said hello,
 * and that has done a job. A row's time is the mean of ten. Counters: median and longest, in milliseconds; and the
 * median of the part that is ours, from the end of the process on. */
#include "bench.h"

#include <chrono>
#include <csignal>
#include <poll.h>
#include <sys/syscall.h>
#include <thread>

using steady = std::chrono::steady_clock;

enum class until { ended, noticed, hello, work };

static sheaf_worker_info last_worker(const sheaf_executor *pool)
{
    sheaf_worker_info info = {};
    need(sheaf_executor_worker(&info, pool, sheaf_executor_workers(pool) - 1), "worker");
    return info;
}

static void wait_for(sheaf_executor *pool, const sheaf_worker_info &before, until what)
{
    sheaf_worker_info now = before;
    while (now.pid == before.pid || (what == until::hello && now.pid == 0)) {
        std::this_thread::sleep_for(
            std::chrono::microseconds(50)); /* a CPU less would be measured */
        now = last_worker(pool);
    }
}

/* A pid of 0 would be our own process group. */
static void end_worker(const sheaf_worker_info &worker)
{
    if (worker.pid <= 0 || kill(worker.pid, SIGKILL) != 0)
        need(SHEAF_ERR_WORKER, "kill a worker that is there");
}

/* A worker is killed while all are idle, or while all run the hash of `busy`. */
static void death(benchmark::State &state, size_t workers, until what, bool is_busy)
{
    executor_ptr pool = open_executor(SHEAF_PROCESSES, workers);
    array_ptr small = make_array(SHEAF_F64, 1);
    array_ptr large = make_array(SHEAF_F64, size_t{1} << 24);
    std::vector<double> seconds;
    std::vector<double> ours;
    for (auto _ : state) {
        sheaf_future *future = nullptr;
        sheaf_scalar result;
        sheaf_hash_options hash = {};
        hash.executor = pool.get();
        hash.isa = "scalar";
        sheaf_reduce_options reduce = {};
        reduce.executor = pool.get();
        if (is_busy)
            need(sheaf_hash_submit(&future, large.get(), &hash), "hash");
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
        sheaf_worker_info before = last_worker(pool.get());
        int process = static_cast<int>(syscall(SYS_pidfd_open, before.pid, 0));
        steady::time_point begin = steady::now();
        end_worker(before);
        pollfd end = {process, POLLIN, 0};
        poll(&end, 1, -1);
        steady::time_point ended = steady::now();
        if (what == until::work)
            need(sheaf_reduce(&result, small.get(), SHEAF_SUM, &reduce), "sum");
        else if (what != until::ended)
            wait_for(pool.get(), before, what);
        seconds.push_back(std::chrono::duration<double>(steady::now() - begin).count());
        ours.push_back(std::chrono::duration<double>(steady::now() - ended).count());
        close(process);
        state.SetIterationTime(seconds.back());
        sheaf_future_release(future);
        /* All of it, so that the next round begins with idle workers; and idle ones that are lost in a row, without any work
         * in between, break the pool. */
        need(sheaf_reduce(&result, small.get(), SHEAF_SUM, &reduce), "sum");
        wait_for(pool.get(), before, until::hello);
    }
    std::sort(seconds.begin(), seconds.end());
    std::sort(ours.begin(), ours.end());
    state.counters["ours_ms"] = ours[ours.size() / 2] * 1e3;
    state.counters["median_ms"] = seconds[seconds.size() / 2] * 1e3;
    state.counters["longest_ms"] = seconds.back() * 1e3;
}

int main(int argc, char **argv)
{
    const struct {
        const char *name;
        size_t workers;
        until what;
        bool is_busy;
    } rows[] = {
        {"ended/idle/2", 2, until::ended, false},     {"ended/busy/2", 2, until::ended, true},
        {"noticed/idle/2", 2, until::noticed, false}, {"noticed/busy/2", 2, until::noticed, true},
        {"hello/idle/2", 2, until::hello, false},     {"hello/busy/2", 2, until::hello, true},
        {"work/idle/1", 1, until::work, false},
    };
    for (const auto &row : rows)
        benchmark::RegisterBenchmark((std::string("death/") + row.name).c_str(), death, row.workers,
                                     row.what, row.is_busy)
            ->UseManualTime()
            ->Iterations(10);
    return bench_main(argc, argv);
}
