// Who began a connection.
#pragma once

#include <cstdint>

namespace tcpflight {

enum class Direction : std::uint8_t {
    Unknown,  // its begin was not seen
    Outgoing, // this end called connect
    Incoming, // a listener's child
    Neither,  // a listener itself
};

} // namespace tcpflight
