#include "diagnose/thresholds.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace tcpflight {
namespace {

constexpr std::uint64_t ns_per_s = 1'000'000'000;
constexpr std::uint32_t most_timeouts = 255;
constexpr std::uint32_t time_wait_s = 60; // TCP_TIMEWAIT_LEN, include/net/tcp.h

// The kernel asks for another route then (tcp_write_timeout() in net/ipv4/tcp_timer.c). R1 is three at least.
void adjust_timeouts(Thresholds &thresholds, const NetnsSettings &settings)
{
    if (settings.retries1 != 0)
        thresholds.timeouts = std::max(thresholds.timeouts, settings.retries1);
}

// With fewer it gives up before.
void adjust_probes(Thresholds &thresholds, const NetnsSettings &settings)
{
    if (settings.keepalive_probes != 0)
        thresholds.probes = std::min(thresholds.probes, settings.keepalive_probes);
}

void adjust_close_wait(Thresholds &thresholds, const NetnsSettings &settings)
{
    thresholds.close_wait_ns = std::max(thresholds.close_wait_ns, settings.fin_timeout_s * ns_per_s);
}

void adjust_fin_wait(Thresholds &thresholds, const NetnsSettings &settings)
{
    if (settings.fin_timeout_s != 0)
        thresholds.fin_wait_ns = settings.fin_timeout_s * ns_per_s;
}

void adjust_churn(Thresholds &thresholds, const NetnsSettings &settings)
{
    if (settings.ports != 0)
        thresholds.churn = std::max(settings.ports / time_wait_s, 1U);
}

constexpr std::array<ThresholdEntry, 13> entries{{
    {"timeouts", "time-outs in a row, nothing acknowledged in between (R1 of RFC 1122 section 4.2.3.5); more if so set",
     &Thresholds::timeouts, nullptr, most_timeouts, "ipv4.tcp_retries1", adjust_timeouts},
    {"probes",
     "probes in a row, of an idle connection or of a closed window, that were not answered (R1 as above); fewer if so "
     "set",
     &Thresholds::probes, nullptr, most_timeouts, "ipv4.tcp_keepalive_probes", adjust_probes},
    {"storm", "connections to one subnet (/24, of IPv6 /64) with two time-outs in a row each, within 10 s",
     &Thresholds::storm, nullptr},
    {"ports",
     "percent of net.ipv4.ip_local_port_range, without ip_local_reserved_ports, taken from one address to one address "
     "and port",
     &Thresholds::ports, nullptr},
    {"time-waits", "percent of net.ipv4.tcp_max_tw_buckets in TIME_WAIT, of a namespace", &Thresholds::time_waits,
     nullptr},
    {"loss",
     "percent of the segments of a connection, or of connections to one host, sent again, at least ten within 1 to 10 "
     "s (from a tenth on TCP's window has no room for three duplicate ACKs, RFC 5681 section 3.2)",
     &Thresholds::loss, nullptr},
    {"rtt", "times the shortest round trip that the smoothed one takes, and half a second more", &Thresholds::rtt,
     nullptr},
    {"churn",
     "connections a second of one process, over ten seconds, that each end within one (so many take all ports in the "
     "60 s of TIME_WAIT)",
     &Thresholds::churn, nullptr, 100'000, "ipv4.ip_local_port_range", adjust_churn},
    {"close-wait", "in CLOSE_WAIT, held by the process (the default of tcp_fin_timeout); longer if so set", nullptr,
     &Thresholds::close_wait_ns, 0, "ipv4.tcp_fin_timeout", adjust_close_wait},
    {"fin-wait", "in FIN_WAIT2, held by the process (so long the kernel would wait without one)", nullptr,
     &Thresholds::fin_wait_ns, 0, "ipv4.tcp_fin_timeout", adjust_fin_wait},
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

Thresholds adjusted(const Thresholds &thresholds, const NetnsSettings &settings)
{
    auto out = thresholds;
    for (std::size_t i = 0; i < entries.size(); i++) {
        const auto &entry = entries.at(i);
        if (entry.adjust != nullptr && (thresholds.given >> i & 1U) == 0)
            entry.adjust(out, settings);
    }
    return out;
}

} // namespace tcpflight
