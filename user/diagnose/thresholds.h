// When silence counts as trouble: all limits of the verdicts in one place.
#pragma once

#include "model/settings.h"

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
    // if its process has closed, has nothing left that would take this end's FIN. Where it is less, processes are no
    // faster for that.
    std::uint64_t close_wait_ns = 60'000'000'000;
    // In FIN_WAIT2, held by the process: net.ipv4.tcp_fin_timeout, which the kernel would grant without a process.
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
    // Percent of a connection's segments that are sent again. The window that TCP keeps open at a rate p of losses is
    // 1.22 / sqrt(p) segments (Mathis et al. 1997, RFC 3155 section 1): at a tenth, fewer than the four that it takes
    // for three duplicate ACKs (RFC 5681 section 3.2), so that losses are made good by time-outs.
    std::uint32_t loss = 10;
    // The smoothed round-trip time, in multiples of the shortest one: a queue on the way that is so many times as long
    // as the way itself (RFC 8289 section 3 calls it a standing one).
    std::uint32_t rtt = 10;
    // Connections a second of one process, over ten seconds, that end within a second: so many take all 28,232 ports of
    // the default net.ipv4.ip_local_port_range in the 60 s of TIME_WAIT.
    std::uint32_t churn = 470;

    // Bits of entries, in the order of all_thresholds(): the user has set them, and no setting of a namespace does.
    std::uint32_t given = 0;
};

// One that a user can set: `--threshold close-wait=300`.
struct ThresholdEntry {
    std::string_view name;
    std::string_view meaning; // for docs/verdicts.md
    std::uint32_t Thresholds::*count = nullptr;
    std::uint64_t Thresholds::*time_ns = nullptr; // either of the two
    std::uint32_t most = 255;                     // of a count: as the kernel counts time-outs and probes
    std::string_view setting = {};                // of the network namespace, which it goes by; empty: by none
    // What the threshold is where the setting is known, and is not 0.
    void (*adjust)(Thresholds &thresholds, const NetnsSettings &settings) = nullptr;
};

std::span<const ThresholdEntry> all_thresholds();

// As a network namespace is set; what the user has given stays.
Thresholds adjusted(const Thresholds &thresholds, const NetnsSettings &settings);

constexpr std::uint64_t max_threshold_s = 604'800; // a week

} // namespace tcpflight
