/* bench_main.cpp -- the main program of every benchmark: Google Benchmark's own, or a player.
 *
 * A player (`bench_NAME --serve`) runs one row at a time when it is told to, so that bench/house can put the
 * rows of several programs, Python's too, into one round. The lines, one each way:
 *
 *     to it:     NAME                          as --benchmark_list_tests prints it
 *     from it:   done TAB seconds TAB CPU seconds TAB name=value ...     for one iteration; counters
 *                fail TAB text
 *
 * It ends with its input. */
#include "bench.h"

#include <cstring>
#include <iostream>

namespace
{

/* One line of text for whatever became of the row. */
class line_reporter : public benchmark::BenchmarkReporter
{
  public:
    bool ReportContext(const Context &) override
    {
        return true;
    }

    void ReportRuns(const std::vector<Run> &runs) override
    {
        for (const Run &run : runs)
            report(run);
    }

  private:
    static void report(const Run &run)
    {
        if (run.run_type != Run::RT_Iteration)
            return;
        if (run.error_occurred || run.iterations == 0) {
            std::printf("fail\t%s\n", run.error_message.c_str());
            return;
        }
        double iterations = static_cast<double>(run.iterations);
        std::printf("done\t%.9g\t%.9g\t", run.real_accumulated_time / iterations,
                    run.cpu_accumulated_time / iterations);
        for (const auto &counter : run.counters)
            std::printf("%s=%.9g ", counter.first.c_str(), counter.second.value);
        std::printf("\n");
    }
};

/* The pattern that matches this text alone. */
std::string exactly(const std::string &text)
{
    std::string pattern = "^";
    for (char c : text) {
        if (std::strchr("\\^$.|?*+()[]{}", c) != nullptr)
            pattern += '\\';
        pattern += c;
    }
    return pattern + "$";
}

int serve()
{
    std::string name;
    while (std::getline(std::cin, name)) {
        line_reporter reporter;
        if (benchmark::RunSpecifiedBenchmarks(&reporter, exactly(name)) == 0)
            std::printf("fail\tno such row\n");
        std::fflush(stdout);
    }
    return 0;
}

} // namespace

int bench_main(int argc, char **argv)
{
    bool is_player = argc > 1 && std::strcmp(argv[1], "--serve") == 0;
    if (is_player) {
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 2;
    if (is_player)
        return serve();
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
