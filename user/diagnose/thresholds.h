// When silence counts as trouble: all limits of the verdicts in one place.
#pragma once

#include <cstdint>

namespace tcpflight {

struct Thresholds {
    // Time-outs in a row, nothing acknowledged in between, from which on a connection is taken for broken: R1 of
    // RFC 1122 section 4.2.3.5 ("at least 3 retransmissions"), and the kernel's default of net.ipv4.tcp_retries1, which
    // means the same.
    std::uint32_t timeouts = 3;
    // A connection that has ended is judged so long after: the kernel sends an active RST after it has told of CLOSE,
    // and the other end, if it is on this host, must have had the time to hear of it. Nanoseconds.
    std::uint64_t settle_ns = 10'000'000;
};

} // namespace tcpflight
