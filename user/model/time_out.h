// What the kernel waited for in vain when it ended a connection with ETIMEDOUT.
#pragma once

#include <cstdint>
#include <string_view>

namespace tcpflight {

enum class TimedOut : std::uint8_t {
    Unknown,
    Syn,         // the answer to connect(2)'s SYN
    SynAck,      // the ACK of a handshake whose socket is there already (TCP Fast Open, RFC 7413)
    Data,        // the acknowledgement of data
    Fin,         // that of the FIN alone
    WindowProbe, // room for what was not sent: answers to probes, or, where they came, a window that opens
    Keepalive,   // answers to keepalive probes: nothing else was under way
};

// For programs: "syn", "syn_ack", "data", "fin", "window_probe", "keepalive"; Unknown has no name.
std::string_view name(TimedOut what);
// For people, where the state does not say it: "data", "FIN", "window probes", "keepalive"; otherwise empty.
std::string_view describe(TimedOut what);

} // namespace tcpflight
