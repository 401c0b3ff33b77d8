#include "model/time_out.h"

namespace tcpflight {

std::string_view name(TimedOut what)
{
    switch (what) {
    case TimedOut::Unknown: break;
    case TimedOut::Syn: return "syn";
    case TimedOut::SynAck: return "syn_ack";
    case TimedOut::Data: return "data";
    case TimedOut::Fin: return "fin";
    case TimedOut::WindowProbe: return "window_probe";
    case TimedOut::Keepalive: return "keepalive";
    }
    return {};
}

std::string_view describe(TimedOut what)
{
    switch (what) {
    case TimedOut::Unknown:
    case TimedOut::Syn:
    case TimedOut::SynAck: break;
    case TimedOut::Data: return "data";
    case TimedOut::Fin: return "FIN";
    case TimedOut::WindowProbe: return "window probes";
    case TimedOut::Keepalive: return "keepalive";
    }
    return {};
}

} // namespace tcpflight
