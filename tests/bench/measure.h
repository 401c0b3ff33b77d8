// How the micro benchmarks measure: records are made in chunks outside the time that counts, so that a run can be of
// any length in little memory.
#pragma once

#include "record_stream.h"
#include "stop_watch.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tcpflight::bench {

// Defined by each program; called once by main() (bench_main.cpp).
// `lengths`: for the benchmarks that show how the cost grows with the length of a run.
void register_benchmarks(const std::vector<std::int64_t> &lengths);

// Small enough for the cache, large enough for two readings of the clock not to count.
constexpr std::size_t chunk_records = 16'384;

// One iteration: `length` records of `stream`, chunk by chunk. prepare(batch) is not timed, consume() is.
template <typename Prepare, typename Consume>
void measure_run(benchmark::State &state, RecordStream &stream, std::int64_t length, Prepare &&prepare,
                 Consume &&consume)
{
    StopWatch watch;
    RecordBatch batch;
    for (auto left = length; left > 0; left -= static_cast<std::int64_t>(batch.size())) {
        batch.clear();
        stream.append(std::min(chunk_records, static_cast<std::size_t>(left)), batch);
        prepare(std::as_const(batch));
        watch.time(consume);
    }
    state.SetIterationTime(watch.seconds());
    state.SetItemsProcessed(state.items_processed() + length);
}

} // namespace tcpflight::bench
