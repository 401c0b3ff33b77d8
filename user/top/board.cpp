#include "top/board.h"

#include "filter/eval.h"
#include "model/event_parts.h"
#include "top/last_event.h"
#include "top/recovery.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace tcpflight {
namespace {

constexpr std::uint64_t unnamed_bit = std::uint64_t{1} << 63; // no cookie has it: they are counted up from 1

OutputStyle unbroken(OutputStyle style)
{
    style.timelines = true;
    style.columns = std::numeric_limits<std::uint16_t>::max();
    return style;
}

std::uint64_t before(std::uint64_t time_ns, std::uint64_t duration_ns)
{
    return time_ns > duration_ns ? time_ns - duration_ns : 0;
}

// Does nothing come behind it?
bool is_end(const Event &event)
{
    if (const auto *handshake = std::get_if<Handshake>(&event.what))
        return handshake->step == HandshakeStep::NotCompleted;
    return std::holds_alternative<Gone>(event.what);
}

std::uint32_t rtt_of(const Event &event)
{
    const auto *metrics = metrics_of(event);
    return metrics == nullptr ? 0 : metrics->rtt_us;
}

void enter(Row &row, const StateChange &change, std::uint64_t time_ns)
{
    if (row.begun_ns == 0) {
        row.begin_seen = change.from == TcpState::Close || change.to == TcpState::SynRecv;
        row.begun_ns =
            before(time_ns, row.begin_seen ? 0 : change.duration_ns.value_or(change.at_least_ns.value_or(0)));
    }
    if (change.to == TcpState::SynSent)
        row.direction = Direction::Outgoing;
    else if (change.to == TcpState::Listen)
        row.direction = Direction::Neither;
    else if (change.to == TcpState::SynRecv && change.from == TcpState::Listen)
        row.direction = Direction::Incoming;
    row.state = change.to;
    row.since_ns = time_ns;
    row.since_seen = true;
    row.is_leftover |= change.time_wait_socket;
}

void enter(Row &row, const Found &found, std::uint64_t time_ns)
{
    const auto &status = found.status;
    const auto longest = std::max(status.in_state_ns.value_or(0), status.established_ns.value_or(0));
    row.state = found.state;
    row.since_ns = before(time_ns, status.in_state_ns.value_or(0));
    row.since_seen = status.in_state_ns.has_value();
    row.begun_ns = before(time_ns, longest);
    row.begin_seen = longest != 0;
    if (found.state == TcpState::Listen)
        row.direction = Direction::Neither;
}

// The first event of a connection that was not there before: since when it is in its state, nobody saw.
void enter(Row &row, const Event &event)
{
    row.begun_ns = event.time_ns;
    row.since_ns = event.time_ns;
    if (const auto *handshake = std::get_if<Handshake>(&event.what)) {
        row.state = TcpState::NewSynRecv;
        row.direction = Direction::Incoming;
        row.begun_ns = before(event.time_ns, handshake->since_syn_ns.value_or(0));
        row.since_ns = row.begun_ns;
        row.begin_seen = row.since_seen =
            handshake->since_syn_ns.has_value() || handshake->step == HandshakeStep::SynReceived;
    } else if (std::holds_alternative<ListenQueue>(event.what)) {
        row.state = TcpState::Listen;
        row.direction = Direction::Neither;
    } else if (const auto state = state_after(event)) {
        row.state = *state;
    }
}

} // namespace

Board::Board(const OutputStyle &style, const Limits &limits)
    : limits_(limits), timelines_(unbroken(style), limits.timelines)
{
}

void Board::write(const Event &event, std::string & /*out*/)
{
    if (std::holds_alternative<Lost>(event.what))
        return; // the pipeline counts them
    if (const auto *verdict = std::get_if<Verdict>(&event.what)) {
        judge(event, *verdict);
        return;
    }
    count(event);
    if (follow_leftover(event))
        return;
    const bool is_new = notes_.find(event.connection) == notes_.end();
    if (event.connection == 0 || (is_new && std::holds_alternative<Reset>(event.what)))
        return; // of no connection that could be shown
    if (is_new && notes_.size() >= limits_.connections) {
        counts_.unfollowed++;
        return;
    }
    auto &note = notes_[event.connection];
    auto &row = note.row;
    row.connection = event.connection;
    if (row.verdict && is_recovery(*row.verdict, event))
        row.verdict.reset();
    else if (!row.verdict && note.verdict && is_relapse(note.verdict->kind, event))
        row.verdict = note.verdict->kind;
    learn(row, event);
    const bool ends = is_end(event);
    if (const auto *known = timelines_.identity_of(event.connection); ends && known != nullptr)
        row.identity = *known;
    text_.clear();
    timelines_.write(event, text_);
    if (ends)
        end_row(event, std::move(row));
}

void Board::count(const Event &event)
{
    if (std::holds_alternative<Found>(event.what))
        return;
    counts_.events++;
    const auto *handshake = std::get_if<Handshake>(&event.what);
    const auto *retransmit = std::get_if<Retransmit>(&event.what);
    if ((retransmit != nullptr && retransmit->send_error == 0) ||
        (handshake != nullptr && handshake->step == HandshakeStep::SynAckRetransmit))
        counts_.retransmits++;
    else if (std::holds_alternative<Reset>(event.what))
        counts_.resets++;
}

// TIME_WAIT, and FIN_WAIT2 of an orphan. True: it is about nothing else.
bool Board::follow_leftover(const Event &event)
{
    if (const auto *found = std::get_if<Found>(&event.what); found != nullptr && found->time_wait_socket) {
        leftovers_[event.connection] = found->state;
        return true;
    }
    if (std::holds_alternative<Gone>(event.what))
        leftovers_.erase(event.connection);
    const auto *change = std::get_if<StateChange>(&event.what);
    if (change == nullptr || !change->time_wait_socket)
        return false;
    if (change->to == TcpState::Close)
        leftovers_.erase(event.connection);
    else
        leftovers_[event.connection] = change->to;
    return change->afterwards && notes_.find(event.connection) == notes_.end();
}

