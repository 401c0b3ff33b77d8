// Sockets that were there when they were looked for: they enter the table as they stood, so that a later event has a
// tuple, an owner and what is known of the age.
#include "table/convert.h"
#include "table/table.h"

namespace tcpflight {
namespace {

// What comes before a socket has no events that begin or end it.
bool has_an_end(const tf_header &header)
{
    return TcpState{header.new_state} != TcpState::NewSynRecv && TcpState{header.new_state} != TcpState::Close;
}

} // namespace

std::optional<Event> Table::observe_found(const Record &record)
{
    auto identity = record.has(TF_FLAG_IDENTITY) ? to_identity(record.identity) : Identity{};
    if (auto known = index_.find(record.header.cookie); known != index_.end()) {
        complete(slots_[known->second], identity);
        return std::nullopt;
    }
    // Its connection has ended before our eyes.
    if (record.has(TF_FLAG_TIME_WAIT_SOCKET) && (record.socket.bits & TF_SOCKET_SEEN) != 0)
        return std::nullopt;
    if (wanted_ && !wanted_(identity))
        return std::nullopt;
    if (has_an_end(record.header) && index_.size() < capacity_)
        enter(record, identity);

    passing_ = identity;
    Event event;
    event.time_ns = record.header.time_ns;
    event.connection = record.header.cookie;
    event.identity = &passing_;
    event.what = to_found(record);
    return event;
}

// An event came before, and knows better; but not always whose the connection is.
void Table::complete(Connection &connection, const Identity &found)
{
    if (!connection.identity_known || connection.identity.owner.is_known() || !found.owner.is_known())
        return;
    connection.identity.owner = found.owner;
    if (!connection.wanted)
        connection.wanted = wanted_(connection.identity);
}

void Table::enter(const Record &record, const Identity &identity)
{
    const auto &header = record.header;
    auto &connection = add(header.cookie);
    connection.state = TcpState{header.new_state};
    connection.last_seen_ns = header.time_ns;
    connection.gaps_seen = gaps_at(header.time_ns);
    connection.identity = identity;
    connection.identity_known = true;
    connection.opened_here = connection.state == TcpState::SynSent;
    connection.entry_seen = record.socket.since_ns != 0;
    connection.found = true;
    connection.changed_ns = connection.entry_seen ? record.socket.since_ns : header.time_ns;
    if (record.has(TF_FLAG_TIME_WAIT_SOCKET))
        linger(connection);
}

} // namespace tcpflight
