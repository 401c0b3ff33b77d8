#include "model/probe.h"

namespace tcpflight {

std::string_view name(ProbeKind kind)
{
    return kind == ProbeKind::Keepalive ? "keepalive" : "window";
}

} // namespace tcpflight
