#include "table/table.h"

#include "model/both_ends.h"
#include "table/convert.h"
#include "table/give_up.h"
#include "table/handshake_time.h"

#include <linux/tcp.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace tcpflight {
namespace {

// Payload bytes of a segment: SYN and FIN take a sequence number each (RFC 9293 section 3.4).
std::uint32_t payload_length(const tf_retransmission &r)
{
    std::uint32_t length = r.end_seq - r.seq;
    std::uint32_t flags =
        ((r.tcp_flags & tcp_flag::syn) != 0 ? 1U : 0U) + ((r.tcp_flags & tcp_flag::fin) != 0 ? 1U : 0U);
    return length >= flags ? length - flags : 0;
}

Reset to_reset(const Record &record)
{
    return {.state = TcpState{record.header.old_state},
            .direction = static_cast<ResetDirection>(record.reset.direction),
            .reason = static_cast<ResetReason>(record.reset.reason),
            .kernel_reason = record.reset.kernel_reason};
}

// Which timer was armed when it went: icsk_pending, of include/net/inet_connection_sock.h.
constexpr std::uint8_t no_timer = 0;
constexpr std::uint8_t loss_probe_timer = 5;

RetransmitKind kind_of(const tf_retransmission &r)
{
    if (r.timer == loss_probe_timer && r.ca_state == TCP_CA_Open)
        return RetransmitKind::Probe;
    if (r.ca_state == TCP_CA_Recovery)
        return RetransmitKind::Fast;
    if (r.ca_state != TCP_CA_Loss)
        return RetransmitKind::Unknown;
    return r.timer == no_timer ? RetransmitKind::Timeout : RetransmitKind::Recovery;
}

std::optional<std::uint64_t> silent_ns(const Record &record)
{
    constexpr std::uint64_t ns_per_us = 1000;
    constexpr std::uint64_t ns_per_ms = 1'000'000;
    const auto &r = record.retransmission;
    if (TcpState{record.header.new_state} == TcpState::SynSent) // there is nothing to deliver yet
        return r.retrying_ms != 0 ? std::optional(r.retrying_ms * ns_per_ms) : std::nullopt;
    return r.silent_us != TF_SILENT_UNKNOWN ? std::optional(r.silent_us * ns_per_us) : std::nullopt;
}

// Who began it: told by its first event, and later by what is remembered of that.
Direction direction_of(const KnownConnection &connection)
{
    if (connection.opened_here || connection.state == TcpState::SynSent ||
        connection.identity.owner.source == OwnerSource::Connect)
        return Direction::Outgoing;
    if (connection.queued_ns != 0 || connection.state == TcpState::SynRecv ||
        connection.state == TcpState::NewSynRecv || connection.identity.owner.source == OwnerSource::Accept)
        return Direction::Incoming;
    return connection.state == TcpState::Listen ? Direction::Neither : Direction::Unknown;
}

// The same before the connection has entered the state that the event leads to.
Direction direction_of(const KnownConnection &connection, const tf_header &header)
{
    bool is_birth = TcpState{header.old_state} == TcpState::Listen && TcpState{header.new_state} == TcpState::SynRecv;
    if (TcpState{header.new_state} == TcpState::SynSent)
        return Direction::Outgoing;
    if (is_birth || TcpState{header.new_state} == TcpState::NewSynRecv)
        return Direction::Incoming;
    return TcpState{header.new_state} == TcpState::Listen ? Direction::Neither : direction_of(connection);
}

// At SYN_RECV > ESTABLISHED.
std::optional<std::uint64_t> syn_queue_ns(const KnownConnection &connection, const Record &record)
{
    constexpr std::uint64_t ns_per_us = 1000;
    if (connection.state != TcpState::SynRecv || !connection.entry_seen)
        return std::nullopt;
    const auto born_ns = connection.changed_ns;
    if (record.has(TF_FLAG_SYN_QUEUE)) {
        // With TCP Fast Open the socket is there before the SYN-ACK (RFC 7413): it was in no queue.
        const auto waited_ns = record.syn_queue.waited_us * ns_per_us;
        return record.header.time_ns - born_ns < waited_ns ? std::optional(waited_ns) : std::nullopt;
    }
    return connection.syn_ns != 0 && born_ns >= connection.syn_ns ? std::optional(born_ns - connection.syn_ns)
                                                                  : std::nullopt;
}

// Its FIN takes the last sequence number.
bool has_sent_fin(TcpState state)
{
    return state == TcpState::FinWait1 || state == TcpState::Closing || state == TcpState::LastAck;
}

// tcp_write_err() in net/ipv4/tcp_timer.c has three callers once there is a connection: the timers of retransmissions,
// of window probes and of keepalive, each of which runs only where the sequence numbers are like this.
TimedOut what_timed_out(const Record &record)
{
    const TcpState state{record.header.old_state};
    if (state == TcpState::SynSent)
        return TimedOut::Syn;
    if (state == TcpState::SynRecv)
        return TimedOut::SynAck;
    switch (record.undone) {
    case TF_UNDONE_NOTHING: return TimedOut::Keepalive;
    case TF_UNDONE_UNSENT: return TimedOut::WindowProbe;
    case TF_UNDONE_UNACKED: return TimedOut::Data;
    case TF_UNDONE_LAST: return has_sent_fin(state) ? TimedOut::Fin : TimedOut::Data;
    default: return TimedOut::Unknown;
    }
}

void say_what_timed_out(StateChange &change, const Record &record)
{
    if (change.error != ETIMEDOUT || record.undone == TF_UNDONE_UNKNOWN)
        return;
    change.timed_out = what_timed_out(record);
    // Where it is set it alone decides, but of SYNs and window probes, which can also become too many.
    const bool alone = change.timed_out != TimedOut::WindowProbe && change.timed_out != TimedOut::Syn &&
                       change.timed_out != TimedOut::SynAck;
    if (alone || !record.user_timeout)
        change.by_user_timeout = record.user_timeout;
}

// Each time-out counts icsk_retransmits up by one, whether its segment can be sent or not, and what is acknowledged
// sets it back to 0 (tcp_retransmit_timer() in net/ipv4/tcp_timer.c, tcp_ack() in tcp_input.c): so many must have been
// in between, at least.
unsigned unseen_timeouts(const KnownConnection &connection, const Record &record)
{
    const unsigned now = record.retransmission.rto_count;
    // With TCP Fast Open the SYN-ACK's time-outs count too, and have no event (tcp_fastopen_synack_timer()).
    if (TcpState{record.header.new_state} == TcpState::SynRecv)
        return 0;
    const bool is_first = connection.timeouts_seen == 0;
    const bool seen_from_begin = connection.attempt == 0 && (connection.opened_here || connection.queued_ns != 0);
    if (is_first && !seen_from_begin)
        return 0;
    const unsigned before = is_first ? 0 : connection.timeouts_seen - 1U;
    const unsigned since = now < before ? now : now - before;
    return since > 1 ? since - 1 : 0;
}

CongestionChange to_congestion_change(const Record &record)
{
    CongestionChange change;
    change.state = TcpState{record.header.new_state};
    change.from = CongestionState{record.congestion.old_state};
    change.to = CongestionState{record.congestion.new_state};
    if (record.has(TF_FLAG_METRICS))
        change.metrics = to_metrics(record.metrics);
    return change;
}

Probe to_probe(const Record &record)
{
    constexpr std::uint64_t ns_per_ms = 1'000'000;
    const auto &raw = record.probe;
    const auto times = probe_times(raw);
    Probe probe;
    probe.state = TcpState{record.header.new_state};
    probe.kind = raw.kind == TF_PROBE_WINDOW ? ProbeKind::Window : ProbeKind::Keepalive;
    probe.attempt = raw.unanswered + 1U;
    probe.limit = probe_limit(raw);
    probe.silent_ns = raw.silent_ms * ns_per_ms;
    if (raw.closed_ms != 0)
        probe.closed_ns = raw.closed_ms * ns_per_ms;
    probe.waiting = raw.waiting;
    probe.next_ns = times.next_ns;
    probe.gives_up_ns = times.gives_up_ns;
    return probe;
}

} // namespace

