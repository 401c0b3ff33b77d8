#include "diagnose/story.h"

#include <algorithm>

namespace tcpflight {
namespace {

Unanswered what_is_in(const Retransmit &retransmit)
{
    if ((retransmit.flags & tcp_flag::syn) != 0)
        return Unanswered::Syn;
    // A FIN that carries data stands for both: it is the data that a program would miss.
    if ((retransmit.flags & tcp_flag::fin) != 0 && retransmit.length == 0)
        return Unanswered::Fin;
    return Unanswered::Data;
}

constexpr std::uint64_t bit_of(VerdictKind kind)
{
    static_assert(verdict_kinds <= 64);
    return std::uint64_t{1} << static_cast<unsigned>(kind);
}

} // namespace

std::string_view name(Origin origin)
{
    switch (origin) {
    case Origin::Outgoing: return "outgoing";
    case Origin::Incoming: return "incoming";
    case Origin::Listener: return "listener";
    case Origin::Unknown: break;
    }
    return "unknown";
}

const Trouble &Story::troubles() const
{
    static const Trouble none;
    return trouble ? *trouble : none;
}

Trouble &Story::get_into_trouble()
{
    if (!trouble)
        trouble = std::make_unique<Trouble>();
    return *trouble;
}

bool Story::raise(VerdictKind kind)
{
    if (is_raised(kind))
        return false;
    get_into_trouble().alarms |= bit_of(kind);
    return true;
}

void Story::lower(VerdictKind kind)
{
    if (is_raised(kind))
        get_into_trouble().alarms &= ~bit_of(kind);
}

bool Story::is_raised(VerdictKind kind) const
{
    return (troubles().alarms & bit_of(kind)) != 0;
}

void Story::add(const Event &event)
{
    if (begun_ns == 0) {
        begun_ns = event.time_ns;
        connection = event.connection;
        const auto *change = std::get_if<StateChange>(&event.what);
        whole = change != nullptr && (change->from == TcpState::Close ||
                                      (change->from == TcpState::Listen && change->to == TcpState::SynRecv));
    }
    whole &= !event.incomplete;
    wanted = event.wanted;
    if (const auto *change = std::get_if<StateChange>(&event.what))
        add(event, *change);
    else
        std::visit([&](const auto &what) { add(event, what); }, event.what);
}

void Story::add(const Event &event, const StateChange &change)
{
    const bool gone = change.to == TcpState::Close || change.time_wait_socket;
    if (gone) {
        ended_ns = event.time_ns;
        error = change.error;
        timed_out = change.timed_out;
        if (change.by_user_timeout.value_or(false))
            get_into_trouble().by_user_timeout = true;
        left_orphan = change.time_wait_socket && change.to == TcpState::FinWait2;
        left_time_wait = change.time_wait_socket && !left_orphan;
        state = change.from;
    } else {
        // Whatever changes the state was heard from the other end, or asked for by the process.
        if (trouble && change.to != TcpState::FinWait1 && change.to != TcpState::LastAck)
            trouble->repetition = {};
        state = change.to;
    }
    enter(change, event.time_ns);
}

// What the state says of how it began and who closed.
void Story::enter(const StateChange &change, std::uint64_t time_ns)
{
    switch (change.to) {
    case TcpState::SynSent: origin = Origin::Outgoing; break;
    case TcpState::SynRecv: origin = change.from == TcpState::Listen ? Origin::Incoming : origin; break;
    case TcpState::Listen: origin = Origin::Listener; break;
    case TcpState::Established: established_ns = time_ns; break;
    case TcpState::FinWait1:
        first_fin_ns = time_ns;
        closed_first = Closer::ThisEnd;
        break;
    case TcpState::CloseWait:
        first_fin_ns = time_ns;
        closed_first = Closer::OtherEnd;
        break;
    case TcpState::Closing:
        second_fin_ns = time_ns;
        closed_first = Closer::Both;
        break;
    case TcpState::LastAck: second_fin_ns = time_ns; break;
    case TcpState::TimeWait:
        if (second_fin_ns == 0)
            second_fin_ns = time_ns;
        break;
    case TcpState::Close:
        // As recordings tell it that were made before TIME_WAIT was told.
        if (change.from == TcpState::FinWait2 && change.error == 0 && second_fin_ns == 0)
            second_fin_ns = time_ns;
        if (change.from == TcpState::Listen)
            origin = Origin::Listener;
        break;
    default: break;
    }
}

// One event can be about several segments. The kernel counts before it tells.
void LossWindow::add(const Retransmit &retransmit, std::uint64_t time_ns)
{
    const auto segments = total != 0 && retransmit.total > total ? retransmit.total - total : 1;
    total = retransmit.total;
    const bool connecting = retransmit.state == TcpState::SynSent || retransmit.state == TcpState::SynRecv;
    if (retransmit.sent == 0 || connecting)
        return;
    if (begun_ns == 0 || time_ns >= begun_ns + window_ns || retransmit.sent < sent_before) {
        const bool goes_on = begun_ns != 0 && time_ns < begun_ns + 2 * window_ns;
        sent_then = goes_on ? sent : 0;
        repeated_then = goes_on ? repeated : 0;
        begun_ns = time_ns;
        sent_before = retransmit.sent - std::min(retransmit.sent, segments);
        repeated = 0;
    }
    last_ns = time_ns;
    sent = retransmit.sent - sent_before;
    // The second time-out in a row and those behind it say that nobody answers, and not how much is lost.
    if (retransmit.timeouts <= 1) {
        repeated += segments;
        lost += segments;
    }
}

// A round trip after time-outs in a row was measured over the silence, if at all.
void Slowness::add(const Retransmit &retransmit, std::uint64_t handshake_ns)
{
    const auto rtt_us = retransmit.metrics.rtt_us;
    if (min_rtt_us == 0)
        min_rtt_us = static_cast<std::uint32_t>(std::min<std::uint64_t>(handshake_ns / 1000, 0xffffffff));
    if (rtt_us != 0 && (min_rtt_us == 0 || rtt_us < min_rtt_us))
        min_rtt_us = rtt_us;
    if (retransmit.timeouts > 1 || timeouts_before > 1)
        slow_since_ns = 0;
    timeouts_before = retransmit.timeouts;
}

void Story::add(const Event &event, const Retransmit &retransmit)
{
    if (retransmit.send_error != 0)
        return;
    auto &known = get_into_trouble();
    known.loss.add(retransmit, event.time_ns);
    // A client's SYN and what answered it: a round trip at least.
    const bool shook_hands = whole && origin == Origin::Outgoing && established_ns > begun_ns;
    known.slowness.add(retransmit, shook_hands ? established_ns - begun_ns : 0);
    auto &repetition = known.repetition;
    known.retransmits++;
    state = retransmit.state;
    const auto what = what_is_in(retransmit);
    // A time-out that is not the first one says that nothing was acknowledged in between, whichever segment goes.
    const bool goes_on = repetition.times != 0 && (repetition.what == what &&
                                                   (repetition.offset == retransmit.offset || retransmit.timeouts > 1));
    if (!goes_on) {
        repetition = {};
        repetition.first_ns = event.time_ns;
    }
    repetition.what = what;
    repetition.offset = retransmit.offset;
    repetition.times++;
    repetition.timeouts = retransmit.timeouts;
    repetition.last_ns = event.time_ns;
    repetition.silent_ns = retransmit.silent_ns.value_or(0);
    repetition.gives_up_ns = retransmit.gives_up_ns.value_or(0);
    repetition.user_timeout_ns = retransmit.user_timeout_ns;
}

void Story::add(const Event & /*event*/, const Reset &reset)
{
    if (reset.direction == ResetDirection::Received) {
        reset_received = true;
        return;
    }
    reset_sent = true;
    reset_reason = reset.reason;
    if (reset.kernel_reason != 0)
        get_into_trouble().reset_kernel_reason = reset.kernel_reason;
}

void Story::add(const Event & /*event*/, const Accept & /*accept*/)
{
    accepted = true;
}

void Story::add(const Event &event, const Found &found)
{
    state = found.state;
    if (found.status.established_ns && *found.status.established_ns < event.time_ns)
        established_ns = event.time_ns - *found.status.established_ns;
    if (found.state == TcpState::Listen)
        origin = Origin::Listener;
}

} // namespace tcpflight
