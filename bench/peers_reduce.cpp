/* peers_reduce.cpp -- reductions by OpenBLAS, Eigen, oneTBB and a plain OpenMP loop. */
#include "peers.h"

#include <cmath>
#include <limits>

#if __has_include(<cblas.h>)
#include <cblas.h>
#define HAS_BLAS 1
#endif
#if __has_include(<Eigen/Core>)
#include <Eigen/Core>
#define HAS_EIGEN 1
#endif
#if __has_include(<tbb/parallel_reduce.h>)
#include <tbb/global_control.h>
#include <tbb/blocked_range.h>
#include <tbb/parallel_reduce.h>
#define HAS_TBB 1
#endif

#if HAS_BLAS
template <typename T> static void add_blas(const peer_task &task, size_t workers)
{
    int n = static_cast<int>(task.size());
    const T *x = task.data<T>();
    constexpr bool is_double = sizeof(T) == 8;
    auto add = [&](const char *what, std::function<void()> work) {
        add_peer(std::string("OpenBLAS, ") + what, workers, task.size() * sizeof(T), [=] {
            openblas_set_num_threads(static_cast<int>(workers));
            work();
        });
    };
    if (task.kernel == "sum" || task.kernel == "norm1")
        add(is_double ? "dasum" : "sasum", [=] {
            if constexpr (is_double)
                benchmark::DoNotOptimize(cblas_dasum(n, x, 1));
            else
                benchmark::DoNotOptimize(cblas_sasum(n, x, 1));
        });
    if (task.kernel == "norm2")
        add(is_double ? "dnrm2" : "snrm2", [=] {
            if constexpr (is_double)
                benchmark::DoNotOptimize(cblas_dnrm2(n, x, 1));
            else
                benchmark::DoNotOptimize(cblas_snrm2(n, x, 1));
        });
    if (task.kernel == "max" || task.kernel == "argmax" || task.kernel == "norm_inf")
        add(is_double ? "idamax" : "isamax", [=] {
            if constexpr (is_double)
                benchmark::DoNotOptimize(cblas_idamax(n, x, 1));
            else
                benchmark::DoNotOptimize(cblas_isamax(n, x, 1));
        });
}
#endif

#if HAS_EIGEN
template <typename T> static void add_eigen(const peer_task &task)
{
    Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>> x(task.data<T>(),
                                                           static_cast<Eigen::Index>(task.size()));
    size_t bytes = task.size() * sizeof(T);
    if (task.kernel == "max")
        add_peer("Eigen, maxCoeff", 1, bytes, [=] { benchmark::DoNotOptimize(x.maxCoeff()); });
    if (task.kernel == "min")
        add_peer("Eigen, minCoeff", 1, bytes, [=] { benchmark::DoNotOptimize(x.minCoeff()); });
    if (task.kernel == "sum")
        add_peer("Eigen, sum", 1, bytes, [=] { benchmark::DoNotOptimize(x.sum()); });
    if (task.kernel == "mean")
        add_peer("Eigen, mean", 1, bytes, [=] { benchmark::DoNotOptimize(x.mean()); });
    if (task.kernel == "prod")
        add_peer("Eigen, prod", 1, bytes, [=] { benchmark::DoNotOptimize(x.prod()); });
    if (task.kernel == "norm2")
        add_peer("Eigen, norm", 1, bytes, [=] { benchmark::DoNotOptimize(x.matrix().norm()); });
    if (task.kernel == "argmax")
        add_peer("Eigen, maxCoeff(&i)", 1, bytes, [=] {
            Eigen::Index at;
            benchmark::DoNotOptimize(x.maxCoeff(&at));
            benchmark::DoNotOptimize(at);
        });
}
#endif

#if HAS_TBB
template <typename T> static void add_tbb(const peer_task &task)
{
    const T *x = task.data<T>();
    size_t n = task.size();
    static tbb::global_control limit(tbb::global_control::max_allowed_parallelism, task.workers);
    using range = tbb::blocked_range<size_t>;
    auto add = [&](T start, auto join) {
        add_peer("oneTBB, parallel_reduce", task.workers, n * sizeof(T), [=] {
            T result = tbb::parallel_reduce(
                range(0, n), start,
                [=](const range &part, T value) {
                    for (size_t i = part.begin(); i < part.end(); i++)
                        value = join(value, x[i]);
                    return value;
                },
                join);
            benchmark::DoNotOptimize(result);
        });
    };
    if (task.kernel == "max")
        add(std::numeric_limits<T>::lowest(), [](T a, T b) { return a > b ? a : b; });
    if (task.kernel == "min")
        add(std::numeric_limits<T>::max(), [](T a, T b) { return a < b ? a : b; });
    if (task.kernel == "sum")
        add(0, [](T a, T b) { return a + b; });
}
#endif

/* What -O3 -march=native -ffast-math makes of the loop that everybody writes. */
template <typename T> static void add_loop(const peer_task &task)
{
    const T *x = task.data<T>();
    size_t n = task.size();
    int workers = static_cast<int>(task.workers);
    size_t bytes = n * sizeof(T);
    if (task.kernel == "max")
        add_peer("OpenMP, reduction(max)", task.workers, bytes, [=] {
            T value = x[0];
#pragma omp parallel for simd reduction(max : value) num_threads(workers)
            for (size_t i = 0; i < n; i++)
                value = x[i] > value ? x[i] : value;
            benchmark::DoNotOptimize(value);
        });
    if (task.kernel == "sum")
        add_peer("OpenMP, reduction(+)", task.workers, bytes, [=] {
            T value = 0;
#pragma omp parallel for simd reduction(+ : value) num_threads(workers)
            for (size_t i = 0; i < n; i++)
                value += x[i];
            benchmark::DoNotOptimize(value);
        });
}

template <typename T> static void add_all(const peer_task &task)
{
#if HAS_BLAS
    add_blas<T>(task, 1);
    if (task.workers > 1)
        add_blas<T>(task, task.workers);
#else
    add_missing("OpenBLAS", 1, "not installed (package libopenblas-pthread-dev)");
#endif
#if HAS_EIGEN
    add_eigen<T>(task);
#else
    add_missing("Eigen", 1, "not installed (package libeigen3-dev)");
#endif
#if HAS_TBB
    add_tbb<T>(task);
#else
    add_missing("oneTBB", task.workers, "not installed (package libtbb-dev)");
#endif
    add_loop<T>(task);
}

void add_reduce_peers(const peer_task &task)
{
    if (task.dtype == "f64")
        add_all<double>(task);
    if (task.dtype == "f32")
        add_all<float>(task);
}
