#include "diagnose/stuck.h"

#include <algorithm>

namespace tcpflight {
namespace {

constexpr std::uint64_t ns_per_us = 1000;

// In its listener's queue: it has no file yet. A kernel's own sockets (NFS) have none either; they were not born of a
// listener that a process has.
bool is_unaccepted(const Story &story, const Found &found)
{
    return found.status.inode == 0 && story.origin == Origin::Incoming && !story.accepted &&
           (found.state == TcpState::Established || found.state == TcpState::CloseWait);
}

bool probes_unanswered(const Found &found, const Thresholds &thresholds)
{
    return (found.status.timer == Timer::Keepalive || found.status.timer == Timer::Probe) &&
           found.status.retries >= thresholds.probes;
}

} // namespace

bool waits_for(VerdictKind kind, const Story &story, const Found &found, const Thresholds &thresholds)
{
    const auto &status = found.status;
    switch (kind) {
    case VerdictKind::CloseWaitHeld: return found.state == TcpState::CloseWait && status.inode != 0;
    case VerdictKind::FinWaitHeld: return found.state == TcpState::FinWait2 && status.inode != 0;
    case VerdictKind::AcceptStalled: return is_unaccepted(story, found);
    case VerdictKind::ZeroWindow: return status.timer == Timer::Probe && !probes_unanswered(found, thresholds);
    case VerdictKind::Unread:
        return found.state == TcpState::Established && status.inode != 0 && status.recv_queue != 0;
    case VerdictKind::ProbesUnanswered: return probes_unanswered(found, thresholds);
    default: return false;
    }
}

std::uint64_t patience_ns(VerdictKind kind, const Thresholds &thresholds)
{
    switch (kind) {
    case VerdictKind::CloseWaitHeld: return thresholds.close_wait_ns;
    case VerdictKind::FinWaitHeld: return thresholds.fin_wait_ns;
    case VerdictKind::AcceptStalled: return thresholds.accept_ns;
    case VerdictKind::ZeroWindow: return thresholds.zero_window_ns;
    case VerdictKind::Unread: return thresholds.unread_ns;
    default: return 0;
    }
}

std::uint64_t waits_since_ns(VerdictKind kind, const Story &story)
{
    switch (kind) {
    case VerdictKind::CloseWaitHeld:
    case VerdictKind::FinWaitHeld: return story.first_fin_ns;
    case VerdictKind::AcceptStalled: return story.established_ns;
    default: return 0;
    }
}

void Stuck::see(const Event &event, const Found &found, const Story &story, std::uint32_t slot,
                const Thresholds &thresholds)
{
    look_ns_ = event.time_ns;
    auto &watch = watched_[event.connection];
    // What is read, if not all of it, is not unread.
    const bool was_read = found.status.recv_queue < watch.unread;
    watch.unread = found.status.recv_queue;
    watch.seen_ns = event.time_ns;
    for (std::size_t i = 0; i < stuck_kinds.size(); i++) {
        const auto kind = stuck_kinds.at(i);
        auto &since_ns = watch.since_ns.at(i);
        if (!waits_for(kind, story, found, thresholds)) {
            since_ns = 0;
            continue;
        }
        if (since_ns == 0 || (kind == VerdictKind::Unread && was_read)) {
            const auto known_ns = waits_since_ns(kind, story);
            since_ns = known_ns != 0 ? known_ns : event.time_ns;
        }
        if (event.time_ns - std::min(event.time_ns, since_ns) < patience_ns(kind, thresholds))
            continue;
        const bool has_owner = event.identity != nullptr && event.identity->owner.pid != 0;
        auto &known = cases_[{kind, has_owner ? event.identity->owner.pid : event.connection}];
        known.alike++;
        if (known.connection != 0 && known.since_ns <= since_ns)
            continue;
        const auto &status = found.status;
        known = {.kind = kind,
                 .connection = event.connection,
                 .slot = slot,
                 .since_ns = since_ns,
                 .alike = known.alike,
                 .queued = kind == VerdictKind::ZeroWindow ? status.send_queue : status.recv_queue,
                 .probes = status.retries,
                 .next_probe_ns = status.timer_left_us * ns_per_us};
    }
}

std::vector<Stuck::Case> Stuck::conclude()
{
    constexpr std::uint32_t times_as_many = 10;
    std::vector<Case> news;
    std::map<Group, std::uint32_t> said;
    for (const auto &[group, known] : cases_) {
        const auto before = said_.find(group);
        const auto said_of = before != said_.end() ? before->second : 0;
        const bool is_news = said_of == 0 || known.alike >= times_as_many * said_of;
        said[group] = is_news ? known.alike : said_of;
        if (is_news)
            news.push_back(known);
    }
    said_ = std::move(said);
    cases_.clear();
    for (auto watch = watched_.begin(); watch != watched_.end();)
        watch = watch->second.seen_ns == look_ns_ ? std::next(watch) : watched_.erase(watch);
    look_ns_ = 0;
    return news;
}

void Stuck::clear()
{
    watched_.clear();
    cases_.clear();
    said_.clear();
    look_ns_ = 0;
}

} // namespace tcpflight
