#include "diagnose/diagnosis.h"

#include "diagnose/ends.h"
#include "diagnose/half_open.h"
#include "diagnose/quality.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace tcpflight {
namespace {

constexpr std::uint64_t ns_per_s = 1'000'000'000;

// What has a story: not what stands for a socket that has ended or is not there yet. No change of state: that is
// observe_change().
bool belongs_to_a_story(const Event &event)
{
    if (event.connection == 0 || std::holds_alternative<Verdict>(event.what))
        return false;
    // No socket came of it yet; what comes of it has a story of its own.
    if (std::holds_alternative<Handshake>(event.what))
        return false;
    const auto *found = std::get_if<Found>(&event.what);
    return found == nullptr || (!found->time_wait_socket && found->state != TcpState::NewSynRecv);
}

// As it should be, and without anything to say of it.
bool is_plain(const Story &story)
{
    return story.error == 0 &&
           (story.left_time_wait || story.state == TcpState::LastAck || story.state == TcpState::Listen);
}

} // namespace

Diagnosis::Diagnosis(const Settings &settings, Emit emit, Identify identify)
    : settings_(settings), emit_(std::move(emit)), identify_(std::move(identify)),
      pairs_([this](std::uint32_t slot) { return stories_[slot].connection; }), pressure_(settings.thresholds),
      scarcity_(settings.thresholds)
{
}

// connect(2) again, after the first one had failed.
void Diagnosis::expect(const Event &event, std::uint32_t slot)
{
    if (ended_.empty() || find(event.connection, slot) != nullptr)
        return;
    const auto *change = std::get_if<StateChange>(&event.what);
    if (change == nullptr || change->afterwards)
        return;
    if (auto *ended = find_ended(event.connection))
        judge(*ended);
}

void Diagnosis::observe(const Event &event, std::uint32_t slot)
{
    if (const auto *change = std::get_if<StateChange>(&event.what)) {
        // What takes the place of a connection in TIME_WAIT goes on and ends by itself.
        if (change->afterwards)
            judge_time_wait(event, *change);
        else if (event.connection != 0)
            observe_change(event, *change, slot);
        return;
    }
    judge_pressure(event);
    judge_handshake(event);
    if (!belongs_to_a_story(event))
        return;
    if (std::holds_alternative<Reset>(event.what) || slot == no_slot) {
        add_late(event, slot);
        return;
    }
    if (const auto *found = std::get_if<Found>(&event.what); found != nullptr && found->waits) {
        auto &story = find_or_begin(event, slot);
        if (story.begun_ns == 0) // it begins in the middle of a recording
            add(story, event, slot);
        if (event.wanted)
            stuck_.see(event, *found, story, slot, thresholds_of(event.identity));
        judge_waiting(story, event, *found);
        return;
    }
    // How it ended nobody knows.
    if (std::holds_alternative<Gone>(event.what)) {
        if (auto *gone = find(event.connection, slot))
            leave(*gone, slot);
        return;
    }
    auto &story = find_or_begin(event, slot);
    add(story, event, slot);
    judge_answered(story, event);
    if (std::holds_alternative<Retransmit>(event.what)) {
        judge_silent(story, event);
        judge_lossy(story, event);
        judge_slow(story, event);
    }
}

// Nearly all events are such.
void Diagnosis::observe_change(const Event &event, const StateChange &change, std::uint32_t slot)
{
    if (slot == no_slot) {
        add_late(event, slot);
        return;
    }
    auto &story = find_or_begin(event, slot);
    add(story, event, slot);
    judge_answered(story, event);
    if (!story.has_ended())
        return;
    judge_ended(story, event, change);
    end(story, slot, event);
}

// Of a connection that has ended, perhaps.
void Diagnosis::add_late(const Event &event, std::uint32_t slot)
{
    if (auto *story = find(event.connection, slot))
        story->add(event);
    else if (auto *ended = find_ended(event.connection))
        ended->story.add(event);
}

void Diagnosis::drop(std::uint64_t connection, std::uint32_t slot)
{
    if (auto *story = find(connection, slot))
        leave(*story, slot);
}