Table::Table(Wanted wanted, std::size_t capacity)
    : wanted_(std::move(wanted)), capacity_(std::max<std::size_t>(capacity, 1))
{
}

std::optional<Event> Table::observe(const Record &record)
{
    ended_.reset();
    slot_ = no_slot;
    if (record.header.type == TF_RECORD_LOST)
        return observe_loss(record);
    if (record.header.type == TF_RECORD_FOUND)
        return observe_found(record);
    if (record.header.type == TF_RECORD_GONE)
        return observe_gone(record);
    if (record.header.type == TF_RECORD_SETTINGS || record.header.type == TF_RECORD_USAGE)
        return std::nullopt; // for verdicts alone
    if (record.header.type == TF_RECORD_CGROUP) {
        cgroups_.put({.id = record.cgroup.id, .hierarchy = record.cgroup.hierarchy}, record.cgroup.path);
        return std::nullopt;
    }
    // A connection that is resetting itself is told of after its end, and some resets have none.
    if (record.header.type == TF_RECORD_RESET) {
        const auto *known = find(record.header.cookie);
        if (known == nullptr || known->time_wait_socket)
            return observe_stray_reset(record);
    }
    if (record.header.type == TF_RECORD_QUEUE)
        return observe_queue(record);
    if (record.header.type == TF_RECORD_HANDSHAKE && record.handshake.step == TF_HANDSHAKE_ENDED)
        return observe_handshake_end(record);
    return observe_socket(record);
}

