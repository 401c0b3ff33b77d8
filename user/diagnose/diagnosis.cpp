#include "diagnose/diagnosis.h"

#include "diagnose/ends.h"
#include "diagnose/half_open.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace tcpflight {
namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t value)
{
    constexpr std::uint64_t odd = 0x9e3779b97f4a7c15U;
    hash = (hash ^ value) * odd;
    return hash ^ (hash >> 29);
}

std::uint64_t mix(std::uint64_t hash, const Endpoint &endpoint)
{
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::memcpy(&high, endpoint.address.bytes.data(), sizeof(high));
    std::memcpy(&low, endpoint.address.bytes.data() + sizeof(high), sizeof(low));
    return mix(mix(mix(hash, high), low), endpoint.port);
}

// 127.0.0.0/8 and ::1 are another host in each network namespace.
bool is_loopback(const Address &address)
{
    static constexpr std::array<std::uint8_t, 16> v6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    return address.is_v4() ? address.bytes[12] == 127 : address.bytes == v6;
}

// Never 0.
std::uint64_t ends_of(const Endpoint &from, const Endpoint &to, std::uint64_t seed)
{
    return mix(mix(seed, from), to) | 1U;
}

// What takes the place of a connection in TIME_WAIT goes on and ends by itself.
bool is_afterwards(const Event &event)
{
    const auto *change = std::get_if<StateChange>(&event.what);
    return change != nullptr && change->afterwards;
}

} // namespace

Diagnosis::Diagnosis(const Settings &settings, Emit emit, Identify identify)
    : settings_(settings), emit_(std::move(emit)), identify_(std::move(identify))
{
}

// connect(2) again, after the first one had failed.
void Diagnosis::expect(const Event &event)
{
    if (ended_.empty() || !std::holds_alternative<StateChange>(event.what) || is_afterwards(event))
        return;
    if (const auto *story = find(event.connection); story != nullptr && story->has_ended())
        judge_early(event.connection);
}

void Diagnosis::observe(const Event &event)
{
    if (event.connection == 0 || std::holds_alternative<Verdict>(event.what) || is_afterwards(event))
        return;
    // How it ended nobody knows.
    if (std::holds_alternative<Gone>(event.what)) {
        if (const auto *gone = find(event.connection); gone != nullptr && !gone->has_ended())
            forget(event.connection);
        return;
    }
    // What stands for a socket that has ended, or is not there yet, has no end of its own.
    if (const auto *found = std::get_if<Found>(&event.what);
        found != nullptr && (found->time_wait_socket || found->state == TcpState::NewSynRecv))
        return;
    auto *story = find_or_add(event);
    if (story == nullptr)
        return;
    story->add(event);
    if (story->ends == 0 && event.identity != nullptr)
        learn_ends(*story, *event.identity);
    if (std::holds_alternative<Retransmit>(event.what)) {
        auto verdict = judge_silence(*story, settings_.thresholds);
        if (verdict && story->raise(verdict->kind)) {
            name_other_end(*story, *verdict);
            emit(*verdict, event.connection, event.time_ns, event.identity, event.wanted, event.incomplete);
        }
        return;
    }
    if (story->has_ended() && std::holds_alternative<StateChange>(event.what))
        end(*story, event);
}

Diagnosis::Followed *Diagnosis::find(std::uint64_t connection)
{
    auto found = index_.find(connection);
    return found == index_.end() ? nullptr : &stories_[found->second];
}

// Null: a reset of one that was judged long ago, or there is no room.
Diagnosis::Followed *Diagnosis::find_or_add(const Event &event)
{
    if (auto *story = find(event.connection))
        return story;
    if (std::holds_alternative<Reset>(event.what))
        return nullptr;
    if (index_.size() >= settings_.capacity) {
        unfollowed_++;
        return nullptr;
    }
    std::uint32_t slot = 0;
    if (free_.empty()) {
        slot = static_cast<std::uint32_t>(stories_.size());
        stories_.emplace_back();
    } else {
        slot = free_.back();
        free_.pop_back();
        stories_[slot] = {};
    }
    index_.emplace(event.connection, slot);
    return &stories_[slot];
}

