// Addresses and ports.
#pragma once

#include <array>
#include <cstdint>

namespace tcpflight {

enum class Family : std::uint8_t { IPv4, IPv6 };

// 16 bytes in network order. IPv4 is stored v4-mapped (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2), whatever the family
// of the socket, so that the two ends of a connection compare alike.
struct Address {
    std::array<std::uint8_t, 16> bytes{};

    [[nodiscard]] bool is_v4() const;
    bool operator==(const Address &) const = default;
};

struct Endpoint {
    Address address;
    std::uint16_t port = 0; // host order; 0: not known
    bool operator==(const Endpoint &) const = default;
};

} // namespace tcpflight
