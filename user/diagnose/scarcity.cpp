#include "diagnose/scarcity.h"

namespace tcpflight {
namespace {

// When all will be taken, if it goes on as since the last look; 0: that is not known, or they become fewer.
std::uint64_t until_all_are_taken_ns(const Usage &usage, std::uint32_t before, std::uint64_t passed_ns)
{
    if (usage.taken <= before || usage.taken >= usage.at_most || passed_ns == 0)
        return 0;
    return passed_ns / (usage.taken - before) * (usage.at_most - usage.taken);
}

} // namespace

std::optional<Verdict> Scarcity::judge(const Usage &usage, std::uint64_t time_ns)
{
    constexpr std::uint64_t percent = 100;
    const auto key = key_of(usage);
    if (usage.taken == 0) {
        known_.erase(key);
        return std::nullopt;
    }
    if (known_.size() >= capacity)
        known_.clear();
    auto &known = known_[key];
    const auto before = known;
    const bool is_port = usage.kind == Usage::Kind::Ports;
    const bool is_scarce =
        usage.taken * percent >= std::uint64_t{usage.at_most} * (is_port ? thresholds_.ports : thresholds_.time_waits);
    known = {.time_ns = time_ns, .taken = usage.taken, .said = is_scarce};
    if (!is_scarce || before.said)
        return std::nullopt;
    Verdict verdict;
    verdict.kind = is_port ? VerdictKind::PortsRunningOut : VerdictKind::TimeWaitBuildUp;
    verdict.state = is_port ? TcpState::Established : TcpState::TimeWait;
    verdict.about_ns = time_ns;
    verdict.alike = usage.taken;
    verdict.at_most = usage.at_most;
    if (before.time_ns != 0)
        verdict.gives_up_ns = until_all_are_taken_ns(usage, before.taken, time_ns - before.time_ns);
    return verdict;
}

} // namespace tcpflight
