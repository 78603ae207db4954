/* bench_svd.cpp -- batches of matrices: ours on one core, and LAPACK's dgesdd, one thread a matrix, in both
 * of the layouts that it can be called in.
 *
 *     svd/WHAT/HOW/DATA/COUNTxMxN    WHAT: values, reduced, full; HOW: sequential, threads, processes, lapack,
 *                                    lapack-rows; DATA: random, mixed (columns graded by powers of ten
 *                                    that differ from matrix to matrix), cached (random, eight matrices again
 *                                    and again)
 *
 * lapack gets each matrix by columns, its transpose as it lies or turned, whichever of them is faster for
 * the shape; lapack-rows is what LAPACKE makes of a matrix by rows: turned there, and its vectors turned back. */
#include "bench.h"

#include <cmath>
#include <cstring>
#include <dlfcn.h>
#include <tuple>

namespace
{

using dgesdd_function = void(const char *, const int *, const int *, double *, const int *,
                             double *, double *, const int *, double *, const int *, double *,
                             const int *, int *, int *, size_t);

struct shape {
    size_t count, m, n;
    size_t k() const
    {
        return std::min(m, n);
    }
};

/* OpenBLAS, one thread. */
dgesdd_function *find_dgesdd()
{
    static dgesdd_function *const found = [] {
        void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr)
            return static_cast<dgesdd_function *>(nullptr);
        auto *set_threads =
            reinterpret_cast<void (*)(int)>(dlsym(library, "openblas_set_num_threads"));
        if (set_threads != nullptr)
            set_threads(1);
        return reinterpret_cast<dgesdd_function *>(dlsym(library, "dgesdd_"));
    }();
    return found;
}

double normal(uint64_t &state)
{
    double u = (static_cast<double>(random_u64(state) >> 11) + 0.5) * 0x1p-53;
    double v = static_cast<double>(random_u64(state) >> 11) * 0x1p-53;
    return std::sqrt(-2 * std::log(u)) * std::cos(6.283185307179586 * v);
}

/* Columns alike; of falling norms, by 5 degrees; or so near to one another that A'A is of no use. */
enum class content { random, mixed, dependent };

/* One at a time. */
const sheaf_array *matrices(const shape &of, content kind)
{
    static array_ptr array;
    static std::tuple<size_t, size_t, size_t, content> now;
    std::tuple<size_t, size_t, size_t, content> wanted{of.count, of.m, of.n, kind};
    if (array != nullptr && now == wanted)
        return array.get();
    sheaf_array *made = nullptr;
    size_t sizes[] = {of.count, of.m, of.n};
    array.reset();
    need(sheaf_create_anonymous(&made, SHEAF_F64, 3, sizes), "create");
    array.reset(made);
    now = wanted;
    auto *x = static_cast<double *>(sheaf_array_data(made));
    uint64_t state = 7;
    for (size_t c = 0; c < of.count; c++) {
        double grade = kind == content::mixed ? -12.0 * static_cast<double>(c % 5) / 4 : 0;
        for (size_t i = 0; i < of.m; i++) {
            const double shared = kind == content::dependent ? 1e6 * normal(state) : 0;
            for (size_t j = 0; j < of.n; j++)
                *x++ = shared + normal(state) * std::pow(10, grade * static_cast<double>(j) /
                                                                 static_cast<double>(of.n));
        }
    }
    return made;
}

void ours(benchmark::State &state, sheaf_svd_mode mode, sheaf_backend backend, size_t workers,
          shape of, content kind)
{
    const sheaf_array *a = matrices(of, kind);
    executor_ptr executor = open_executor(backend, workers);
    sheaf_svd_options options = {};
    sheaf_svd_arrays out = {};
    options.executor = executor.get();
    options.mode = mode;
    for (int i = 0; i < 2; i++)
        need(sheaf_svd(&out, nullptr, a, &options), "svd");
    for (auto _ : state)
        if (sheaf_svd(&out, nullptr, a, &options) != SHEAF_OK)
            state.SkipWithError(sheaf_last_error());
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * of.count));
    sheaf_detach(out.u);
    sheaf_detach(out.s);
    sheaf_detach(out.vt);
}

/* What dgesdd works on: the matrix of rows x columns by columns. */
struct lapack_run {
    const char *job;
    int rows, columns, u_columns, vt_rows;
    std::vector<double> a, s, u, vt, work;
    std::vector<int> integers;

    lapack_run(sheaf_svd_mode mode, size_t m, size_t n)
        : job(mode == SHEAF_SVD_VALUES    ? "N"
              : mode == SHEAF_SVD_REDUCED ? "S"
                                          : "A"),
          rows(static_cast<int>(m)), columns(static_cast<int>(n)), s(std::min(m, n)),
          integers(8 * std::min(m, n))
    {
        u_columns = mode == SHEAF_SVD_FULL ? rows : std::min(rows, columns);
        vt_rows = mode == SHEAF_SVD_FULL ? columns : std::min(rows, columns);
        a.resize(m * n);
        u.resize(mode == SHEAF_SVD_VALUES ? 1 : m * static_cast<size_t>(u_columns));
        vt.resize(mode == SHEAF_SVD_VALUES ? 1 : n * static_cast<size_t>(vt_rows));
        double length = 0;
        call(&length, -1);
        work.resize(static_cast<size_t>(length));
    }

