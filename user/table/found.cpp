// Sockets that were there when they were looked for: they enter the table as they stood, so that a later event has a
// tuple, an owner and what is known of the age.
#include "table/convert.h"
#include "table/table.h"

#include <algorithm>

namespace tcpflight {
namespace {

// What comes before a socket has no events that begin or end it.
bool has_an_end(const tf_header &header)
{
    return TcpState{header.new_state} != TcpState::NewSynRecv && TcpState{header.new_state} != TcpState::Close;
}

// Who began it shows only while that is going on.
Direction direction_of(TcpState state)
{
    switch (state) {
    case TcpState::SynSent: return Direction::Outgoing;
    case TcpState::SynRecv:
    case TcpState::NewSynRecv: return Direction::Incoming;
    case TcpState::Listen: return Direction::Neither;
    default: return Direction::Unknown;
    }
}

// A handshake that is about to be over: the socket may be made already, without the cookie that the look gave to what
// came before it. What becomes of it, its events tell.
bool is_passing(const Record &record)
{
    constexpr std::uint64_t passing_ns = 1'000'000;
    const auto &header = record.header;
    return TcpState{header.new_state} == TcpState::NewSynRecv &&
           header.time_ns - std::min<std::uint64_t>(record.socket.since_ns, header.time_ns) < passing_ns;
}

} // namespace

std::optional<Event> Table::observe_found(const Record &record)
{
    if ((record.socket.bits & TF_SOCKET_WAITS) != 0)
        return observe_waiting(record);
    auto identity = to_identity(record);
    cgroups_.locate(identity);
    if (const auto known = slot_of(record.header.cookie); known != no_slot) {
        auto &connection = slots_[known];
        complete(connection, identity);
        return TcpState{record.header.new_state} == TcpState::Listen ? found_queue(connection, record) : std::nullopt;
    }
    // Its connection has ended before our eyes.
    if (record.has(TF_FLAG_TIME_WAIT_SOCKET) && (record.socket.bits & TF_SOCKET_SEEN) != 0)
        return std::nullopt;
    if (is_passing(record))
        return std::nullopt;
    auto admission = wanted_ ? wanted_(identity, direction_of(TcpState{record.header.new_state})) : Admission::Yes;
    if (admission == Admission::No)
        return std::nullopt;
    if (has_an_end(record.header) && index_.size() < capacity_)
        enter(record, identity, admission);

    passing_ = identity;
    Event event;
    event.time_ns = record.header.time_ns;
    event.connection = record.header.cookie;
    event.identity = &passing_;
    event.what = to_found(record);
    return event;
}

// Nothing happened, and nothing changes.
std::optional<Event> Table::observe_waiting(const Record &record)
{
    const auto known = slot_of(record.header.cookie);
    if (known == no_slot)
        return std::nullopt;
    const auto &connection = slots_[known];
    if (connection.time_wait_socket || connection.state != TcpState{record.header.new_state})
        return std::nullopt;
    slot_ = known;
    Event event;
    event.time_ns = record.header.time_ns;
    event.connection = connection.cookie;
    event.identity = connection.identity_known ? &connection.identity : nullptr;
    event.incomplete = connection.incomplete;
    event.wanted = connection.wanted();
    event.what = to_found(record);
    return event;
}

// An event came before, and knows better; but not always whose the connection is.
void Table::complete(Connection &connection, const Identity &found)
{
    if (!connection.identity_known || connection.identity.owner.is_known() || !found.owner.is_known())
        return;
    connection.identity.owner = found.owner;
    cgroups_.locate(connection.identity);
    if (connection.admission != Admission::Yes)
        connection.admission = wanted_(connection.identity, direction_of(connection.state));
}

void Table::enter(const Record &record, const Identity &identity, Admission admission)
{
    const auto &header = record.header;
    auto &connection = add(header.cookie);
    connection.admission = admission;
    connection.state = TcpState{header.new_state};
    connection.last_seen_ns = header.time_ns;
    connection.gaps_seen = gaps_at(header.time_ns);
    connection.identity = identity;
    connection.identity_known = true;
    connection.opened_here = connection.state == TcpState::SynSent;
    connection.drops_known = connection.state == TcpState::Listen;
    connection.drops = connection.drops_known ? record.socket.drops : 0;
    connection.entry_seen = record.socket.since_ns != 0;
    connection.found = true;
    connection.changed_ns = connection.entry_seen ? record.socket.since_ns : header.time_ns;
    if (record.has(TF_FLAG_TIME_WAIT_SOCKET))
        linger(connection);
}

} // namespace tcpflight
