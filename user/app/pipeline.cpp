#include "app/pipeline.h"

#include "model/both_ends.h"
#include "table/convert.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tcpflight {
namespace {

// A hostile recording can consist of nothing else.
constexpr std::size_t max_clocks = 4096;

Table::Wanted wanted_by(const Filter &filter)
{
    if (filter.is_open())
        return {};
    return [filter](const Identity &identity, Direction direction) { return filter.admits(identity, direction); };
}

} // namespace

Pipeline::Pipeline(const Settings &settings, Sink &sink)
    : filter_(settings.filter), count_(settings.count), show_(settings.show), show_found_(settings.show_found),
      verdicts_(settings.verdicts), timelines_(settings.timelines), sink_(sink), table_({}, settings.table_capacity),
      sequencer_([this](const Event &event) { deliver(event); }),
      diagnosis_(
          {.thresholds = settings.thresholds, .least = Severity::Normal},
          [this](const Event &event) { sequencer_.push(event); },
          [this](std::uint64_t connection) { return table_.identity_of(connection); })
{
    set_filter(filter_);
    if (show_)
        sink_.begin(output_);
}

void Pipeline::set_filter(const Filter &filter)
{
    in_force_ = filter;
    table_.set_wanted(wanted_by(filter));
    // Where nothing is shown, nothing needs to wait.
    if (show_ && filter.asks_beyond_identity())
        holdback_.emplace(filter, [this](const Event &event) { show(event); });
    else
        holdback_.reset();
    // What is not shown can still be what the filter waits for.
    const auto least = holdback_ ? Severity::Notice : Severity::Alarm;
    diagnosis_.set_least(verdicts_ == Verdicts::All ? Severity::Normal : least);
    leaves_unwanted_ = !holdback_ && !filter.is_open() && (verdicts_ == Verdicts::None || filter.is_of_both_ends());
}

bool Pipeline::consume(std::span<const std::byte> record)
{
    if (decode(record, record_) != DecodeError::None) {
        totals_.malformed++;
        return true;
    }
    last_ns_ = record_.header.time_ns;
    if (verdicts_ != Verdicts::None)
        diagnosis_.advance(last_ns_);
    expire(last_ns_);
    if (verdicts_ != Verdicts::None) {
        if (record_.header.type == TF_RECORD_SETTINGS)
            diagnosis_.learn(to_settings(record_.settings));
        else if (record_.header.type == TF_RECORD_USAGE)
            weigh(to_usage(record_), last_ns_);
    }
    if ((leaves_unwanted_ || !show_) && pass())
        return !is_done();
    auto event = table_.observe(record_);
    for (const auto *told : {&table_.ended(), &std::as_const(event)}) {
        if (*told)
            take(**told, table_.slot());
    }
    return !is_done();
}

// The short way of what nobody will see, which is most where something is looked for, and all where it is only
// recorded. Where events wait, it can be counted before them: not if only so many are wanted.
bool Pipeline::pass()
{
    const auto &header = record_.header;
    if ((count_ && sequencer_.is_holding()) || sequencer_.awaits(header.cookie))
        return false;
    const auto wanted = table_.pass(record_, show_ ? Table::Passing::Unwanted : Table::Passing::All);
    if (!wanted)
        return false;
    sequencer_.advance(header.time_ns);
    if (is_done() || !is_in_range(header.time_ns))
        return true;
    (*wanted ? totals_.shown : totals_.filtered_out)++;
    if (*wanted && !timelines_)
        counted_++;
    return true;
}

// The last that comes of this connection, and not because it had ended.
bool Pipeline::is_refused(const Event &event) const
{
    return record_.header.type == TF_RECORD_REFUSED && record_.header.cookie == event.connection;
}

void Pipeline::take(const Event &event, std::uint32_t slot)
{
    if (verdicts_ != Verdicts::None)
        diagnosis_.expect(event, slot);
    const auto *found = std::get_if<Found>(&event.what);
    if (found != nullptr && (found->waits || (!holdback_ && !shows_found())))
        ; // for verdicts alone
    else if (show_)
        sequencer_.push(event);
    else
        deliver(event);
    if (verdicts_ == Verdicts::None)
        return;
    // Until both ends are known it can be wanted yet, and with all that it did.
    const bool is_left =
        leaves_unwanted_ && !event.wanted && event.identity != nullptr && has_both_ends(*event.identity);
    if (is_left || is_refused(event))
        diagnosis_.drop(event.connection, slot);
    else
        diagnosis_.observe(event, slot);
}

void Pipeline::expire(std::uint64_t time_ns)
{
    while (auto event = table_.expire(time_ns))
        take(*event, no_slot);
}

// What has ended is judged first: verdicts wait for their turn like all that happens.
void Pipeline::advance(std::uint64_t time_ns)
{
    expire(time_ns);
    diagnosis_.advance(time_ns);
    sequencer_.advance(time_ns);
    // What the sequencer holds comes before.
    if (holdback_ && !sequencer_.is_holding())
        holdback_->advance(time_ns);
}

void Pipeline::weigh(const Usage &usage, std::uint64_t time_ns)
{
    if (in_force_.is_open() || in_force_.admits(usage.identity, Direction::Unknown) != Admission::No)
        diagnosis_.weigh(usage, time_ns);
}

