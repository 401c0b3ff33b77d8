#include "model/event.h"

#include <algorithm>

namespace tcpflight {

std::string_view name(OwnerSource source)
{
    switch (source) {
    case OwnerSource::Inherited: return "inherited";
    case OwnerSource::Listen: return "listen";
    case OwnerSource::Connect: return "connect";
    case OwnerSource::Syscall: return "syscall";
    case OwnerSource::Accept: return "accept";
    case OwnerSource::Snapshot: return "snapshot";
    case OwnerSource::Unknown: break;
    }
    return "unknown";
}

std::string_view name(RetransmitKind kind)
{
    switch (kind) {
    case RetransmitKind::Timeout: return "timeout";
    case RetransmitKind::Probe: return "probe";
    case RetransmitKind::Fast: return "fast";
    case RetransmitKind::Recovery: return "recovery";
    case RetransmitKind::Unknown: break;
    }
    return "unknown";
}

std::string_view name(EndReason reason)
{
    switch (reason) {
    case EndReason::Timer: return "timer";
    case EndReason::Syn: return "syn";
    case EndReason::Connect: return "connect";
    case EndReason::Reset: return "reset";
    case EndReason::Killed: return "killed";
    case EndReason::Namespace: return "netns";
    case EndReason::Unknown: break;
    }
    return {};
}

std::string_view describe(EndReason reason)
{
    switch (reason) {
    case EndReason::Syn: return "new SYN";
    case EndReason::Namespace: return "namespace gone";
    default: return name(reason);
    }
}

std::string_view describe(LossReason reason)
{
    switch (reason) {
    case LossReason::RingFull: return "ring buffer full";
    case LossReason::Nested: return "program interrupted by itself";
    case LossReason::DiskFull: return "disk full";
    case LossReason::Damaged: return "recording damaged";
    }
    return "?";
}

std::string_view Owner::comm_view() const
{
    return {comm.data(), static_cast<std::size_t>(std::find(comm.begin(), comm.end(), '\0') - comm.begin())};
}

} // namespace tcpflight
