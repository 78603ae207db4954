/* peers_jobs.cpp -- an empty job, handed over and back: libgomp's fork and join, oneTBB, and Open MPI's allreduce of
 * one double. */
#include "peers.h"

#include <omp.h>
#include <sys/wait.h>

#if __has_include(<tbb/parallel_for.h>)
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_group.h>
#define HAS_TBB 1
#endif

/* bench_mpi prints the seconds of one allreduce. We are bin/peers/native of the build, it is in bench/. */
static std::string mpi_program()
{
    char path[4096];
    ssize_t bytes = readlink("/proc/self/exe", path, sizeof path - 1);
    std::string self(path, bytes > 0 ? static_cast<size_t>(bytes) : 0);
    return self.substr(0, self.rfind('/')) + "/../../bench/bench_mpi";
}

static void run_mpi(benchmark::State &state, size_t workers)
{
    std::string command = "mpirun --allow-run-as-root --oversubscribe -n " +
                          std::to_string(workers) + " '" + mpi_program() + "' 2>/dev/null";
    for (auto _ : state) {
        double seconds = 0;
        FILE *output = popen(command.c_str(), "r");
        bool is_read = output != nullptr && std::fscanf(output, "%lf", &seconds) == 1;
        if (output == nullptr || pclose(output) != 0 || !is_read) {
            state.SkipWithError("not installed (packages libopenmpi-dev, openmpi-bin)");
            return;
        }
        state.SetIterationTime(seconds);
    }
}

void add_job_peers(const peer_task &task)
{
    int workers = static_cast<int>(task.workers);
    add_peer("libgomp, fork and join", task.workers, 0, [=] {
#pragma omp parallel num_threads(workers)
        benchmark::DoNotOptimize(omp_get_thread_num());
    });
#if HAS_TBB
    static tbb::global_control limit(tbb::global_control::max_allowed_parallelism, task.workers);
    add_peer("oneTBB, run and wait", task.workers, 0, [] {
        tbb::task_group group;
        group.run([] {});
        group.wait();
    });
    add_peer("oneTBB, parallel_for", task.workers, 0,
             [=] { tbb::parallel_for(0, workers, [](int i) { benchmark::DoNotOptimize(i); }); });
#else
    add_missing("oneTBB", task.workers, "not installed (package libtbb-dev)");
#endif
    peer_rows++;
    benchmark::RegisterBenchmark(("Open MPI, allreduce/" + std::to_string(task.workers)).c_str(),
                                 run_mpi, task.workers)
        ->UseManualTime()
        ->Iterations(1);
}
