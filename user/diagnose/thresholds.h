// When silence counts as trouble: all limits of the verdicts in one place.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tcpflight {

struct Thresholds {
    // Time-outs in a row, nothing acknowledged in between, from which on a connection is taken for broken: R1 of
    // RFC 1122 section 4.2.3.5 ("at least 3 retransmissions"), and the kernel's default of net.ipv4.tcp_retries1, which
    // means the same.
    std::uint32_t timeouts = 3;
    // A connection that has ended is judged so long after: the kernel sends an active RST after it has told of CLOSE,
    // and the other end, if it is on this host, must have had the time to hear of it. Nanoseconds.
    std::uint64_t settle_ns = 10'000'000;

    // Probes in a row, of an idle connection or of a closed window, that were not answered: the same R1.
    std::uint32_t probes = 3;
    // In CLOSE_WAIT, held by the process: the kernel's default of net.ipv4.tcp_fin_timeout, after which the other end,
    // if its process has closed, has nothing left that would take this end's FIN.
    std::uint64_t close_wait_ns = 60'000'000'000;
    // In FIN_WAIT2, held by the process: the same time, which the kernel would grant without a process.
    std::uint64_t fin_wait_ns = 60'000'000'000;
    // Established, and not accepted: so long a client takes to send a SYN again three times (R1), from the first
    // time-out of RFC 6298 section 2 on: 1 + 2 + 4 seconds.
    std::uint64_t accept_ns = 7'000'000'000;
    // The other end's window was closed all the time, or nothing was read here: the longest that the kernel waits from
    // one probe of a window to the next is TCP_RTO_MAX, 120 s; in half of that a window of any size can have been
    // opened.
    std::uint64_t zero_window_ns = 60'000'000'000;
    std::uint64_t unread_ns = 60'000'000'000;
    // Connections to one subnet (/24, of IPv6 /64) with two time-outs in a row each, within ten seconds. Where one
    // percent is lost by chance, that takes ten thousand connections for each of them.
    std::uint32_t storm = 10;
    // Percent of the ports in net.ipv4.ip_local_port_range of the namespace that are taken for connections from one
    // address to one address and port; and of net.ipv4.tcp_max_tw_buckets that are in TIME_WAIT. From there on
    // connect(2) has to search for long, and a burst takes the rest.
    std::uint32_t ports = 80;
    std::uint32_t time_waits = 80;
};

// One that a user can set: `--threshold close-wait=300`.
struct ThresholdEntry {
    std::string_view name;
    std::string_view meaning; // for docs/verdicts.md
    std::uint32_t Thresholds::*count = nullptr;
    std::uint64_t Thresholds::*time_ns = nullptr; // either of the two
};

std::span<const ThresholdEntry> all_thresholds();

constexpr std::uint32_t max_threshold_count = 255; // as the kernel counts time-outs and probes
constexpr std::uint64_t max_threshold_s = 604'800; // a week

} // namespace tcpflight
