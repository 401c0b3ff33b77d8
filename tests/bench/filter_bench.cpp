// Connections judged, a second and core, for each kind of criterion.
#include "measure.h"

#include "decode/decode.h"
#include "support/expression.h"
#include "table/table.h"

namespace tcpflight::bench {
namespace {

std::vector<Identity> identities()
{
    std::vector<Identity> found;
    Table table([&](const Identity &identity, Direction /*direction*/) {
        found.push_back(identity);
        return Admission::Yes;
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

} // namespace

void register_benchmarks(const std::vector<std::int64_t> & /*lengths*/)
{
    struct Case {
        const char *name;
        const char *expression;
    };
    for (auto [name, expression] :
         {Case{"filter/open", ""}, Case{"filter/port", "port 443"},
          Case{"filter/pid", "pid 1001 or 1002 or 1003 or 1004"}, Case{"filter/comm", "comm nginx or comm haproxy"},
          Case{"filter/net", "net 10.0.0.0/8"},
          Case{"filter/all", "remote port 443 and (pid 1001 or 1002 or 1003 or 1004) and "
                             "(comm nginx or comm haproxy) and ip"}})
        benchmark::RegisterBenchmark(name, match, test::filter_of(expression));
}

} // namespace tcpflight::bench
