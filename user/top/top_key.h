// What the rows of the live screen are put in order by.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tcpflight {

// Names and addresses go up; of quantities, the largest comes first.
enum class TopKey : std::uint8_t {
    Verdict, // alarms, then what is alive, then what has ended; of these, what something happened to last
    State,
    InState, // time in it
    Age,
    Retransmits,
    Rtt,
    Local,
    Remote,
    Process,
    Last, // the last event, the newest first
};

constexpr int top_keys = static_cast<int>(TopKey::Last) + 1;

// As --sort takes it and the screen shows it.
constexpr std::string_view name(TopKey key)
{
    constexpr std::array<std::string_view, top_keys> names{"verdict", "state", "in-state", "age",     "retransmits",
                                                           "rtt",     "local", "remote",   "process", "last"};
    return names.at(static_cast<std::size_t>(key));
}

} // namespace tcpflight