    int call(double *room, int length)
    {
        int info = 0;
        find_dgesdd()(job, &rows, &columns, a.data(), &rows, s.data(), u.data(), &rows, vt.data(),
                      &vt_rows, room, &length, integers.data(), &info, 1);
        return info;
    }
};

/* to: by columns, of a matrix by rows. */
void turn(double *to, const double *from, size_t rows, size_t columns)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            to[j * rows + i] = from[i * columns + j];
}

/* turned: as LAPACKE's row-major call does it; else the transpose as it lies. */
void lapack(benchmark::State &state, sheaf_svd_mode mode, shape of, content kind, bool turned,
            bool back)
{
    if (find_dgesdd() == nullptr) {
        state.SkipWithError("no libopenblas.so.0");
        return;
    }
    const sheaf_array *a = matrices(of, kind);
    size_t each = of.m * of.n;
    lapack_run run(mode, turned ? of.m : of.n, turned ? of.n : of.m);
    std::vector<double> results(of.count * of.k());
    std::vector<double> u(run.u.size() * (mode == SHEAF_SVD_VALUES ? 1 : of.count));
    std::vector<double> vt(run.vt.size() * (mode == SHEAF_SVD_VALUES ? 1 : of.count));
    for (auto _ : state)
        for (size_t c = 0; c < of.count; c++) {
            const double *x = static_cast<const double *>(sheaf_array_data(a)) + c * each;
            if (turned)
                turn(run.a.data(), x, of.m, of.n);
            else
                std::memcpy(run.a.data(), x, each * sizeof *x);
            if (run.call(run.work.data(), static_cast<int>(run.work.size())) != 0)
                state.SkipWithError("dgesdd failed");
            std::memcpy(results.data() + c * of.k(), run.s.data(), of.k() * sizeof(double));
            if (mode == SHEAF_SVD_VALUES)
                continue;
            double *to_u = u.data() + c * run.u.size();
            double *to_vt = vt.data() + c * run.vt.size();
            if (back) {
                turn(to_u, run.u.data(), static_cast<size_t>(run.u_columns), of.m);
                turn(to_vt, run.vt.data(), of.n, static_cast<size_t>(run.vt_rows));
            } else {
                std::memcpy(to_u, run.u.data(), run.u.size() * sizeof(double));
                std::memcpy(to_vt, run.vt.data(), run.vt.size() * sizeof(double));
            }
        }
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * of.count));
}

void add(const shape &of, sheaf_svd_mode mode, const std::string &data)
{
    static const char *const modes[] = {"values", "reduced", "full"};
    const size_t all = sheaf_executor_workers(nullptr);
    const content kind = data == "mixed"       ? content::mixed
                         : data == "dependent" ? content::dependent
                                               : content::random;
    const std::string size = "/" + data + "/" + std::to_string(of.count) + "x" +
                             std::to_string(of.m) + "x" + std::to_string(of.n);
    const std::string what = std::string("svd/") + modes[mode] + "/";
    for (sheaf_backend backend : {SHEAF_SEQUENTIAL, SHEAF_THREADS, SHEAF_PROCESSES})
        benchmark::RegisterBenchmark((what + sheaf_backend_name(backend) + size).c_str(), ours,
                                     mode, backend, backend == SHEAF_SEQUENTIAL ? 1 : all, of, kind)
            ->UseRealTime();
    benchmark::RegisterBenchmark((what + "lapack" + size).c_str(), lapack, mode, of, kind,
                                 mode == SHEAF_SVD_VALUES && of.m > of.n, false)
        ->UseRealTime();
    benchmark::RegisterBenchmark((what + "lapack-rows" + size).c_str(), lapack, mode, of, kind,
                                 true, true)
        ->UseRealTime();
}

} // namespace

int main(int argc, char **argv)
{
    for (sheaf_svd_mode mode : {SHEAF_SVD_VALUES, SHEAF_SVD_REDUCED}) {
        add({600, 1000, 10}, mode, "random");
        add({600, 1000, 10}, mode, "dependent");
        add({8, 1000, 10}, mode, "cached");
        add({16, 1000, 10}, mode, "cached"); /* SVD_WITH_VECTORS */
    }
    add({6, 1000, 10}, SHEAF_SVD_VALUES, "cached");
    for (const char *data : {"random", "mixed"})
        for (size_t n : {10, 32})
            add({n == 10 ? size_t{10000} : size_t{2000}, n, n}, SHEAF_SVD_VALUES, data);
    add({10000, 3, 3}, SHEAF_SVD_VALUES, "random");
    add({10000, 10, 10}, SHEAF_SVD_FULL, "random");
    for (size_t n : {16, 24, 32, 48, 64})
        add({n > 32 ? size_t{200} : size_t{1000}, n, n}, SHEAF_SVD_FULL, "random");
    add({1000, 32, 32}, SHEAF_SVD_FULL, "mixed");
    add({4, 300, 300}, SHEAF_SVD_REDUCED, "random");
    add({2, 600, 600}, SHEAF_SVD_VALUES, "random");
    return bench_main(argc, argv);
}
