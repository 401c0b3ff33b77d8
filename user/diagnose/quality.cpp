#include "diagnose/quality.h"

#include "diagnose/ends.h"

namespace tcpflight {
namespace {

constexpr std::uint64_t percent = 100;
constexpr std::uint64_t ns_per_us = 1000;

} // namespace

std::optional<Verdict> judge_loss(const Story &story, const Thresholds &thresholds)
{
    const auto &window = story.troubles().loss;
    if (story.has_ended() || window.repeated < least_repeated || window.last_ns - window.begun_ns < loss_over_ns ||
        window.repeated * percent < std::uint64_t{window.sent} * thresholds.loss)
        return std::nullopt;
    auto verdict = evidence_of(story, VerdictKind::LossRate, window.last_ns);
    verdict.repeated = window.repeated;
    verdict.segments = window.sent;
    verdict.waits_ns = window.last_ns - window.begun_ns;
    return verdict;
}

std::optional<Verdict> judge_rtt(const Story &story, const Traffic &traffic, const Thresholds &thresholds)
{
    const auto rtt_ns = traffic.rtt_us * ns_per_us;
    const auto min_rtt_ns = traffic.min_rtt_us * ns_per_us;
    if (min_rtt_ns == 0 || rtt_ns < min_rtt_ns * thresholds.rtt || rtt_ns < min_rtt_ns + longest_delayed_ack_ns)
        return std::nullopt;
    auto verdict = evidence_of(story, VerdictKind::RttInflation, story.ended_ns);
    verdict.rtt_ns = rtt_ns;
    verdict.min_rtt_ns = min_rtt_ns;
    return verdict;
}

} // namespace tcpflight
