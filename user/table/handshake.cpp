// Handshakes of which no socket came yet, and the queues of their listeners.
#include "table/convert.h"
#include "table/handshake_time.h"
#include "table/table.h"

#include <algorithm>

namespace tcpflight {
namespace {

constexpr std::uint64_t ns_per_us = 1000;
constexpr std::uint64_t ns_per_ms = 1'000'000;
// A timer's step is up to an eighth of its time (kernel/time/timer.c), and a softirq can be late.
constexpr std::uint64_t timer_slack_divisor = 8;
constexpr std::uint64_t softirq_slack_ns = 100'000'000;

// tcp_reqsk_timeout(), after so many time-outs.
std::uint64_t timeout_ns(const tf_handshake &handshake, unsigned timeouts)
{
    constexpr unsigned most = 16; // the longest time-out is reached long before
    const std::uint64_t longest = handshake.rto_max_ms * ns_per_ms;
    return std::min((handshake.timeout_us * ns_per_us) << std::min(timeouts, most), longest);
}

// The timer counts after it has sent; a SYN that comes again only sets it anew.
unsigned timeouts_behind(const tf_handshake &handshake)
{
    const bool by_timer = handshake.step == TF_HANDSHAKE_SYN_ACK && (handshake.bits & TF_HANDSHAKE_TIMER) != 0;
    return handshake.timeouts + (by_timer ? 1U : 0U);
}

HandshakeEnd to_end(const tf_handshake &handshake)
{
    if ((handshake.bits & TF_HANDSHAKE_NO_LISTENER) != 0)
        return HandshakeEnd::NoListener;
    return (handshake.bits & TF_HANDSHAKE_TIMER) != 0 ? HandshakeEnd::TimedOut : HandshakeEnd::Refused;
}

std::optional<std::uint64_t> since(std::uint64_t then_ns, std::uint64_t now_ns)
{
    return then_ns != 0 && now_ns >= then_ns ? std::optional(now_ns - then_ns) : std::nullopt;
}

} // namespace

std::optional<std::uint64_t> next_syn_ack_ns(const tf_handshake &handshake)
{
    if (handshake.timeout_us == 0)
        return std::nullopt;
    return timeout_ns(handshake, timeouts_behind(handshake));
}

std::optional<std::uint64_t> time_until_drop_ns(const tf_handshake &handshake)
{
    if (handshake.timeout_us == 0)
        return std::nullopt;
    std::uint64_t sum = 0;
    auto timeouts = timeouts_behind(handshake);
    do
        sum += timeout_ns(handshake, timeouts);
    while (timeouts++ < handshake.max_retries);
    return sum;
}

Handshake Table::handshake(Connection &connection, const Record &record)
{
    const auto &raw = record.handshake;
    const auto now = record.header.time_ns;
    Handshake out;
    out.gives_up_ns = time_until_drop_ns(raw);
    set_expiry(connection, out.gives_up_ns
                               ? now + *out.gives_up_ns + *out.gives_up_ns / timer_slack_divisor + softirq_slack_ns
                               : 0);
    if (connection.syn_ns == 0)
        connection.syn_ns = raw.step == TF_HANDSHAKE_SYN ? now : raw.syn_ack_ns;
    if (raw.step == TF_HANDSHAKE_SYN)
        return out;
    connection.acknowledged = (raw.bits & TF_HANDSHAKE_ACKED) != 0;
    out.step = HandshakeStep::SynAckRetransmit;
    out.acknowledged = connection.acknowledged;
    out.syn_repeated = (raw.bits & TF_HANDSHAKE_TIMER) == 0;
    out.attempt = ++connection.attempt;
    out.rto_ns = next_syn_ack_ns(raw);
    out.since_syn_ns = since(connection.syn_ns, now);
    return out;
}

// One that is not known was told to be over already, or began before all this.
std::optional<Event> Table::observe_handshake_end(const Record &record)
{
    const auto slot = slot_of(record.header.cookie);
    if (slot == no_slot || slots_[slot].state != TcpState::NewSynRecv)
        return std::nullopt;
    auto &connection = slots_[slot];
    learn_identity(connection, record);
    connection.incomplete |= connection.gaps_seen < gaps_;
    Handshake over;
    over.end = to_end(record.handshake);
    over.acknowledged = (record.handshake.bits & TF_HANDSHAKE_ACKED) != 0;
    return end_handshake(slot, record.header.time_ns, over);
}

std::optional<Event> Table::expire_first()
{
    const auto [expires_ns, cookie] = *expiries_.begin();
    const auto slot = slot_of(cookie);
    Handshake over;
    over.acknowledged = slots_[slot].acknowledged;
    return end_handshake(slot, expires_ns, over);
}

std::optional<std::uint64_t> Table::next_expiry_ns() const
{
    return expiries_.empty() ? std::nullopt : std::optional(expiries_.begin()->first);
}

Event Table::end_handshake(std::uint32_t slot, std::uint64_t time_ns, const Handshake &handshake)
{
    const auto &connection = slots_[slot];
    auto over = handshake;
    over.step = HandshakeStep::NotCompleted;
    over.attempt = connection.attempt;
    over.since_syn_ns = since(connection.syn_ns, time_ns);
    passing_ = connection.identity;

    Event event;
    event.time_ns = time_ns;
    event.connection = connection.cookie;
    event.identity = connection.identity_known ? &passing_ : nullptr;
    event.incomplete = connection.incomplete;
    event.wanted = connection.wanted();
    event.what = over;
    remove(slot);
    return event;
}

// 0: it does not expire.
void Table::change_expiry(Connection &connection, std::uint64_t expires_ns)
{
    if (connection.expires_ns != 0)
        expiries_.erase({connection.expires_ns, connection.cookie});
    connection.expires_ns = expires_ns;
    if (expires_ns != 0)
        expiries_.emplace(expires_ns, connection.cookie);
}

// The handshake was completed: from here on its cookie is a socket's.
void Table::begin_socket(Connection &connection, const Record &record)
{
    connection.state = TcpState{record.header.old_state};
    connection.attempt = 0;
    connection.acknowledged = false;
}

// None: what was told before is not known.
std::optional<std::uint32_t> Table::news_of_drops(Connection &connection, std::uint32_t drops)
{
    const auto before = std::exchange(connection.drops, drops);
    if (!std::exchange(connection.drops_known, true))
        return std::nullopt;
    return drops - before; // modulo 2^32, as the kernel counts
}

// Of `dropped`, which was told just now.
std::uint32_t Table::news_of_overflows(Connection &connection, const tf_queue &raw, std::uint32_t dropped)
{
    const auto overflows = raw.drops - std::min(raw.drops, raw.with_room);
    const auto before = std::exchange(connection.overflows, overflows);
    // The kernel's side forgets listeners where there are very many, and counts anew.
    return std::min(dropped, overflows >= before ? overflows - before : overflows);
}

std::optional<Event> Table::observe_queue(const Record &record)
{
    auto event = observe_socket(record);
    auto &connection = slots_[slot_];
    const auto &raw = record.queue;
    const auto dropped = news_of_drops(connection, raw.drops);
    ListenQueue queue{.accept_queue = raw.accept_queue,
                      .syn_queue = raw.syn_queue,
                      .limit = raw.limit,
                      .dropped = dropped,
                      .with_room = dropped.value_or(0) - news_of_overflows(connection, raw, dropped.value_or(0)),
                      .dropped_in_all = raw.drops,
                      .syn_cookies = (raw.bits & TF_QUEUE_COOKIES) != 0};
    if (queue.dropped == 0U && !queue.syn_cookies)
        return std::nullopt;
    event->what = queue;
    return event;
}

// A listener that was looked at again.
std::optional<Event> Table::found_queue(Connection &connection, const Record &record)
{
    const auto dropped = news_of_drops(connection, record.socket.drops);
    if (dropped.value_or(0) == 0)
        return std::nullopt;
    Event event;
    event.time_ns = record.header.time_ns;
    event.connection = record.header.cookie;
    event.identity = connection.identity_known ? &connection.identity : nullptr;
    event.incomplete = connection.incomplete;
    event.wanted = connection.wanted();
    event.what = ListenQueue{.accept_queue = record.socket.recv_queue,
                             .syn_queue = {},
                             .limit = record.socket.send_queue,
                             .dropped = dropped,
                             .dropped_in_all = record.socket.drops};
    return event;
}

} // namespace tcpflight
