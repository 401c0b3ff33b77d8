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

Scarcity::Key Scarcity::key_of(const Usage &usage)
{
    const auto &identity = usage.identity;
    if (usage.kind == Usage::Kind::TimeWaits)
        return {usage.kind, identity.netns, {}, {}, 0};
    return {usage.kind, identity.netns, identity.local.address.bytes, identity.remote.address.bytes,
            identity.remote.port};
}

std::vector<std::pair<std::size_t, Verdict>> Scarcity::judge(std::span<const Usage> usage, std::uint64_t time_ns)
{
    constexpr std::uint64_t percent = 100;
    std::vector<std::pair<std::size_t, Verdict>> news;
    std::map<Key, Known> now;
    for (std::size_t i = 0; i < usage.size(); i++) {
        const auto &one = usage[i];
        const bool is_port = one.kind == Usage::Kind::Ports;
        const auto found = known_.find(key_of(one));
        const auto before = found != known_.end() ? found->second : Known{};
        const bool is_scarce =
            one.taken * percent >= std::uint64_t{one.at_most} * (is_port ? thresholds_.ports : thresholds_.time_waits);
        now[key_of(one)] = {.time_ns = time_ns, .taken = one.taken, .said = is_scarce};
        if (!is_scarce || before.said)
            continue;
        Verdict verdict;
        verdict.kind = is_port ? VerdictKind::PortsRunningOut : VerdictKind::TimeWaitBuildUp;
        verdict.state = is_port ? TcpState::Established : TcpState::TimeWait;
        verdict.about_ns = time_ns;
        verdict.alike = one.taken;
        verdict.at_most = one.at_most;
        if (before.time_ns != 0)
            verdict.gives_up_ns = until_all_are_taken_ns(one, before.taken, time_ns - before.time_ns);
        news.emplace_back(i, verdict);
    }
    known_ = std::move(now);
    return news;
}

} // namespace tcpflight
