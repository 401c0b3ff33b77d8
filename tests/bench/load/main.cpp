// load: makes TCP connections on loopback, in a network namespace of its own, for measuring what watching them costs.
// Prints one JSON object on stdout. See --help.
#include "hold.h"
#include "support/netns.h"
#include "workers.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <exception>
#include <thread>

namespace tcpflight::bench {
namespace {

// A busy run would leave a million sockets in TIME_WAIT, and each run would be slower than the one before.
void keep_no_time_wait()
{
    test::set_sysctl("ipv4/tcp_max_tw_buckets", "0");
}

void print(const Outcome &outcome, const Job &job)
{
    fmt::print(R"({{"connections":{},"events":{},"wall_s":{:.6f},"cpu_s":{:.6f},"events_per_s":{:.0f})",
               outcome.connections, outcome.events, outcome.wall_s, outcome.cpu_s,
               static_cast<double>(outcome.events) / outcome.wall_s);
    auto us = [&](double fraction) { return static_cast<double>(outcome.latency.quantile(fraction)) / 1e3; };
    if (job.latencies)
        fmt::print(R"(,"behind":{},"p50_us":{:.2f},"p99_us":{:.2f},"p999_us":{:.2f},"max_us":{:.2f})", outcome.behind,
                   us(0.5), us(0.99), us(0.999), static_cast<double>(outcome.latency.max()) / 1e3);
    fmt::print("}}\n");
}

int run(int argc, char **argv)
{
    CLI::App app("Makes TCP connections on loopback.", "load");
    bool here = false;
    app.add_flag("--here", here, "stay in the caller's network namespace");
    app.require_subcommand(1);

    Job job;
    job.workers = std::max(1U, std::thread::hardware_concurrency());
    std::uint64_t events = 1'000'000;
    auto *churn = app.add_subcommand("churn", "connections as fast as they go, on all cores");
    churn->add_option("--events", events, "about so many changes of state")->capture_default_str();
    churn->add_option("--live", job.live, "connections that each worker keeps open")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();

    double seconds = 3;
    auto *paced = app.add_subcommand("paced", "connections at a fixed rate; how long does each take?");
    paced->add_option("--rate", job.rate, "connections a second; 0: as fast as they go")->default_val(2000);
    paced->add_option("--seconds", seconds, "how long; at rate 0, as if it were 50000 a second")->capture_default_str();
    for (auto *mode : {churn, paced}) {
        mode->add_option("--workers", job.workers, "processes, each on a core of its own")->capture_default_str();
        mode->add_option("--reset-percent", job.reset_percent, "connections ended by a reset")
            ->check(CLI::Range(0, 100))
            ->capture_default_str();
    }

    std::uint32_t sockets = 10'000;
    auto *holding = app.add_subcommand("hold", "sockets that stay until SIGTERM or SIGINT");
    holding->add_option("--sockets", sockets, "how many, both ends counted")->capture_default_str();
    CLI11_PARSE(app, argc, argv);

    if (!here) {
        test::enter_new_netns();
        keep_no_time_wait();
    }
    if (holding->parsed()) {
        hold(sockets);
        return 0;
    }
    if (churn->parsed()) {
        job.rate = 0;
        // 10 an orderly connection, 6 one that is reset.
        job.connections = events * 100 / (10 * (100 - job.reset_percent) + 6 * job.reset_percent);
    } else {
        job.latencies = true;
        job.connections = static_cast<std::uint64_t>(seconds * (job.rate > 0 ? job.rate : 50'000));
    }
    print(run_workers(job), job);
    return 0;
}

} // namespace
} // namespace tcpflight::bench

int main(int argc, char **argv)
{
    try {
        return tcpflight::bench::run(argc, argv);
    } catch (const std::exception &error) {
        fmt::print(stderr, "load: {}\n", error.what());
        return 1;
    }
}
