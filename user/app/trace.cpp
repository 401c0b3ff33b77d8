#include "app/trace.h"

#include "app/event_loop.h"
#include "app/output.h"
#include "app/pipeline.h"
#include "app/report.h"
#include "probe/privileges.h"
#include "probe/tracer.h"
#include "sink/make_sink.h"
#include "source/ring_reader.h"
#include "tcpflight/records.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace tcpflight {
namespace {

// A record is stamped before it is reserved; in between its CPU may be interrupted. Measured: up to 32 us.
constexpr std::uint64_t stamp_slack_ns = 1'000'000;

// One run of the tracer, wired up.
class Session : public RecordConsumer {
public:
    Session(const Options &options, Tracer tracer, RingReader ring, EventLoop loop)
        : options_(options), sink_(make_sink(options.style)),
          pipeline_({.filter = options.filter, .count = options.count}, *sink_), tracer_(std::move(tracer)),
          ring_(std::move(ring)), loop_(std::move(loop)), output_(STDOUT_FILENO, loop_.signal_fd())
    {
        sink_->set_clock(read_clock_anchor());
    }

    int run();
    bool consume(std::span<const std::byte> record) override;

private:
    bool read_batch();
    bool flush();
    void look_for_losses();
    int finish();

    const Options &options_;
    std::unique_ptr<Sink> sink_;
    Pipeline pipeline_;
    Tracer tracer_;
    RingReader ring_;
    EventLoop loop_;
    Output output_;
    Output::Outcome outcome_ = Output::Outcome::Written;
    std::uint64_t lines_missing_ = 0; // formatted, but not written
    std::uint64_t known_forgotten_ = 0;
};

int Session::run()
{
    for (bool more = true; more;) {
        switch (loop_.wait(pipeline_.is_holding())) {
        case EventLoop::Wake::Batch: more = read_batch(); break;
        case EventLoop::Wake::ClockStep: sink_->set_clock(read_clock_anchor()); break;
        case EventLoop::Wake::OutputClosed: outcome_ = Output::Outcome::Closed; [[fallthrough]];
        case EventLoop::Wake::Signal: more = false; break;
        }
    }
    return finish();
}

bool Session::consume(std::span<const std::byte> record)
{
    // Bounded memory, and a reader that keeps up with a long batch.
    constexpr std::size_t output_chunk = std::size_t{256} << 10;
    bool more = pipeline_.consume(record);
    if (options_.flush == Flush::Line || pipeline_.output().size() >= output_chunk)
        return flush() && more;
    return more;
}

bool Session::read_batch()
{
    auto now = boot_now_ns();
    bool more = ring_.drain(*this);
    if (more) {
        look_for_losses();
        pipeline_.advance(now - stamp_slack_ns);
    }
    if (auto forgotten = pipeline_.totals().forgotten; forgotten != known_forgotten_) {
        known_forgotten_ = forgotten;
        tracer_.say_again();
    }
    return flush() && more;
}

// Most losses are in the stream, where they happened. This finds those that no later record told of.
void Session::look_for_losses()
{
    for (const auto &loss : tracer_.losses())
        pipeline_.lose(loss, boot_now_ns());
}

bool Session::flush()
{
    auto &bytes = pipeline_.output();
    if (bytes.empty())
        return true;
    outcome_ = output_.write(bytes);
    if (outcome_ != Output::Outcome::Written) {
        auto missing = std::string_view(bytes).substr(bytes.size() - output_.unwritten());
        lines_missing_ = static_cast<std::uint64_t>(std::count(missing.begin(), missing.end(), '\n'));
    }
    bytes.clear();
    return outcome_ == Output::Outcome::Written;
}

int Session::finish()
{
    tracer_.detach();
    if (outcome_ == Output::Outcome::Written) {
        if (!pipeline_.is_done() && ring_.drain(*this)) {
            look_for_losses();
            pipeline_.finish();
        }
        flush();
    }
    auto totals = pipeline_.totals();
    totals.shown -= std::min(totals.shown, lines_missing_);
    report_totals(totals, tracer_.counters());
    if (outcome_ == Output::Outcome::Failed)
        report_error({fmt::format("cannot write to standard output: {}: lines missing there: {}",
                                  std::strerror(output_.error()), lines_missing_)},
                     options_.verbosity);
    if (outcome_ == Output::Outcome::Interrupted)
        report_error({fmt::format("standard output was not being read: lines missing there: {}", lines_missing_)},
                     options_.verbosity);
    return outcome_ == Output::Outcome::Failed ? 1 : 0;
}

Result<int> start(const Options &options)
{
    // Signals first: one that comes while the programs are loaded must end the tracing, not interrupt the loading.
    auto loop = EventLoop::create();
    if (!loop)
        return tl::unexpected(loop.error());
    auto tracer =
        Tracer::attach({.filter = options.filter, .ring_bytes = options.ring_bytes, .metrics = options.style.metrics});
    if (!tracer)
        return tl::unexpected(tracer.error());
    auto ring = RingReader::open(tracer->ring_fd(), tracer->ring_bytes());
    if (!ring)
        return tl::unexpected(ring.error());
    if (auto watched = loop->watch(tracer->ring_fd(), STDOUT_FILENO); !watched)
        return tl::unexpected(watched.error());
    if (auto dropped = drop_privileges(); !dropped)
        return tl::unexpected(dropped.error());

    report_listening(options, Tracer::layer());
    return Session(options, std::move(*tracer), std::move(*ring), std::move(*loop)).run();
}

} // namespace

int trace(const Options &options)
{
    auto status = start(options);
    if (status)
        return *status;
    report_error(status.error(), options.verbosity);
    return 1;
}

} // namespace tcpflight
