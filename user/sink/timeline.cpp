#include "sink/timeline.h"

#include "diagnose/catalogue.h"
#include "sink/address.h"
#include "sink/color.h"
#include "sink/duration.h"
#include "sink/escape.h"
#include "sink/fold.h"
#include "sink/text_parts.h"
#include "sink/verdict_text.h"

#include <algorithm>
#include <utility>

namespace tcpflight {
namespace {

constexpr std::size_t indent = 3;
constexpr std::size_t delta_width = 10; // "+999.999ms"
constexpr std::size_t default_columns = 80;

std::optional<ClockText> make_clock(const OutputStyle &style)
{
    switch (style.time) {
    case TimeStyle::Clock: return ClockText(ClockText::Shape::Clock, style.precision);
    case TimeStyle::Epoch: return ClockText(ClockText::Shape::Epoch, style.precision);
    case TimeStyle::DateClock: return ClockText(ClockText::Shape::DateClock, style.precision);
    case TimeStyle::None:
    case TimeStyle::DeltaLine:
    case TimeStyle::DeltaStart: break;
    }
    return std::nullopt;
}

std::size_t time_width(const OutputStyle &style)
{
    const std::size_t nano = style.precision == TimePrecision::Nano ? 3 : 0;
    switch (style.time) {
    case TimeStyle::Clock: return sizeof("20:28:51.001203") + nano;
    case TimeStyle::Epoch: return sizeof("1795292931.001203") + nano;
    case TimeStyle::DateClock: return sizeof("2026-11-21 20:28:51.001203") + nano;
    case TimeStyle::DeltaStart: return sizeof(" 00:00:08.347958") + nano;
    case TimeStyle::None:
    case TimeStyle::DeltaLine: break;
    }
    return 0;
}

// What of an identity can change: copying it all for each event would cost more than the rest of a line.
bool has_news(const Identity &known, const Identity &said)
{
    return known.local != said.local || known.remote != said.remote || known.uid != said.uid ||
           known.owner.pid != said.owner.pid || known.owner.tid != said.owner.tid ||
           known.owner.source != said.owner.source || !is_same(known.owner.comm, said.owner.comm) ||
           known.cgroup_key() != said.cgroup_key() || known.where != said.where;
}

} // namespace

TimelineSink::TimelineSink(const OutputStyle &style, const Limits &limits)
    : style_(style), limits_(limits), words_(style), columns_(style.columns != 0 ? style.columns : default_columns),
      clock_(make_clock(style)), lines_(style)
{
    const std::size_t nano = style.precision == TimePrecision::Nano ? 4 : 0;
    text_column_ = indent + time_width(style) + delta_width + nano + 2;
}

void TimelineSink::set_clock(const ClockAnchor &anchor)
{
    anchor_ = anchor;
    lines_.set_clock(anchor);
}

void TimelineSink::set_host(std::string_view host)
{
    host_ = host;
    lines_.set_host(host);
}

void TimelineSink::write(const Event &event, std::string &out)
{
    if (const auto *verdict = std::get_if<Verdict>(&event.what)) {
        write_verdict(event, *verdict, out);
        return;
    }
    // A reset comes also for what has ended long ago, and for what never was.
    const bool stray =
        event.connection == 0 || (std::holds_alternative<Reset>(event.what) && find(event.connection) == nullptr);
    if (stray) {
        lines_.write(event, out);
        printed_ = true;
        return;
    }
    // The block is printed when the connection is over, and not a minute later.
    if (const auto *change = std::get_if<StateChange>(&event.what);
        change != nullptr && change->afterwards && find(event.connection) == nullptr)
        return;
    auto *block = find_or_begin(event);
    if (block == nullptr) {
        events_left_out_++;
        return;
    }
    learn(*block, event);
    add(*block, event);
    if (const auto *change = std::get_if<StateChange>(&event.what); change != nullptr && change->bytes)
        learn_carried(*block, *change);
    const auto *handshake = std::get_if<Handshake>(&event.what);
    const bool over = handshake != nullptr && handshake->step == HandshakeStep::NotCompleted;
    if (over || std::holds_alternative<Gone>(event.what)) {
        print(*block, nullptr, out);
        forget(*block);
    }
}

void TimelineSink::write_verdict(const Event &event, const Verdict &verdict, std::string &out)
{
    auto *block = find(event.connection);
    if (block == nullptr) {
        if (verdict.over || verdict.kind == VerdictKind::TimeWaitReused)
            return; // its block was printed, and there is nothing to add
        Block passing;
        learn(passing, event);
        passing.state = verdict.state;
        print(passing, &verdict, out);
        return;
    }
    learn(*block, event);
    // Of one that has ended the whole block follows at once. What is over is a line of it.
    if (verdict.ended || (!block->ended && !verdict.over))
        print(*block, &verdict, out);
    if (verdict.ended) {
        forget(*block);
        return;
    }
    add_line(*block, event.time_ns, event.time_ns, [&](LineWriter &line) {
        line.put("verdict ");
        if (verdict.over) {
            line.put(name(verdict.kind));
            line.put(" is over");
        } else {
            words_.put_trouble(line, name(verdict.kind));
        }
        // What follows from it is printed at once; these two say more than their name.
        if (block->ended || verdict.over || verdict.keepalive != Keepalive::Unknown) {
            line.put(": ");
            put_evidence(line, verdict, style_.precision);
        }
    });
}

TimelineSink::Block *TimelineSink::find(std::uint64_t connection)
{
    auto found = index_.find(connection);
    return found == index_.end() ? nullptr : &blocks_[found->second];
}

// Null: there are too many.
TimelineSink::Block *TimelineSink::find_or_begin(const Event &event)
{
    if (auto *block = find(event.connection))
        return block;
    if (index_.size() >= limits_.blocks)
        return nullptr;
    std::uint32_t slot = 0;
    if (free_.empty()) {
        slot = static_cast<std::uint32_t>(blocks_.size());
        blocks_.emplace_back();
    } else {
        slot = free_.back();
        free_.pop_back();
    }
    index_.emplace(event.connection, slot);
    auto &block = blocks_[slot];
    block.connection = event.connection;
    block.begun_ns = event.time_ns;
    block.last_ns = event.time_ns;
    return &block;
}

void TimelineSink::learn(Block &block, const Event &event)
{
    if (event.identity != nullptr && (!block.identity_known || has_news(block.identity, *event.identity))) {
        block.identity = *event.identity;
        block.identity_known = true;
    }
    block.incomplete |= event.incomplete;
    if (const auto *change = std::get_if<StateChange>(&event.what)) {
        block.state = change->to;
        block.ended = change->to == TcpState::Close || change->time_wait_socket;
        if (change->to == TcpState::SynSent)
            block.direction = "outgoing";
        else if (change->to == TcpState::Listen || change->from == TcpState::Listen)
            block.direction = change->to == TcpState::SynRecv ? "incoming" : "listener";
    } else if (const auto *found = std::get_if<Found>(&event.what)) {
        block.state = found->state;
        if (found->state == TcpState::Listen)
            block.direction = "listener";
        return;
    }
    if (const auto *handshake = std::get_if<Handshake>(&event.what)) {
        const bool over = handshake->step == HandshakeStep::NotCompleted;
        block.state = over ? TcpState::Close : TcpState::NewSynRecv;
        block.direction = "incoming";
    } else if (std::holds_alternative<ListenQueue>(event.what)) {
        block.state = TcpState::Listen;
        block.direction = "listener";
    }
    block.happened = true;
}

void TimelineSink::learn_carried(Block &block, const StateChange &change)
{
    block.carried.clear();
    LineWriter line(block.carried);
    words_.put_carried(line, *change.bytes, change.traffic ? &*change.traffic : nullptr);
    line.finish();
    block.carried.pop_back();
}

void TimelineSink::add(Block &block, const Event &event)
{
    if (style_.quiet)
        return;
    if (!add_to_run(block, event)) {
        end_run(block);
        add_line(block, event.time_ns, event.time_ns, [&](LineWriter &line) { words_.put(line, event); });
    }
}

// True: the event is one of several alike, or the first.
bool TimelineSink::add_to_run(Block &block, const Event &event)
{
    if (const auto *retransmit = std::get_if<Retransmit>(&event.what);
        retransmit != nullptr && retransmit->send_error == 0) {
        if (event.after_gap || block.run.times == 0)
            end_run(block);
        block.run.add(*retransmit, event.time_ns);
        block.in_run = true;
        return true;
    }
    if (const auto *probe = std::get_if<Probe>(&event.what)) {
        if (event.after_gap || block.probes.times == 0 || !block.probes.takes(*probe))
            end_run(block);
        block.probes.add(*probe, event.time_ns);
        block.in_run = true;
        return true;
    }
    return false;
}

void TimelineSink::end_run(Block &block)
{
    if (!std::exchange(block.in_run, false))
        return;
    if (const auto run = std::exchange(block.run, {}); run.times != 0)
        add_line(block, run.first_ns, run.last_ns, [&](LineWriter &line) { words_.put(line, run); });
    if (const auto run = std::exchange(block.probes, {}); run.times != 0)
        add_line(block, run.first_ns, run.last_ns, [&](LineWriter &line) { words_.put(line, run); });
}

// What took from `time_ns` until `until_ns`.
template <typename Put>
void TimelineSink::add_line(Block &block, std::uint64_t time_ns, std::uint64_t until_ns, const Put &put)
{
    if (style_.quiet)
        return;
    // Where nearly all of them stay as they are.
    auto &lines = block.first;
    const auto before = lines.size();
    LineWriter line(lines);
    line.put_blanks(indent);
    put_time(line, block, time_ns);
    put(line);
    line.finish();
    block.last_ns = until_ns;
    const auto size = lines.size() - before;
    const bool fits = size <= columns_ + 1; // all bytes, with the one that ends it: it has no more columns than that
    if (fits && is_first(block, size)) {
        block.lines++;
        bytes_ += size;
        return;
    }
    text_.assign(lines, before);
    lines.resize(before);
    if (fits) {
        keep(block, text_);
        return;
    }
    text_.pop_back();
    broken_.clear();
    wrap(broken_, text_, columns_, text_column_, text_column_ + 2);
    keep(block, broken_);
}

void TimelineSink::put_time(LineWriter &line, const Block &block, std::uint64_t time_ns)
{
    if (style_.color)
        line.put(color::faint);
    if (clock_) {
        clock_->put(line, anchor_.to_wall(time_ns));
        line.put(' ');
    } else if (style_.time == TimeStyle::DeltaStart) {
        DeltaText since(block.begun_ns, style_.precision);
        since.put(line, time_ns);
        line.put(' ');
    }
    char *begin = line.room(2 * LineWriter::max_room);
    if (block.lines != 0) {
        const bool before = time_ns < block.last_ns;
        line.put(before ? '-' : '+');
        put_duration(line, before ? block.last_ns - time_ns : time_ns - block.last_ns, style_.precision);
    }
    line.align_right(begin, style_.precision == TimePrecision::Nano ? delta_width + 4 : delta_width);
    if (style_.color)
        line.put(color::reset);
    line.put_blanks(2);
}

// Is its next line, of that size, one of those that are kept from the begin on?
bool TimelineSink::is_first(const Block &block, std::size_t size) const
{
    return block.lines < limits_.first_lines && bytes_ + size <= limits_.bytes;
}

void TimelineSink::keep(Block &block, std::string_view line)
{
    const bool first = is_first(block, line.size());
    block.lines++;
    if (first) {
        block.first += line;
        bytes_ += line.size();
        return;
    }
    if (bytes_ + line.size() > limits_.bytes || limits_.last_lines == 0) {
        block.left_out++;
        return;
    }
    bytes_ += line.size();
    if (block.last.size() < limits_.last_lines) {
        block.last.emplace_back(line);
        return;
    }
    auto &oldest = block.last[block.oldest];
    bytes_ -= oldest.size();
    oldest.assign(line);
    block.oldest = (block.oldest + 1) % limits_.last_lines;
    block.left_out++;
}

void TimelineSink::forget(Block &block)
{
    bytes_ -= block.first.size();
    for (const auto &line : block.last)
        bytes_ -= line.size();
    auto found = index_.find(block.connection);
    free_.push_back(found->second);
    index_.erase(found);
    auto lines = std::move(block.first);
    lines.clear();
    block = {};
    block.first = std::move(lines); // kept for its memory
}

void TimelineSink::finish(std::string &out)
{
    std::vector<Block *> rest;
    for (auto &block : blocks_) {
        if (block.connection != 0 && block.happened)
            rest.push_back(&block);
    }
    std::sort(rest.begin(), rest.end(), [](const Block *a, const Block *b) {
        return a->begun_ns != b->begun_ns ? a->begun_ns < b->begun_ns : a->connection < b->connection;
    });
    for (auto *block : rest)
        print(*block, nullptr, out);
    if (const auto count = std::exchange(events_left_out_, 0); count != 0)
        print_line(out, indent, [&](LineWriter &line) {
            put_labelled(line, "-- ", count);
            line.put(count == 1 ? std::string_view(" event is") : std::string_view(" events are"));
            put_labelled(line, " left out: of connections beyond ", limits_.blocks);
            line.put(" at a time");
        });
    index_.clear();
    blocks_.clear();
    free_.clear();
    bytes_ = 0;
}

const Identity *TimelineSink::identity_of(std::uint64_t connection) const
{
    auto found = index_.find(connection);
    if (found == index_.end() || !blocks_[found->second].identity_known)
        return nullptr;
    return &blocks_[found->second].identity;
}

// Of a copy: the run that goes on must not end.
bool TimelineSink::print_so_far(std::uint64_t connection, const Verdict *verdict, std::string &out)
{
    const auto *block = find(connection);
    if (block == nullptr)
        return false;
    const auto bytes = bytes_;
    const auto printed = std::exchange(printed_, false);
    auto copy = *block;
    print(copy, verdict, out);
    bytes_ = bytes;
    printed_ = printed;
    return true;
}

void TimelineSink::print(Block &block, const Verdict *verdict, std::string &out)
{
    end_run(block);
    if (printed_)
        out += '\n';
    printed_ = true;
    print_head(block, out);
    print_lines(block, out);
    if ((verdict == nullptr || !verdict->ended) && block.state != TcpState::Close)
        print_line(out, indent + 2, [&](LineWriter &line) {
            line.put_blanks(indent);
            line.put("not ended: in ");
            words_.put_state(line, block.state);
        });
    constexpr std::string_view label = "   carried: ";
    if (!block.carried.empty() && !style_.quiet)
        print_line(out, label.size(), [&](LineWriter &line) {
            line.put(label);
            line.put(std::string_view(block.carried));
        });
    if (verdict != nullptr)
        print_verdict(*verdict, out);
}

void TimelineSink::print_head(const Block &block, std::string &out)
{
    print_line(out, indent, [&](LineWriter &line) {
        line.put("== ");
        if (host_) {
            put_escaped(line, host_->empty() ? std::string_view("?") : *host_);
            line.put(' ');
        }
        if (style_.color)
            line.put(color::bold);
        if (!block.identity_known) {
            line.put("unknown ? > ?");
        } else {
            words_.put_owner(line, &block.identity);
            line.put(' ');
            put_endpoint(line, block.identity.local);
            line.put(" > ");
            if (block.direction == "listener" ||
                (block.identity.remote.port == 0 && is_unspecified(block.identity.remote.address)))
                line.put('*');
            else
                put_endpoint(line, block.identity.remote);
        }
        if (style_.color)
            line.put(color::reset);
        line.put(' ');
        if (!block.direction.empty()) {
            line.put(' ');
            line.put(block.direction);
        }
        if (block.identity_known && block.identity.netns != 0)
            put_labelled(line, block.direction.empty() ? std::string_view(" netns ") : std::string_view(", netns "),
                         block.identity.netns);
        if (style_.metrics && block.identity_known) {
            if (block.identity.uid != unknown_uid)
                put_labelled(line, ", uid ", block.identity.uid);
            if (block.identity.cgroup != 0)
                put_labelled(line, ", cgroup ", block.identity.cgroup);
        }
        if (block.incomplete) {
            line.put(", ");
            words_.put_trouble(line, "events are missing");
        }
    });
}

void TimelineSink::print_lines(const Block &block, std::string &out)
{
    out += block.first;
    if (block.left_out != 0)
        print_line(out, indent + 2, [&](LineWriter &line) {
            line.put_blanks(indent);
            put_labelled(line, "-- ", block.left_out);
            line.put(block.left_out == 1 ? std::string_view(" line is left out here")
                                         : std::string_view(" lines are left out here"));
        });
    for (std::size_t i = 0; i < block.last.size(); i++)
        out += block.last[(block.oldest + i) % block.last.size()];
}

template <typename Put> void TimelineSink::print_line(std::string &out, std::size_t goes_on_at, const Put &put)
{
    text_.clear();
    LineWriter line(text_);
    put(line);
    line.finish();
    text_.pop_back();
    wrap(out, text_, columns_, indent, goes_on_at);
}

void TimelineSink::print_verdict(const Verdict &verdict, std::string &out)
{
    constexpr std::string_view label = "   verdict: ";
    print_line(out, label.size(), [&](LineWriter &line) {
        line.put(label);
        if (severity_of(verdict.kind) == Severity::Alarm)
            words_.put_trouble(line, name(verdict.kind));
        else
            line.put(name(verdict.kind));
        line.put(": ");
        put_evidence(line, verdict, style_.precision);
    });
    const auto look = verdict_catalogue()[static_cast<std::size_t>(verdict.kind)].look;
    if (severity_of(verdict.kind) != Severity::Alarm || look.empty() || style_.quiet)
        return;
    print_line(out, label.size(), [&](LineWriter &line) {
        line.put("   look at: ");
        line.put(look);
    });
}

} // namespace tcpflight
