#include "support/stray_segment.h"

#include "support/process.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <system_error>

namespace tcpflight::test {
namespace {

// What the checksum covers before the segment (RFC 9293 section 3.1).
struct PseudoHeader {
    in_addr source;
    in_addr destination;
    std::uint8_t zero;
    std::uint8_t protocol;
    std::uint16_t length;
};

struct Checked {
    PseudoHeader pseudo;
    tcphdr segment;
};
static_assert(sizeof(Checked) == 32);

std::uint16_t checksum(const Checked &checked)
{
    std::array<std::uint16_t, sizeof(Checked) / 2> words{};
    std::memcpy(words.data(), &checked, sizeof(Checked));
    std::uint32_t sum = 0;
    for (const auto word : words)
        sum += word;
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

sockaddr_in as_v4(const SocketAddress &address)
{
    sockaddr_in raw{};
    std::memcpy(&raw, &address.storage, sizeof(raw));
    return raw;
}

[[noreturn]] void fail(const char *what)
{
    throw std::system_error(errno, std::generic_category(), what);
}

} // namespace

void send_stray_ack(const SocketAddress &from, const SocketAddress &to)
{
    auto source = as_v4(from);
    auto destination = as_v4(to);
    Checked checked{};
    checked.pseudo = {source.sin_addr, destination.sin_addr, 0, IPPROTO_TCP, htons(sizeof(tcphdr))};
    checked.segment.th_sport = source.sin_port;
    checked.segment.th_dport = destination.sin_port;
    checked.segment.th_off = sizeof(tcphdr) / 4;
    checked.segment.th_flags = TH_ACK;
    checked.segment.th_win = htons(1024);
    checked.segment.th_sum = checksum(checked);

    const Fd raw(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP));
    if (!raw.is_open())
        fail("raw socket");
    // The kernel makes the IP header, with the source that the socket is bound to.
    source.sin_port = 0;
    destination.sin_port = 0;
    if (bind(raw.get(), reinterpret_cast<const sockaddr *>(&source), sizeof(source)) != 0)
        fail("bind a raw socket");
    if (sendto(raw.get(), &checked.segment, sizeof(checked.segment), 0,
               reinterpret_cast<const sockaddr *>(&destination), sizeof(destination)) < 0)
        fail("send through a raw socket");
}

} // namespace tcpflight::test
