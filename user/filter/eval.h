// What a filter expression says of a connection and of an event. This is the truth; the kernel's share (kernel_part.h)
// is a safe superset of it.
//
// A criterion can hold, not hold, or be open: its port is not chosen yet, its owner is not known, or a number can still
// grow. "not" leaves open what is open; "and" and "or" are decided as soon as one side decides them.
#pragma once

#include "filter/expression.h"
#include "model/event.h"
#include "model/holder.h"

#include <cstdint>
#include <optional>
#include <span>

namespace tcpflight {

enum class Answer : std::uint8_t { No, Open, Yes };

// The numbers of a connection so far. The smallest and the largest value, where a number goes up and down.
struct Numbers {
    std::uint64_t duration_ns = 0;
    std::uint64_t retransmits = 0;
    std::optional<std::uint64_t> min_rtt_ns = {}; // none: never measured
    std::optional<std::uint64_t> max_rtt_ns = {};
    std::optional<std::uint64_t> bytes =
        {};                  // acknowledged and received, in all; none: it has not ended, or is not known
    bool from_begin = false; // they count from its begin on; otherwise they may be too small
    bool is_over = false;    // they will not change any more
};

// What is asked about. What is null or not given is not known.
struct Subject {
    const Identity *identity = nullptr;
    Direction direction = Direction::Unknown;
    const Event *event = nullptr;
    const Numbers *numbers = nullptr;
    std::span<const Holder> holders = {}; // besides the owner: `list` knows them
};

// How to answer what is open.
struct Outlook {
    bool unknown_is_no = false; // what is not known of the identity does not hold
    // Events and numbers may yet come to whatever the expression asks for: these criteria count as met, also negated.
    bool future_is_kind = false;
};

Answer evaluate(const Expression &expression, const Subject &subject, const Outlook &outlook = {});

// Does it ask for an event or a number, which the identity alone cannot answer?
bool asks_beyond_identity(const Expression &expression);

// Is the answer the same for either end of a connection, whose local end is the other's remote one?
bool is_of_both_ends(const Expression &expression);

// The state in which the connection is after the event. None: it says nothing of it.
std::optional<TcpState> state_after(const Event &event);

bool is_of(const Event &event, EventClass what);

} // namespace tcpflight
