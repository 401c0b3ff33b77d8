#include "sink/tcplife.h"

#include "sink/column_line.h"

#include <algorithm>

namespace tcpflight {
namespace {

constexpr std::size_t comm_width = 16;
constexpr std::size_t all_of_it = 64; // 16 bytes, escaped
constexpr std::size_t kb_width = 6;
constexpr std::size_t digits = 2;

bool is_connecting(TcpState state)
{
    return state == TcpState::SynSent || state == TcpState::SynRecv;
}

// The socket's last change of state, and it was no listener.
bool is_end(const StateChange &change)
{
    return change.from != TcpState::Listen && !change.afterwards &&
           (change.to == TcpState::Close || change.time_wait_socket);
}

// In KiB, to a hundredth, as printf(3) rounds: half to even.
void put_kb(LineWriter &cell, std::uint64_t bytes)
{
    constexpr std::uint64_t kb = 1024;
    constexpr std::uint64_t hundred = 100;
    auto hundredths = bytes / kb * hundred + bytes % kb * hundred / kb;
    const auto rest = bytes % kb * hundred % kb;
    if (rest > kb / 2 || (rest == kb / 2 && hundredths % 2 != 0))
        hundredths++;
    put_fraction(cell, hundredths, digits);
}

} // namespace

void TcplifeSink::begin(std::string &out)
{
    time_.put_title(out);
    out += header;
}

bool TcplifeSink::shows(const Event &event) const
{
    const auto *change = std::get_if<StateChange>(&event.what);
    return change != nullptr && is_end(*change);
}

void TcplifeSink::write(const Event &event, std::string &out)
{
    constexpr std::uint64_t ns_per_hundredth = 10'000; // of a millisecond
    if (const auto *lost = std::get_if<Lost>(&event.what))
        put_loss_comment(out, *lost);
    if (std::holds_alternative<Gone>(event.what))
        births_.erase(event.connection);
    const auto *change = std::get_if<StateChange>(&event.what);
    if (change == nullptr || change->afterwards)
        return;
    learn(event, *change);
    if (!is_end(*change))
        return;
    time_.put(out, event.time_ns);
    ColumnLine line(out);
    add_owner(line, event.identity, comm_width, all_of_it);
    add_ends(line, event);
    if (const auto &bytes = change->bytes) {
        line.add(kb_width, [&](LineWriter &cell) { put_kb(cell, bytes->acked); });
        line.add(kb_width, [&](LineWriter &cell) { put_kb(cell, bytes->received); });
    } else {
        line.add(kb_width, not_known).add(kb_width, not_known);
    }
    if (const auto length = length_ns(event, *change))
        line.add(0, [&](LineWriter &cell) { put_fraction(cell, *length / ns_per_hundredth, digits); });
    else
        line.add(0, not_known);
    line.finish();
    births_.erase(event.connection);
}

void TcplifeSink::finish(std::string & /*out*/)
{
    births_.clear();
}

// The tool counts from ESTABLISHED on, or, if that never came, from the attempt.
void TcplifeSink::learn(const Event &event, const StateChange &change)
{
    Birth birth{.time_ns = event.time_ns, .connecting = is_connecting(change.to)};
    const auto known = births_.find(event.connection);
    if (!birth.connecting && change.to != TcpState::Established) {
        // Also where the kernel knows the time of a connection that is older than the tracer.
        if (change.from != TcpState::Established || !change.duration_ns ||
            (known != births_.end() && !known->second.connecting))
            return;
        birth.time_ns = event.time_ns - std::min(event.time_ns, *change.duration_ns);
    }
    if (known != births_.end() || births_.size() < most_births_)
        births_[event.connection] = birth;
}

std::optional<std::uint64_t> TcplifeSink::length_ns(const Event &event, const StateChange &change) const
{
    const auto birth = births_.find(event.connection);
    // ESTABLISHED may have been lost in between.
    if (birth == births_.end() || (birth->second.connecting && event.incomplete && !is_connecting(change.from)))
        return std::nullopt;
    return event.time_ns - std::min(event.time_ns, birth->second.time_ns);
}

} // namespace tcpflight
