// Something of which there is only so much.
#pragma once

#include "model/event.h"

#include <cstdint>

namespace tcpflight {

struct Usage {
    enum class Kind : std::uint8_t {
        Ports,     // ephemeral ports of an address, for connections to one address and port
        TimeWaits, // of a network namespace
    };
    Kind kind = Kind::Ports;
    std::uint64_t connection = 0; // one of those that take it
    Identity identity;            // its
    std::uint32_t taken = 0;
    std::uint32_t at_most = 0;
};

} // namespace tcpflight
