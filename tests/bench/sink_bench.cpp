// Lines a second and core, into memory. "items_per_second" are lines.
#include "sink/make_sink.h"

#include "support/event_builder.h"

#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tcpflight {
namespace {

using test::EventBuilder;
using test::OwnedEvent;

constexpr std::size_t batch_bytes = 64 * 1024; // about what a batch of the tracer writes at once

std::array<OwnedEvent, 4> a_connection(const std::string &local, const std::string &remote, std::uint16_t port = 57374)
{
    EventBuilder builder;
    builder.connection(port).local(local, port).remote(remote, 443);
    return {builder.changes(TcpState::Close, TcpState::SynSent).build(),
            builder.changes(TcpState::SynSent, TcpState::Established, 108'000).build(),
            builder.changes(TcpState::Established, TcpState::FinWait1, 8'348'000'000).build(),
            builder.changes(TcpState::FinWait1, TcpState::Close, 1'204'000).build()};
}

// A line of each connection in turn, so that nothing that is kept of one is of use for the next line.
std::vector<OwnedEvent> scattered(const std::string &local, const std::string &remote)
{
    constexpr std::uint16_t connections = 4096;
    std::vector<OwnedEvent> events;
    for (std::uint16_t port = 0; port < connections; port++)
        events.push_back(a_connection(local, remote, 10'000 + port)[port % 4]);
    return events;
}

// All lines of a connection, and then those of the next one.
std::vector<OwnedEvent> in_a_row(const std::string &local, const std::string &remote)
{
    constexpr std::uint16_t connections = 1024;
    std::vector<OwnedEvent> events;
    for (std::uint16_t port = 0; port < connections; port++) {
        for (const auto &event : a_connection(local, remote, 10'000 + port))
            events.push_back(event);
    }
    return events;
}

void write_lines(benchmark::State &state, const OutputStyle &style, const std::vector<OwnedEvent> &events)
{
    auto sink = make_sink(style);
    sink->set_clock({.boot_ns = 0, .wall_ns = 1'795'292'931'000'000'000});
    std::string out;
    std::uint64_t time_ns = 0;
    std::size_t next = 0;
    std::int64_t bytes = 0;
    for (auto _ : state) {
        auto event = events[next].view();
        next = (next + 1) % events.size();
        event.time_ns = time_ns;
        time_ns += 1'234; // 800,000 events a second: the calendar is asked as often as it would be
        sink->write(event, out);
        if (out.size() > batch_bytes) {
            benchmark::DoNotOptimize(out.data());
            bytes += static_cast<std::int64_t>(out.size());
            out.clear();
        }
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(bytes);
}

void text_ipv4(benchmark::State &state)
{
    write_lines(state, {}, in_a_row("127.0.0.1", "127.0.0.1"));
}
BENCHMARK(text_ipv4);

void text_ipv4_scattered(benchmark::State &state)
{
    write_lines(state, {}, scattered("127.0.0.1", "127.0.0.1"));
}
BENCHMARK(text_ipv4_scattered);

void text_ipv4_quiet(benchmark::State &state)
{
    OutputStyle style;
    style.quiet = true;
    write_lines(state, style, in_a_row("127.0.0.1", "127.0.0.1"));
}
BENCHMARK(text_ipv4_quiet);

void text_ipv6(benchmark::State &state)
{
    write_lines(state, {}, in_a_row("2001:db8::1:2:3", "2001:db8:1111:2222:3333:4444:5555:6666"));
}
BENCHMARK(text_ipv6);

void text_color(benchmark::State &state)
{
    OutputStyle style;
    style.color = true;
    style.columns = 80;
    write_lines(state, style, in_a_row("127.0.0.1", "127.0.0.1"));
}
BENCHMARK(text_color);

void json_ipv4(benchmark::State &state)
{
    OutputStyle style;
    style.format = Format::Json;
    write_lines(state, style, in_a_row("127.0.0.1", "127.0.0.1"));
}
BENCHMARK(json_ipv4);

} // namespace
} // namespace tcpflight