std::optional<Event> Table::observe_loss(const Record &record)
{
    auto &told = losses_[{record.loss.cpu, record.loss.reason}];
    if (record.loss.total <= told)
        return std::nullopt;
    Lost lost{.count = record.loss.total - told, .reason = static_cast<LossReason>(record.loss.reason), .cpu = {}};
    if (record.loss.cpu != 0xffffffff)
        lost.cpu = record.loss.cpu;
    told = record.loss.total;
    gaps_++;
    gap_until_ns_ = std::max<std::uint64_t>(gap_until_ns_, record.loss.until_ns);

    Event event;
    event.time_ns = record.header.time_ns;
    event.what = lost;
    return event;
}

// The event is made where the caller wants it: it is large, and there are millions a second.
std::optional<Event> Table::observe_socket(const Record &record)
{
    const auto &header = record.header;
    auto &connection = find_or_add(record);
    learn_identity(connection, record);
    if (time_wait_count_ != 0)
        take_place(connection, record);

    std::optional<Event> told(std::in_place);
    auto &event = *told;
    begin_event(event, connection, header.time_ns);
    connection.gaps_seen = gaps_at(header.time_ns);
    connection.last_seen_ns = header.time_ns;
    if (header.type != TF_RECORD_HANDSHAKE)
        set_expiry(connection, 0); // a socket came of it
    switch (header.type) {
    case TF_RECORD_STATE:
    case TF_RECORD_REFUSED: change_state(connection, record, std::get<StateChange>(event.what)); break;
    case TF_RECORD_RETRANSMIT: event.what = retransmit(connection, record, event.after_gap); break;
    case TF_RECORD_ACCEPT: event.what = accept(connection, record); break;
    case TF_RECORD_RESET: event.what = to_reset(record); break;
    case TF_RECORD_CONGESTION: event.what = to_congestion_change(record); break;
    case TF_RECORD_PROBE: event.what = to_probe(record); break;
    case TF_RECORD_HANDSHAKE: event.what = handshake(connection, record); break;
    default: break; // decode lets nothing else through
    }
    event.incomplete = connection.incomplete;

    const bool is_refused = header.type == TF_RECORD_REFUSED;
    if (is_refused)
        event.wanted = false;
    if (record.has(TF_FLAG_TIME_WAIT_SOCKET) && connection.state != TcpState::Close)
        linger(connection);
    else if (connection.state == TcpState::Close || is_refused)
        depart(slot_, TcpState{header.old_state}, event);
    return told;
}

