// The whole way in user space, a second and core: decode > table > sequence > filter > sink. "count" is a sink that
// writes nothing: what replay costs before any output; "unjudged" the same without verdicts; "recorded" what a
// recording needs, which is to know what is alive. Also the memory that a live connection takes.
#include "measure.h"

#include "app/pipeline.h"
#include "sink/make_sink.h"

#include <malloc.h>

namespace tcpflight::bench {
namespace {

class CountSink : public Sink {
public:
    void write(const Event &event, std::string & /*out*/) override { benchmark::DoNotOptimize(event.time_ns); }
    void set_clock(const ClockAnchor & /*anchor*/) override {}
};

std::size_t allocated_bytes()
{
    auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

using MakeSink = std::unique_ptr<Sink> (*)();

struct Output {
    const char *name;
    MakeSink make;
    Verdicts verdicts = Verdicts::Alarms;
    bool show = true;
};

std::unique_ptr<Sink> count_sink()
{
    return std::make_unique<CountSink>();
}

std::unique_ptr<Sink> text_sink()
{
    return make_sink({});
}

std::unique_ptr<Sink> json_sink()
{
    OutputStyle style;
    style.format = Format::Json;
    return make_sink(style);
}

std::unique_ptr<Sink> timeline_sink()
{
    OutputStyle style;
    style.timelines = true;
    return make_sink(style);
}

void run(benchmark::State &state, const Output &output, std::uint32_t live, std::int64_t length)
{
    auto sink = output.make();
    sink->set_clock({.boot_ns = 0, .wall_ns = 1'795'292'931'000'000'000});
    RecordStream stream(live);
    const auto before = allocated_bytes();
    Pipeline::Settings settings;
    settings.show = output.show;
    settings.verdicts = output.verdicts;
    settings.timelines = output.verdicts == Verdicts::All;
    Pipeline pipeline(settings, *sink);
    std::int64_t bytes = 0;
    auto empty = [&] {
        bytes += static_cast<std::int64_t>(pipeline.output().size());
        pipeline.output().clear();
    };
    {
        RecordBatch opening;
        stream.open_all(opening);
        opening.for_each([&](std::span<const std::byte> record) { pipeline.consume(record); });
    }
    std::string().swap(pipeline.output()); // assigning an empty one keeps the memory
    state.counters["bytes_per_connection"] = static_cast<double>(allocated_bytes() - before) / live;

    auto shown_before = pipeline.totals().shown;
    bytes = 0;
    const RecordBatch *batch = nullptr;
    for (auto _ : state) {
        measure_run(
            state, stream, length, [&](const RecordBatch &next) { batch = &next; },
            [&] {
                batch->for_each([&](std::span<const std::byte> record) { pipeline.consume(record); });
                pipeline.advance(stream.now_ns());
                empty();
            });
    }
    pipeline.finish();
    state.SetBytesProcessed(bytes);
    auto totals = pipeline.totals();
    auto shown = static_cast<std::int64_t>(totals.shown - shown_before);
    // What waited while the connections were opened may come on top.
    if (totals.malformed != 0 || shown < state.items_processed())
        state.SkipWithError("not every record was shown");
}

void add(const std::string &name, const Output &output, std::uint32_t live, std::int64_t length)
{
    benchmark::RegisterBenchmark(name.c_str(), run, output, live, length)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
}

} // namespace

void register_benchmarks(const std::vector<std::int64_t> &lengths)
{
    for (const auto &output : {Output{"count", count_sink}, Output{"unjudged", count_sink, Verdicts::None},
                               Output{"recorded", count_sink, Verdicts::None, false}, Output{"text", text_sink},
                               Output{"json", json_sink}, Output{"timelines", timeline_sink, Verdicts::All}}) {
        auto name = std::string("pipeline/") + output.name;
        for (std::uint32_t live : {1'000U, 100'000U, 1'000'000U})
            add(name + "/live:" + std::to_string(live), output, live, 1'000'000);
        for (auto length : lengths)
            add(name + "/records:" + std::to_string(length), output, 10'000, length);
    }
}

} // namespace tcpflight::bench
