#include "model/handshake.h"

namespace tcpflight {

std::string_view name(HandshakeStep step)
{
    switch (step) {
    case HandshakeStep::SynReceived: return "syn_received";
    case HandshakeStep::SynAckRetransmit: return "syn_ack_retransmit";
    case HandshakeStep::NotCompleted: break;
    }
    return "not_completed";
}

std::string_view name(HandshakeEnd end)
{
    switch (end) {
    case HandshakeEnd::Unknown: break;
    case HandshakeEnd::TimedOut: return "timed_out";
    case HandshakeEnd::Refused: return "refused";
    case HandshakeEnd::NoListener: return "no_listener";
    }
    return "unknown";
}

std::string_view describe(HandshakeEnd end)
{
    switch (end) {
    case HandshakeEnd::Unknown: break;
    case HandshakeEnd::TimedOut: return "timed out";
    case HandshakeEnd::Refused: return "refused";
    case HandshakeEnd::NoListener: return "listener closed";
    }
    return {};
}

} // namespace tcpflight