void Diagnosis::learn_ends(Followed &story, const Identity &identity)
{
    if (identity.local.port == 0 || identity.remote.port == 0)
        return;
    const std::uint64_t seed = is_loopback(identity.remote.address) ? identity.netns : 0;
    story.ends = ends_of(identity.local, identity.remote, seed);
    story.other_ends = ends_of(identity.remote, identity.local, seed);
    ends_[story.ends] = index_.find(story.connection)->second;
}

Diagnosis::Followed *Diagnosis::other_end_of(const Followed &story)
{
    auto found = story.ends != 0 ? ends_.find(story.other_ends) : ends_.end();
    return found == ends_.end() ? nullptr : &stories_[found->second];
}

void Diagnosis::forget(std::uint64_t connection)
{
    auto found = index_.find(connection);
    const auto slot = found->second;
    const auto &story = stories_[slot];
    if (auto ends = story.ends != 0 ? ends_.find(story.ends) : ends_.end(); ends != ends_.end() && ends->second == slot)
        ends_.erase(ends);
    free_.push_back(slot);
    index_.erase(found);
}

void Diagnosis::end(const Followed &story, const Event &event)
{
    const bool is_plain = story.error == 0 &&
                          (story.left_time_wait || story.state == TcpState::LastAck || story.state == TcpState::Listen);
    if (is_plain && !settings_.every_end) {
        forget(event.connection);
        return;
    }
    ended_.push_back({.due_ns = event.time_ns + settings_.thresholds.settle_ns,
                      .connection = event.connection,
                      .identity = event.identity != nullptr ? *event.identity : Identity{},
                      .identity_known = event.identity != nullptr,
                      .incomplete = event.incomplete});
}

void Diagnosis::judge_first()
{
    const auto ended = std::move(ended_.front());
    ended_.pop_front();
    if (ended.connection != 0)
        judge(ended);
}

void Diagnosis::judge_early(std::uint64_t connection)
{
    auto found =
        std::find_if(ended_.begin(), ended_.end(), [&](const Ended &ended) { return ended.connection == connection; });
    if (found == ended_.end())
        return;
    const auto ended = *found;
    found->connection = 0;
    judge(ended);
}

void Diagnosis::judge(const Ended &ended)
{
    const auto &story = *find(ended.connection);
    auto verdict = judge_end(story);
    name_other_end(story, verdict);
    if (settings_.every_end || severity_of(verdict.kind) != Severity::Normal)
        emit(verdict, ended.connection, ended.due_ns, ended.identity_known ? &ended.identity : nullptr, story.wanted,
             ended.incomplete);
    look_for_deserted(story, verdict, ended);
    forget(ended.connection);
}

void Diagnosis::look_for_deserted(const Followed &story, const Verdict &end, const Ended &ended)
{
    auto *other = other_end_of(story);
    if (other == nullptr || !is_deserted(*other, end) || !other->raise(VerdictKind::HalfOpen))
        return;
    other->deserted_ns = end.about_ns;
    auto verdict = evidence_of(*other, VerdictKind::HalfOpen, ended.due_ns);
    verdict.silent_ns = ended.due_ns - end.about_ns;
    verdict.other.connection = story.connection;
    verdict.other.state = TcpState::Close;
    verdict.other.pid = ended.identity.owner.pid;
    verdict.other.comm = ended.identity.owner.comm;
    emit(verdict, other->connection, ended.due_ns, identify_(other->connection), other->wanted, !other->whole);
}

void Diagnosis::name_other_end(const Followed &story, Verdict &verdict)
{
    const auto *other = other_end_of(story);
    if (other == nullptr)
        return;
    verdict.other.connection = other->connection;
    verdict.other.state = other->has_ended() ? TcpState::Close : other->state;
    if (const auto *identity = identify_(other->connection)) {
        verdict.other.pid = identity->owner.pid;
        verdict.other.comm = identity->owner.comm;
    }
}

void Diagnosis::emit(const Verdict &verdict, std::uint64_t connection, std::uint64_t time_ns, const Identity *identity,
                     bool wanted, bool incomplete)
{
    Event event;
    event.time_ns = time_ns;
    event.connection = connection;
    event.identity = identity;
    event.incomplete = incomplete;
    event.wanted = wanted;
    event.what = verdict;
    emit_(event);
}

void Diagnosis::finish()
{
    while (!ended_.empty())
        judge_first();
}

void Diagnosis::restart()
{
    index_.clear();
    ends_.clear();
    stories_.clear();
    free_.clear();
    ended_.clear();
}

} // namespace tcpflight
