// Connections judged, a second and core, for each kind of criterion.
#include "measure.h"

#include "decode/decode.h"
#include "filter/filter.h"
#include "table/table.h"

#include <memory>

namespace tcpflight::bench {
namespace {

std::vector<Identity> identities()
{
    std::vector<Identity> found;
    Table table([&](const Identity &identity) {
        found.push_back(identity);
        return true;
    });
    RecordStream stream(1000);
    RecordBatch batch;
    stream.append(chunk_records, batch);
    Record record{};
    batch.for_each([&](std::span<const std::byte> bytes) {
        decode(bytes, record);
        table.observe(record);
    });
    return found;
}

void match(benchmark::State &state, const Filter &filter)
{
    auto all = identities();
    for (auto _ : state) {
        for (const auto &identity : all)
            benchmark::DoNotOptimize(filter.matches(identity));
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(all.size()));
}

std::shared_ptr<const PortSet> port(std::uint16_t number)
{
    auto set = std::make_shared<PortSet>();
    set->set(number);
    return set;
}

} // namespace

void register_benchmarks(const std::vector<std::int64_t> & /*lengths*/)
{
    Filter nothing;
    Filter by_port;
    by_port.either_port = port(443);
    Filter by_pid;
    by_pid.pids = {1001, 1002, 1003, 1004};
    Filter by_comm;
    by_comm.comms = {"nginx", "haproxy"};
    Filter by_all = by_pid;
    by_all.remote_port = port(443);
    by_all.comms = by_comm.comms;
    by_all.ipv6 = false;
    benchmark::RegisterBenchmark("filter/open", match, nothing);
    benchmark::RegisterBenchmark("filter/port", match, by_port);
    benchmark::RegisterBenchmark("filter/pid", match, by_pid);
    benchmark::RegisterBenchmark("filter/comm", match, by_comm);
    benchmark::RegisterBenchmark("filter/all", match, by_all);
}

} // namespace tcpflight::bench
