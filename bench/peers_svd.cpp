/* peers_svd.cpp -- singular values by LAPACK (OpenBLAS), one dgesdd a matrix, set to one thread each and spread
 * over the workers by OpenMP: the fair baseline for a batch. One matrix gets all threads. */
#include "peers.h"

#if __has_include(<cblas.h>) && __has_include(<lapacke.h>)
#include <cblas.h>
#include <lapacke.h>
#define HAS_LAPACK 1
#endif

#include <cstring>

#if HAS_LAPACK
/* One matrix, m x n in C order. For column-major LAPACK that is the transpose, n x m, of the same values;
 * row-major, LAPACKE transposes a copy of its own. */
static void values_of(const double *matrix, size_t m, size_t n, bool is_row_major, double *copy,
                      double *values)
{
    double none;
    std::memcpy(copy, matrix, m * n * sizeof(double)); /* which dgesdd overwrites */
    int rows = static_cast<int>(is_row_major ? m : n);
    int columns = static_cast<int>(is_row_major ? n : m);
    LAPACKE_dgesdd(is_row_major ? LAPACK_ROW_MAJOR : LAPACK_COL_MAJOR, 'N', rows, columns, copy,
                   is_row_major ? columns : rows, values, &none, rows, &none, columns);
}

static void add_layout(const peer_task &task, const char *name, size_t workers, bool is_row_major)
{
    size_t m = task.shape[task.shape.size() - 2];
    size_t n = task.shape.back();
    size_t count = task.size() / (m * n);
    const double *data = task.data<double>();
    add_peer(name, workers, task.size() * sizeof(double), [=] {
        openblas_set_num_threads(count == 1 ? static_cast<int>(workers) : 1);
#pragma omp parallel num_threads(static_cast <int>(count == 1 ? 1 : workers))
        {
            std::vector<double> copy(m * n), values(std::min(m, n));
#pragma omp for
            for (size_t i = 0; i < count; i++)
                values_of(data + i * m * n, m, n, is_row_major, copy.data(), values.data());
            benchmark::DoNotOptimize(values.data());
        }
    });
}

void add_svd_peers(const peer_task &task)
{
    if (task.shape.size() < 2)
        return;
    for (size_t workers = 1;; workers = task.workers) {
        add_layout(task, "LAPACK, dgesdd row-major", workers, true);
        add_layout(task, "LAPACK, dgesdd column-major", workers, false);
        if (workers == task.workers)
            break;
    }
}
#else
void add_svd_peers(const peer_task &task)
{
    add_missing("LAPACK", task.workers,
                "not installed (packages libopenblas-pthread-dev, liblapacke-dev)");
}
#endif
