// Lines that wait for their connection's numbers. With "retransmits >= 3" nobody knows at the first event of a
// connection whether it is wanted; so its events are kept until it is decided, and then delivered from the first one
// on, or dropped. What an event itself decides ("event reset") is decided at once.
//
// What is delivered, and in which order, depends on the events and their times alone: a recording replays as it was
// seen.
#pragma once

#include "filter/filter.h"
#include "model/event.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tcpflight {

class Holdback {
public:
    // The event and its identity are valid during the call. Events that are not wanted are delivered as such, to be
    // counted.
    using Deliver = std::function<void(const Event &)>;

    // At most `max_bytes` are kept, more or less; then the connection that has waited longest is dropped.
    Holdback(Filter filter, Deliver deliver, std::size_t max_bytes = default_bytes);

    // In the order of delivery by the sequencer.
    void push(const Event &event);
    // No event before `time_ns` is still to come: connections grow older without any.
    void advance(std::uint64_t time_ns);
    // No more events: what is still open is not wanted.
    void finish();

    // When advance() has something to deliver, though nothing happens. None: never.
    [[nodiscard]] std::optional<std::uint64_t> due_ns() const;

    // Events dropped for want of room, of connections that might have been wanted.
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

    static constexpr std::size_t default_bytes = std::size_t{64} << 20;

private:
    struct Held {
        Event event;
        Identity identity;
        bool has_identity = false;
    };
    struct Connection {
        Numbers numbers;
        std::uint64_t began_ns = 0;
        Direction direction = Direction::Unknown;
        Identity identity; // the last one with which it was wanted
        bool identity_known = false;
        bool gap = false; // some of its events were dropped
        std::deque<Held> held;
        std::uint64_t due_ns = 0;  // when its age decides something; 0: never
        std::uint64_t answers = 0; // of the criteria about numbers: see answers_of()
        std::list<std::uint64_t>::iterator place;
    };
    using Connections = std::unordered_map<std::uint64_t, Connection>;

    Connection &find_or_add(const Event &event);
    bool learn(Connection &connection, const Event &event);
    bool learn_identity(Connection &connection, const Event &event);
    bool learn_answers(Connection &connection) const;
    [[nodiscard]] Answer judge(const Connection &connection, const Event &event) const;
    void settle(Connection &connection);
    void judge_next(Connection &connection, const Event &event);
    void hold(Connection &connection, const Event &event);
    void deliver(Connection &connection, Event event, bool wanted);
    void set_due(std::uint64_t cookie, Connection &connection);
    void conclude(Connection &connection);
    void end(Connections::iterator connection);
    void remove(Connections::iterator connection);
    void judge_alone(const Event &event);
    void make_room();

    Filter filter_;
    Deliver deliver_;
    std::size_t max_bytes_;
    std::vector<Expression> numbers_; // the criteria about numbers
    std::vector<std::uint64_t> ages_; // at which one of them is answered anew, in order
    Connections connections_;
    std::list<std::uint64_t> order_;                        // of connections, by their first event
    std::set<std::pair<std::uint64_t, std::uint64_t>> due_; // time, connection
    std::size_t held_ = 0;                                  // events
    std::uint64_t dropped_ = 0;
    // What ended last: the kernel sends an active RST after it has told of > CLOSE, and verdicts come behind.
    std::deque<std::pair<std::uint64_t, Connection>> departed_;
};

} // namespace tcpflight
