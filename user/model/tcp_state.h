// The states of RFC 9293 section 3.3.2 under the kernel's names and numbers (include/net/tcp_states.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tcpflight {

enum class TcpState : std::uint8_t {
    Established = 1,
    SynSent,
    SynRecv,
    FinWait1,
    FinWait2,
    TimeWait,
    Close,
    CloseWait,
    LastAck,
    Listen,
    Closing,
    NewSynRecv,
};

// Numbers below this, 0 among them, which is none.
constexpr std::size_t tcp_states = static_cast<std::size_t>(TcpState::NewSynRecv) + 1;

constexpr bool is_valid(TcpState state)
{
    return state >= TcpState::Established && state <= TcpState::NewSynRecv;
}

// As `ss` and the kernel write it: "ESTABLISHED", "FIN_WAIT1"; "?" for a value that is not a state.
std::string_view name(TcpState state);

} // namespace tcpflight
