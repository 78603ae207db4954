/* peers.h -- what the peers share: what to do and on what, as `sheaf compare --peers` says it in the
 * environment (engine/cli/peers.h). Each peers_TOPIC.cpp adds the rows that it has for the kernel. */
#ifndef SHEAF_PEERS_H
#define SHEAF_PEERS_H

#include "bench.h"

#include <functional>

struct peer_task {
    std::string kernel; /* "max", "svd" ... */
    std::string dtype;  /* "f64" ... */
    std::vector<size_t> shape;
    size_t workers;
    sheaf_array *array; /* attached read-only; NULL if there is none */

    size_t size() const
    {
        size_t n = 1;
        for (size_t extent : shape)
            n *= extent;
        return n;
    }
    template <typename T> const T *data() const
    {
        return static_cast<const T *>(static_cast<const void *>(sheaf_array_data(array)));
    }
};

/* Rows so far: Google Benchmark complains if there are none. */
extern size_t peer_rows;

/* A row "NAME/WORKERS" that does this again and again; bytes: that one run reads (0: no rate). */
static inline void add_peer(const std::string &name, size_t workers, size_t bytes,
                            std::function<void()> work)
{
    peer_rows++;
    auto run = [work, bytes](benchmark::State &state) {
        for (auto _ : state)
            work();
        if (bytes > 0)
            state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                                    static_cast<int64_t>(bytes));
    };
    benchmark::RegisterBenchmark((name + "/" + std::to_string(workers)).c_str(), run)
        ->UseRealTime()
        ->MeasureProcessCPUTime()
        ->MinTime(0.003);
}

/* A row that says why it is not there. */
static inline void add_missing(const std::string &name, size_t workers, const char *why)
{
    peer_rows++;
    auto run = [why](benchmark::State &state) { state.SkipWithError(why); };
    benchmark::RegisterBenchmark((name + "/" + std::to_string(workers)).c_str(), run)
        ->Iterations(1);
}

void add_reduce_peers(const peer_task &task);
void add_svd_peers(const peer_task &task);
void add_scrypt_peers(const peer_task &task);
void add_job_peers(const peer_task &task);

#endif