// Null: it has no story, or that has ended.
Story *Diagnosis::find(std::uint64_t connection, std::uint32_t slot)
{
    if (slot >= stories_.size())
        return nullptr;
    auto &story = stories_[slot];
    return story.connection == connection ? &story : nullptr;
}

Story &Diagnosis::find_or_begin(const Event &event, std::uint32_t slot)
{
    stories_.reach(slot);
    auto &story = stories_[slot];
    if (story.connection != event.connection) {
        // One that the table has forgotten can be in its place.
        if (story.connection != 0)
            leave(story, slot);
        story.connection = event.connection;
    }
    return story;
}

void Diagnosis::add(Story &story, const Event &event, std::uint32_t slot)
{
    story.add(event);
    if (!story.ends_known && event.identity != nullptr)
        story.ends_known = pairs_.add({.connection = event.connection, .slot = slot}, *event.identity);
}

Diagnosis::Ended *Diagnosis::find_ended(std::uint64_t connection)
{
    if (ended_index_.empty())
        return nullptr;
    auto found = ended_index_.find(connection);
    return found != ended_index_.end() ? &ended_.at(found->second) : nullptr;
}

// Null: it is not on this host, or not known. `other_identity` is null if that is not known.
const Story *Diagnosis::other_end_of(const Story &story, const Identity *identity, const Identity *&other_identity)
{
    other_identity = nullptr;
    if (!story.ends_known || identity == nullptr)
        return nullptr;
    const auto other = pairs_.other_end_of(*identity);
    if (!other)
        return nullptr;
    if (const auto *alive = find(other->connection, other->slot)) {
        other_identity = identify_(other->connection);
        return alive;
    }
    const auto *ended = find_ended(other->connection);
    if (ended == nullptr)
        return nullptr;
    other_identity = ended->identity_known ? &ended->identity : nullptr;
    return &ended->story;
}

void Diagnosis::leave(Story &story, std::uint32_t slot)
{
    if (story.ends_known)
        pairs_.drop(slot);
    story = {};
}

void Diagnosis::end(Story &story, std::uint32_t slot, const Event &event)
{
    if (is_plain(story) && settings_.least > Severity::Normal) {
        leave(story, slot);
        return;
    }
    ended_index_[event.connection] = ended_.next_number();
    auto &ended = ended_.add();
    ended.due_ns = event.time_ns + settings_.thresholds.settle_ns;
    ended.story = std::exchange(story, {});
    ended.identity_known = event.identity != nullptr;
    if (ended.identity_known)
        ended.identity = *event.identity;
    ended.incomplete = event.incomplete;
    ended.ends = ended.story.ends_known ? pairs_.leave({.connection = event.connection, .slot = slot}) : 0;
}

void Diagnosis::judge_silent(Story &story, const Event &event)
{
    auto verdict = judge_silence(story, thresholds_of(event.identity));
    if (!verdict)
        return;
    const bool half_open = verdict->kind == VerdictKind::HalfOpen;
    auto &trouble = story.get_into_trouble();
    // One that comes and goes is said once a minute.
    if (half_open && trouble.half_open_ns != 0 && event.time_ns < trouble.half_open_ns + half_open_again_ns)
        return;
    if (!story.raise(verdict->kind))
        return;
    if (half_open) {
        trouble.half_open_ns = event.time_ns;
        trouble.silent_since_ns = event.time_ns - std::min(event.time_ns, verdict->silent_ns);
    }
    name_other_end(story, event.identity, *verdict);
    emit(*verdict, event.connection, event.time_ns, event.identity, event.wanted, event.incomplete);
}

// It was half-open, and something came back. If it has ended, its end tells.
void Diagnosis::judge_recovered(Story &story, const Event &event)
{
    if (!story.is_raised(VerdictKind::HalfOpen) || story.has_ended() || story.troubles().deserted_ns != 0 ||
        !is_answered(event))
        return;
    story.lower(VerdictKind::HalfOpen);
    auto verdict = evidence_of(story, VerdictKind::HalfOpen, event.time_ns);
    verdict.over = true;
    verdict.silent_ns = event.time_ns - story.troubles().silent_since_ns;
    emit(verdict, event.connection, event.time_ns, event.identity, event.wanted, event.incomplete);
}

