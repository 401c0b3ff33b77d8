// What a socket is doing at one moment.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tcpflight {

// Which timer is running (enum tf_timer in records.h).
enum class Timer : std::uint8_t { None, Retransmit, Keepalive, TimeWait, Probe };

// "none", "retransmit", "keepalive", "timewait", "probe".
std::string_view name(Timer timer);

struct SocketStatus {
    std::uint64_t inode = 0; // of the socket's file; 0: it has none
    // Ages at that moment, nanoseconds, to a jiffy or a millisecond; none where the kernel does not know.
    std::optional<std::uint64_t> in_state_ns;
    std::optional<std::uint64_t> established_ns; // since the handshake was over
    std::uint32_t recv_queue = 0;                // bytes not read; of a listener, connections not accepted
    std::uint32_t send_queue = 0;                // bytes not acknowledged; of a listener, how many connections may wait
    std::uint32_t timer_left_us = 0;
    std::uint32_t drops = 0;
    std::uint32_t mark = 0;
    Timer timer = Timer::None;
    std::uint8_t retries = 0; // how often the timer has fired in vain
    bool ipv6_only = false;
    bool shut_read = false;
    bool shut_write = false;
};

} // namespace tcpflight
