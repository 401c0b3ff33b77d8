// Something of which there is only so much.
#pragma once

#include "model/event.h"

#include <array>
#include <cstdint>
#include <tuple>

namespace tcpflight {

struct Usage {
    enum class Kind : std::uint8_t {
        Ports,     // ephemeral ports of an address, for connections to one address and port
        TimeWaits, // of a network namespace
    };
    Kind kind = Kind::Ports;
    std::uint64_t connection = 0; // one of those that take it
    Identity identity;            // its
    std::uint32_t taken = 0;      // 0: less than half, after it was more
    std::uint32_t at_most = 0;
};

// What it is that is taken: kind, namespace, addresses, remote port; of TIME_WAITs the namespace alone.
using UsageKey =
    std::tuple<Usage::Kind, std::uint32_t, std::array<std::uint8_t, 16>, std::array<std::uint8_t, 16>, std::uint16_t>;

inline UsageKey key_of(const Usage &usage)
{
    const auto &identity = usage.identity;
    if (usage.kind == Usage::Kind::TimeWaits)
        return {usage.kind, identity.netns, {}, {}, 0};
    return {usage.kind, identity.netns, identity.local.address.bytes, identity.remote.address.bytes,
            identity.remote.port};
}

} // namespace tcpflight
