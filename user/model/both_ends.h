// Are both ends of a connection known, as far as they will be?
#pragma once

#include "model/event.h"

#include <algorithm>

namespace tcpflight {

// Not a listener's, nor those of a socket whose port is not chosen yet or that is not connected any more.
inline bool has_both_ends(const Identity &identity)
{
    const auto &address = identity.local.address.bytes;
    // 0.0.0.0, which is v4-mapped, or ::. An IPv6 address that ends in so many zeros is taken for one: that is safe.
    const bool is_specified = std::any_of(address.begin() + 12, address.end(), [](auto byte) { return byte != 0; });
    return identity.local.port != 0 && identity.remote.port != 0 && is_specified;
}

} // namespace tcpflight
