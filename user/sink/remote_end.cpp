#include "sink/remote_end.h"

#include "sink/address.h"

namespace tcpflight {

bool has_remote_end(const Event &event)
{
    const Endpoint &remote = event.identity->remote;
    if (remote.port == 0 && is_unspecified(remote.address))
        return false;
    const auto *change = std::get_if<StateChange>(&event.what);
    if (change == nullptr)
        return true;
    // A socket that was connected once and listens now may still hold the old address. LISTEN -> SYN_RECV is no
    // listener's but its child's, which starts as a copy.
    const bool begins = change->to == TcpState::Listen;
    const bool ends = change->from == TcpState::Listen && change->to != TcpState::SynRecv;
    return !begins && !ends;
}

} // namespace tcpflight