void Board::learn(Row &row, const Event &event)
{
    const bool is_first = row.last_ns == 0;
    row.last_ns = std::max(row.last_ns, event.time_ns);
    if (const auto *change = std::get_if<StateChange>(&event.what))
        enter(row, *change, event.time_ns);
    else if (const auto *found = std::get_if<Found>(&event.what))
        enter(row, *found, event.time_ns);
    else if (is_first)
        enter(row, event);
    if (is_first && row.begin_seen && !std::holds_alternative<Found>(event.what))
        counts_.begun++;
    if (const auto *retransmit = std::get_if<Retransmit>(&event.what))
        row.retransmits = std::max(row.retransmits + (retransmit->send_error == 0 ? 1 : 0), retransmit->total);
    else if (const auto *handshake = std::get_if<Handshake>(&event.what))
        row.retransmits = std::max(row.retransmits, handshake->attempt);
    if (const auto rtt = rtt_of(event); rtt != 0)
        row.rtt_us = rtt;
    describe_last(event, last_);
    if (!last_.empty()) {
        row.last.fill('\0');
        std::copy_n(last_.begin(), std::min(last_.size(), row.last.size() - 1), row.last.begin());
    }
}

void Board::judge(const Event &event, const Verdict &verdict)
{
    Identity identity;
    if (event.identity != nullptr)
        identity = *event.identity;
    else if (const auto *known = timelines_.identity_of(event.connection))
        identity = *known;
    text_.clear();
    timelines_.write(event, text_);
    const auto note = notes_.find(event.connection);
    if (note != notes_.end()) {
        auto &known = note.value();
        if (verdict.over) {
            known.row.verdict.reset();
            return;
        }
        known.row.verdict = verdict.kind;
        known.row.identity = identity;
        if (verdict.ended)
            end_row(event, std::move(known.row));
        else
            known.verdict = std::make_unique<Verdict>(verdict);
        return;
    }
    if (text_.empty() || verdict.over || severity_of(verdict.kind) == Severity::Normal)
        return; // nothing that anybody would look for
    Row row;
    row.connection = unnamed_bit | ++unnamed_;
    row.identity = identity;
    row.verdict = verdict.kind;
    row.since_ns = row.last_ns = event.time_ns;
    row.begun_ns = before(event.time_ns, verdict.lasted_ns);
    row.begin_seen = verdict.lasted_ns != 0;
    row.retransmits = verdict.retransmits;
    end_row(event, std::move(row));
}

// `row` may be that of the note, which goes.
void Board::end_row(const Event &event, Row row)
{
    const auto connection = event.connection;
    counts_.ended += notes_.erase(connection);
    if (!row.is_leftover && row.state != TcpState::Close) {
        row.state = TcpState::Close;
        row.since_ns = event.time_ns;
        row.since_seen = true;
    }
    row.ended_ns = std::max<std::uint64_t>(row.last_ns, 1);
    const bool alarm = row.is_alarm();
    auto &list = alarm ? alarms_ : ended_;
    if (list.size() >= limits_.ended) {
        list.pop_front();
        counts_.ended_unshown++;
    }
    const auto until = event.time_ns + (alarm ? limits_.alarm_stays_ns : limits_.stays_ns);
    const auto blank = text_.starts_with('\n') ? 1U : 0U;
    list.push_back({.row = std::move(row), .timeline = text_.substr(blank), .until_ns = until});
}

void Board::expire(std::uint64_t now_ns)
{
    for (auto *list : {&ended_, &alarms_}) {
        while (!list->empty() && list->front().until_ns <= now_ns)
            list->pop_front();
    }
}

void Board::forget_leftovers(const std::function<bool(std::uint64_t)> &is_there)
{
    for (auto leftover = leftovers_.begin(); leftover != leftovers_.end();)
        leftover = is_there(leftover->first) ? std::next(leftover) : leftovers_.erase(leftover);
}

std::vector<Row> Board::rows() const
{
    std::vector<Row> rows;
    rows.reserve(notes_.size() + ended_.size() + alarms_.size());
    for (const auto &[connection, note] : notes_) {
        rows.push_back(note.row);
        if (const auto *identity = timelines_.identity_of(connection))
            rows.back().identity = *identity;
    }
    for (const auto *list : {&ended_, &alarms_}) {
        for (const auto &one : *list)
            rows.push_back(one.row);
    }
    return rows;
}

StateCounts Board::states() const
{
    StateCounts counts{};
    for (const auto &[connection, note] : notes_) {
        if (!note.row.is_leftover && note.row.state != TcpState::Close)
            counts.at(static_cast<std::size_t>(shown_state(note.row.state)))++;
    }
    for (const auto &[connection, state] : leftovers_)
        counts.at(static_cast<std::size_t>(state))++;
    return counts;
}

std::optional<std::string> Board::timeline(std::uint64_t connection)
{
    for (const auto *list : {&ended_, &alarms_}) {
        const auto found = std::find_if(list->begin(), list->end(),
                                        [&](const Ended &one) { return one.row.connection == connection; });
        if (found != list->end())
            return found->timeline;
    }
    const auto note = notes_.find(connection);
    std::string text;
    if (note == notes_.end())
        return std::nullopt;
    const auto *verdict = note->second.row.verdict ? note->second.verdict.get() : nullptr;
    if (!timelines_.print_so_far(connection, verdict, text))
        return std::nullopt;
    return text;
}

} // namespace tcpflight
