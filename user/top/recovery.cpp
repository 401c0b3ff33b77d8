#include "top/recovery.h"

#include "diagnose/thresholds.h"

namespace tcpflight {
namespace {

// A segment of the other end brought it about: RFC 9293 section 3.3.2, figure 5.
bool is_answer(const StateChange &change)
{
    switch (change.from) {
    case TcpState::SynSent: return change.to == TcpState::SynRecv || change.to == TcpState::Established;
    case TcpState::SynRecv:
    case TcpState::NewSynRecv: return change.to == TcpState::Established || change.to == TcpState::CloseWait;
    case TcpState::Established: return change.to == TcpState::CloseWait;
    case TcpState::FinWait1: return change.to != TcpState::Close;
    case TcpState::FinWait2:
    case TcpState::Closing: return change.to == TcpState::TimeWait;
    default: return false;
    }
}

} // namespace

bool is_recovery(VerdictKind kind, const Event &event)
{
    const auto *change = std::get_if<StateChange>(&event.what);
    switch (kind) {
    case VerdictKind::HalfOpen: {
        // The count of time-outs begins anew only when something was acknowledged.
        const auto *retransmit = std::get_if<Retransmit>(&event.what);
        const bool anew =
            retransmit != nullptr && retransmit->kind == RetransmitKind::Timeout && retransmit->timeouts == 1;
        return anew || (change != nullptr && is_answer(*change));
    }
    case VerdictKind::ConnectUnanswered:
    case VerdictKind::HandshakeUnanswered:
    case VerdictKind::ProbesUnanswered:
    case VerdictKind::ZeroWindow: return change != nullptr && is_answer(*change);
    case VerdictKind::CloseWaitHeld:
        return change != nullptr && change->from == TcpState::CloseWait && change->to == TcpState::LastAck;
    case VerdictKind::FinWaitHeld: return change != nullptr && change->from == TcpState::FinWait2;
    case VerdictKind::AcceptStalled: return std::holds_alternative<Accept>(event.what);
    default: return false;
    }
}

bool is_relapse(VerdictKind kind, const Event &event)
{
    const auto *retransmit = std::get_if<Retransmit>(&event.what);
    return kind == VerdictKind::HalfOpen && retransmit != nullptr && retransmit->kind == RetransmitKind::Timeout &&
           retransmit->timeouts >= Thresholds().timeouts;
}

} // namespace tcpflight