void Pipeline::finish()
{
    diagnosis_.finish();
    sequencer_.finish();
    if (holdback_)
        holdback_->finish();
    if (show_)
        sink_.finish(output_);
}

void Pipeline::set_clock(const ClockAnchor &anchor)
{
    if (!clocks_.empty() && clocks_.back().to_wall(anchor.boot_ns) == anchor.wall_ns)
        return; // each file of a recording repeats it
    if (!clocks_.empty() && clocks_.back().boot_ns >= anchor.boot_ns)
        clocks_.clear();
    if (clocks_.size() >= max_clocks)
        clocks_.erase(clocks_.begin(), clocks_.begin() + max_clocks / 2);
    clocks_.push_back(anchor);
    clock_begin_ns_ = 1; // ask again
    clock_end_ns_ = 0;
}

void Pipeline::restart(const Filter &recorded)
{
    finish();
    diagnosis_.restart();
    totals_.undecided = totals().undecided;
    clocks_.clear();
    last_ns_ = 0;
    set_filter(both(recorded, filter_));
    restore({}, {}, {});
}

bool Pipeline::is_past_range() const
{
    auto is_past = [this](std::uint64_t time_ns) { return clock_at(time_ns).to_wall(time_ns) >= range_.end_ns; };
    if (!is_past(last_ns_))
        return false;
    auto oldest = sequencer_.oldest_ns();
    return !oldest || is_past(*oldest);
}

std::optional<std::uint64_t> Pipeline::due_ns() const
{
    auto due = table_.next_expiry_ns();
    if (auto shown = holdback_ ? holdback_->due_ns() : std::nullopt)
        due = std::min(due.value_or(*shown), *shown);
    return due;
}

Pipeline::Totals Pipeline::totals() const
{
    auto totals = totals_;
    totals.forgotten = table_.forgotten();
    if (holdback_)
        totals.undecided += holdback_->dropped();
    return totals;
}

void Pipeline::deliver(const Event &event)
{
    if (holdback_)
        holdback_->push(event);
    else
        show(event);
}

void Pipeline::show(const Event &event)
{
    const bool found = std::holds_alternative<Found>(event.what);
    if (is_done() || (found && !shows_found()))
        return;
    if (const auto *verdict = std::get_if<Verdict>(&event.what)) {
        deliver_verdict(event, *verdict);
        return;
    }
    if (!is_in_range(event.time_ns))
        return;
    if (const auto *lost = std::get_if<Lost>(&event.what)) {
        totals_.lost.at(static_cast<std::size_t>(lost->reason)) += lost->count;
    } else if (!event.wanted) {
        totals_.filtered_out++;
        return;
    } else if ((!found || show_found_) && (!show_ || sink_.shows(event))) {
        totals_.shown++;
        if (!timelines_)
            counted_++;
    }
    if (const auto *retransmit = std::get_if<Retransmit>(&event.what))
        totals_.unseen += retransmit->unseen;
    if (show_)
        sink_.write(event, output_);
}

// The sink then has the clock of that time.
bool Pipeline::is_in_range(std::uint64_t time_ns)
{
    if (time_ns < clock_begin_ns_ || time_ns >= clock_end_ns_)
        enter_clock(time_ns);
    return range_.contains(clock_.to_wall(time_ns));
}

// Verdicts are no events of the kernel, and are not counted as such. One that falls behind the range's end can be about
// what lies within.
void Pipeline::deliver_verdict(const Event &event, const Verdict &verdict)
{
    const bool is_shown = verdicts_ == Verdicts::All || severity_of(verdict.kind) == Severity::Alarm;
    if (!is_shown || !event.wanted)
        return;
    if (event.time_ns < clock_begin_ns_ || event.time_ns >= clock_end_ns_)
        enter_clock(event.time_ns);
    if (!range_.contains(clock_at(verdict.about_ns).to_wall(verdict.about_ns)))
        return;
    if (timelines_ && verdict.ended)
        counted_++;
    if (show_)
        sink_.write(event, output_);
}

void Pipeline::enter_clock(std::uint64_t time_ns)
{
    const auto &anchor = clock_at(time_ns);
    clock_begin_ns_ = 0;
    clock_end_ns_ = std::numeric_limits<std::uint64_t>::max();
    for (const auto &other : clocks_) {
        if (other.boot_ns > anchor.boot_ns) {
            clock_end_ns_ = other.boot_ns;
            break;
        }
    }
    if (!clocks_.empty() && anchor.boot_ns != clocks_.front().boot_ns)
        clock_begin_ns_ = anchor.boot_ns;
    clock_ = anchor;
    if (!clocks_.empty())
        sink_.set_clock(clock_);
}

// The last anchor that was not taken after it; the first for whatever came before.
const ClockAnchor &Pipeline::clock_at(std::uint64_t time_ns) const
{
    if (clocks_.empty())
        return clock_;
    auto next = std::upper_bound(clocks_.begin(), clocks_.end(), time_ns,
                                 [](std::uint64_t time, const ClockAnchor &anchor) { return time < anchor.boot_ns; });
    return next == clocks_.begin() ? *next : *std::prev(next);
}

} // namespace tcpflight
