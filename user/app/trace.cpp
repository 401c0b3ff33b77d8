#include "app/trace.h"

#include "app/event_loop.h"
#include "app/output.h"
#include "app/pipeline.h"
#include "app/report.h"
#include "probe/privileges.h"
#include "probe/sweeper.h"
#include "probe/tracer.h"
#include "sink/make_sink.h"
#include "source/live_source.h"
#include "tcpflight/records.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace tcpflight {
namespace {

// A record is stamped before it can be read; in between its CPU may be interrupted. Measured: up to 32 us. For the
// order of different sockets only: a socket's own records need no slack (LiveSource).
constexpr std::uint64_t stamp_slack_ns = 1'000'000;

// One run of the tracer, wired up.
class Session : public RecordConsumer {
public:
    Session(const Options &options, Tracer tracer, LiveSource source, EventLoop loop)
        : options_(options), sink_(make_sink(options.style)),
          pipeline_({.filter = options.filter, .count = options.count, .show_found = options.show_found}, *sink_),
          tracer_(std::move(tracer)), source_(std::move(source)), loop_(std::move(loop)),
          output_(STDOUT_FILENO, loop_.signal_fd())
    {
        sink_->set_clock(read_clock_anchor());
    }

    int run();
    bool consume(std::span<const std::byte> record) override;

private:
    enum class Rest : std::uint8_t { Awake, Drowsy, Sleeping };

    bool read_batch();
    void settle(bool busy);
    bool flush();
    void look_for_losses();
    int finish();

    const Options &options_;
    std::unique_ptr<Sink> sink_;
    Pipeline pipeline_;
    Tracer tracer_;
    LiveSource source_;
    EventLoop loop_;
    Output output_;
    Output::Outcome outcome_ = Output::Outcome::Written;
    Rest rest_ = Rest::Awake;
    std::uint64_t consumed_ = 0;      // records
    std::uint64_t lines_missing_ = 0; // formatted, but not written
    std::uint64_t known_forgotten_ = 0;
};

int Session::run()
{
    for (bool more = true; more;) {
        switch (loop_.wait(rest_ != Rest::Sleeping)) {
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
    consumed_++;
    bool more = pipeline_.consume(record);
    if (options_.flush == Flush::Line || pipeline_.output().size() >= output_chunk)
        return flush() && more;
    return more;
}

bool Session::read_batch()
{
    // Nothing younger: it might have to stand behind something that a CPU is still writing.
    auto until = boot_now_ns() - stamp_slack_ns;
    auto before = consumed_;
    bool more = source_.read(until, *this);
    if (more) {
        look_for_losses();
        pipeline_.advance(until);
    }
    if (auto forgotten = pipeline_.totals().forgotten; forgotten != known_forgotten_) {
        known_forgotten_ = forgotten;
        tracer_.say_again();
    }
    settle(consumed_ != before || source_.has_rest() || pipeline_.is_holding());
    return flush() && more;
}

// Two quiet looks before it sleeps: the first asks to be woken, and the second finds what came before that was seen.
void Session::settle(bool busy)
{
    auto next = busy ? Rest::Awake : rest_ == Rest::Awake ? Rest::Drowsy : Rest::Sleeping;
    if ((next == Rest::Awake) != (rest_ == Rest::Awake))
        source_.set_asleep(next != Rest::Awake);
    rest_ = next;
}

// The kernel only counts these, and not even by CPU; so they are told where they are found.
void Session::look_for_losses()
{
    if (auto total = tracer_.nested_losses(); total != 0) {
        auto now = boot_now_ns();
        pipeline_.lose({.total = total, .until_ns = now, .cpu = 0xffffffff, .reason = TF_LOSS_NESTED}, now);
    }
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
        if (!pipeline_.is_done() && source_.read(std::numeric_limits<std::uint64_t>::max(), *this)) {
            look_for_losses();
            pipeline_.finish();
        }
        flush();
    }
    auto totals = pipeline_.totals();
    totals.shown -= std::min(totals.shown, lines_missing_);
    totals.malformed += source_.damaged();
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

Result<Sweeper::Found> find_what_is_there(const Tracer &tracer)
{
    constexpr std::chrono::seconds patience{5};
    auto iterators = tracer.socket_iterators();
    if (!iterators)
        return tl::unexpected(iterators.error());
    auto sweeper = Sweeper::start(std::move(*iterators));
    if (!sweeper)
        return tl::unexpected(sweeper.error());
    return sweeper->find_all(patience);
}

// The sockets that were there before us. They are read when all events are being recorded already, and merged with
// those by time and cookie: nothing falls in between, and nothing counts twice. Without them tracing is poorer, and not
// wrong.
void add_what_is_there(const Tracer &tracer, LiveSource &source, const Options &options)
{
    auto found = find_what_is_there(tracer);
    if (!found) {
        report_error({fmt::format("connections that were there before are shown from their next event on: {}",
                                  found.error().message),
                      found.error().detail},
                     options.verbosity);
        return;
    }
    source.add(found->records);
    report_out_of_reach(found->out_of_reach, "shown from their next event on", options.verbosity);
}

Result<int> start(const Options &options)
{
    // Signals first: one that comes while the programs are loaded must end the tracing, not interrupt the loading.
    auto loop = EventLoop::create();
    if (!loop)
        return tl::unexpected(loop.error());
    auto tracer = Tracer::attach({.filter = options.filter,
                                  .ring_bytes = options.ring_bytes,
                                  .metrics = options.style.metrics,
                                  .layer = options.layer});
    if (!tracer)
        return tl::unexpected(tracer.error());
    auto channel = tracer->channel();
    auto source = LiveSource::open(channel);
    if (!source)
        return tl::unexpected(source.error());
    if (auto watched = loop->watch(channel.ring_fd, STDOUT_FILENO); !watched)
        return tl::unexpected(watched.error());
    add_what_is_there(*tracer, *source, options);
    if (auto dropped = drop_privileges(); !dropped)
        return tl::unexpected(dropped.error());

    report_listening(options, tracer->hooks());
    return Session(options, std::move(*tracer), std::move(*source), std::move(*loop)).run();
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
