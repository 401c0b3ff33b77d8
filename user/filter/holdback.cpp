#include "filter/holdback.h"

#include "model/event_parts.h"

#include <algorithm>
#include <utility>

namespace tcpflight {
namespace {

// A RST follows within microseconds, a verdict within a second or so.
constexpr std::size_t max_departed = 1024;

bool ends_connection(const Event &event)
{
    const auto *change = std::get_if<StateChange>(&event.what);
    return std::holds_alternative<Gone>(event.what) || (change != nullptr && change->to == TcpState::Close);
}

// TIME_WAIT is no part of a connection's age.
bool leaves_time_wait(const Event &event)
{
    const auto *change = std::get_if<StateChange>(&event.what);
    return change != nullptr && change->time_wait_socket && change->to != TcpState::Close;
}

bool begins_connection(const Event &event)
{
    const auto *change = std::get_if<StateChange>(&event.what);
    return change != nullptr && begins_life(*change);
}

// It is told of connections that have ended, too.
bool follows_end(const Event &event)
{
    return std::holds_alternative<Reset>(event.what) || std::holds_alternative<Verdict>(event.what);
}

Direction direction_of(const Event &event)
{
    const auto *change = std::get_if<StateChange>(&event.what);
    if (change != nullptr && change->to == TcpState::SynSent)
        return Direction::Outgoing;
    if (change != nullptr && change->to == TcpState::Listen)
        return Direction::Neither;
    if (change != nullptr && change->from == TcpState::Listen && change->to == TcpState::SynRecv)
        return Direction::Incoming;
    if (std::holds_alternative<Accept>(event.what))
        return Direction::Incoming;
    if (event.identity != nullptr && event.identity->owner.source == OwnerSource::Connect)
        return Direction::Outgoing;
    return event.identity != nullptr && event.identity->owner.source == OwnerSource::Accept ? Direction::Incoming
                                                                                            : Direction::Unknown;
}

std::vector<Expression> numbers_in(const Expression &expression)
{
    std::vector<Expression> numbers;
    any_term(expression, [&](const Expression &term) {
        if (std::holds_alternative<QuantityTerm>(term.node))
            numbers.push_back(term);
        return false;
    });
    return numbers;
}

// "> 5s" is answered a nanosecond later than ">= 5s".
std::vector<std::uint64_t> ages_in(const std::vector<Expression> &numbers)
{
    std::vector<std::uint64_t> ages;
    for (const auto &number : numbers) {
        const auto &term = std::get<QuantityTerm>(number.node);
        if (term.quantity == Quantity::Duration)
            ages.insert(ages.end(), {term.value, term.value + 1});
    }
    std::sort(ages.begin(), ages.end());
    return ages;
}

// Nothing is known of its age but what the state of the socket tells, and it will have no event that ends it.
bool has_no_end(const Event &event)
{
    const auto *found = std::get_if<Found>(&event.what);
    return found != nullptr && (found->time_wait_socket || found->state == TcpState::NewSynRecv);
}

} // namespace

Holdback::Holdback(Filter filter, Deliver deliver, std::size_t max_bytes)
    : filter_(std::move(filter)), deliver_(std::move(deliver)), max_bytes_(max_bytes),
      numbers_(numbers_in(filter_.expression())), ages_(ages_in(numbers_))
{
}

void Holdback::push(const Event &event)
{
    advance(event.time_ns);
    auto known = connections_.find(event.connection);
    if (known != connections_.end() && begins_connection(event)) {
        end(known); // its end was not seen
        known = connections_.end();
    }
    bool is_stray = known == connections_.end() && follows_end(event);
    if (event.connection == 0 || !event.wanted || is_stray || has_no_end(event)) {
        judge_alone(event);
        return;
    }
    auto &connection = find_or_add(event);
    bool is_news = learn(connection, event);
    if (ends_connection(event)) {
        hold(connection, event);
        end(connections_.find(event.connection));
        return;
    }
    if (leaves_time_wait(event)) {
        hold(connection, event);
        conclude(connection);
    } else {
        if (is_news)
            settle(connection);
        judge_next(connection, event);
    }
    set_due(event.connection, connection);
    make_room();
}

// What is decided at once does not overtake what waits, since that will wait on and may never be wanted.
void Holdback::judge_next(Connection &connection, const Event &event)
{
    auto answer = judge(connection, event);
    if (answer == Answer::Open && !connection.numbers.is_over)
        hold(connection, event);
    else
        deliver(connection, event, answer == Answer::Yes);
}

// Not of a connection that is alive.
void Holdback::judge_alone(const Event &event)
{
    auto copy = event;
    if (event.wanted && !std::holds_alternative<Lost>(event.what)) {
        auto departed = std::find_if(departed_.rbegin(), departed_.rend(), [&](const auto &candidate) {
            return event.connection != 0 && candidate.first == event.connection;
        });
        static const Numbers nothing{.is_over = true};
        copy.wanted =
            departed != departed_.rend()
                ? judge(departed->second, event) == Answer::Yes
                : filter_.judge({.identity = event.identity, .event = &event, .numbers = &nothing}) == Answer::Yes;
    }
    deliver_(copy);
}

Holdback::Connection &Holdback::find_or_add(const Event &event)
{
    auto [found, is_new] = connections_.try_emplace(event.connection);
    auto &connection = found->second;
    if (is_new) {
        connection.place = order_.insert(order_.end(), event.connection);
        connection.began_ns = event.time_ns;
        connection.numbers.from_begin = begins_connection(event) && !event.incomplete;
    }
    return connection;
}

// Does it say anything that could answer what is open?
bool Holdback::learn(Connection &connection, const Event &event)
{
    auto &numbers = connection.numbers;
    if (const auto *found = std::get_if<Found>(&event.what)) {
        auto age = found->status.established_ns ? found->status.established_ns : found->status.in_state_ns;
        connection.began_ns = event.time_ns - std::min(age.value_or(0), event.time_ns);
    }
    if (const auto *retransmit = std::get_if<Retransmit>(&event.what))
        numbers.retransmits = std::max<std::uint64_t>(numbers.retransmits, retransmit->total);
    if (const auto *metrics = metrics_of(event); metrics != nullptr && metrics->rtt_us != 0) {
        std::uint64_t rtt_ns = std::uint64_t{metrics->rtt_us} * 1000;
        numbers.min_rtt_ns = std::min(numbers.min_rtt_ns.value_or(rtt_ns), rtt_ns);
        numbers.max_rtt_ns = std::max(numbers.max_rtt_ns.value_or(rtt_ns), rtt_ns);
    }
    if (const auto *change = std::get_if<StateChange>(&event.what); change != nullptr && change->bytes)
        numbers.bytes = change->bytes->acked + change->bytes->received;
    if (event.time_ns > connection.began_ns && !numbers.is_over)
        numbers.duration_ns = std::max(numbers.duration_ns, event.time_ns - connection.began_ns);
    if (connection.direction == Direction::Unknown)
        connection.direction = direction_of(event);
    if (event.incomplete)
        numbers.from_begin = false;
    bool new_identity = learn_identity(connection, event);
    return learn_answers(connection) || new_identity;
}

// Two bits each, mixed where there are many: only whether they change matters.
bool Holdback::learn_answers(Connection &connection) const
{
    std::uint64_t answers = 0;
    for (const auto &number : numbers_)
        answers = answers * 0x9e3779b97f4a7c15U +
                  static_cast<std::uint64_t>(evaluate(number, {.identity = nullptr, .numbers = &connection.numbers})) +
                  1;
    return std::exchange(connection.answers, answers) != answers;
}

// A connection that was wanted stays wanted when it changes hands.
bool Holdback::learn_identity(Connection &connection, const Event &event)
{
    if (event.identity == nullptr)
        return false;
    const auto &before = connection.identity;
    bool is_new = !connection.identity_known || before.owner.pid != event.identity->owner.pid ||
                  before.owner.comm != event.identity->owner.comm || before.local != event.identity->local ||
                  before.remote != event.identity->remote || before.where != event.identity->where;
    if (!is_new ||
        (connection.identity_known && filter_.admits(*event.identity, connection.direction) == Admission::No))
        return false;
    connection.identity = *event.identity;
    connection.identity_known = true;
    return true;
}

Answer Holdback::judge(const Connection &connection, const Event &event) const
{
    return filter_.judge({.identity = connection.identity_known ? &connection.identity : nullptr,
                          .direction = connection.direction,
                          .event = &event,
                          .numbers = &connection.numbers});
}

void Holdback::hold(Connection &connection, const Event &event)
{
    connection.held.push_back(
        {event, event.identity != nullptr ? *event.identity : Identity{}, event.identity != nullptr});
    held_++;
}

// What is decided leaves, and what is not stays in its order.
void Holdback::settle(Connection &connection)
{
    std::deque<Held> open;
    for (auto &held : connection.held) {
        auto answer = judge(connection, held.event);
        if (answer == Answer::Open) {
            open.push_back(std::move(held));
            continue;
        }
        held.event.identity = held.has_identity ? &held.identity : nullptr;
        deliver(connection, held.event, answer == Answer::Yes);
        held_--;
    }
    connection.held.swap(open);
}

void Holdback::deliver(Connection &connection, Event event, bool wanted)
{
    event.wanted = wanted;
    if (wanted && connection.gap) {
        event.incomplete = true;
        event.after_gap = true;
        connection.gap = false;
    }
    deliver_(event);
}

void Holdback::set_due(std::uint64_t cookie, Connection &connection)
{
    if (connection.due_ns != 0)
        due_.erase({connection.due_ns, cookie});
    connection.due_ns = 0;
    auto next = std::upper_bound(ages_.begin(), ages_.end(), connection.numbers.duration_ns);
    if (connection.held.empty() || next == ages_.end())
        return;
    connection.due_ns = connection.began_ns + *next;
    due_.emplace(connection.due_ns, cookie);
}

void Holdback::advance(std::uint64_t time_ns)
{
    while (!due_.empty() && due_.begin()->first <= time_ns) {
        auto [due_ns, cookie] = *due_.begin();
        auto &connection = connections_.at(cookie);
        connection.numbers.duration_ns = std::max(connection.numbers.duration_ns, due_ns - connection.began_ns);
        if (learn_answers(connection))
            settle(connection);
        set_due(cookie, connection);
    }
}

std::optional<std::uint64_t> Holdback::due_ns() const
{
    return due_.empty() ? std::nullopt : std::optional(due_.begin()->first);
}

// Its numbers are what they will be.
void Holdback::conclude(Connection &connection)
{
    connection.numbers.is_over = true;
    settle(connection);
    // How it was in all is not known: what would have to be is not told.
    for (auto &held : connection.held) {
        held.event.identity = held.has_identity ? &held.identity : nullptr;
        deliver(connection, held.event, false);
    }
    held_ -= connection.held.size();
    connection.held.clear();
}

void Holdback::end(Connections::iterator connection)
{
    conclude(connection->second);
    if (departed_.size() == max_departed)
        departed_.pop_front();
    departed_.emplace_back(connection->first, connection->second);
    remove(connection);
}

void Holdback::remove(Connections::iterator connection)
{
    if (connection->second.due_ns != 0)
        due_.erase({connection->second.due_ns, connection->first});
    order_.erase(connection->second.place);
    held_ -= connection->second.held.size();
    connections_.erase(connection);
}

void Holdback::make_room()
{
    auto used = [this] { return held_ * sizeof(Held) + connections_.size() * (sizeof(Connection) + 64); };
    // The last one is the one that has just had an event.
    while (used() > max_bytes_ && order_.size() > 1) {
        auto oldest = connections_.find(order_.front());
        auto &connection = oldest->second;
        dropped_ += connection.held.size();
        if (connection.held.empty()) {
            remove(oldest);
            continue;
        }
        held_ -= connection.held.size();
        connection.held.clear();
        connection.gap = true;
        set_due(oldest->first, connection);
        order_.splice(order_.end(), order_, connection.place);
    }
}

void Holdback::finish()
{
    while (!connections_.empty()) {
        auto first = connections_.find(order_.front());
        for (auto &held : first->second.held) {
            held.event.identity = held.has_identity ? &held.identity : nullptr;
            deliver(first->second, held.event, false);
        }
        remove(first);
    }
    departed_.clear();
}

} // namespace tcpflight
