// One look at all TCP sockets that are there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tcpflight {

// Settings of a network namespace (/proc/sys/net/ipv4), by its inode number.
struct NetnsLimits {
    std::uint32_t netns = 0;
    std::uint32_t port_low = 0; // ip_local_port_range, both included; 0: not known
    std::uint32_t port_high = 0;
    std::uint32_t time_waits = 0; // tcp_max_tw_buckets; 0: not known
};

struct Look {
    // CLOCK_BOOTTIME: what was there all the time in between, in a namespace that was visited, was seen.
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;
    // A TF_RECORD_FOUND for each socket, in the order of time. A socket can occur twice.
    std::vector<std::byte> records;
    // Network namespaces (inode numbers), sorted: whose sockets were read, and which are known to be there.
    std::vector<std::uint32_t> visited;
    std::vector<std::uint32_t> present;
    std::vector<NetnsLimits> limits; // of those that were visited
    // Sockets that a process has open in a namespace that was out of reach; 0 if the processes were not asked.
    std::size_t out_of_reach = 0;
};

} // namespace tcpflight
