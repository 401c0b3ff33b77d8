#include "diagnose/pressure.h"

#include "diagnose/quality.h"

#include <cstring>

namespace tcpflight {
namespace {

constexpr std::uint32_t times_as_many = 10;

// The first 24 bits of an IPv4 address, the first 64 of IPv6.
std::uint64_t network_of(const Address &address)
{
    std::uint64_t network = 0;
    if (address.is_v4())
        std::memcpy(&network, &address.bytes[12], 3);
    else
        std::memcpy(&network, address.bytes.data(), sizeof(network));
    return network;
}

// As many more as make it news.
bool is_news(std::uint64_t now, std::uint64_t said)
{
    return said == 0 || now >= times_as_many * said;
}

} // namespace

std::optional<Verdict> Pressure::judge(std::uint64_t listener, const ListenQueue &queue)
{
    if (listeners_.size() >= capacity)
        listeners_.clear();
    auto &known = listeners_[listener];
    const auto dropped = queue.dropped.value_or(0) - queue.with_room;
    known.dropped += dropped;
    Verdict verdict;
    verdict.state = TcpState::Listen;
    verdict.at_most = queue.limit;
    if (queue.syn_cookies && !known.said_cookies) {
        known.said_cookies = true;
        verdict.kind = VerdictKind::SynCookies;
        verdict.queued = queue.syn_queue.value_or(0);
        return verdict;
    }
    const bool full = queue.accept_queue_is_full() || queue.syn_queue_is_full();
    if (dropped == 0 || !full || !is_news(known.dropped, known.said))
        return std::nullopt;
    verdict.kind = queue.accept_queue_is_full() ? VerdictKind::AcceptQueueOverflow : VerdictKind::SynQueueOverflow;
    verdict.queued = queue.accept_queue_is_full() ? queue.accept_queue : queue.syn_queue.value_or(0);
    verdict.dropped = static_cast<std::uint32_t>(known.dropped - known.said);
    known.said = known.dropped;
    return verdict;
}

std::optional<Verdict> Pressure::judge(std::uint64_t connection, const Address &remote, const Retransmit &retransmit,
                                       std::uint64_t time_ns)
{
    constexpr std::uint32_t in_a_row = 2; // a single one is an ordinary loss
    if (retransmit.kind != RetransmitKind::Timeout || retransmit.timeouts < in_a_row || retransmit.send_error != 0)
        return std::nullopt;
    if (subnets_.size() >= capacity)
        subnets_.clear();
    auto &subnet = subnets_[network_of(remote)];
    if (subnet.begun_ns == 0 || time_ns >= subnet.begun_ns + storm_ns) {
        // A storm that goes on is no news.
        if (subnet.connections.size() < thresholds_.storm)
            subnet.said = 0;
        subnet.connections.clear();
        subnet.begun_ns = time_ns;
    }
    subnet.connections.insert(connection);
    const auto count = static_cast<std::uint32_t>(subnet.connections.size());
    if (count < thresholds_.storm || !is_news(count, subnet.said))
        return std::nullopt;
    subnet.said = count;
    Verdict verdict;
    verdict.kind = VerdictKind::RetransmissionStorm;
    verdict.alike = count;
    verdict.waits_ns = time_ns - subnet.begun_ns;
    return verdict;
}

std::optional<Verdict> Pressure::judge_short(std::uint32_t pid, std::uint64_t time_ns, const Thresholds &thresholds)
{
    constexpr std::uint64_t ns_per_s = 1'000'000'000;
    const auto least = thresholds.churn * (storm_ns / ns_per_s);
    if (processes_.size() >= capacity)
        processes_.clear();
    auto &process = processes_[pid];
    if (process.begun_ns == 0 || time_ns >= process.begun_ns + storm_ns)
        // What goes on is no news.
        process = {.begun_ns = time_ns, .said = process.count < least ? 0 : process.said};
    process.count++;
    if (process.count < least || !is_news(process.count, process.said))
        return std::nullopt;
    process.said = process.count;
    Verdict verdict;
    verdict.kind = VerdictKind::ConnectionChurn;
    verdict.alike = process.count;
    verdict.waits_ns = time_ns - process.begun_ns;
    return verdict;
}

bool Pressure::is_bad(const Path &path) const
{
    constexpr std::uint64_t percent = 100;
    return path.lossy >= least_lossy && path.repeated >= least_repeated &&
           path.repeated * percent >= path.sent * thresholds_.loss;
}

std::optional<Verdict> Pressure::judge_path(const Address &remote, std::uint32_t sent, std::uint32_t repeated,
                                            std::uint64_t time_ns)
{
    if (paths_.empty() && repeated == 0)
        return std::nullopt;
    auto found = paths_.find(remote);
    if (found == paths_.end()) {
        if (repeated == 0)
            return std::nullopt; // nothing is wrong there
        if (paths_.size() >= capacity)
            paths_.clear();
        found = paths_.try_emplace(remote).first;
    }
    auto &path = found.value();
    if (path.begun_ns == 0 || time_ns >= path.begun_ns + storm_ns) {
        const bool goes_on = path.begun_ns != 0 && time_ns < path.begun_ns + 2 * storm_ns && is_bad(path);
        if (repeated == 0 && !goes_on) {
            paths_.erase(found);
            return std::nullopt;
        }
        path = {.begun_ns = time_ns, .said = goes_on && path.said};
    }
    path.sent += sent;
    path.repeated += repeated;
    path.lossy += repeated != 0 ? 1 : 0;
    if (path.said || time_ns - path.begun_ns < loss_over_ns || !is_bad(path))
        return std::nullopt;
    path.said = true;
    Verdict verdict;
    verdict.kind = VerdictKind::PathLoss;
    verdict.alike = path.lossy;
    verdict.segments = static_cast<std::uint32_t>(path.sent);
    verdict.repeated = static_cast<std::uint32_t>(path.repeated);
    verdict.waits_ns = time_ns - path.begun_ns;
    return verdict;
}

void Pressure::clear()
{
    paths_.clear();
    processes_.clear();
    listeners_.clear();
    subnets_.clear();
}

} // namespace tcpflight
