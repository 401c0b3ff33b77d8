#include "model/port_range.h"

#include <algorithm>
#include <charconv>

namespace tcpflight {

bool PortRange::reserve(std::string_view list)
{
    const auto *at = list.data();
    const auto *end = at + list.size();
    auto take = [&](std::uint16_t &port) {
        const auto [next, error] = std::from_chars(at, end, port);
        at = next;
        return error == std::errc();
    };
    while (at != end && *at != '\n') {
        std::uint16_t first = 0;
        if (!take(first))
            return false;
        auto last = first;
        if (at != end && *at == '-') {
            at++;
            if (!take(last))
                return false;
        }
        for (unsigned port = first; port <= last; port++) {
            count_ -= contains(static_cast<std::uint16_t>(port)) ? 1U : 0U;
            reserved_.at(port / bits) |= std::uint64_t{1} << (port % bits);
        }
        if (at != end && *at == ',')
            at++;
        else if (at != end && *at != '\n')
            return false;
    }
    return true;
}

} // namespace tcpflight
