// A filter expression as a tree. The grammar is in parser.h; the meaning, in eval.h.
#pragma once

#include "model/direction.h"
#include "model/endpoint.h"
#include "model/tcp_state.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tcpflight {

// Which of a connection's ends a criterion speaks of. "src" is the local one, "dst" the remote one.
enum class End : std::uint8_t { Either, Local, Remote, Both };

struct Expression;

// Each of `parts` must hold; none: everything does.
struct AllOf {
    std::vector<Expression> parts;
    bool operator==(const AllOf &other) const;
};

// One of `parts` must hold; none: nothing does.
struct AnyOf {
    std::vector<Expression> parts;
    bool operator==(const AnyOf &other) const;
};

// Its only part must not hold.
struct NotThat {
    std::vector<Expression> parts;
    bool operator==(const NotThat &other) const;
};

// "host" and "net". The first `bits` of the 128 count; the others are 0. IPv4 is v4-mapped, and 96 or more bits count.
struct NetTerm {
    End end = End::Either;
    Address address;
    std::uint8_t bits = 128;
    bool operator==(const NetTerm &) const = default;
};

// "port" and "portrange".
struct PortTerm {
    End end = End::Either;
    std::uint16_t first = 0;
    std::uint16_t last = 0;
    bool operator==(const PortTerm &) const = default;
};

// "ip" and "ip6": on the wire.
struct FamilyTerm {
    Family family = Family::IPv4;
    bool operator==(const FamilyTerm &) const = default;
};

enum class Number : std::uint8_t { Pid, Uid, Netns };

// What has to be this very number.
struct NumberTerm {
    Number what = Number::Pid;
    std::uint32_t value = 0;
    bool operator==(const NumberTerm &) const = default;
};

enum class Name : std::uint8_t { Comm, Cgroup, Container };

// Compared with a pattern (glob.h): of "comm" the whole name, of the others as cgroup_match.h says.
struct NameTerm {
    Name what = Name::Comm;
    std::string pattern;
    bool operator==(const NameTerm &) const = default;
};

struct DirectionTerm {
    Direction direction = Direction::Outgoing;
    bool operator==(const DirectionTerm &) const = default;
};

// In which state the connection is after the event.
struct StateTerm {
    TcpState state = TcpState::Established;
    bool operator==(const StateTerm &) const = default;
};

enum class EventClass : std::uint8_t {
    State,
    Error,
    Retransmit,
    Reset,
    Accept,
    Handshake,
    Queue,
    Probe,
    Congestion,
    Found,
    Gone,
    Verdict,
};

struct EventTerm {
    EventClass event = EventClass::State;
    bool operator==(const EventTerm &) const = default;
};

enum class Quantity : std::uint8_t { Duration, Retransmits, Rtt, Bytes };
enum class Relation : std::uint8_t { Less, LessOrEqual, Greater, GreaterOrEqual, Equal, NotEqual };

// A comparison with a number that grows or changes while the connection lives. Times in nanoseconds.
struct QuantityTerm {
    Quantity quantity = Quantity::Duration;
    Relation relation = Relation::Greater;
    std::uint64_t value = 0;
    bool operator==(const QuantityTerm &) const = default;
};

struct Expression {
    std::variant<AllOf, AnyOf, NotThat, NetTerm, PortTerm, FamilyTerm, NumberTerm, NameTerm, DirectionTerm, StateTerm,
                 EventTerm, QuantityTerm>
        node;
    bool operator==(const Expression &) const = default;
};

// Puts `more` beside what is there: both must hold.
void add_condition(Expression &expression, Expression more);

// Does it say nothing? ("")
bool is_open(const Expression &expression);

// In the grammar, such that it is parsed to the same tree again; empty if open. Parts that are conditions themselves
// stand between parentheses wherever the order could be in doubt.
std::string to_text(const Expression &expression);

// The tree, one node a line, each two blanks further in than what it belongs to. Ends with a newline.
std::string to_tree(const Expression &expression, int indent);

// Is there a criterion (not AllOf, AnyOf or NotThat) of which this is true?
bool any_term(const Expression &expression, const std::function<bool(const Expression &)> &test);
// About this number?
bool asks_for(const Expression &expression, Quantity quantity);

std::string_view name(Name what);
std::string_view name(EventClass event);
std::string_view name(Quantity quantity);
std::string_view name(Relation relation);

// Is it a time? Otherwise a count.
bool is_time(Quantity quantity);

// "1M", "1500": exact, in the largest unit of 1024 that comes out even.
std::string size_text(std::uint64_t bytes);

// "5s", "200ms", "1.5us": exact, in the largest unit that needs no more than three decimals.
std::string time_text(std::uint64_t time_ns);

} // namespace tcpflight