std::optional<bool> Table::pass(const Record &record, Passing passing)
{
    constexpr unsigned telling = TF_FLAG_IDENTITY | TF_FLAG_TIME_WAIT_SOCKET;
    const auto &header = record.header;
    if (header.type != TF_RECORD_STATE || (header.flags & telling) != 0)
        return std::nullopt;
    const auto slot = slot_of(header.cookie);
    if (slot == no_slot)
        return std::nullopt;
    auto &connection = slots_[slot];
    const TcpState from{header.old_state};
    const bool may_pass = passing == Passing::All || !connection.wanted();
    const bool is_simple = may_pass && !connection.time_wait_socket && connection.expires_ns == 0 &&
                           connection.state != TcpState::NewSynRecv && has_both_ends(connection.identity);
    // It could have taken a place.
    const bool begins = from == TcpState::SynSent || from == TcpState::SynRecv;
    if (!is_simple || (begins && time_wait_count_ != 0))
        return std::nullopt;

    ended_.reset();
    slot_ = slot;
    learn_of_call(connection, record);
    connection.incomplete |= connection.gaps_seen < gaps_ || connection.state != from;
    connection.gaps_seen = gaps_at(header.time_ns);
    connection.last_seen_ns = header.time_ns;
    enter_state(connection, header);
    if (connection.state == TcpState::Close)
        depart(slot, from);
    return connection.wanted();
}

// Marks the connection if a gap lies before it.
void Table::begin_event(Event &event, Connection &connection, std::uint64_t time_ns) const
{
    event.time_ns = time_ns;
    event.connection = connection.cookie;
    event.after_gap = connection.gaps_seen < gaps_;
    connection.incomplete |= event.after_gap;
    event.incomplete = connection.incomplete;
    event.wanted = connection.wanted();
    event.identity = connection.identity_known ? &connection.identity : nullptr;
}

Event Table::event_of(Connection &connection, std::uint64_t time_ns) const
{
    Event event;
    begin_event(event, connection, time_ns);
    return event;
}

// Where its identity is from now on.
const Identity &Table::depart(std::uint32_t slot, TcpState last_state)
{
    auto &connection = slots_[slot];
    const auto cookie = connection.cookie;
    remove(slot); // it keeps all but the cookie until it is used again
    return departed_
        .add({.cookie = cookie,
              .state = last_state,
              .identity_known = connection.identity_known,
              .wanted = connection.wanted(),
              .incomplete = connection.incomplete,
              .identity = std::move(connection.identity)})
        .identity;
}

void Table::depart(std::uint32_t slot, TcpState last_state, Event &event)
{
    const auto &identity = depart(slot, last_state);
    if (event.identity != nullptr)
        event.identity = &identity;
}

Event Table::observe_stray_reset(const Record &record)
{
    auto reset = to_reset(record);
    Event event;
    event.time_ns = record.header.time_ns;
    event.connection = record.header.cookie;
    if (record.has(TF_FLAG_IDENTITY)) {
        passing_ = to_identity(record);
        event.identity = &passing_;
    }
    // A RST is all that what took a socket's place has to say after that: tcp_v4_rcv() ends it.
    if (const auto waiting = slot_of(record.header.cookie);
        waiting != no_slot && reset.direction == ResetDirection::Sent)
        ended_ = end_time_wait(waiting, event.time_ns, {.reason = EndReason::Reset, .at_most_ns = {}}, 0, 0);
    const auto *departed = record.header.cookie != 0 ? departed_.find(record.header.cookie) : nullptr;
    if (departed != nullptr) {
        reset.state = reset.state == TcpState::Close ? departed->state : reset.state;
        event.incomplete = departed->incomplete;
        event.wanted = departed->wanted;
        if (departed->identity_known)
            event.identity = &departed->identity;
    } else if (wanted_) {
        event.wanted = event.identity != nullptr && wanted_(*event.identity, Direction::Unknown) != Admission::No;
    }
    event.what = reset;
    return event;
}

Table::Connection &Table::find_or_add(const Record &record)
{
    slot_ = slot_of(record.header.cookie);
    if (slot_ != no_slot) {
        auto &known = slots_[slot_];
        if (!known.time_wait_socket || record.has(TF_FLAG_TIME_WAIT_SOCKET))
            return known;
        // A process that only shut its socket down can connect it again, under the cookie that its TIME_WAIT has too.
        remove(slot_);
    }

    if (index_.size() >= capacity_)
        forget_one();
    auto &connection = add(record.header.cookie);
    connection.state = TcpState{record.header.old_state};
    // Seen from its birth on, it has missed nothing; otherwise any gap so far may have hidden a part of it.
    bool born_now = connection.state == TcpState::Close || connection.state == TcpState::NewSynRecv ||
                    (connection.state == TcpState::Listen && TcpState{record.header.new_state} == TcpState::SynRecv);
    connection.gaps_seen = born_now ? gaps_ : 0;
    connection.admission = wanted_ ? Admission::No : Admission::Yes;
    return connection;
}

