// Records taken apart and checked, a second and core.
#include "measure.h"

#include "decode/decode.h"

namespace tcpflight::bench {
namespace {

void decode_records(benchmark::State &state)
{
    RecordStream stream(1000);
    RecordBatch batch;
    stream.append(chunk_records, batch);
    Record record{};
    for (auto _ : state) {
        batch.for_each([&](std::span<const std::byte> bytes) {
            if (decode(bytes, record) != DecodeError::None)
                state.SkipWithError("a record of the stream is malformed");
            benchmark::DoNotOptimize(record);
        });
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch.size()));
}

} // namespace

void register_benchmarks(const std::vector<std::int64_t> & /*lengths*/)
{
    benchmark::RegisterBenchmark("decode", decode_records);
}

} // namespace tcpflight::bench
