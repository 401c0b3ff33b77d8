#include "model/verdict.h"

#include <algorithm>

namespace tcpflight {
namespace {

struct Words {
    std::string_view name;
    Severity severity;
};

constexpr std::array<Words, verdict_kinds> words{{
    {"orderly", Severity::Normal},
    {"half-closed", Severity::Normal},
    {"listener-closed", Severity::Normal},
    {"unclear", Severity::Normal},
    {"refused", Severity::Notice},
    {"connect-cancelled", Severity::Normal},
    {"connect-abandoned", Severity::Alarm},
    {"connect-timed-out", Severity::Alarm},
    {"unreachable", Severity::Alarm},
    {"handshake-failed", Severity::Notice},
    {"reset-by-peer", Severity::Notice},
    {"reset-by-us", Severity::Notice},
    {"aborted-unread", Severity::Notice},
    {"aborted-linger", Severity::Notice},
    {"not-accepted", Severity::Notice},
    {"killed", Severity::Notice},
    {"no-memory", Severity::Alarm},
    {"data-timed-out", Severity::Alarm},
    {"fin-timed-out", Severity::Alarm},
    {"keepalive-timed-out", Severity::Alarm},
    {"user-timed-out", Severity::Alarm},
    {"connect-unanswered", Severity::Alarm},
    {"half-open", Severity::Alarm},
    {"close-wait-held", Severity::Alarm},
    {"fin-wait-held", Severity::Notice},
    {"accept-stalled", Severity::Alarm},
    {"zero-window", Severity::Alarm},
    {"unread", Severity::Notice},
    {"probes-unanswered", Severity::Alarm},
    {"accept-queue-overflow", Severity::Alarm},
    {"syn-queue-overflow", Severity::Alarm},
    {"syn-cookies", Severity::Notice},
    {"retransmission-storm", Severity::Alarm},
    {"time-wait-reused", Severity::Normal},
    {"time-wait-assassinated", Severity::Notice},
    {"ports-running-out", Severity::Alarm},
    {"time-wait-build-up", Severity::Notice},
    {"handshake-unanswered", Severity::Notice},
    {"loss-rate", Severity::Alarm},
    {"rtt-inflation", Severity::Notice},
    {"connection-churn", Severity::Notice},
    {"window-timed-out", Severity::Alarm},
    {"path-loss", Severity::Alarm},
}};

} // namespace

std::string_view name(VerdictKind kind)
{
    return words.at(static_cast<std::size_t>(kind)).name;
}

std::optional<VerdictKind> find_verdict(std::string_view name)
{
    const auto *found = std::find_if(words.begin(), words.end(), [&](const Words &w) { return w.name == name; });
    if (found == words.end())
        return std::nullopt;
    return static_cast<VerdictKind>(found - words.begin());
}

std::string_view name(Severity severity)
{
    switch (severity) {
    case Severity::Normal: return "normal";
    case Severity::Notice: return "notice";
    case Severity::Alarm: break;
    }
    return "alarm";
}

Severity severity_of(VerdictKind kind)
{
    return words.at(static_cast<std::size_t>(kind)).severity;
}

std::string_view name(Closer closer)
{
    switch (closer) {
    case Closer::ThisEnd: return "this";
    case Closer::OtherEnd: return "other";
    case Closer::Both: return "both";
    case Closer::Unknown: break;
    }
    return "unknown";
}

std::string_view name(Unanswered what)
{
    switch (what) {
    case Unanswered::Syn: return "syn";
    case Unanswered::Data: return "data";
    case Unanswered::Fin: return "fin";
    case Unanswered::Nothing: break;
    }
    return "nothing";
}

} // namespace tcpflight
