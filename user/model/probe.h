// What a socket sends to a silent other end (RFC 9293 sections 3.8.4 and 3.8.6.1).
#pragma once

#include "model/tcp_state.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace tcpflight {

enum class ProbeKind : std::uint8_t {
    Keepalive, // nothing is on its way: is the other end still there?
    Window,    // data waits: has the other end room for it by now?
};

// For programs: "keepalive", "window".
std::string_view name(ProbeKind kind);

struct Probe {
    TcpState state = TcpState::Established;
    ProbeKind kind = ProbeKind::Keepalive;
    std::uint32_t attempt = 1;                // this one, of those without an answer
    std::uint32_t limit = 0;                  // of them; then the connection ends
    std::optional<std::uint64_t> silent_ns;   // since anything came from the other end
    std::optional<std::uint64_t> closed_ns;   // of a window: since its first probe
    std::uint32_t waiting = 0;                // of a window: bytes that wait for it
    std::optional<std::uint64_t> next_ns;     // until the next one; none: not known
    std::optional<std::uint64_t> gives_up_ns; // until the kernel ends the connection if no answer comes
};

} // namespace tcpflight
