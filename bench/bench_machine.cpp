/* bench_machine.cpp -- what the machine itself costs: reading each level of memory, waking a thread, joining a
 * team, first touches of pages, starting a process. The rest is judged against these. */
#include "bench.h"

#include <atomic>
#include <climits>
#include <fcntl.h>
#include <linux/futex.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>

#ifdef _OPENMP
#include <omp.h>
#endif

/* Every worker reads a part of its own, again and again, from a common start on. */
static void read_level(benchmark::State &state, size_t bytes, size_t workers)
{
    array_ptr array = make_array(SHEAF_F64, bytes / 8);
    const char *data = static_cast<const char *>(sheaf_array_data(array.get()));
    size_t part = bytes / workers / 512 * 512;
    const std::string isa = isas().back();
    std::atomic<size_t> rounds{0}, done{0};
    std::vector<std::thread> others;
    for (size_t i = 1; i < workers; i++)
        others.emplace_back([&, i] {
            for (size_t seen = 0;; seen++) {
                while (rounds.load() == seen)
                    std::this_thread::yield();
                if (rounds.load() == SIZE_MAX)
                    return;
                read_only(isa, data + i * part, part);
                done.fetch_add(1);
            }
        });
    size_t count = 0;
    for (auto _ : state) {
        rounds.store(++count);
        read_only(isa, data, part);
        while (done.load() < count * (workers - 1))
            ;
    }
    rounds.store(SIZE_MAX);
    for (std::thread &other : others)
        other.join();
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                            static_cast<int64_t>(part * workers));
}

static long futex(std::atomic<int> *word, int operation, int value)
{
    return syscall(SYS_futex, reinterpret_cast<int *>(word), operation | FUTEX_PRIVATE_FLAG, value,
                   nullptr, nullptr, 0);
}

/* Waits without spinning until *word is value. */
static void await(std::atomic<int> *word, int value)
{
    for (int seen = word->load(); seen != value; seen = word->load())
        futex(word, FUTEX_WAIT, seen);
}

/* There and back between two sleeping threads. */
static void futex_round_trip(benchmark::State &state)
{
    std::atomic<int> turn{0};
    std::thread other([&] {
        for (int seen = 1;; seen += 2) {
            for (int now = turn.load(); now != seen; now = turn.load()) {
                if (now < 0)
                    return;
                futex(&turn, FUTEX_WAIT, now);
            }
            turn.store(seen + 1);
            futex(&turn, FUTEX_WAKE, 1);
        }
    });
    int at = 0;
    for (auto _ : state) {
        turn.store(at + 1);
        futex(&turn, FUTEX_WAKE, 1);
        await(&turn, at + 2);
        at += 2;
    }
    turn.store(-1);
    futex(&turn, FUTEX_WAKE, 1);
    other.join();
}

#ifdef _OPENMP
static void fork_join(benchmark::State &state, int workers)
{
    for (auto _ : state) {
#pragma omp parallel num_threads(workers)
        benchmark::DoNotOptimize(omp_get_thread_num());
    }
}
#endif

enum { PAGES = 4096, PAGE = 4096 };

/* The first write to each page of new memory; *seconds is for one page. */
static void first_touch(benchmark::State &state, bool is_shared)
{
    for (auto _ : state) {
        state.PauseTiming();
        char *data = static_cast<char *>(
            mmap(nullptr, size_t{PAGES} * PAGE, PROT_READ | PROT_WRITE,
                 MAP_ANONYMOUS | (is_shared ? MAP_SHARED : MAP_PRIVATE), -1, 0));
        if (data == MAP_FAILED) {
            state.SkipWithError("mmap");
            return;
        }
        madvise(data, size_t{PAGES} * PAGE, MADV_NOHUGEPAGE);
        state.ResumeTiming();
        for (size_t i = 0; i < PAGES; i++)
            static_cast<volatile char *>(data)[i * PAGE] = 1;
        state.PauseTiming();
        munmap(data, size_t{PAGES} * PAGE);
        state.ResumeTiming();
    }
}

/* The first read of each page that is in memory already, by a mapping that is new. */
static void map_existing(benchmark::State &state)
{
    int file = memfd_create("bench", MFD_CLOEXEC);
    if (file < 0 || posix_fallocate(file, 0, off_t{PAGES} * PAGE) != 0) {
        state.SkipWithError("memfd_create");
        return;
    }
    for (auto _ : state) {
        state.PauseTiming();
        void *data = mmap(nullptr, size_t{PAGES} * PAGE, PROT_READ, MAP_SHARED, file, 0);
        state.ResumeTiming();
        char seen = 0;
        for (size_t i = 0; i < PAGES; i++)
            seen = static_cast<char>(seen ^ static_cast<volatile char *>(data)[i * PAGE]);
        benchmark::DoNotOptimize(seen);
        state.PauseTiming();
        munmap(data, size_t{PAGES} * PAGE);
        state.ResumeTiming();
    }
    close(file);
}

static void start_process(benchmark::State &state)
{
    char path[] = "/bin/true";
    char *arguments[] = {path, nullptr};
    for (auto _ : state) {
        pid_t pid;
        if (posix_spawn(&pid, path, nullptr, nullptr, arguments, environ) != 0) {
            state.SkipWithError("posix_spawn");
            return;
        }
        waitpid(pid, nullptr, 0);
    }
}

int main(int argc, char **argv)
{
    size_t l2 = std::max<long>(sysconf(_SC_LEVEL2_CACHE_SIZE), 256 << 10);
    size_t l3 = std::max<long>(sysconf(_SC_LEVEL3_CACHE_SIZE), 4 << 20);
    const std::pair<const char *, size_t> levels[] = {
        {"L1", 16 << 10}, {"L2", l2 / 2}, {"L3", std::min(l3 / 2, 8 * l2)}, {"memory", 4 * l3}};
    for (const auto &level : levels)
        for (size_t workers : worker_counts())
            benchmark::RegisterBenchmark(
                (std::string("read/") + level.first + "/" + std::to_string(workers)).c_str(),
                read_level,
                level.second * (level.first[1] == '3' || level.first[0] == 'm' ? 1 : workers),
                workers)
                ->UseRealTime();
    benchmark::RegisterBenchmark("futex round trip/2", futex_round_trip)->UseRealTime();
#ifdef _OPENMP
    for (size_t workers : worker_counts())
        benchmark::RegisterBenchmark(("fork and join/" + std::to_string(workers)).c_str(),
                                     fork_join, static_cast<int>(workers))
            ->UseRealTime();
#endif
    benchmark::RegisterBenchmark("first touch of 4096 pages, private", first_touch, false)
        ->UseRealTime();
    benchmark::RegisterBenchmark("first touch of 4096 pages, shared", first_touch, true)
        ->UseRealTime();
    benchmark::RegisterBenchmark("mapping 4096 pages that exist", map_existing)->UseRealTime();
    benchmark::RegisterBenchmark("start and end of a process", start_process)->UseRealTime();
    return bench_main(argc, argv);
}
