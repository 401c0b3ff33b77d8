#include "app/interleave.h"

#include "app/report.h"
#include "sink/make_sink.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>
#include <variant>

namespace tcpflight {
namespace {

// A recording's first events can be older than its begin: they waited in the kernel.
constexpr std::int64_t before_begin_ns = 10'000'000'000;

struct Queued {
    Event event;
    Identity identity;
    std::int64_t wall_ns = 0;
    Pipeline::Totals totals; // of its recording, this event included
};

// Connections of different hosts can have the same number: where a sink knows them by it, each recording has its own.
bool follows_connections(const OutputStyle &style)
{
    return style.timelines || style.format == Format::Tcplife;
}

} // namespace

// A recording, and its events that are still to be shown.
class Interleave::Lane : public Sink {
public:
    Lane(const Options &options, std::vector<ReplayFile> files, std::int64_t origin)
        : own_sink_(follows_connections(options.style) ? make_sink(options.style) : nullptr),
          order_ns_(files.front().start.clock.wall_ns - before_begin_ns),
          stream_(options, std::nullopt, *this, std::move(files),
                  {.open = [](const ReplayFile &file) { return file.open(); }, .after_record = [] { return true; }},
                  origin)
    {
    }

    void write(const Event &event, std::string & /*out*/) override
    {
        auto wall = anchor_.to_wall(event.time_ns);
        events_.push_back({.event = event,
                           .identity = event.identity != nullptr ? *event.identity : Identity{},
                           .wall_ns = wall,
                           .totals = stream_.pipeline().totals()});
    }
    void set_clock(const ClockAnchor &anchor) override { anchor_ = anchor; }

    [[nodiscard]] Sink *own_sink() { return own_sink_.get(); }

    // False: nothing is left of it.
    bool fill(const std::function<bool()> &go_on)
    {
        while (events_.empty() && !over_ && go_on()) {
            auto step = stream_.read(false);
            if (!step) {
                report_error(step.error(), 0);
                failed_ = true;
            }
            if (!step || *step == RecordingStream::Step::Over) {
                over_ = true;
                stream_.pipeline().finish();
            }
        }
        is_open_ = true;
        if (events_.empty())
            return false;
        order_ns_ = events_.front().wall_ns;
        return true;
    }

    Queued take()
    {
        auto queued = std::move(events_.front());
        events_.pop_front();
        taken_ = queued.totals;
        if (!events_.empty())
            order_ns_ = events_.front().wall_ns;
        return queued;
    }

    // When its next event is due; of one that was not opened, at the earliest.
    [[nodiscard]] std::int64_t order_ns() const { return order_ns_; }
    [[nodiscard]] bool is_open() const { return is_open_; }
    [[nodiscard]] bool has_events() const { return !events_.empty(); }
    [[nodiscard]] bool is_over() const { return over_ && events_.empty(); }
    [[nodiscard]] const RecordingStream &stream() const { return stream_; }
    [[nodiscard]] bool has_failed() const { return failed_; }
    // Up to the event that was taken last.
    [[nodiscard]] Pipeline::Totals totals() const { return is_over() ? stream_.pipeline().totals() : taken_; }

private:
    std::unique_ptr<Sink> own_sink_;
    std::int64_t order_ns_;
    ClockAnchor anchor_;
    std::deque<Queued> events_;
    Pipeline::Totals taken_;
    RecordingStream stream_;
    bool is_open_ = false;
    bool over_ = false;
    bool failed_ = false;
};

Interleave::Interleave(const Options &options, std::vector<std::vector<ReplayFile>> groups, Sink &sink)
    : options_(options), sink_(sink)
{
    auto origin = std::numeric_limits<std::int64_t>::max();
    for (const auto &files : groups) {
        origin = std::min(origin, files.front().start.clock.wall_ns);
        shows_hosts_ |= files.front().start.host != groups.front().front().start.host;
    }
    for (auto &files : groups)
        lanes_.push_back(std::make_unique<Lane>(options, std::move(files), origin));
    // Each event comes with its own time of the wall clock.
    sink_.set_clock({});
    for (auto &lane : lanes_) {
        if (lane->own_sink() != nullptr)
            lane->own_sink()->set_clock({});
    }
}

Interleave::~Interleave() = default;

// Only those are open that are needed: of a year's recordings, one at a time.
Interleave::Lane *Interleave::earliest(const std::function<bool()> &go_on)
{
    for (;;) {
        Lane *first = nullptr;
        for (auto &lane : lanes_) {
            if (!lane->is_over() && (first == nullptr || lane->order_ns() < first->order_ns()))
                first = lane.get();
        }
        if (first == nullptr || (first->is_open() && first->has_events()))
            return first;
        first->fill(go_on);
        if (!go_on())
            return nullptr;
    }
}

// As a Pipeline counts.
bool Interleave::counts(const Event &event) const
{
    if (std::holds_alternative<Found>(event.what))
        return options_.show_found;
    return sink_.shows(event) && !std::holds_alternative<Lost>(event.what) &&
           !std::holds_alternative<Verdict>(event.what);
}

bool Interleave::next(std::string &out, const std::function<bool()> &go_on)
{
    if (options_.count && counted_ >= *options_.count)
        return false;
    if (!std::exchange(begun_, true))
        sink_.begin(out);
    auto *lane = earliest(go_on);
    if (lane == nullptr)
        return false;
    auto queued = lane->take();
    auto event = queued.event;
    event.identity = event.identity != nullptr ? &queued.identity : nullptr;
    event.time_ns = static_cast<std::uint64_t>(queued.wall_ns);
    if (counts(event))
        shown_++;
    const auto *verdict = std::get_if<Verdict>(&event.what);
    if (options_.style.timelines ? verdict != nullptr && verdict->ended : counts(event))
        counted_++;
    auto &sink = lane->own_sink() != nullptr ? *lane->own_sink() : sink_;
    if (shows_hosts_)
        sink.set_host(lane->stream().start().host);
    if (has_written_block_)
        sink.follow_block();
    sink.write(event, out);
    if (!lane->has_events() && !lane->fill(go_on) && lane->is_over() && lane->own_sink() != nullptr)
        sink.finish(out); // what has not ended in its recording
    has_written_block_ |= sink.has_written_block();
    return true;
}

Pipeline::Totals Interleave::totals() const
{
    Pipeline::Totals sum;
    for (const auto &lane : lanes_) {
        auto totals = lane->totals();
        sum.filtered_out += totals.filtered_out;
        sum.unseen += totals.unseen;
        sum.malformed += totals.malformed;
        sum.forgotten += totals.forgotten;
        std::ranges::transform(sum.lost, totals.lost, sum.lost.begin(), std::plus<>());
    }
    sum.shown = shown_;
    return sum;
}

bool Interleave::is_damaged() const
{
    return std::ranges::any_of(lanes_,
                               [](const auto &lane) { return lane->has_failed() || lane->stream().is_damaged(); });
}

std::uint64_t Interleave::unknown() const
{
    std::uint64_t sum = 0;
    for (const auto &lane : lanes_)
        sum += lane->stream().unknown();
    return sum;
}

} // namespace tcpflight
