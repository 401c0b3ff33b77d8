#include "model/endpoint.h"

#include <algorithm>

namespace tcpflight {

bool Address::is_v4() const
{
    static constexpr std::array<std::uint8_t, 12> prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

} // namespace tcpflight
