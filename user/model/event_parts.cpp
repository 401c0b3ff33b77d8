#include "model/event_parts.h"

namespace tcpflight {

const Metrics *metrics_of(const Event &event)
{
    return std::visit(
        [](const auto &what) -> const Metrics * {
            if constexpr (requires { what.metrics.rtt_us; })
                return &what.metrics;
            else if constexpr (requires { what.metrics->rtt_us; })
                return what.metrics ? &*what.metrics : nullptr;
            else
                return nullptr;
        },
        event.what);
}

bool begins_life(const StateChange &change)
{
    return change.from == TcpState::Close || (change.from == TcpState::Listen && change.to == TcpState::SynRecv);
}

} // namespace tcpflight
