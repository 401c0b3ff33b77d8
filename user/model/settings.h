// What verdicts ask of the settings of a network namespace (/proc/sys/net).
#pragma once

#include <cstdint>

namespace tcpflight {

// 0: not known.
struct NetnsSettings {
    std::uint32_t netns = 0;             // inode number
    std::uint32_t ports = 0;             // in ipv4.ip_local_port_range, and not in ipv4.ip_local_reserved_ports
    std::uint32_t time_waits = 0;        // ipv4.tcp_max_tw_buckets
    std::uint32_t fin_timeout_s = 0;     // ipv4.tcp_fin_timeout
    std::uint32_t keepalive_time_s = 0;  // ipv4.tcp_keepalive_time
    std::uint32_t keepalive_intvl_s = 0; // ipv4.tcp_keepalive_intvl
    std::uint32_t keepalive_probes = 0;  // ipv4.tcp_keepalive_probes
    std::uint32_t somaxconn = 0;         // core.somaxconn
    std::uint32_t syn_backlog = 0;       // ipv4.tcp_max_syn_backlog
    std::uint32_t retries1 = 0;          // ipv4.tcp_retries1

    bool operator==(const NetnsSettings &) const = default;
};

} // namespace tcpflight
