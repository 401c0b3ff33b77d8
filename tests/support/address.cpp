#include "support/address.h"

#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <netinet/in.h>
#include <stdexcept>

namespace tcpflight::test {
namespace {

template <typename T> T view(const sockaddr_storage &storage)
{
    T address;
    std::memcpy(&address, &storage, sizeof(address));
    return address;
}

bool is_v4_mapped(const sockaddr_storage &storage)
{
    sockaddr_in6 address = view<sockaddr_in6>(storage);
    return IN6_IS_ADDR_V4MAPPED(&address.sin6_addr) != 0;
}

} // namespace

SocketAddress SocketAddress::v4(const char *text, std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (inet_pton(AF_INET, text, &address.sin_addr) != 1)
        throw std::invalid_argument(text);
    SocketAddress result;
    std::memcpy(&result.storage, &address, sizeof(address));
    result.size = sizeof(address);
    return result;
}

SocketAddress SocketAddress::v6(const char *text, std::uint16_t port)
{
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    if (inet_pton(AF_INET6, text, &address.sin6_addr) != 1)
        throw std::invalid_argument(text);
    SocketAddress result;
    std::memcpy(&result.storage, &address, sizeof(address));
    result.size = sizeof(address);
    return result;
}

std::uint16_t SocketAddress::port() const
{
    // The port is at the same place in both families.
    return ntohs(view<sockaddr_in>(storage).sin_port);
}

SocketAddress SocketAddress::with_port(std::uint16_t port) const
{
    SocketAddress result = *this;
    auto address = view<sockaddr_in>(storage);
    address.sin_port = htons(port);
    std::memcpy(&result.storage, &address, offsetof(sockaddr_in, sin_addr));
    return result;
}

std::string SocketAddress::text() const
{
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    if (storage.ss_family == AF_INET) {
        sockaddr_in address = view<sockaddr_in>(storage);
        return inet_ntop(AF_INET, &address.sin_addr, buffer.data(), buffer.size());
    }
    sockaddr_in6 address = view<sockaddr_in6>(storage);
    const std::uint8_t *bytes = address.sin6_addr.s6_addr;
    if (is_v4_mapped(storage))
        return inet_ntop(AF_INET, bytes + 12, buffer.data(), buffer.size());
    return inet_ntop(AF_INET6, bytes, buffer.data(), buffer.size());
}

std::string SocketAddress::family() const
{
    return storage.ss_family == AF_INET || is_v4_mapped(storage) ? "ipv4" : "ipv6";
}

} // namespace tcpflight::test
