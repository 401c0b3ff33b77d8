#include "diagnose/ends.h"

#include <algorithm>
#include <array>
#include <cerrno>

namespace tcpflight {
namespace {

std::uint64_t distance(std::uint64_t from_ns, std::uint64_t to_ns)
{
    return from_ns != 0 && to_ns > from_ns ? to_ns - from_ns : 0;
}

bool is_connecting(TcpState state)
{
    return state == TcpState::SynSent;
}

// Our FIN is out, and not acknowledged.
bool awaits_ack_of_fin(TcpState state)
{
    return state == TcpState::FinWait1 || state == TcpState::Closing || state == TcpState::LastAck;
}

// What icmp_err_convert (net/ipv4/icmp.c), icmpv6_err_convert (net/ipv6/icmp.c) and routing make of a network that
// does not deliver. As the soft error of a connection that timed out, too (tcp_write_err in net/ipv4/tcp_timer.c).
bool is_unreachable(int error)
{
    constexpr std::array errors{ENETUNREACH, EHOSTUNREACH, EHOSTDOWN, ENETDOWN, ENONET, ENOPROTOOPT, EACCES, EPROTO};
    return std::find(errors.begin(), errors.end(), error) != errors.end();
}

// Was it going on when the connection ended? The kernel gives up when a time-out expires, and the last repetition told
// when that would be. An old one, acknowledged since, lies further back.
bool ended_in_repetition(const Story &story)
{
    constexpr std::uint64_t longest_rto_ns = 120'000'000'000; // TCP_RTO_MAX
    constexpr std::uint64_t slack_ns = 1'000'000'000;
    const auto &repetition = story.repetition();
    if (repetition.times == 0)
        return false;
    const auto expected_ns = repetition.gives_up_ns != 0 ? repetition.gives_up_ns : longest_rto_ns;
    return story.ended_ns <= repetition.last_ns + expected_ns + expected_ns / 4 + slack_ns;
}

VerdictKind timed_out(const Story &story)
{
    if (is_connecting(story.state) || story.state == TcpState::SynRecv)
        return VerdictKind::ConnectTimedOut;
    switch (story.timed_out) {
    case TimedOut::Keepalive: return VerdictKind::KeepaliveTimedOut;
    case TimedOut::WindowProbe: return VerdictKind::WindowTimedOut;
    case TimedOut::Fin: return story.troubles().by_user_timeout ? VerdictKind::UserTimedOut : VerdictKind::FinTimedOut;
    case TimedOut::Data:
        return story.troubles().by_user_timeout ? VerdictKind::UserTimedOut : VerdictKind::DataTimedOut;
    default: break;
    }
    // Recordings made before that was told.
    if (!ended_in_repetition(story))
        return VerdictKind::KeepaliveTimedOut;
    if (story.repetition().user_timeout_ns != 0)
        return VerdictKind::UserTimedOut;
    if (awaits_ack_of_fin(story.state) && story.repetition().what == Unanswered::Fin)
        return VerdictKind::FinTimedOut;
    return VerdictKind::DataTimedOut;
}

// It ended with a RST of ours, or without any sign.
VerdictKind cut_off_here(const Story &story)
{
    switch (story.reset_reason) {
    case ResetReason::UnreadData:
    case ResetReason::DataAfterClose: return VerdictKind::AbortedUnread;
    case ResetReason::Linger0:
    case ResetReason::Linger2: return VerdictKind::AbortedLinger;
    case ResetReason::Aborted: return VerdictKind::Killed;
    case ResetReason::Keepalive: return VerdictKind::KeepaliveTimedOut;
    case ResetReason::NoMemory: return VerdictKind::NoMemory;
    case ResetReason::NotAccepted: return VerdictKind::NotAccepted;
    default: return VerdictKind::ResetByUs;
    }
}

VerdictKind closed_while_connecting(const Story &story)
{
    return story.repetition().times != 0 ? VerdictKind::ConnectAbandoned : VerdictKind::ConnectCancelled;
}

VerdictKind ended_by_error(const Story &story)
{
    switch (story.error) {
    case ECONNREFUSED: return VerdictKind::Refused;
    case ETIMEDOUT: return timed_out(story);
    case ECONNABORTED: return VerdictKind::Killed;
    case ECONNRESET:
    case EPIPE: // in CLOSE_WAIT: tcp_reset() in net/ipv4/tcp_input.c
        return story.reset_sent && !story.reset_received ? cut_off_here(story) : VerdictKind::ResetByPeer;
    default: break;
    }
    return is_unreachable(story.error) ? VerdictKind::Unreachable : VerdictKind::Unclear;
}

VerdictKind ended_without_error(const Story &story)
{
    if (story.state == TcpState::Listen)
        return VerdictKind::ListenerClosed;
    if (story.left_time_wait)
        return VerdictKind::Orderly;
    if (story.left_orphan)
        return story.reset_sent ? cut_off_here(story) : VerdictKind::HalfClosed;
    if (story.reset_received)
        return VerdictKind::ResetByPeer;
    if (is_connecting(story.state))
        return closed_while_connecting(story);
    if (story.state == TcpState::SynRecv)
        return story.reset_reason == ResetReason::NotAccepted ? VerdictKind::NotAccepted : VerdictKind::HandshakeFailed;
    if (story.reset_sent)
        return cut_off_here(story);
    // The last FIN was acknowledged; FIN_WAIT2 and CLOSING as in recordings made before TIME_WAIT was told.
    if (story.state == TcpState::LastAck || story.state == TcpState::FinWait2 || story.state == TcpState::Closing)
        return VerdictKind::Orderly;
    return VerdictKind::Unclear;
}

} // namespace

Verdict evidence_of(const Story &story, VerdictKind kind, std::uint64_t about_ns)
{
    Verdict verdict;
    verdict.kind = kind;
    verdict.state = story.state;
    verdict.about_ns = about_ns;
    verdict.error = story.error;
    verdict.retransmits = story.troubles().retransmits;
    verdict.lasted_ns = story.whole ? distance(story.begun_ns, about_ns) : 0;
    verdict.handshake_ns = story.whole ? distance(story.begun_ns, story.established_ns) : 0;
    verdict.closed_first = story.closed_first;
    verdict.open_ns = distance(story.established_ns, story.first_fin_ns);
    verdict.answer_ns = distance(story.first_fin_ns, story.second_fin_ns);
    if (story.reset_sent) {
        verdict.reason = story.reset_reason;
        verdict.kernel_reason = story.troubles().reset_kernel_reason;
    }
    return verdict;
}

VerdictKind kind_of_end(const Story &story)
{
    return story.error != 0 ? ended_by_error(story) : ended_without_error(story);
}

Verdict judge_end(const Story &story)
{
    auto verdict = evidence_of(story, kind_of_end(story), story.ended_ns);
    verdict.ended = true;
    const auto &repetition = story.repetition();
    const bool repeats = story.timed_out != TimedOut::Keepalive && story.timed_out != TimedOut::WindowProbe;
    if (story.timed_out == TimedOut::Fin || story.timed_out == TimedOut::Data)
        verdict.unanswered = story.timed_out == TimedOut::Fin ? Unanswered::Fin : Unanswered::Data;
    if (repeats && repetition.times != 0 && (is_connecting(story.state) || ended_in_repetition(story))) {
        verdict.unanswered = repetition.what;
        verdict.times_sent = repetition.times + 1;
        const auto silent_at_last_ns =
            repetition.silent_ns != 0 ? repetition.silent_ns : repetition.last_ns - repetition.first_ns;
        verdict.silent_ns = silent_at_last_ns + distance(repetition.last_ns, story.ended_ns);
        verdict.limit_ns = repetition.user_timeout_ns;
    } else if (is_connecting(story.state)) {
        verdict.unanswered = Unanswered::Syn;
        verdict.times_sent = 1;
        verdict.silent_ns = verdict.lasted_ns;
    }
    if (const auto deserted_ns = story.troubles().deserted_ns; deserted_ns != 0)
        verdict.silent_ns = distance(deserted_ns, story.ended_ns);
    return verdict;
}

} // namespace tcpflight
