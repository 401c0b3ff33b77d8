#include "connection.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <system_error>

namespace tcpflight::bench {
namespace {

int check(int result, const char *what)
{
    if (result < 0)
        throw std::system_error(errno, std::generic_category(), what);
    return result;
}

sockaddr *generic(sockaddr_in &address)
{
    return reinterpret_cast<sockaddr *>(&address);
}

// 127.1.0.1 to 127.1.255.255, never one that ends in .0
in_addr_t destination(std::uint32_t number)
{
    return htonl(0x7f010000U | (number & 0xffffU) | 1U);
}

} // namespace

Player::Player() : listener_(check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"))
{
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_ANY);
    check(bind(listener_.get(), generic(address_), sizeof(address_)), "bind");
    check(listen(listener_.get(), 16), "listen");
    // The client has always been there before accept(2) looks: a wait means that a packet was dropped.
    timeval patience{.tv_sec = 10, .tv_usec = 0};
    check(setsockopt(listener_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), "SO_RCVTIMEO");
    socklen_t length = sizeof(address_);
    check(getsockname(listener_.get(), generic(address_), &length), "getsockname");
}

Connection Player::open(std::uint32_t number)
{
    Connection connection;
    connection.client = Fd(check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
    address_.sin_addr.s_addr = destination(number);
    if (connect(connection.client.get(), generic(address_), sizeof(address_)) < 0 && errno != EINPROGRESS)
        throw std::system_error(errno, std::generic_category(), "connect");
    connection.server = Fd(check(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
    return connection;
}

void Player::end(Connection &connection, Ending ending)
{
    if (ending == Ending::Reset) {
        linger at_once{.l_onoff = 1, .l_linger = 0};
        check(setsockopt(connection.client.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), "SO_LINGER");
    }
    if (ending == Ending::ServerFirst)
        connection.server.reset();
    connection.client.reset();
    connection.server.reset();
}

} // namespace tcpflight::bench
