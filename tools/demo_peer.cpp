// The two ends of the demo's connections (tools/demo), as processes with names that tell them apart.
//
//     demo_peer server PORT    listens on 127.0.0.1, prints "ready"; takes one connection, and closes when it was
//     closed demo_peer client PORT    connects, prints "connected LOCALPORT" or "refused"; sends what comes on
//     standard input, and closes at its end
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <system_error>

namespace {

int fail(const char *what)
{
    std::perror(what);
    return 1;
}

// Says a line to the script, which waits for it.
void say(const char *line)
{
    std::puts(line);
    std::fflush(stdout);
}

// Reads and forgets, until the other side closes.
void drain(int descriptor)
{
    std::array<char, 512> buffer;
    while (::read(descriptor, buffer.data(), buffer.size()) > 0) {
    }
}

// Sends what comes on standard input, until its end.
void forward(int connection)
{
    std::array<char, 512> buffer;
    for (ssize_t size = 0; (size = ::read(STDIN_FILENO, buffer.data(), buffer.size())) > 0;) {
        if (::send(connection, buffer.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) < 0)
            return;
    }
}

int serve(const sockaddr_in &address)
{
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(listener, reinterpret_cast<const sockaddr *>(&address), sizeof(address)) != 0) {
        return fail("bind");
    }
    if (::listen(listener, 1) != 0) {
        return fail("listen");
    }
    say("ready");
    const int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) {
        return fail("accept");
    }
    drain(connection);
    return 0;
}

int connect_to(const sockaddr_in &address)
{
    const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(connection, reinterpret_cast<const sockaddr *>(&address), sizeof(address)) != 0) {
        if (errno != ECONNREFUSED) {
            return fail("connect");
        }
        say("refused");
        return 0;
    }
    sockaddr_in own = {};
    socklen_t length = sizeof(own);
    if (::getsockname(connection, reinterpret_cast<sockaddr *>(&own), &length) != 0) {
        return fail("getsockname");
    }
    std::printf("connected %u\n", static_cast<unsigned>(ntohs(own.sin_port)));
    std::fflush(stdout);
    forward(connection);
    ::shutdown(connection, SHUT_WR);
    drain(connection);
    return 0;
}

} // namespace

int main(int argc, char **argv)
{
    const std::string_view role = argc == 3 ? argv[1] : "";
    std::uint16_t port = 0;
    if (role != "server" && role != "client") {
        std::fputs("usage: demo_peer server|client PORT\n", stderr);
        return 2;
    }
    if (std::from_chars(argv[2], argv[2] + std::strlen(argv[2]), port).ec != std::errc() || port == 0) {
        std::fputs("demo_peer: the port is a number from 1 to 65535\n", stderr);
        return 2;
    }
    ::prctl(PR_SET_NAME, argv[1]);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return role == "server" ? serve(address) : connect_to(address);
}
