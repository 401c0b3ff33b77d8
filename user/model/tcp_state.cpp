#include "model/tcp_state.h"

#include <array>

namespace tcpflight {

std::string_view name(TcpState state)
{
    static constexpr std::array<std::string_view, tcp_states> names{
        "?",     "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",    "TIME_WAIT",
        "CLOSE", "CLOSE_WAIT",  "LAST_ACK", "LISTEN",   "CLOSING",   "NEW_SYN_RECV",
    };
    auto index = static_cast<std::size_t>(state);
    return index < names.size() ? names[index] : names[0];
}

} // namespace tcpflight
