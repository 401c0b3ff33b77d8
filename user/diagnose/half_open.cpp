#include "diagnose/half_open.h"

#include "diagnose/ends.h"

namespace tcpflight {

std::optional<Verdict> judge_silence(const Story &story, const Thresholds &thresholds)
{
    const auto &repetition = story.repetition();
    if (story.has_ended() || repetition.timeouts < thresholds.timeouts)
        return std::nullopt;
    const bool connecting = repetition.what == Unanswered::Syn;
    auto verdict =
        evidence_of(story, connecting ? VerdictKind::ConnectUnanswered : VerdictKind::HalfOpen, repetition.last_ns);
    verdict.unanswered = repetition.what;
    verdict.times_sent = repetition.times + 1;
    verdict.silent_ns = repetition.silent_ns != 0 ? repetition.silent_ns : repetition.last_ns - repetition.first_ns;
    verdict.gives_up_ns = repetition.gives_up_ns;
    verdict.limit_ns = repetition.user_timeout_ns;
    return verdict;
}

bool is_answered(const Event &event)
{
    if (const auto *retransmit = std::get_if<Retransmit>(&event.what))
        // The kernel's count of time-outs begins anew when something is acknowledged (tcp_ack() in
        // net/ipv4/tcp_input.c).
        return retransmit->timeouts <= 1 && retransmit->send_error == 0;
    if (const auto *found = std::get_if<Found>(&event.what))
        return found->status.timer != Timer::Retransmit || found->status.retries == 0;
    // Its FIN: the only change of state that an acknowledgement alone brings about while the connection lives. A FIN
    // that comes says nothing of what was sent.
    const auto *change = std::get_if<StateChange>(&event.what);
    return change != nullptr && change->from == TcpState::FinWait1 && change->to == TcpState::FinWait2;
}

std::optional<Verdict> judge_deserted(const Story &story, const Found &found, std::uint64_t time_ns,
                                      const NetnsSettings &settings)
{
    constexpr std::uint64_t ns_per_s = 1'000'000'000;
    constexpr std::uint64_t ns_per_us = 1'000;
    const auto timer = found.status.timer;
    if (timer != Timer::None && timer != Timer::Keepalive)
        return std::nullopt; // something is under way: that will find it
    auto verdict = evidence_of(story, VerdictKind::HalfOpen, time_ns);
    verdict.silent_ns = time_ns - story.troubles().deserted_ns;
    verdict.other = story.troubles().deserted_by;
    verdict.keepalive = timer == Timer::None ? Keepalive::Off : Keepalive::On;
    // The next probe is answered with a RST, or none of them at all.
    if (timer == Timer::Keepalive && settings.keepalive_probes != 0)
        verdict.gives_up_ns = found.status.timer_left_us * ns_per_us +
                              std::uint64_t{settings.keepalive_probes} * settings.keepalive_intvl_s * ns_per_s;
    return verdict;
}

bool can_desert(VerdictKind end)
{
    switch (end) {
    case VerdictKind::Orderly:
    case VerdictKind::HalfClosed:
    case VerdictKind::ListenerClosed:
    case VerdictKind::Unclear: return false;
    default: return true;
    }
}

bool is_deserted(const Story &story)
{
    // One that is connecting or closing finds out by itself: its SYN or its FIN is repeated until it does.
    return !story.has_ended() && (story.state == TcpState::Established || story.state == TcpState::CloseWait ||
                                  story.state == TcpState::FinWait2);
}

} // namespace tcpflight
