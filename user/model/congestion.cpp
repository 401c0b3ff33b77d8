#include "model/congestion.h"

namespace tcpflight {

std::string_view name(CongestionState state)
{
    switch (state) {
    case CongestionState::Open: return "Open";
    case CongestionState::Disorder: return "Disorder";
    case CongestionState::Cwr: return "CWR";
    case CongestionState::Recovery: return "Recovery";
    case CongestionState::Loss: return "Loss";
    }
    return "?";
}

} // namespace tcpflight
