// Events put in order, a second and core. One in ten is a connect that waits for its port.
#include "measure.h"

#include "decode/decode.h"
#include "table/sequencer.h"
#include "table/table.h"

namespace tcpflight::bench {
namespace {

struct Kept {
    Event event;
    Identity identity;
};

std::vector<Kept> events_of(const RecordBatch &batch, Table &table)
{
    std::vector<Kept> events;
    events.reserve(batch.size());
    Record record{};
    batch.for_each([&](std::span<const std::byte> bytes) {
        decode(bytes, record);
        auto event = table.observe(record);
        auto &kept = events.emplace_back(Kept{*event, event->identity != nullptr ? *event->identity : Identity{}});
        kept.event.identity = event->identity != nullptr ? &kept.identity : nullptr;
    });
    return events;
}

void put_in_order(benchmark::State &state, std::int64_t length)
{
    Table table;
    RecordStream stream(10'000);
    std::int64_t delivered = 0;
    std::int64_t pushed = 0;
    Sequencer sequencer([&](const Event &event) {
        benchmark::DoNotOptimize(event.time_ns);
        delivered++;
    });
    std::vector<Kept> events;
    for (auto _ : state) {
        measure_run(
            state, stream, length, [&](const RecordBatch &batch) { events = events_of(batch, table); },
            [&] {
                for (const auto &kept : events)
                    sequencer.push(kept.event);
                sequencer.advance(events.back().event.time_ns);
            });
        pushed += length;
    }
    sequencer.finish();
    if (delivered != pushed)
        state.SkipWithError("not every event was delivered once");
}

} // namespace

void register_benchmarks(const std::vector<std::int64_t> &lengths)
{
    for (auto length : lengths)
        benchmark::RegisterBenchmark(("sequencer/records:" + std::to_string(length)).c_str(), put_in_order, length)
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond);
}

} // namespace tcpflight::bench
