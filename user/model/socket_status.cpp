#include "model/socket_status.h"

namespace tcpflight {

std::string_view name(Timer timer)
{
    switch (timer) {
    case Timer::Retransmit: return "retransmit";
    case Timer::Keepalive: return "keepalive";
    case Timer::TimeWait: return "timewait";
    case Timer::Probe: return "probe";
    case Timer::None: break;
    }
    return "none";
}

} // namespace tcpflight
