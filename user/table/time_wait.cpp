// What the kernel keeps in the place of a closed socket (docs/decisions/0013-the-end-of-time-wait.md).
#include "table/table.h"

#include <algorithm>

namespace tcpflight {
namespace {

// FNV-1a, eight bytes at a time. Two that collide cost one of them its sudden end, which the sweep then finds.
std::uint64_t hash_of_ends(const Identity &identity)
{
    std::uint64_t hash = 0xcbf29ce484222325U;
    auto mix = [&hash](std::uint64_t word) { hash = (hash ^ word) * 0x100000001b3U; };
    for (const auto *end : {&identity.local, &identity.remote}) {
        const auto [high, low] = end->address.words();
        mix(high);
        mix(low);
        mix(end->port);
    }
    mix(identity.netns);
    return hash;
}

bool same_ends(const Identity &a, const Identity &b)
{
    return a.local.port == b.local.port && a.remote.port == b.remote.port && a.netns == b.netns &&
           a.local.address.bytes == b.local.address.bytes && a.remote.address.bytes == b.remote.address.bytes;
}

// Was a SYN sent or answered by then? connect(2) is in SYN_SENT before it looks for a port, and fails if it finds none:
// then SYN_SENT ends without an error.
bool has_begun(const tf_header &header)
{
    switch (TcpState{header.old_state}) {
    case TcpState::Listen: return TcpState{header.new_state} == TcpState::SynRecv;
    case TcpState::SynRecv: return true;
    case TcpState::SynSent:
        return header.type != TF_RECORD_STATE || TcpState{header.new_state} != TcpState::Close || header.error != 0;
    default: return false;
    }
}

// Can the record of its TIME_WAIT have been lost?
bool can_be_over(TcpState state)
{
    return state == TcpState::FinWait1 || state == TcpState::FinWait2 || state == TcpState::Closing;
}

EndReason to_reason(const tf_gone &gone)
{
    return static_cast<EndReason>(gone.reason);
}
static_assert(static_cast<int>(EndReason::Namespace) == TF_GONE_NETNS && TF_GONE_REASONS == TF_GONE_NETNS + 1);

} // namespace

void Table::linger(Connection &connection)
{
    if (connection.time_wait_socket)
        return; // an orphan in FIN_WAIT2 goes on to TIME_WAIT
    connection.time_wait_socket = true;
    if (connection.identity_known)
        time_wait_ends_[hash_of_ends(connection.identity)] = connection.cookie;
    time_waits_.push_back(connection.cookie);
    time_wait_count_++;
    while (!time_waits_.empty()) {
        const auto *oldest = find(time_waits_.front());
        bool has_ended = oldest == nullptr || !oldest->time_wait_socket;
        if (!has_ended && time_wait_count_ <= time_wait_capacity)
            break;
        if (!has_ended)
            remove(slot_of(oldest->cookie));
        time_waits_.pop_front();
    }
}

void Table::stop_lingering(const Connection &connection)
{
    time_wait_count_--;
    if (!connection.identity_known)
        return;
    auto found = time_wait_ends_.find(hash_of_ends(connection.identity));
    if (found != time_wait_ends_.end() && found->second == connection.cookie)
        time_wait_ends_.erase(found);
}

// Two connections cannot have the same ends at the same time: where a new one is open, what was left of the old one is
// gone. For programs that hang on functions that is no news.
void Table::take_place(const Connection &connection, const Record &record)
{
    if (!connection.identity_known || !has_begun(record.header))
        return;
    auto found = time_wait_ends_.find(hash_of_ends(connection.identity));
    if (found == time_wait_ends_.end() || found->second == connection.cookie)
        return;
    const auto old_slot = slot_of(found->second);
    const auto &old = slots_[old_slot];
    if (!same_ends(old.identity, connection.identity))
        return;
    bool connects = TcpState{record.header.old_state} == TcpState::SynSent;
    // connect(2) takes the place behind > SYN_SENT; a SYN was there before anything that is traced of it.
    bool begin_known = connects && connection.state == TcpState::SynSent && connection.entry_seen;
    auto time_ns = record.header.time_ns;
    ended_ =
        end_time_wait(old_slot, time_ns, {.reason = connects ? EndReason::Connect : EndReason::Syn, .at_most_ns = {}},
                      begin_known ? connection.changed_ns : old.changed_ns, time_ns);
}

// `after_ns` and `by_ns`: as in tf_gone.
Event Table::end_time_wait(std::uint32_t slot, std::uint64_t time_ns, TimeWaitEnd end, std::uint64_t after_ns,
                           std::uint64_t by_ns)
{
    auto &connection = slots_[slot];
    StateChange change;
    change.from = connection.state;
    change.to = TcpState::Close;
    change.time_wait_socket = true;
    change.afterwards = true;
    auto since = [&connection](std::uint64_t then_ns) -> std::optional<std::uint64_t> {
        if (then_ns <= connection.changed_ns)
            return std::nullopt;
        return then_ns - connection.changed_ns;
    };
    if (connection.entry_seen && by_ns == 0) {
        change.duration_ns = since(time_ns);
    } else if (connection.entry_seen) {
        change.at_least_ns = since(after_ns);
        end.at_most_ns = since(by_ns);
    } else if (connection.found) {
        change.at_least_ns = since(by_ns == 0 ? time_ns : after_ns);
    }
    change.end = end;
    Event event = event_of(connection, time_ns);
    event.what = change;
    depart(slot, change.from, event);
    return event;
}

std::optional<Event> Table::observe_gone(const Record &record)
{
    const auto slot = slot_of(record.header.cookie);
    if (slot == no_slot)
        return std::nullopt; // not wanted, or its end is told already
    auto &connection = slots_[slot];
    const auto &gone = record.gone;
    auto time_ns = record.header.time_ns;
    if (connection.state == TcpState::NewSynRecv) {
        Handshake over;
        over.acknowledged = connection.acknowledged;
        return end_handshake(slot, time_ns, over);
    }
    if (record.has(TF_FLAG_TIME_WAIT_SOCKET)) {
        TcpState state{record.header.old_state};
        if (!connection.time_wait_socket && !can_be_over(connection.state))
            return std::nullopt; // of an earlier connection of this socket
        if (!connection.time_wait_socket || connection.state != state) {
            connection.incomplete = true; // how it came there was lost
            connection.state = state;
            connection.entry_seen = false;
            connection.found = false;
        }
        return end_time_wait(slot, time_ns, {.reason = to_reason(gone), .at_most_ns = {}}, gone.after_ns, gone.by_ns);
    }
    connection.incomplete = true;
    slot_ = slot;
    Event event = event_of(connection, time_ns);
    event.what = Gone{.state = connection.state, .unseen_ns = time_ns - std::min(time_ns, gone.after_ns)};
    depart(slot, connection.state, event);
    return event;
}

} // namespace tcpflight
