// main() of the micro benchmarks: Google Benchmark's options, and --long for runs of 10 and 100 million records.
#include "measure.h"

#include <cstring>
#include <span>

int main(int argc, char **argv)
{
    std::vector<std::int64_t> lengths{10'000, 100'000, 1'000'000};
    std::vector<char *> rest;
    for (char *argument : std::span(argv, static_cast<std::size_t>(argc))) {
        if (std::strcmp(argument, "--long") == 0)
            lengths.insert(lengths.end(), {10'000'000, 100'000'000});
        else
            rest.push_back(argument);
    }
    int count = static_cast<int>(rest.size());
    benchmark::Initialize(&count, rest.data());
    if (benchmark::ReportUnrecognizedArguments(count, rest.data()))
        return 2;
    tcpflight::bench::register_benchmarks(lengths);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
