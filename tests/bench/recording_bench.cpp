// Recordings, a second and core: what the writer costs with so many connections alive, what the reader does, and how
// many bytes an event takes.
#include "measure.h"

#include "recording/reader.h"
#include "recording/writer.h"
#include "support/memory_disk.h"
#include "table/table.h"

#include <cstring>
#include <random>

namespace tcpflight::bench {
namespace {

// As times are: not round.
class Jitter {
public:
    void copy(const RecordBatch &from, RecordBatch &to)
    {
        to.clear();
        from.for_each([&](std::span<const std::byte> record) {
            scratch_.assign(record.begin(), record.end());
            std::uint64_t time_ns = 0;
            std::memcpy(&time_ns, scratch_.data(), sizeof(time_ns));
            time_ns += random_() % 1000;
            std::memcpy(scratch_.data(), &time_ns, sizeof(time_ns));
            to.add(scratch_);
        });
    }

private:
    std::mt19937 random_{7};
    std::vector<std::byte> scratch_;
};

RecordingWriter writer_to(const std::shared_ptr<test::MemoryFile> &file, const KnownSource &known)
{
    return {std::make_unique<test::MemoryOutput>(file), {}, known};
}

// With a table beside it, as when recording and printing: what comes on top of the printing.
void write_bench(benchmark::State &state, std::uint32_t live, std::int64_t length)
{
    RecordStream stream(live);
    Jitter jitter;
    Table table;
    auto file = std::make_shared<test::MemoryFile>();
    auto writer = writer_to(file, table);
    RecordBatch opening;
    stream.open_all(opening);
    Record record{};
    auto observe = [&](std::span<const std::byte> bytes) {
        decode(bytes, record);
        benchmark::DoNotOptimize(table.observe(record));
    };
    opening.for_each([&](std::span<const std::byte> bytes) {
        writer.write(bytes);
        observe(bytes);
    });
    writer.flush();
    auto before = writer.totals();
    RecordBatch batch;
    for (auto _ : state) {
        measure_run(
            state, stream, length,
            [&](const RecordBatch &next) {
                if (batch.size() != 0)
                    batch.for_each(observe);
                jitter.copy(next, batch);
                file->bytes.clear();
            },
            [&] { batch.for_each([&](std::span<const std::byte> bytes) { writer.write(bytes); }); });
    }
    writer.flush();
    auto after = writer.totals();
    state.counters["bytes_per_event"] =
        static_cast<double>(after.bytes - before.bytes) / static_cast<double>(after.records - before.records);
}

struct Count : RecordingConsumer {
    bool record(std::span<const std::byte> bytes) override
    {
        benchmark::DoNotOptimize(bytes.data());
        records++;
        return true;
    }
    void clock(const ClockAnchor & /*anchor*/) override {}
    void entry_point(const EntryPoint & /*entry*/) override {}
    void damage(const Damage & /*damage*/) override { damages++; }
    std::int64_t records = 0;
    std::int64_t damages = 0;
};

// From memory: read, checked, unpacked and handed over.
void read_bench(benchmark::State &state, std::uint32_t live, std::int64_t length)
{
    auto file = std::make_shared<test::MemoryFile>();
    {
        RecordStream stream(live);
        Jitter jitter;
        Table table;
        auto writer = writer_to(file, table);
        RecordBatch next;
        RecordBatch batch;
        for (std::int64_t done = 0; done < length; done += static_cast<std::int64_t>(next.size())) {
            next.clear();
            stream.append(chunk_records, next);
            jitter.copy(next, batch);
            batch.for_each([&](std::span<const std::byte> bytes) { writer.write(bytes); });
        }
        if (!writer.finish())
            state.SkipWithError("could not be written");
    }
    Count count;
    for (auto _ : state) {
        StopWatch watch;
        auto reader = RecordingReader::open(std::make_unique<test::MemoryInput>(file), "x");
        watch.time([&] {
            while (reader->read(count).value_or(RecordingReader::Step::Stopped) == RecordingReader::Step::More) {
            }
        });
        state.SetIterationTime(watch.seconds());
    }
    if (count.damages != 0)
        state.SkipWithError("is damaged");
    state.SetItemsProcessed(count.records);
}

} // namespace

void register_benchmarks(const std::vector<std::int64_t> &lengths)
{
    for (std::uint32_t live : {10U, 1'000U, 100'000U})
        benchmark::RegisterBenchmark(("record/live:" + std::to_string(live)).c_str(), write_bench, live, 1'000'000)
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond);
    for (auto length : lengths)
        benchmark::RegisterBenchmark(("replay/records:" + std::to_string(length)).c_str(), read_bench, 10'000U, length)
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond);
}

} // namespace tcpflight::bench
