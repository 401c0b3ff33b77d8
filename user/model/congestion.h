// A sender's congestion state (TCP_CA_* of linux/tcp.h; Documentation/networking/ip-sysctl.rst and RFC 5681 say what it
// does in each).
#pragma once

#include <cstdint>
#include <string_view>

namespace tcpflight {

enum class CongestionState : std::uint8_t {
    Open,
    Disorder, // duplicate ACKs, but nothing is taken for lost yet
    Cwr,      // the other end saw congestion marks (RFC 3168), or this host's queue is full
    Recovery, // something is lost, and sent again at once
    Loss,     // a time-out expired: all is taken for lost
};

// As `ss -i` and the kernel write it: "Open", "CWR".
std::string_view name(CongestionState state);

} // namespace tcpflight
