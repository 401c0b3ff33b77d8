// Records turned into events, a second and core: with many connections alive, and in runs that grow. Also the memory
// that a live connection takes.
#include "measure.h"

#include "decode/decode.h"
#include "table/table.h"

#include <malloc.h>

namespace tcpflight::bench {
namespace {

std::vector<Record> take_apart(const RecordBatch &batch)
{
    std::vector<Record> records;
    records.reserve(batch.size());
    batch.for_each([&](std::span<const std::byte> bytes) { decode(bytes, records.emplace_back()); });
    return records;
}

std::size_t allocated_bytes()
{
    auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

void open_all(Table &table, RecordStream &stream)
{
    RecordBatch batch;
    stream.open_all(batch);
    Record record{};
    batch.for_each([&](std::span<const std::byte> bytes) {
        decode(bytes, record);
        table.observe(record);
    });
}

void observe(benchmark::State &state, std::uint32_t live, std::int64_t length)
{
    auto before = allocated_bytes();
    Table table;
    RecordStream stream(live);
    auto streams_own = allocated_bytes() - before;
    open_all(table, stream);
    state.counters["bytes_per_connection"] =
        static_cast<double>(allocated_bytes() - before - streams_own) / static_cast<double>(table.size());

    std::vector<Record> records;
    for (auto _ : state) {
        measure_run(
            state, stream, length, [&](const RecordBatch &batch) { records = take_apart(batch); },
            [&] {
                for (const auto &record : records)
                    benchmark::DoNotOptimize(table.observe(record));
            });
    }
    if (table.size() > live || table.forgotten() != 0)
        state.SkipWithError("the table does not hold what the stream has alive");
}

} // namespace

void register_benchmarks(const std::vector<std::int64_t> &lengths)
{
    for (std::uint32_t live : {1'000U, 10'000U, 100'000U, 1'000'000U})
        benchmark::RegisterBenchmark(("table/live:" + std::to_string(live)).c_str(), observe, live, 1'000'000)
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond);
    for (auto length : lengths)
        benchmark::RegisterBenchmark(("table/records:" + std::to_string(length)).c_str(), observe, 10'000U, length)
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond);
}

} // namespace tcpflight::bench
