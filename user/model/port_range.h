// Which ports connect(2) may choose from in a network namespace.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tcpflight {

// Trivially copyable: it comes from another process.
class PortRange {
public:
    // None.
    PortRange() = default;
    // As net.ipv4.ip_local_port_range says, both included.
    PortRange(std::uint16_t low, std::uint16_t high) : low_(low), high_(high), count_(high >= low ? high - low + 1U : 0)
    {
    }

    // What net.ipv4.ip_local_reserved_ports says: "8080,9000-9010". False: it is nothing of the kind.
    bool reserve(std::string_view list);

    [[nodiscard]] bool contains(std::uint16_t port) const
    {
        return count_ != 0 && port >= low_ && port <= high_ && !is_reserved(port);
    }
    // How many there are.
    [[nodiscard]] std::uint32_t count() const { return count_; }

private:
    [[nodiscard]] bool is_reserved(std::uint16_t port) const
    {
        return (reserved_.at(port / bits) >> (port % bits) & 1U) != 0;
    }

    static constexpr unsigned bits = 64;
    static constexpr std::size_t ports = 65'536;

    std::uint16_t low_ = 1;
    std::uint16_t high_ = 0;
    std::uint32_t count_ = 0;
    std::array<std::uint64_t, ports / bits> reserved_{};
};

} // namespace tcpflight
