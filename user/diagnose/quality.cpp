#include "diagnose/quality.h"

#include "diagnose/ends.h"

namespace tcpflight {
namespace {

constexpr std::uint64_t percent = 100;
constexpr std::uint64_t ns_per_us = 1000;

bool is_lossy(std::uint32_t repeated, std::uint32_t sent, const Thresholds &thresholds)
{
    return repeated >= least_repeated && repeated * percent >= std::uint64_t{sent} * thresholds.loss;
}

bool is_far_longer(std::uint64_t rtt_us, std::uint64_t min_rtt_us, const Thresholds &thresholds)
{
    return min_rtt_us != 0 && rtt_us >= min_rtt_us * thresholds.rtt &&
           rtt_us * ns_per_us >= min_rtt_us * ns_per_us + longest_delayed_ack_ns;
}

Verdict inflated(const Story &story, std::uint64_t rtt_us, std::uint64_t min_rtt_us, std::uint64_t about_ns)
{
    auto verdict = evidence_of(story, VerdictKind::RttInflation, about_ns);
    verdict.rtt_ns = rtt_us * ns_per_us;
    verdict.min_rtt_ns = min_rtt_us * ns_per_us;
    return verdict;
}

} // namespace

std::optional<Verdict> judge_loss(const Story &story, const Thresholds &thresholds)
{
    const auto &window = story.troubles().loss;
    if (story.has_ended() || window.last_ns - window.begun_ns < loss_over_ns ||
        !is_lossy(window.repeated, window.sent, thresholds))
        return std::nullopt;
    auto verdict = evidence_of(story, VerdictKind::LossRate, window.last_ns);
    verdict.repeated = window.repeated;
    verdict.segments = window.sent;
    verdict.waits_ns = window.last_ns - window.begun_ns;
    return verdict;
}

std::optional<Verdict> judge_rtt(const Story &story, const Traffic &traffic, const Thresholds &thresholds)
{
    if (!is_far_longer(traffic.rtt_us, traffic.min_rtt_us, thresholds))
        return std::nullopt;
    return inflated(story, traffic.rtt_us, traffic.min_rtt_us, story.ended_ns);
}

bool is_loss_over(const Story &story, const Thresholds &thresholds)
{
    const auto &trouble = story.troubles();
    return trouble.loss.begun_ns > trouble.lossy_ns &&
           !is_lossy(trouble.loss.repeated_then, trouble.loss.sent_then, thresholds);
}

std::optional<Verdict> judge_slowness(Story &story, std::uint32_t rtt_us, std::uint64_t time_ns,
                                      const Thresholds &thresholds)
{
    auto &slowness = story.get_into_trouble().slowness;
    if (slowness.timeouts_before > 1 || !is_far_longer(rtt_us, slowness.min_rtt_us, thresholds)) {
        slowness.slow_since_ns = 0;
        return std::nullopt;
    }
    if (slowness.slow_since_ns == 0)
        slowness.slow_since_ns = time_ns;
    if (story.has_ended() || time_ns - slowness.slow_since_ns < loss_over_ns)
        return std::nullopt;
    return inflated(story, rtt_us, slowness.min_rtt_us, time_ns);
}

} // namespace tcpflight