// It was seen again at a look, and no event told of it.
void Diagnosis::judge_waiting(Story &story, const Event &event, const Found &found)
{
    judge_answered(story, event);
    auto *trouble = story.trouble.get();
    if (trouble == nullptr || trouble->deserted_ns == 0 || trouble->keepalive_told)
        return;
    const auto *netns = netns_of(event.identity);
    const auto verdict =
        judge_deserted(story, found, event.time_ns, netns != nullptr ? netns->settings : NetnsSettings{});
    if (!verdict)
        return;
    trouble->keepalive_told = true;
    emit(*verdict, event.connection, event.time_ns, event.identity, event.wanted, event.incomplete);
}

void Diagnosis::judge_lossy(Story &story, const Event &event)
{
    if (story.is_raised(VerdictKind::LossRate) && is_loss_over(story, settings_.thresholds))
        story.lower(VerdictKind::LossRate);
    auto verdict = judge_loss(story, settings_.thresholds);
    if (!verdict || !story.raise(verdict->kind))
        return;
    story.get_into_trouble().lossy_ns = event.time_ns;
    name_other_end(story, event.identity, *verdict);
    emit(*verdict, event.connection, event.time_ns, event.identity, event.wanted, event.incomplete);
    judge_path(story, event, verdict->segments, verdict->repeated);
}

void Diagnosis::judge_slow(Story &story, const Event &event)
{
    const auto &retransmit = std::get<Retransmit>(event.what);
    if (retransmit.send_error != 0 || retransmit.metrics.rtt_us == 0)
        return;
    auto verdict = judge_slowness(story, retransmit.metrics.rtt_us, event.time_ns, settings_.thresholds);
    if (!verdict || !story.raise(verdict->kind))
        return;
    emit(*verdict, event.connection, event.time_ns, event.identity, event.wanted, event.incomplete);
}

// What connections to one host lose together.
void Diagnosis::judge_path(const Story &story, const Event &event, std::uint32_t sent, std::uint32_t repeated)
{
    if (!event.wanted || event.identity == nullptr)
        return;
    auto verdict = pressure_.judge_path(event.identity->remote.address, sent, repeated, event.time_ns);
    if (!verdict)
        return;
    verdict->state = story.state;
    verdict->about_ns = event.time_ns;
    emit(*verdict, event.connection, event.time_ns, event.identity, event.wanted, event.incomplete);
}

// What shows at the end, and is not why it ended.
void Diagnosis::judge_ended(const Story &story, const Event &event, const StateChange &change)
{
    if (change.traffic && story.established_ns != 0) {
        const auto &loss = story.troubles().loss;
        // What it lost while that was said of it alone counts already.
        const bool is_counted = story.troubles().lossy_ns != 0;
        judge_path(story, event, change.traffic->sent, is_counted ? 0 : loss.lost);
    }
    const auto slow = change.traffic && !story.is_raised(VerdictKind::RttInflation)
                          ? judge_rtt(story, *change.traffic, settings_.thresholds)
                          : std::nullopt;
    if (slow)
        emit(*slow, event.connection, event.time_ns, event.identity, event.wanted, event.incomplete);
    if (story.origin != Origin::Outgoing || event.time_ns - story.begun_ns >= Pressure::short_ns || !event.wanted ||
        event.identity == nullptr || event.identity->owner.pid == 0)
        return;
    auto verdict = pressure_.judge_short(event.identity->owner.pid, event.time_ns, thresholds_of(event.identity));
    if (!verdict)
        return;
    verdict->state = story.state;
    verdict->about_ns = event.time_ns;
    emit(*verdict, event.connection, event.time_ns, event.identity, event.wanted, event.incomplete);
}