Table::Connection &Table::add(std::uint64_t cookie)
{
    std::uint32_t slot = 0;
    if (free_slots_.empty()) {
        slot = static_cast<std::uint32_t>(slots_.size());
        slots_.add();
    } else {
        slot = free_slots_.back();
        free_slots_.pop_back();
        slots_[slot] = {};
    }
    index_.add(cookie, slot);
    slot_ = slot;
    auto &connection = slots_[slot];
    connection.cookie = cookie;
    return connection;
}

void Table::learn_identity(Connection &connection, const Record &record)
{
    bool news = false;
    if (record.has(TF_FLAG_IDENTITY)) {
        // The kernel keeps an owner's number but not always its name, and then says "unknown": we know better.
        auto owner = connection.identity.owner;
        connection.identity = to_identity(record);
        auto &said = connection.identity.owner;
        if (said.is_known() && owner.is_known() && owner.pid == said.pid)
            set_place(owner, place_of(said));
        if (!said.is_known() || (owner.is_known() && owner.pid == said.pid))
            said = owner;
        connection.identity_known = true;
        news = true;
    }
    if (record.header.type == TF_RECORD_ACCEPT) {
        connection.identity.owner = to_owner(record.accept);
        if (record.has(TF_FLAG_OWNER_PLACE))
            set_place(connection.identity.owner, record.place);
        news = true;
    }
    if (news)
        cgroups_.locate(connection.identity);
    learn_of_call(connection, record);
    if (connection.identity.local.port == 0 && record.header.local_port != 0) {
        connection.identity.local.port = record.header.local_port;
        news = true;
    }
    if (news && connection.admission != Admission::Yes)
        connection.admission = wanted_(connection.identity, direction_of(connection, record.header));
}

// The owner asked for the change.
void Table::learn_of_call(Connection &connection, const Record &record)
{
    auto &source = connection.identity.owner.source;
    if (record.has(TF_FLAG_OWNED) && source == OwnerSource::Inherited)
        source = OwnerSource::Syscall;
}

// `change` is as it is made.
void Table::change_state(Connection &connection, const Record &record, StateChange &change)
{
    const auto &header = record.header;
    change.from = TcpState{header.old_state};
    change.to = TcpState{header.new_state};
    change.time_wait_socket = record.has(TF_FLAG_TIME_WAIT_SOCKET);
    change.afterwards = connection.time_wait_socket;
    change.error = header.error;
    if (connection.state == TcpState::NewSynRecv && change.from == TcpState::Listen)
        begin_socket(connection, record);
    if (connection.state != change.from)
        connection.incomplete = true; // a transition is missing: how long this state lasted is not known
    else if (connection.entry_seen && header.time_ns >= connection.changed_ns)
        change.duration_ns = header.time_ns - connection.changed_ns;
    else if (connection.found && header.time_ns >= connection.changed_ns)
        change.at_least_ns = header.time_ns - connection.changed_ns;
    if (record.has(TF_FLAG_METRICS))
        change.metrics = to_metrics(record.metrics);
    say_what_timed_out(change, record);
    // Some records say how much it is so far.
    const bool is_last = change.to == TcpState::Close || change.time_wait_socket;
    const bool has_lived = is_last && change.from != TcpState::Listen;
    if (record.has(TF_FLAG_BYTES) && has_lived)
        change.bytes = {.acked = record.bytes.acked, .received = record.bytes.received};
    if (record.has(TF_FLAG_TRAFFIC) && has_lived)
        change.traffic = to_traffic(record.traffic);
    if (change.to == TcpState::Established && change.from == TcpState::SynRecv)
        change.syn_queue_ns = syn_queue_ns(connection, record);
    enter_state(connection, header);
}

