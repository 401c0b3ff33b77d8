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

bool is_deserted(const Story &story, const Verdict &end)
{
    switch (end.kind) {
    case VerdictKind::Orderly:
    case VerdictKind::HalfClosed:
    case VerdictKind::ListenerClosed:
    case VerdictKind::Unclear: return false;
    default: break;
    }
    // One that is connecting or closing finds out by itself: its SYN or its FIN is repeated until it does.
    return !story.has_ended() && (story.state == TcpState::Established || story.state == TcpState::CloseWait ||
                                  story.state == TcpState::FinWait2);
}

} // namespace tcpflight
