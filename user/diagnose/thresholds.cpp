#include "diagnose/thresholds.h"

#include <array>

namespace tcpflight {
namespace {

constexpr std::array<ThresholdEntry, 13> entries{{
    {"timeouts", "time-outs in a row, nothing acknowledged in between (R1 of RFC 1122 section 4.2.3.5)",
     &Thresholds::timeouts, nullptr},
    {"probes", "probes in a row, of an idle connection or of a closed window, that were not answered (R1 as above)",
     &Thresholds::probes, nullptr},
    {"storm", "connections to one subnet (/24, of IPv6 /64) with two time-outs in a row each, within 10 s",
     &Thresholds::storm, nullptr},
    {"ports", "percent of net.ipv4.ip_local_port_range taken, from one address to one address and port",
     &Thresholds::ports, nullptr},
    {"time-waits", "percent of net.ipv4.tcp_max_tw_buckets in TIME_WAIT, of a namespace", &Thresholds::time_waits,
     nullptr},
    {"loss",
     "percent of a connection's segments sent again, at least ten within 1 to 10 s (from a tenth on TCP's window has "
     "no "
     "room for three duplicate ACKs, RFC 5681 section 3.2)",
     &Thresholds::loss, nullptr},
    {"rtt", "times the shortest round trip that the smoothed one takes, and half a second more, at a connection's end",
     &Thresholds::rtt, nullptr},
    {"churn",
     "connections a second of one process, over ten seconds, that each end within one (so many take all ports of the "
     "default net.ipv4.ip_local_port_range in the 60 s of TIME_WAIT)",
     &Thresholds::churn, nullptr, 100'000},
    {"close-wait", "in CLOSE_WAIT, held by the process (the kernel's default of net.ipv4.tcp_fin_timeout)", nullptr,
     &Thresholds::close_wait_ns},
    {"fin-wait", "in FIN_WAIT2, held by the process (the same)", nullptr, &Thresholds::fin_wait_ns},
    {"accept", "established, and not accepted (three time-outs of a SYN, RFC 6298 section 2)", nullptr,
     &Thresholds::accept_ns},
    {"zero-window", "the other end's window is closed (half of TCP_RTO_MAX, which lies between two probes at most)",
     nullptr, &Thresholds::zero_window_ns},
    {"unread", "bytes have come, and none of them is read (the same)", nullptr, &Thresholds::unread_ns},
}};

} // namespace

std::span<const ThresholdEntry> all_thresholds()
{
    return entries;
}

} // namespace tcpflight