// What listeners and networks have too much of. Only those that the user asked for are heard of at all.
void Diagnosis::judge_pressure(const Event &event)
{
    if (!event.wanted)
        return;
    std::optional<Verdict> verdict;
    if (const auto *queue = std::get_if<ListenQueue>(&event.what)) {
        verdict = pressure_.judge(event.connection, *queue);
        const auto *netns = netns_of(event.identity);
        if (verdict && netns != nullptr)
            verdict->by_somaxconn = netns->settings.somaxconn != 0 && verdict->at_most == netns->settings.somaxconn;
    } else if (const auto *retransmit = std::get_if<Retransmit>(&event.what);
               retransmit != nullptr && event.identity != nullptr) {
        verdict = pressure_.judge(event.connection, event.identity->remote.address, *retransmit, event.time_ns);
        if (verdict)
            verdict->state = retransmit->state;
    }
    if (!verdict)
        return;
    verdict->about_ns = event.time_ns;
    emit(*verdict, event.connection, event.time_ns, event.identity, event.wanted, event.incomplete);
}

// Its client is alone concerned, and what comes of it is told of anyhow: so it is judged when it happens, and not
// after.
void Diagnosis::judge_handshake(const Event &event)
{
    const auto *handshake = std::get_if<Handshake>(&event.what);
    if (handshake == nullptr || handshake->step != HandshakeStep::SynAckRetransmit || handshake->acknowledged ||
        handshake->attempt != thresholds_of(event.identity).timeouts)
        return;
    Verdict verdict;
    verdict.kind = VerdictKind::HandshakeUnanswered;
    verdict.state = TcpState::NewSynRecv;
    verdict.about_ns = event.time_ns;
    verdict.times_sent = handshake->attempt + 1;
    verdict.silent_ns = handshake->since_syn_ns.value_or(0);
    verdict.gives_up_ns = handshake->gives_up_ns.value_or(0);
    emit(verdict, event.connection, event.time_ns, event.identity, event.wanted, event.incomplete);
}

void Diagnosis::weigh(const Usage &usage, std::uint64_t time_ns)
{
    const auto verdict = scarcity_.judge(usage, time_ns);
    if (!verdict)
        return;
    const auto *known = identify_(usage.connection);
    emit(*verdict, usage.connection, time_ns, known != nullptr ? known : &usage.identity, true, false);
}

void Diagnosis::learn(const NetnsSettings &settings)
{
    if (netns_.size() >= most_netns)
        netns_.clear();
    netns_[settings.netns] = {.settings = settings, .thresholds = adjusted(settings_.thresholds, settings)};
}

const Diagnosis::Netns *Diagnosis::netns_of(const Identity *identity) const
{
    if (identity == nullptr || netns_.empty())
        return nullptr;
    const auto found = netns_.find(identity->netns);
    return found != netns_.end() ? &found->second : nullptr;
}

const Thresholds &Diagnosis::thresholds_of(const Identity *identity) const
{
    const auto *netns = netns_of(identity);
    return netns != nullptr ? netns->thresholds : settings_.thresholds;
}

// The end of TIME_WAIT before its time.
void Diagnosis::judge_time_wait(const Event &event, const StateChange &change)
{
    if (change.from != TcpState::TimeWait || !change.end)
        return;
    Verdict verdict;
    switch (change.end->reason) {
    case EndReason::Syn:
    case EndReason::Connect: verdict.kind = VerdictKind::TimeWaitReused; break;
    case EndReason::Reset: verdict.kind = VerdictKind::TimeWaitAssassinated; break;
    default: return;
    }
    verdict.state = TcpState::TimeWait;
    verdict.about_ns = event.time_ns;
    verdict.waits_ns = change.duration_ns.value_or(0);
    emit(verdict, event.connection, event.time_ns, event.identity, event.wanted, event.incomplete);
}

void Diagnosis::judge_stuck()
{
    const auto time_ns = stuck_.look_ns();
    for (const auto &known : stuck_.conclude()) {
        const auto *story = find(known.connection, known.slot);
        if (story == nullptr)
            continue;
        const auto *identity = identify_(known.connection);
        auto verdict = evidence_of(*story, known.kind, time_ns);
        verdict.waits_ns = time_ns - known.since_ns;
        verdict.alike = known.alike;
        verdict.queued = known.queued;
        if (known.kind == VerdictKind::ProbesUnanswered)
            verdict.times_sent = known.probes;
        name_other_end(*story, identity, verdict);
        emit(verdict, known.connection, time_ns, identity, story->wanted, !story->whole);
    }
}

