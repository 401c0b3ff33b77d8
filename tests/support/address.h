// A socket address, with the text that tcpflight has for it.
#pragma once

#include <cstdint>
#include <string>
#include <sys/socket.h>

namespace tcpflight::test {

class SocketAddress {
public:
    SocketAddress() = default;
    static SocketAddress v4(const char *text, std::uint16_t port = 0);
    static SocketAddress v6(const char *text, std::uint16_t port = 0); // "::ffff:127.0.0.1" is a v4-mapped one

    [[nodiscard]] std::uint16_t port() const; // host order
    [[nodiscard]] SocketAddress with_port(std::uint16_t port) const;

    // The address without the port; v4-mapped ones as IPv4, which they are on the wire.
    [[nodiscard]] std::string text() const;
    // "ipv4" or "ipv6", on the wire.
    [[nodiscard]] std::string family() const;

    // Plain data, so that it can be sent to another process as it is.
    sockaddr_storage storage{};
    socklen_t size = 0;
};

} // namespace tcpflight::test
