// One look at all TCP sockets that are there.
#pragma once

#include "model/port_range.h"
#include "model/settings.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tcpflight {

// How a network namespace is set; trivially copyable.
struct NetnsLimits {
    NetnsSettings settings;
    PortRange ports; // none: not known
};

struct Look {
    // CLOCK_BOOTTIME: what was there all the time in between, in a namespace that was visited, was seen.
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;
    std::uint64_t cpu_ns = 0; // that it took of a CPU
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