void Table::enter_state(Connection &connection, const tf_header &header)
{
    const TcpState to{header.new_state};
    if (to == TcpState::Established)
        connection.queued_ns = TcpState{header.old_state} == TcpState::SynRecv ? header.time_ns : 0;
    connection.opened_here |= to == TcpState::SynSent;
    connection.drops_known |= to == TcpState::Listen;
    connection.state = to;
    connection.changed_ns = header.time_ns;
    connection.entry_seen = true;
    connection.found = false;
}

Accept Table::accept(Connection &connection, const Record &record)
{
    const auto &header = record.header;
    Accept accept{.state = TcpState{header.new_state}, .queued_ns = {}};
    if (connection.queued_ns != 0 && header.time_ns >= connection.queued_ns)
        accept.queued_ns = header.time_ns - connection.queued_ns;
    if (connection.state != accept.state) {
        connection.incomplete = true;
        connection.state = accept.state;
        connection.entry_seen = false;
    }
    return accept;
}

Retransmit Table::retransmit(Connection &connection, const Record &record, bool after_gap)
{
    const auto &raw = record.retransmission;
    const auto unseen = after_gap ? 0 : unseen_timeouts(connection, record);
    connection.timeouts_seen = static_cast<std::uint8_t>(std::min<unsigned>(raw.rto_count + 1U, UINT8_MAX));
    if (connection.last_seq != raw.seq)
        connection.attempt = 0;
    connection.last_seq = raw.seq;
    if (raw.send_error == 0)
        connection.attempt++;
    TcpState state{record.header.new_state};
    if (connection.state != state) {
        connection.incomplete = true;
        connection.state = state;
        connection.entry_seen = false;
        connection.found = false;
    }
    Retransmit out;
    out.state = state;
    out.flags = raw.tcp_flags;
    out.length = payload_length(raw);
    // The kernel counts acknowledged bytes from the first, and snd_una is where that count stands. On the side that
    // connected it counts the SYN too (tcp_ack), on the other it begins behind it (tcp_create_openreq_child).
    out.offset = raw.seq - raw.snd_una + static_cast<std::uint32_t>(raw.bytes_acked);
    if (connection.opened_here && raw.bytes_acked != 0)
        out.offset--;
    out.attempt = connection.attempt;
    out.total = raw.total;
    out.sent = raw.sent_known != 0 ? raw.sent : 0;
    out.send_error = raw.send_error < 0 ? static_cast<std::uint16_t>(-raw.send_error) : std::uint16_t{0};
    out.kind = kind_of(raw);
    out.timeouts = raw.rto_count;
    out.unseen = unseen;
    out.backoff = raw.backoff;
    out.silent_ns = silent_ns(record);
    out.user_timeout_ns = raw.user_timeout_ms * std::uint64_t{1'000'000};
    if (record.has(TF_FLAG_METRICS)) {
        out.metrics = to_metrics(record.metrics);
        if (out.kind == RetransmitKind::Timeout)
            out.gives_up_ns = time_until_give_up_ns(raw, record.header.new_state, out.metrics.rto_us);
    }
    return out;
}

// How many gaps lie wholly behind. In the middle of one, more may be missing before the connection's next event.
std::uint32_t Table::gaps_at(std::uint64_t time_ns) const
{
    return gaps_ - (gaps_ != 0 && time_ns <= gap_until_ns_ ? 1 : 0);
}

const KnownConnection *Table::find(std::uint64_t cookie) const
{
    const auto slot = slot_of(cookie);
    return slot != no_slot ? &slots_[slot] : nullptr;
}

KnownGaps Table::known_gaps() const
{
    KnownGaps gaps{.told = {}, .count = gaps_, .until_ns = gap_until_ns_};
    for (const auto &[where, total] : losses_)
        gaps.told.push_back({.cpu = where.first, .reason = where.second, .total = total});
    return gaps;
}

void Table::for_each_known(const Visit &visit) const
{
    // A busy host has more in TIME_WAIT than alive, and only their end is left to tell. In FIN_WAIT2 there are few.
    for_each([&visit](const KnownConnection &connection) {
        if (!connection.time_wait_socket || connection.state == TcpState::FinWait2)
            visit(connection);
    });
}

void Table::for_each(const Visit &visit) const
{
    // The cookie with it: where many are alive, to look it up for each comparison would take most of the time.
    std::vector<std::pair<std::uint64_t, const KnownConnection *>> alive;
    alive.reserve(index_.size());
    for_each_unordered(
        [&alive](const KnownConnection &connection) { alive.emplace_back(connection.cookie, &connection); });
    std::sort(alive.begin(), alive.end());
    for (const auto &[cookie, connection] : alive)
        visit(*connection);
}

