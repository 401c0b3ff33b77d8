// What sockets are put in order by.
#pragma once

#include <cstdint>

namespace tcpflight {

// Names and addresses go up. Of quantities, the largest comes first, and what has none last.
enum class SortKey : std::uint8_t {
    Default, // listeners first, then as Local
    State,
    RecvQueue,
    SendQueue,
    Local, // by port, then address, then the other end
    Remote,
    Process,
    Timer, // the one with the most retries first, then the next to fire
    Age,
};

} // namespace tcpflight
