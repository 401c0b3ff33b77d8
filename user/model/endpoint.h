// Addresses and ports.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace tcpflight {

enum class Family : std::uint8_t { IPv4, IPv6 };

// 16 bytes in network order. IPv4 is stored v4-mapped (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2), whatever the family
// of the socket, so that the two ends of a connection compare alike.
struct Address {
    std::array<std::uint8_t, 16> bytes{};

    [[nodiscard]] bool is_v4() const
    {
        constexpr auto prefix = std::bit_cast<std::uint32_t>(std::array<std::uint8_t, 4>{0, 0, 0xff, 0xff});
        const auto [first, second] = words();
        const auto behind = std::bit_cast<std::array<std::uint32_t, 2>>(second)[0];
        return first == 0 && behind == prefix;
    }
    // Not that of std::array, which calls memcmp().
    bool operator==(const Address &other) const { return words() == other.words(); }

    // As two numbers, in the order of this machine.
    [[nodiscard]] std::array<std::uint64_t, 2> words() const
    {
        return std::bit_cast<std::array<std::uint64_t, 2>>(bytes);
    }
};

struct Endpoint {
    Address address;
    std::uint16_t port = 0; // host order; 0: not known
    bool operator==(const Endpoint &) const = default;
};

} // namespace tcpflight
