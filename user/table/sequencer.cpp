#include "table/sequencer.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace tcpflight {
namespace {

// A part of the tuple that every connection has in the end, and this one has not yet.
bool lacks_tuple(const Event &event)
{
    const auto *change = std::get_if<StateChange>(&event.what);
    if (change == nullptr || event.identity == nullptr)
        return false;
    if (change->to == TcpState::SynSent)
        return event.identity->local.port == 0;
    return change->to == TcpState::SynRecv && event.identity->remote.port == 0;
}

} // namespace

// Where it is held its identity has moved with it, perhaps more than once.
void Sequencer::deliver(Held &held)
{
    if (held.event.identity != nullptr)
        held.event.identity = &held.identity;
    deliver_(held.event);
}

void Sequencer::push(const Event &event)
{
    advance(event.time_ns);
    if (awaits(event.connection))
        complete(event);
    if (queue_.empty() && !lacks_tuple(event)) {
        deliver_(event);
        return;
    }
    enqueue(event);
    release(event.time_ns);
}

std::optional<std::uint64_t> Sequencer::oldest_ns() const
{
    std::optional<std::uint64_t> oldest;
    auto look_at = [&](const Held &held) {
        oldest = std::min(oldest.value_or(held.event.time_ns), held.event.time_ns);
    };
    queue_.for_each(look_at);
    for (const auto &[connection, held] : late_)
        look_at(held);
    return oldest;
}

void Sequencer::finish()
{
    std::vector<Held> rest;
    for (auto &[connection, held] : late_)
        rest.push_back(std::move(held));
    late_.clear();
    std::sort(rest.begin(), rest.end(), [](const Held &a, const Held &b) { return a.event.time_ns < b.event.time_ns; });
    for (auto &held : rest)
        deliver(held);
    queue_.for_each([this](Held &held) { deliver(held); });
    queue_.clear();
    waiting_.clear();
}

// `news` is the next event of its connection. What waits for it takes the tuple, and nothing else: the owner may have
// changed in between. The answer of the filter was open without the tuple, so the later one counts.
void Sequencer::complete(const Event &news)
{
    auto fill = [&news](Held &held) {
        if (news.identity != nullptr) {
            held.identity.local = news.identity->local;
            held.identity.remote = news.identity->remote;
            held.identity.family = news.identity->family;
        }
        held.event.wanted = news.wanted;
        held.waiting = false;
    };
    if (auto late = late_.find(news.connection); late != late_.end()) {
        fill(late->second);
        if (queue_.empty())
            deliver(late->second);
        else
            queue_.push(std::move(late->second));
        late_.erase(late);
        return;
    }
    auto waiting = waiting_.find(news.connection);
    fill(queue_.at(waiting->second));
    waiting_.erase(waiting);
    release(news.time_ns);
}

void Sequencer::enqueue(const Event &event)
{
    bool waiting = lacks_tuple(event);
    if (waiting)
        waiting_[event.connection] = queue_.next_number();
    auto &held = queue_.add();
    held.event = event;
    if (event.identity != nullptr)
        held.identity = *event.identity;
    held.waiting = waiting;
}

void Sequencer::release(std::uint64_t time_ns)
{
    while (!queue_.empty()) {
        auto &front = queue_.front();
        if (front.waiting) {
            if (time_ns < front.event.time_ns + window_ns)
                return;
            waiting_.erase(front.event.connection);
            set_late(std::move(front));
        } else {
            deliver(front);
        }
        queue_.pop();
    }
    if (queue_.capacity() > most_idle)
        queue_.clear();
}

void Sequencer::set_late(Held &&held)
{
    if (late_.size() >= max_late) {
        deliver(held);
        return;
    }
    late_.emplace(held.event.connection, std::move(held));
}

} // namespace tcpflight