void Table::for_each_unordered(const Visit &visit) const
{
    slots_.for_each([&visit](const Connection &connection) {
        if (connection.cookie != 0)
            visit(connection);
    });
}

const Identity *Table::identity_of(std::uint64_t cookie) const
{
    const auto *known = find(cookie);
    return known != nullptr && known->identity_known ? &known->identity : nullptr;
}

void Table::restore(const KnownGaps &gaps, std::span<const KnownConnection> connections)
{
    forget_all();
    losses_.clear();
    for (const auto &told : gaps.told)
        losses_[{told.cpu, told.reason}] = told.total;
    gaps_ = gaps.count;
    gap_until_ns_ = gaps.until_ns;
    for (const auto &connection : connections)
        put(connection);
}

void Table::restore_cgroups(std::span<const KnownCgroup> cgroups)
{
    cgroups_.clear();
    for (const auto &cgroup : cgroups)
        cgroups_.put(cgroup.key, cgroup.path);
}

void Table::heal(std::span<const KnownConnection> connections)
{
    std::vector<std::uint64_t> seen_since;
    slots_.for_each([&](const Connection &connection) {
        if (connection.cookie != 0 && connection.gaps_seen >= gaps_)
            seen_since.push_back(connection.cookie);
    });
    std::sort(seen_since.begin(), seen_since.end());
    std::vector<KnownConnection> waiting;
    for_each([&waiting](const KnownConnection &connection) {
        if (connection.time_wait_socket)
            waiting.push_back(connection);
    });
    forget_all();
    for (auto connection : connections) {
        // The numbers of gaps are those of the other table.
        bool was_seen = std::binary_search(seen_since.begin(), seen_since.end(), connection.cookie);
        connection.gaps_seen = was_seen ? gaps_ : 0;
        connection.incomplete = true;
        put(connection);
    }
    for (const auto &connection : waiting)
        put(connection);
}

void Table::put(const KnownConnection &connection)
{
    if (connection.cookie == 0 || slot_of(connection.cookie) != no_slot)
        return; // from a file: anything is possible
    if (index_.size() >= capacity_)
        forget_one();
    auto &own = add(connection.cookie);
    static_cast<KnownConnection &>(own) = connection;
    own.expires_ns = 0;
    set_expiry(own, connection.expires_ns);
    cgroups_.locate(own.identity);
    own.admission = wanted_ ? Admission::No : Admission::Yes;
    if (wanted_ && connection.identity_known)
        own.admission = wanted_(connection.identity, direction_of(connection));
    if (own.time_wait_socket) {
        own.time_wait_socket = false; // not counted yet
        linger(own);
    }
}

void Table::forget_all()
{
    index_.clear();
    expiries_.clear();
    slots_.clear();
    free_slots_.clear();
    clock_hand_ = 0;
    time_wait_ends_.clear();
    time_waits_.clear();
    time_wait_count_ = 0;
}

// The least recently seen of a few: exact order would cost every event, and this is the rare case.
void Table::forget_one()
{
    constexpr int looks = 16;
    std::optional<std::size_t> oldest;
    for (int i = 0; i < looks || !oldest; i++) {
        clock_hand_ = (clock_hand_ + 1) % slots_.size();
        const auto &candidate = slots_[clock_hand_];
        if (candidate.cookie == 0)
            continue;
        if (!oldest || candidate.last_seen_ns < slots_[*oldest].last_seen_ns)
            oldest = clock_hand_;
    }
    // Nothing is asked for again for what is over but for its end.
    if (!slots_[*oldest].time_wait_socket)
        forgotten_++;
    remove(static_cast<std::uint32_t>(*oldest));
}

void Table::remove(std::uint32_t slot)
{
    auto &connection = slots_[slot];
    if (connection.time_wait_socket)
        stop_lingering(connection);
    set_expiry(connection, 0);
    index_.remove(connection.cookie, slot);
    connection.cookie = 0;
    free_slots_.push_back(slot);
}

} // namespace tcpflight