void Diagnosis::judge_first()
{
    if (ended_.front().story.connection != 0)
        judge(ended_.front());
    ended_.pop();
}

void Diagnosis::judge(Ended &ended)
{
    // Most ends are not told, and leave nobody behind.
    const auto kind = kind_of_end(ended.story);
    auto *left = deserted_by(kind, ended);
    if (is_told(kind) || left != nullptr) {
        const auto *identity = ended.identity_known ? &ended.identity : nullptr;
        auto verdict = judge_end(ended.story);
        if (const auto *netns = netns_of(identity); netns != nullptr && kind == VerdictKind::HalfClosed)
            verdict.gives_up_ns = netns->settings.fin_timeout_s * ns_per_s;
        name_other_end(ended.story, identity, verdict);
        emit(verdict, ended.story.connection, ended.due_ns, identity, ended.story.wanted, ended.incomplete);
        if (left != nullptr)
            judge_left(*left, verdict, ended);
    }
    if (ended.story.ends_known)
        pairs_.forget(ended.story.connection, ended.ends);
    ended_index_.erase(ended.story.connection);
    ended.story = {};
}

// The other end, if it is on this host, alive, and was not told that this one has ended; null otherwise.
Story *Diagnosis::deserted_by(VerdictKind end, const Ended &ended)
{
    if (!can_desert(end) || !ended.story.ends_known || !ended.identity_known)
        return nullptr;
    const auto other = pairs_.other_end_of(ended.identity);
    auto *left = other ? find(other->connection, other->slot) : nullptr;
    return left != nullptr && is_deserted(*left) ? left : nullptr;
}

void Diagnosis::judge_left(Story &left, const Verdict &end, const Ended &ended)
{
    if (!left.raise(VerdictKind::HalfOpen))
        return;
    auto &trouble = left.get_into_trouble();
    trouble.deserted_ns = end.about_ns;
    auto verdict = evidence_of(left, VerdictKind::HalfOpen, ended.due_ns);
    verdict.silent_ns = ended.due_ns - end.about_ns;
    verdict.other.connection = ended.story.connection;
    verdict.other.state = TcpState::Close;
    verdict.other.pid = ended.identity.owner.pid;
    verdict.other.comm = ended.identity.owner.comm;
    trouble.deserted_by = verdict.other;
    emit(verdict, left.connection, ended.due_ns, identify_(left.connection), left.wanted, !left.whole);
}

void Diagnosis::name_other_end(const Story &story, const Identity *identity, Verdict &verdict)
{
    const Identity *other_identity = nullptr;
    const auto *other = other_end_of(story, identity, other_identity);
    if (other == nullptr)
        return;
    verdict.other.connection = other->connection;
    verdict.other.state = other->has_ended() ? TcpState::Close : other->state;
    if (other_identity != nullptr) {
        verdict.other.pid = other_identity->owner.pid;
        verdict.other.comm = other_identity->owner.comm;
    }
}

void Diagnosis::emit(const Verdict &verdict, std::uint64_t connection, std::uint64_t time_ns, const Identity *identity,
                     bool wanted, bool incomplete)
{
    if (!is_told(verdict.kind))
        return;
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
    if (stuck_.is_looking())
        judge_stuck();
}

void Diagnosis::restart()
{
    netns_.clear();
    stories_.clear();
    pairs_.clear();
    stuck_.clear();
    pressure_.clear();
    scarcity_.clear();
    ended_.clear();
    ended_index_.clear();
}

void Diagnosis::move(const std::function<std::uint32_t(std::uint64_t connection)> &slot_of)
{
    auto before = std::exchange(stories_, {});
    pairs_.clear();
    for (std::size_t number = 0; number < before.size(); number++) {
        auto &story = before[number];
        const auto slot = story.connection != 0 ? slot_of(story.connection) : no_slot;
        if (slot == no_slot)
            continue;
        stories_.reach(slot);
        const auto *identity = identify_(story.connection);
        story.ends_known = identity != nullptr && pairs_.add({.connection = story.connection, .slot = slot}, *identity);
        stories_[slot] = std::move(story);
    }
    ended_.for_each([](Ended &ended) { ended.story.ends_known = false; });
}

} // namespace tcpflight
