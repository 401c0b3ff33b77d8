#include "sink/color.h"

namespace tcpflight::color {

std::string_view of(TcpState state)
{
    constexpr std::string_view green = "\x1b[32m";
    constexpr std::string_view yellow = "\x1b[33m";
    constexpr std::string_view blue = "\x1b[34m";
    constexpr std::string_view cyan = "\x1b[36m";
    switch (state) {
    case TcpState::Established: return green;
    case TcpState::SynSent:
    case TcpState::SynRecv:
    case TcpState::NewSynRecv: return cyan;
    case TcpState::FinWait1:
    case TcpState::FinWait2:
    case TcpState::TimeWait:
    case TcpState::CloseWait:
    case TcpState::LastAck:
    case TcpState::Closing: return yellow;
    case TcpState::Listen: return blue;
    case TcpState::Close: break;
    }
    return faint;
}

} // namespace tcpflight::color
